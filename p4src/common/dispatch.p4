// SPDX-License-Identifier: MIT
#ifndef INCA_DISPATCH_P4
#define INCA_DISPATCH_P4

#include "headers.p4"

// Checks a packet and says what is to be done with it, for programs with a parameter server.
// `meta.event` and `meta.work` start as FORWARD and NONE.
control Dispatch(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    apply {
        if (!hdr.lanes.isValid() || hdr.agg.ver != AGG_VERSION) {
            meta.event = job_event_t.REJECTED;
        } else if (hdr.agg.msg_type == msg_type_t.PEEK) {
            meta.work = work_t.SHOW;
            if (hdr.agg.bitmap != 0) { meta.work = work_t.SURVEY; }
        } else if (hdr.agg.msg_type == msg_type_t.FLUSH) {
            if (sm.ingress_port == CPU_PORT) {
                meta.work = work_t.SHOW;
            } else {
                meta.event = job_event_t.REJECTED;
            }
        } else if (meta.known_job == 0) {
            meta.forward = 1;
        } else if (hdr.agg.msg_type == msg_type_t.GRAD) {
            if ((hdr.agg.flags & FLAG_NOAGG) != 0) {
                meta.event = job_event_t.BYPASS;
                meta.forward = 1;
            } else if (hdr.agg.len > LANES || hdr.agg.bitmap == 0
                       || (hdr.agg.bitmap & ~meta.full_mask) != 0) {
                meta.event = job_event_t.REJECTED;
            } else if (RESEND_BYPASS && (hdr.agg.flags & FLAG_RESEND) != 0) {
                // Merging it could build a partial sum that overlaps one the PS already holds.
                meta.event = job_event_t.RESEND;
                hdr.agg.flags = hdr.agg.flags | FLAG_NOAGG;
                meta.forward = 1;
            } else if (meta.aggregates == 0 || meta.aggregators == 0) {
                meta.forward = 1;
            } else if (hdr.agg.bitmap == meta.full_mask) {
                // Complete without a slot: a job of one worker, or a child with all of them. It
                // must not reach a slot: it could displace another fragment and be complete, two
                // packets out for one in.
                meta.event = job_event_t.EMIT;
            } else {
                meta.work = work_t.CONTRIBUTE;
            }
        } else if (hdr.agg.msg_type == msg_type_t.PARAM) {
            meta.event = job_event_t.RESULT;
            meta.work = work_t.RELEASE;
        } else if (hdr.agg.msg_type == msg_type_t.REMIND && hdr.agg.src_worker == NO_WORKER
                   && (hdr.agg.flags & (FLAG_PARTIAL | FLAG_MISS)) == 0) {
            meta.work = work_t.FETCH;
        } else {
            // Answers on their way to the PS, and types that this program does not treat.
            meta.forward = 1;
        }
    }
}

#endif
