// SPDX-License-Identifier: MIT
// Mode II, connection translated: the switch aggregates and copies; reliability stays with hosts.
#ifndef EPIC_TRANSLATE_P4
#define EPIC_TRANSLATE_P4

#include "ack_minimum.p4"
#include "headers.p4"
#include "slot.p4"

// Treats a packet of a known connection, which is already marked to drop.
control Translate(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    Slot() slot;
    AckMinimum() ack_minimum;

    apply {
        meta.event = channel_event_t.REJECTED;
        if (hdr.lanes.isValid() && hdr.ipv4.total_len == DATA_IP_LEN) {
            if (meta.data_rule == data_rule_t.AGGREGATE) {
                @atomic {
                    slot.apply(hdr, meta);
                }
                bool again = meta.event == channel_event_t.REPLAY;
                if (again || meta.event == channel_event_t.COMPLETE) {
                    if (meta.root == 0) {
                        sm.egress_spec = meta.up_port;
                    } else if (again) {
                        sm.egress_spec = sm.ingress_port;
                    } else {
                        sm.mcast_grp = meta.kids_group;
                    }
                }
            } else if (meta.data_rule == data_rule_t.REPLICATE) {
                meta.event = channel_event_t.RESULT;
                sm.mcast_grp = meta.kids_group;
            }
        } else if (hdr.aeth.isValid() && hdr.ipv4.total_len == ACK_IP_LEN
                   && hdr.aeth.syndrome[7:5] == 0) {
            // (NAKs, syndrome 3 in these bits, have no meaning in Mode II.)
            if (meta.ack_rule == ack_rule_t.REFLECT) {
                meta.event = channel_event_t.REFLECT;
                sm.egress_spec = sm.ingress_port;
            } else if (meta.ack_rule == ack_rule_t.REPLICATE) {
                meta.event = channel_event_t.ACK_COPY;
                sm.mcast_grp = meta.kids_group;
            } else if (meta.ack_rule == ack_rule_t.MINIMUM) {
                @atomic {
                    ack_minimum.apply(hdr, meta);
                }
                if (meta.event == channel_event_t.ACK_MINIMUM) {
                    sm.egress_spec = meta.up_port;
                }
            }
        }
    }
}

#endif
