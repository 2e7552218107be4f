// SPDX-License-Identifier: MIT
// ESA-inspired: a more important fragment takes the slot of a less important one. The abstract of
// arXiv 2201.06398 establishes preemption and priorities in the data plane; the rules below are
// this project's reconstruction.
#ifndef INCA_ESA_POLICY_P4
#define INCA_ESA_POLICY_P4

#include "../common/headers.p4"
#include "../common/slot_record.p4"

// A repeated fragment never touches a slot.
const bool RESEND_BYPASS = true;

control SlotPolicy(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    apply {
        if (meta.owner == meta.key) {
            if ((meta.slot_bitmap & hdr.agg.bitmap) != 0) {
                meta.event = job_event_t.DUPLICATE;
            } else if ((bit<8>) hdr.agg.op != meta.slot_info[INFO_OP]) {
                meta.event = job_event_t.REJECTED;
            } else if ((meta.slot_bitmap | hdr.agg.bitmap) == meta.full_mask) {
                meta.event = job_event_t.EMIT;
            } else {
                meta.event = job_event_t.MERGE;
            }
        } else if (meta.owner == 0) {
            meta.event = job_event_t.ALLOCATE;
        } else {
            bit<48> held_for = sm.ingress_global_timestamp - meta.slot_since[SINCE_TIME];
            bit<8> rank = meta.slot_prio;
            if (meta.downgrade == downgrade_t.AGE && held_for > meta.age_after) {
                rank = 0;
            }
            // Strictly greater: equals displace each other only after a downgrade.
            if (hdr.agg.prio > rank) {
                meta.event = job_event_t.PREEMPT;
            } else if (held_for > meta.expire_after) {
                meta.event = job_event_t.EXPIRE;
            } else {
                meta.event = job_event_t.PASS_THROUGH;
                if (meta.downgrade == downgrade_t.HALVE) {
                    meta.slot_prio = meta.slot_prio >> 1;
                } else if (meta.downgrade == downgrade_t.DECREMENT) {
                    meta.slot_prio = meta.slot_prio |-| 1;
                }
            }
        }
    }
}

#endif
