// SPDX-License-Identifier: MIT
#ifndef EPIC_ACK_MINIMUM_P4
#define EPIC_ACK_MINIMUM_P4

#include "headers.p4"

#define EACH_CHILD(X) EACH_LANE_OF(FAN_IN, X)

// Cumulative ACKs of a broadcast: the source learns what every receiver has. One register array
// per child. An ACK that raises the minimum passes with it; one that is not above the minimum
// answers a repeated packet and repeats it; any other waits.
control AckMinimum(inout headers_t hdr, inout metadata_t meta) {
#define CHILD_REGISTER(n) register<epoch_psn_t>(ACK_ROWS) acked_##n;
    EACH_CHILD(CHILD_REGISTER)

    epoch_psn_t before = 0;  // of the sender, before this ACK
    bit<1> found = 0;
    bit<1> missing = 0;      // some child has not acknowledged anything yet
    psn_t least = 0;

    // Serial comparison of PSNs. All reads before the decision, since an action has no branches
    // around externs in BMv2.
#define CHILD_VISIT(n) \
        acked_##n.read(record, meta.ack_row); \
        if (meta.child == n) { \
            before = record; \
            if (record[EPOCH_OF] != meta.epoch || hdr.bth.psn - record[PSN_OF] < PSN_HALF) { \
                record = meta.epoch ++ hdr.bth.psn; \
            } \
        } \
        acked_##n.write(meta.ack_row, record); \
        if (meta.full_mask[n:n] == 1) { \
            if (record[EPOCH_OF] != meta.epoch) { \
                missing = 1; \
            } else if (found == 0 || least - record[PSN_OF] < PSN_HALF) { \
                found = 1; \
                least = record[PSN_OF]; \
            } \
        }
    action visit() {
        epoch_psn_t record;
        EACH_CHILD(CHILD_VISIT)
    }

    apply {
        if (meta.ack_row >= ACK_ROWS) {
            // BMv2 crashes on a register index beyond the array.
            meta.event = channel_event_t.REJECTED;
        } else {
            visit();
            meta.event = channel_event_t.ACK_HELD;
            if (missing == 0) {
                bool was_below = before[EPOCH_OF] != meta.epoch
                                 || before[PSN_OF] - least >= PSN_HALF;
                if (was_below || least - hdr.bth.psn < PSN_HALF) {
                    meta.event = channel_event_t.ACK_MINIMUM;
                    hdr.bth.psn = least;
                    hdr.aeth.msn = least + 1;
                }
            }
        }
    }
}

#endif
