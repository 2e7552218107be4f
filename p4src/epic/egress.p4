// SPDX-License-Identifier: MIT
#ifndef EPIC_EGRESS_P4
#define EPIC_EGRESS_P4

#include "headers.p4"

// Every packet of a channel leaves with the addresses of the connection it goes to, whether it
// was copied, reflected or passed on.
control EpicEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action to_neighbour(mac_addr_t src_mac, mac_addr_t dst_mac, ipv4_addr_t src_ip,
                        ipv4_addr_t dst_ip, qpn_t dest_qp) {
        hdr.ethernet.src_addr = src_mac;
        hdr.ethernet.dst_addr = dst_mac;
        hdr.ipv4.src_addr = src_ip;
        hdr.ipv4.dst_addr = dst_ip;
        hdr.bth.dest_qp = dest_qp;
    }

    action discard() {
        mark_to_drop(sm);
    }

    table neighbours {
        key = {
            sm.egress_port : exact;
            meta.channel : exact;
        }
        actions = { to_neighbour; discard; }
        const default_action = discard();
        size = CONNECTION_SIZE;
    }

    apply {
        if (meta.known == 1) {
            // The payload may have changed; 0 means that there is no checksum (RFC 768).
            hdr.udp.checksum = 0;
            neighbours.apply();
        }
    }
}

#endif
