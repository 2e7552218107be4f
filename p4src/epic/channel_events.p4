// SPDX-License-Identifier: MIT
#ifndef EPIC_CHANNEL_EVENTS_P4
#define EPIC_CHANNEL_EVENTS_P4

#include "headers.p4"

// What became of each RoCE packet, per channel: cell channel * 16 + channel_event_t.
control ChannelEvents(in metadata_t meta) {
    counter(MAX_CHANNELS * EVENTS_PER_CHANNEL, CounterType.packets_and_bytes) events;

    apply {
        events.count((bit<32>) (meta.channel ++ (bit<4>) meta.event));
    }
}

#endif
