// SPDX-License-Identifier: MIT
#ifndef INCA_IPV4_FORWARD_P4
#define INCA_IPV4_FORWARD_P4

// headers_t, metadata_t and IPV4_LPM_SIZE are those of the program that includes this.
// Routing by destination. The packet is already marked to drop; a hit revives it.
control Ipv4Forward(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action drop() {
        mark_to_drop(sm);
    }

    // Neighbours send to this switch's own address, so it is the new source.
    action route(mac_addr_t dst_addr, bit<9> port) {
        sm.egress_spec = port;
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = dst_addr;
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
    }

    table ipv4_lpm {
        key = { hdr.ipv4.dst_addr : lpm; }
        actions = { route; drop; }
        const default_action = drop();
        size = IPV4_LPM_SIZE;
    }

    apply {
        if (hdr.ipv4.isValid() && hdr.ipv4.ihl == 5 && hdr.ipv4.ttl > 1) {
            ipv4_lpm.apply();
        }
    }
}

#endif
