// SPDX-License-Identifier: MIT
#ifndef INCA_JOB_EVENTS_P4
#define INCA_JOB_EVENTS_P4

#include "headers.p4"

// What became of each aggregation packet, per job: cell job_index * 16 + job_event_t.
control JobEvents(in metadata_t meta) {
    counter(MAX_JOBS * EVENTS_PER_JOB, CounterType.packets_and_bytes) events;

    apply {
        events.count((bit<32>) (meta.job_index ++ (bit<4>) meta.event));
    }
}

#endif
