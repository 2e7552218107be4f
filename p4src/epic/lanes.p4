// SPDX-License-Identifier: MIT
#ifndef EPIC_LANES_P4
#define EPIC_LANES_P4

#include "headers.p4"

// The values: one register array per lane, all indexed by `meta.slot`. After LOAD and MERGE the
// packet carries what the slot holds.
control Lanes(inout headers_t hdr, inout metadata_t meta) {
#define LANE_REGISTER(n) register<bit<32>>(SLOTS) lane_##n;
    EACH_LANE(LANE_REGISTER)

#define LANE_STORE(n) lane_##n.write(meta.slot, hdr.lanes.v##n);
    action store() {
        EACH_LANE(LANE_STORE)
    }

#define LANE_LOAD(n) lane_##n.read(hdr.lanes.v##n, meta.slot);
    action load() {
        EACH_LANE(LANE_LOAD)
    }

    // Registers and headers hold bits (a BMv2 register array has no sign), the sum is of int32.
#define LANE_SUM(n) \
        lane_##n.read(held, meta.slot); \
        hdr.lanes.v##n = (bit<32>) ((int<32>) held |+| (int<32>) hdr.lanes.v##n); \
        lane_##n.write(meta.slot, hdr.lanes.v##n);
    action merge_sum() {
        bit<32> held;
        EACH_LANE(LANE_SUM)
    }

#define LANE_MAX(n) \
        lane_##n.read(held, meta.slot); \
        if ((int<32>) held > (int<32>) hdr.lanes.v##n) { hdr.lanes.v##n = held; } \
        lane_##n.write(meta.slot, hdr.lanes.v##n);
    action merge_max() {
        bit<32> held;
        EACH_LANE(LANE_MAX)
    }

#define LANE_MIN(n) \
        lane_##n.read(held, meta.slot); \
        if ((int<32>) held < (int<32>) hdr.lanes.v##n) { hdr.lanes.v##n = held; } \
        lane_##n.write(meta.slot, hdr.lanes.v##n);
    action merge_min() {
        bit<32> held;
        EACH_LANE(LANE_MIN)
    }

    apply {
        if (meta.lane_work == lane_work_t.MERGE) {
            if (meta.op == agg_op_t.MAX) {
                merge_max();
            } else if (meta.op == agg_op_t.MIN) {
                merge_min();
            } else {
                merge_sum();
            }
        } else if (meta.lane_work == lane_work_t.STORE) {
            store();
        } else if (meta.lane_work == lane_work_t.LOAD) {
            load();
        }
    }
}

#endif
