// SPDX-License-Identifier: MIT
#ifndef INCA_SML_INGRESS_P4
#define INCA_SML_INGRESS_P4

#include "../common/aggregator_config.p4"
#include "../common/ipv4_forward.p4"
#include "../common/job_events.p4"
#include "../common/job_lookup.p4"
#include "reply.p4"
#include "slot.p4"

control IncaIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    AggregatorConfig() switch_config;
    JobLookup() job_lookup;
    SmlDispatch() dispatch;
    SmlSlot() slot;
    SmlReply() reply;
    JobEvents() job_events;
    Ipv4Forward() ipv4_forward;

    apply {
        // First, since an egress port that nobody sets is port 0 (behavioral-model#992).
        mark_to_drop(sm);
        if (hdr.packet_out.isValid() && hdr.packet_out.egress_port != 0) {
            sm.egress_spec = hdr.packet_out.egress_port;
        } else if (sm.checksum_error == 1) {
            meta.event = job_event_t.REJECTED;
        } else if (hdr.agg.isValid()) {
            switch_config.apply(hdr, meta);
            job_lookup.apply(hdr, meta);
            dispatch.apply(hdr, meta, sm);
            if (meta.work != work_t.NONE && meta.work != work_t.RELEASE) {
                @atomic {
                    slot.apply(hdr, meta, sm);
                }
            }
            reply.apply(hdr, meta, sm);
        } else if (sm.parser_error == error.NoError) {
            meta.forward = 1;
        } else {
            meta.event = job_event_t.REJECTED;
        }
        if (hdr.agg.isValid() || meta.event == job_event_t.REJECTED) {
            job_events.apply(meta);
        }
        if (meta.forward == 1) {
            ipv4_forward.apply(hdr, meta, sm);
        }
    }
}

#endif
