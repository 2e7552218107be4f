// SPDX-License-Identifier: MIT
// The tagged slot of Mode II. A channel has S = 2W slots for its hosts' window W, found by the
// PSN. Newer resets, equal accumulates, older is ignored: a slot is taken over only by a PSN whose
// sender has the result of PSN - W, for which every host has had this slot's result. (Resetting on
// any other tag, or erasing the partner slot as the published model does, can wedge.) All state is
// in ingress, one thread in BMv2, so a packet's whole visit is atomic.
#ifndef EPIC_SLOT_P4
#define EPIC_SLOT_P4

#include "headers.p4"
#include "lanes.p4"

control Slot(inout headers_t hdr, inout metadata_t meta) {
    register<epoch_psn_t>(SLOTS) tag;
    register<bit<32>>(SLOTS) bitmap;
    Lanes() lanes;

    apply {
        meta.slot = meta.slot_base + ((bit<32>) hdr.bth.psn & meta.slot_mask);
        if (meta.slot >= SLOTS) {
            // BMv2 crashes on a register index beyond the array.
            meta.event = channel_event_t.REJECTED;
        } else {
            epoch_psn_t held;
            bit<32> seen;
            tag.read(held, meta.slot);
            bitmap.read(seen, meta.slot);
            psn_t ahead = hdr.bth.psn - held[PSN_OF];
            bit<32> mine = 32w1 << meta.child;
            // What another epoch left behind is as good as empty.
            if (held[EPOCH_OF] != meta.epoch || (ahead != 0 && ahead < PSN_HALF)) {
                tag.write(meta.slot, meta.epoch ++ hdr.bth.psn);
                bitmap.write(meta.slot, mine);
                meta.lane_work = lane_work_t.STORE;
                meta.event = channel_event_t.ALLOCATE;
                if (mine == meta.full_mask) { meta.event = channel_event_t.COMPLETE; }
            } else if (ahead != 0) {
                meta.event = channel_event_t.STALE;
            } else if ((seen & mine) != 0) {
                meta.event = channel_event_t.DUPLICATE;
                if (seen == meta.full_mask) {
                    meta.lane_work = lane_work_t.LOAD;
                    meta.event = channel_event_t.REPLAY;
                }
            } else {
                bitmap.write(meta.slot, seen | mine);
                meta.lane_work = lane_work_t.MERGE;
                meta.event = channel_event_t.MERGE;
                if ((seen | mine) == meta.full_mask) { meta.event = channel_event_t.COMPLETE; }
            }
        }
        lanes.apply(hdr, meta);
    }
}

#endif
