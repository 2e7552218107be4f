// SPDX-License-Identifier: MIT
#ifndef INCA_SML_REPLY_P4
#define INCA_SML_REPLY_P4

#include "../common/headers.p4"

// Checks a packet and says what is to be done with it; no parameter server takes part.
control SmlDispatch(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
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
        } else if (hdr.agg.msg_type == msg_type_t.SML) {
            if (hdr.agg.len > LANES || hdr.agg.bitmap == 0
                || (hdr.agg.bitmap & ~meta.full_mask) != 0) {
                meta.event = job_event_t.REJECTED;
            } else if (meta.aggregates == 0) {
                meta.forward = 1;
            } else if (hdr.agg.bitmap == meta.full_mask) {
                meta.event = job_event_t.EMIT;
            } else {
                meta.work = work_t.CONTRIBUTE;
            }
        } else if (hdr.agg.msg_type == msg_type_t.PARAM) {
            meta.event = job_event_t.RESULT;
            meta.work = work_t.RELEASE;
        } else {
            meta.forward = 1;
        }
    }
}

control SmlReply(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action result_to_all() {
        hdr.agg.msg_type = msg_type_t.PARAM;
        hdr.agg.src_worker = NO_WORKER;
        sm.mcast_grp = meta.children_group;
    }

    // A straggler alone asks again: its packet has come here with its address.
    action result_to_sender() {
        hdr.agg.msg_type = msg_type_t.PARAM;
        hdr.ipv4.dst_addr = hdr.ipv4.src_addr;
        meta.forward = 1;
    }

    apply {
        if (meta.event == job_event_t.EMIT) {
            if (meta.direct == 1) {
                result_to_all();
            } else {
                meta.forward = 1;
            }
        } else if (meta.event == job_event_t.REPLAY) {
            if (meta.direct == 1) {
                result_to_sender();
            } else {
                meta.forward = 1;
            }
        } else if (meta.work == work_t.RELEASE) {
            if (hdr.agg.src_worker == NO_WORKER) {
                sm.mcast_grp = meta.children_group;
            } else {
                meta.forward = 1;
            }
        } else if (meta.work == work_t.SHOW || meta.work == work_t.SURVEY) {
            sm.egress_spec = sm.ingress_port;
        }
    }
}

#endif
