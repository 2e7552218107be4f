// SPDX-License-Identifier: MIT
// SwitchML-style: each job owns a pool of slots, each slot twice. A worker sends round r + 1 to
// the other set only after it has the result of round r, so one set always keeps the last result
// for a straggler. Register arrays are split into halves, one per set.
#ifndef INCA_SML_SLOT_P4
#define INCA_SML_SLOT_P4

#include "../common/headers.p4"
#include "../common/lanes.p4"

#define POOL_SLOTS (AGGREGATORS / 2)

// sml_record: job 16 | round 16 | workers seen 32.  sml_info: exp 8 | op 8 | sticky flags 8 | 0.
#define RECORD_JOB 63:48
#define RECORD_ROUND 47:32
#define RECORD_SEEN 31:0
#define INFO_EXP 31:24
#define INFO_OP 23:16
#define INFO_FLAGS 15:8

control SmlSlot(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    // Longer than the others, so that a survey may begin at any slot.
    register<bit<64>>(AGGREGATORS + 31) record;
    register<bit<32>>(AGGREGATORS) info;
    register<bit<8>>(AGGREGATORS) remaining;
    Lanes() lanes;

    bit<1> in_pool = 0;
    bit<1> versioned = 0;
    bit<8> fan_in = 0;
    bit<32> first_slot = 0;
    bit<32> slots = 0;
    bit<16> held_job = 0;
    bit<16> held_round = 0;
    bit<32> held_info = 0;
    bit<8> left = 0;

    // slots base .. base + size - 1 of each half. fan_in: contributions per slot. versioned = 0 is
    // SwitchML as published: no round number, a late duplicate may be counted again.
    action pool(bit<32> pool_base, bit<32> pool_size, bit<8> pool_fan_in, bit<1> with_round) {
        in_pool = 1;
        first_slot = pool_base;
        slots = pool_size;
        fan_in = pool_fan_in;
        versioned = with_round;
    }

    table pools {
        key = { hdr.agg.job : exact; }
        actions = { pool; NoAction; }
        const default_action = NoAction();
        size = MAX_JOBS;
    }

    action read_record() {
        bit<64> r;
        record.read(r, meta.slot);
        held_job = r[RECORD_JOB];
        held_round = r[RECORD_ROUND];
        meta.slot_bitmap = r[RECORD_SEEN];
        info.read(held_info, meta.slot);
    }

    action find() {
        // first_slot + seq % slots: the index is the switch's own business.
        hash(meta.slot, HashAlgorithm.identity, first_slot, { hdr.agg.seq }, slots);
        if (hdr.agg.round[0:0] == 1) { meta.slot = meta.slot + POOL_SLOTS; }
    }

    action first() {
        record.write(meta.slot, hdr.agg.job ++ hdr.agg.round ++ hdr.agg.bitmap);
        info.write(meta.slot, hdr.agg.exp ++ (bit<8>) hdr.agg.op
                   ++ (hdr.agg.flags & STICKY_FLAGS) ++ 8w0);
        remaining.write(meta.slot, fan_in - 1);
        meta.event = job_event_t.ALLOCATE;
        meta.lane_work = lane_work_t.STORE;
    }

    action merge_record() {
        if (held_info[INFO_EXP] > hdr.agg.exp) { hdr.agg.exp = held_info[INFO_EXP]; }
        hdr.agg.flags = hdr.agg.flags | held_info[INFO_FLAGS];
        hdr.agg.bitmap = hdr.agg.bitmap | meta.slot_bitmap;
        if (meta.overflow != 0) { hdr.agg.flags = hdr.agg.flags | FLAG_OVERFLOW; }
        record.write(meta.slot, hdr.agg.job ++ hdr.agg.round ++ hdr.agg.bitmap);
        info.write(meta.slot, hdr.agg.exp ++ (bit<8>) hdr.agg.op
                   ++ (hdr.agg.flags & STICKY_FLAGS) ++ 8w0);
    }

    // A worker that sends in this set has its result of the other: its bit there may go.
    action clear_other_set() {
        bit<32> other;
        bit<64> r;
        other = hdr.agg.round[0:0] == 1 ? meta.slot - POOL_SLOTS : meta.slot + POOL_SLOTS;
        record.read(r, other);
        record.write(other, r & ~((bit<64>) hdr.agg.bitmap));
    }

    action answer() {
        hdr.agg.bitmap = meta.slot_bitmap;
        hdr.agg.exp = held_info[INFO_EXP];
        hdr.agg.flags = held_info[INFO_FLAGS];
        meta.event = job_event_t.REPLAY;
        meta.lane_work = lane_work_t.LOAD;
    }

    action show() {
        hdr.agg.job = held_job;
        hdr.agg.seq = (bit<32>) held_round;
        hdr.agg.bitmap = meta.slot_bitmap;
        hdr.agg.exp = held_info[INFO_EXP];
        hdr.agg.flags = held_info[INFO_FLAGS];
        if (hdr.agg.msg_type == msg_type_t.FLUSH) { record.write(meta.slot, 0); }
        meta.lane_work = lane_work_t.LOAD;
    }

#define SURVEY_SLOT(n) \
        record.read(found, meta.slot + n); \
        held = held | ((bit<32>) (bit<1>) (found != 0) << n);
    // Which of the slots `round` to `round` + 31 have a job, of those that `bitmap` asks for.
    action survey() {
        bit<64> found;
        bit<32> held = 0;
        EACH_SURVEYED(SURVEY_SLOT)
        hdr.agg.bitmap = hdr.agg.bitmap & held;
    }

    apply {
        if (meta.work == work_t.SHOW || meta.work == work_t.SURVEY) {
            meta.slot = (slot_index_t) hdr.agg.round;
            if (meta.slot < AGGREGATORS) {
                if (meta.work == work_t.SURVEY) {
                    survey();
                } else {
                    read_record();
                    show();
                }
            } else {
                hdr.agg.flags = FLAG_MISS;
            }
        } else {
            pools.apply();
            find();
            if (in_pool == 0 || first_slot + slots > POOL_SLOTS) {
                // BMv2 crashes on a register index beyond the array.
                meta.event = job_event_t.REJECTED;
            } else {
                read_record();
                remaining.read(left, meta.slot);
                bit<16> ahead = hdr.agg.round - held_round;
                bool known = (meta.slot_bitmap & hdr.agg.bitmap) != 0;
                if (held_job != hdr.agg.job) {
                    first();
                } else if (versioned == 1 && ahead != 0) {
                    // Serial number arithmetic (RFC 1982).
                    if (ahead < 0x8000) {
                        first();
                    } else {
                        meta.event = job_event_t.STALE;
                    }
                } else if (known) {
                    if (left == 0) {
                        answer();
                    } else {
                        meta.event = job_event_t.DUPLICATE;
                    }
                } else if ((bit<8>) hdr.agg.op != held_info[INFO_OP] && left != 0) {
                    meta.event = job_event_t.REJECTED;
                } else if (meta.slot_bitmap == 0) {
                    first();
                } else {
                    // As published a complete slot starts to count anew; only without round
                    // numbers can a packet get here then, and it is added to the old sum.
                    remaining.write(meta.slot, left == 0 ? fan_in - 1 : left - 1);
                    meta.event = left == 1 ? job_event_t.EMIT : job_event_t.MERGE;
                    meta.lane_work = lane_work_t.MERGE;
                }
            }
        }
        lanes.apply(hdr, meta);
        if (meta.lane_work == lane_work_t.MERGE) { merge_record(); }
        if (versioned == 0 && meta.work == work_t.CONTRIBUTE
            && meta.event != job_event_t.REJECTED) {
            clear_other_set();
        }
    }
}

#endif
