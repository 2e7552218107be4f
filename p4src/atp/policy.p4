// SPDX-License-Identifier: MIT
// ATP-style: first come, first served; nobody is displaced. As in ATP's public code a repeated
// fragment takes what its slot holds along to the PS and frees it. Unlike there the key is a
// 32-bit sequence never used again, the index is computed here, and the fan-in is a mask from a
// table; `expire_after` replaces the clean-up that the paper has and the code lacks.
#ifndef INCA_ATP_POLICY_P4
#define INCA_ATP_POLICY_P4

#include "../common/headers.p4"
#include "../common/slot_record.p4"

const bool RESEND_BYPASS = false;

control SlotPolicy(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action to_server() {
        meta.event = job_event_t.RESEND;
        hdr.agg.flags = hdr.agg.flags | FLAG_NOAGG;
        meta.forward = 1;
    }

    apply {
        bool resend = (hdr.agg.flags & FLAG_RESEND) != 0;
        if (meta.owner == meta.key) {
            bool repeated = (meta.slot_bitmap & hdr.agg.bitmap) != 0;
            if ((bit<8>) hdr.agg.op != meta.slot_info[INFO_OP]) {
                meta.event = job_event_t.REJECTED;
            } else if (resend) {
                meta.free_on_complete = 1;
                meta.event = repeated ? job_event_t.REPLAY : job_event_t.EMIT;
            } else if (repeated) {
                meta.event = meta.slot_bitmap == meta.full_mask
                    ? job_event_t.REPLAY : job_event_t.DUPLICATE;
            } else {
                meta.event = (meta.slot_bitmap | hdr.agg.bitmap) == meta.full_mask
                    ? job_event_t.EMIT : job_event_t.MERGE;
            }
        } else if (resend) {
            to_server();
        } else if (meta.owner == 0) {
            meta.event = job_event_t.ALLOCATE;
        } else if (sm.ingress_global_timestamp - meta.slot_since[SINCE_TIME]
                   > meta.expire_after) {
            meta.event = job_event_t.EXPIRE;
        } else {
            meta.event = job_event_t.PASS_THROUGH;
        }
    }
}

#endif
