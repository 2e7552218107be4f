// SPDX-License-Identifier: MIT
#ifndef LCMP_ROUTE_P4
#define LCMP_ROUTE_P4

#include "headers.p4"

// Where a destination lies: behind a local port, or behind up to eight candidate next hops.
control Route(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action drop() {
        mark_to_drop(sm);
    }

    action local(port_t port, mac_addr_t dst_addr) {
        sm.egress_spec = port;
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = dst_addr;
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
    }

    // Ports in the order of the published routing table, their 8-bit path scores, and their
    // relative rates (0 beyond `candidates`).
#define CANDIDATE_PARAMS(i) , port_t port_##i, cost_t path_##i, bit<8> weight_##i
#define CANDIDATE_LOAD(i) \
        meta.port_##i = port_##i; meta.path_##i = path_##i; meta.weight_##i = weight_##i;
    action remote(bit<4> candidates EACH_CANDIDATE(CANDIDATE_PARAMS)) {
        meta.candidates = candidates;
        EACH_CANDIDATE(CANDIDATE_LOAD)
        hdr.ipv4.ttl = hdr.ipv4.ttl - 1;
    }

    table routes {
        key = { hdr.ipv4.dst_addr : lpm; }
        actions = { local; remote; drop; }
        const default_action = drop();
        size = ROUTE_SIZE;
    }

    apply {
        routes.apply();
    }
}

#endif
