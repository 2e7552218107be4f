// SPDX-License-Identifier: MIT
// One aggregator slot per (job, seq), found by hash. The program including this file defines
//     control SlotPolicy(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm)
// before: given the slot's record in `meta`, it decides by `meta.event` what becomes of a
// contribution. Slot carries the decision out. All state is in ingress, one thread in BMv2, so a
// packet's whole visit is atomic.
#ifndef INCA_SLOT_P4
#define INCA_SLOT_P4

#include "headers.p4"
#include "lanes.p4"
#include "slot_record.p4"

control Slot(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    // Longer than the others, so that a survey may begin at any slot.
    register<fragment_key_t>(AGGREGATORS + 31) owner;
    register<bit<32>>(AGGREGATORS) bitmap;
    register<bit<64>>(AGGREGATORS) info;
    register<bit<64>>(AGGREGATORS) since;
    SlotPolicy() policy;
    Lanes() lanes;

    action find() {
        meta.key = hdr.agg.job ++ hdr.agg.seq;
        hash(meta.slot, HashAlgorithm.crc32, 32w0, { hdr.agg.job, hdr.agg.seq },
             meta.aggregators);
        owner.read(meta.owner, meta.slot);
    }

    action find_by_index() {
        meta.slot = (slot_index_t) hdr.agg.round;
        owner.read(meta.owner, meta.slot);
    }

    action read_record() {
        bitmap.read(meta.slot_bitmap, meta.slot);
        info.read(meta.slot_info, meta.slot);
        since.read(meta.slot_since, meta.slot);
        meta.slot_prio = meta.slot_info[INFO_PRIO];
    }

    action write_packet() {
        owner.write(meta.slot, meta.key);
        bitmap.write(meta.slot, hdr.agg.bitmap);
        info.write(meta.slot, hdr.agg.prio ++ hdr.agg.exp ++ (bit<8>) hdr.agg.op
                   ++ (hdr.agg.flags & STICKY_FLAGS) ++ hdr.agg.len ++ hdr.agg.iter);
        since.write(meta.slot, sm.ingress_global_timestamp ++ hdr.agg.layer);
    }

    // Packet and slot become the same: what both have contributed.
    action merge_record() {
        if (meta.slot_prio > hdr.agg.prio) { hdr.agg.prio = meta.slot_prio; }
        if (meta.slot_info[INFO_EXP] > hdr.agg.exp) { hdr.agg.exp = meta.slot_info[INFO_EXP]; }
        hdr.agg.flags = hdr.agg.flags | meta.slot_info[INFO_FLAGS];
        hdr.agg.bitmap = hdr.agg.bitmap | meta.slot_bitmap;
        if (meta.overflow != 0) { hdr.agg.flags = hdr.agg.flags | FLAG_OVERFLOW; }
        bitmap.write(meta.slot, hdr.agg.bitmap);
        info.write(meta.slot, hdr.agg.prio ++ hdr.agg.exp ++ (bit<8>) hdr.agg.op
                   ++ (hdr.agg.flags & STICKY_FLAGS) ++ hdr.agg.len ++ hdr.agg.iter);
    }

    // The packet takes the slot's record over, flags besides the sticky ones are for the caller.
    action read_packet() {
        hdr.agg.job = meta.owner[47:32];
        hdr.agg.seq = meta.owner[31:0];
        hdr.agg.bitmap = meta.slot_bitmap;
        hdr.agg.prio = meta.slot_prio;
        hdr.agg.exp = meta.slot_info[INFO_EXP];
        hdr.agg.op = (agg_op_t) meta.slot_info[INFO_OP];
        hdr.agg.len = meta.slot_info[INFO_LEN];
        hdr.agg.iter = meta.slot_info[INFO_ITER];
        hdr.agg.layer = meta.slot_since[SINCE_LAYER];
        hdr.agg.src_worker = NO_WORKER;
        hdr.agg.flags = meta.slot_info[INFO_FLAGS];
    }

    action free() {
        owner.write(meta.slot, 0);
    }

    // The packet, which now carries the displaced fragment, goes to that fragment's PS.
    action evict() {
        hdr.agg.flags = hdr.agg.flags | FLAG_EVICTED | FLAG_NOAGG;
        hdr.agg.round = 0;
        meta.lane_work = lane_work_t.SWAP;
        meta.victim = 1;
        meta.forward = 1;
    }

    // The packet goes to its own PS; the holder may lose priority by it.
    action downgrade() {
        info.write(meta.slot, meta.slot_prio ++ meta.slot_info[55:0]);
        hdr.agg.flags = hdr.agg.flags | FLAG_COLLISION | FLAG_NOAGG;
        meta.forward = 1;
    }

    action fetch() {
        owner.write(meta.slot, 0);
        hdr.agg.flags = hdr.agg.flags | FLAG_PARTIAL | FLAG_NOAGG;
        meta.event = job_event_t.REMIND_HIT;
        meta.lane_work = lane_work_t.LOAD;
    }

    // For people: job and seq are 0 if the slot is free; the slot's index stays in `round`, its
    // age in microseconds is iter ++ layer, all ones if it does not fit.
    action show() {
        bit<48> age = sm.ingress_global_timestamp - meta.slot_since[SINCE_TIME];
        if (age[47:32] != 0) { age = 0xFFFFFFFF; }
        hdr.agg.iter = age[31:16];
        hdr.agg.layer = age[15:0];
        if (meta.owner == 0) { hdr.agg.bitmap = 0; }
        if (hdr.agg.msg_type == msg_type_t.FLUSH) { owner.write(meta.slot, 0); }
        meta.lane_work = lane_work_t.LOAD;
    }

#define SURVEY_SLOT(n) \
        owner.read(found, meta.slot + n); \
        held = held | ((bit<32>) (bit<1>) (found != 0) << n);
    // Which of the slots `round` to `round` + 31 are held, of those that `bitmap` asks for.
    action survey() {
        fragment_key_t found;
        bit<32> held = 0;
        meta.slot = (slot_index_t) hdr.agg.round;
        EACH_SURVEYED(SURVEY_SLOT)
        hdr.agg.bitmap = hdr.agg.bitmap & held;
    }

    apply {
        if (meta.work != work_t.SHOW && meta.work != work_t.SURVEY) {
            find();
        } else if ((slot_index_t) hdr.agg.round < meta.aggregators) {
            if (meta.work == work_t.SURVEY) {
                survey();
            } else {
                find_by_index();
            }
        } else {
            meta.work = work_t.NONE;
            hdr.agg.flags = FLAG_MISS;
        }

        if (meta.work == work_t.CONTRIBUTE) {
            read_record();
            policy.apply(hdr, meta, sm);
            if (meta.event == job_event_t.MERGE || meta.event == job_event_t.EMIT) {
                meta.lane_work = lane_work_t.MERGE;
            } else if (meta.event == job_event_t.ALLOCATE) {
                write_packet();
                meta.lane_work = lane_work_t.STORE;
            } else if (meta.event == job_event_t.PREEMPT || meta.event == job_event_t.EXPIRE) {
                write_packet();
                read_packet();
                evict();
            } else if (meta.event == job_event_t.PASS_THROUGH) {
                downgrade();
            } else if (meta.event == job_event_t.REPLAY) {
                read_packet();
                meta.lane_work = lane_work_t.LOAD;
            }
        } else if (meta.work == work_t.RELEASE) {
            // With MISS nobody has a sum yet: what is in the slot may still be fetched.
            if (meta.owner == meta.key && (hdr.agg.flags & FLAG_MISS) == 0) { free(); }
        } else if (meta.work == work_t.FETCH) {
            if (meta.owner == meta.key) {
                read_record();
                read_packet();
                fetch();
            } else {
                hdr.agg.flags = hdr.agg.flags | FLAG_MISS;
                meta.event = job_event_t.REMIND_MISS;
            }
        } else if (meta.work == work_t.SHOW) {
            read_record();
            read_packet();
            show();
        }

        lanes.apply(hdr, meta);

        if (meta.lane_work == lane_work_t.MERGE) {
            merge_record();
        }
        if ((meta.event == job_event_t.EMIT || meta.event == job_event_t.REPLAY)
            && meta.free_on_complete == 1) {
            free();
        }
    }
}

#endif
