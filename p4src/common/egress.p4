// SPDX-License-Identifier: MIT
#ifndef INCA_EGRESS_P4
#define INCA_EGRESS_P4

#include "reply.p4"

control IncaEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    Replicas() replicas;
    EcnMark() ecn_mark;

    apply {
        if (hdr.agg.isValid()) {
            // The payload may have changed; 0 means that there is no checksum (RFC 768).
            hdr.udp.checksum = 0;
            ecn_mark.apply(hdr, meta, sm);
            replicas.apply(hdr, meta, sm);
        }
    }
}

#endif
