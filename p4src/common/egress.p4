// SPDX-License-Identifier: MIT
#ifndef INCA_EGRESS_P4
#define INCA_EGRESS_P4

#include "reply.p4"

control IncaEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    Replicas() copies;
    EcnMark() ecn_mark;

    apply {
        if (hdr.agg.isValid()) {
            // The payload may have changed; 0 means that there is no checksum (RFC 768).
            hdr.udp.checksum = 0;
            ecn_mark.apply(hdr, meta, sm);
            copies.apply(hdr, meta, sm);
        }
        hdr.packet_out.setInvalid();
        if (sm.egress_port == CPU_PORT) {
            hdr.packet_in.setValid();
            hdr.packet_in.ingress_port = sm.ingress_port;
        }
    }
}

#endif
