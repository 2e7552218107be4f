// SPDX-License-Identifier: MIT
// EPIC collectives in Mode II (connection translated) over RoCEv2, with IPv4 routing for
// everything else. Slots after docs/epic.md; no timers, no ACK of the switch's own.
#include <core.p4>
#include <v1model.p4>

#include "epic/parser.p4"
#include "epic/channel_events.p4"
#include "epic/connection.p4"
#include "epic/egress.p4"
#include "epic/translate.p4"
#include "common/ipv4_forward.p4"

control IncaIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    Connection() connection;
    Translate() translate;
    ChannelEvents() channel_events;
    Ipv4Forward() ipv4_forward;

    apply {
        // First, since an egress port that nobody sets is port 0 (behavioral-model#992). Setting
        // egress_spec or mcast_grp later revives the packet.
        mark_to_drop(sm);
        if (sm.checksum_error == 1) {
            meta.event = channel_event_t.REJECTED;
        } else if (hdr.bth.isValid()) {
            connection.apply(hdr, meta, sm);
            if (meta.known == 1) {
                translate.apply(hdr, meta, sm);
            } else {
                meta.forward = 1;
            }
        } else if (sm.parser_error == error.NoError) {
            meta.forward = 1;
        } else {
            meta.event = channel_event_t.REJECTED;
        }
        if (hdr.bth.isValid() || meta.event == channel_event_t.REJECTED) {
            channel_events.apply(meta);
        }
        if (meta.forward == 1) {
            ipv4_forward.apply(hdr, meta, sm);
        }
    }
}

V1Switch(EpicParser(), EpicVerifyChecksum(), IncaIngress(), EpicEgress(), EpicComputeChecksum(),
         EpicDeparser()) main;
