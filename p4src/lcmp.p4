// SPDX-License-Identifier: MIT
// Cost-aware multipath between datacenters (LCMP) with its baselines ECMP, UCMP and WCMP: one
// program, so that a comparison differs in the policy only. `parity` keeps the published code's
// lossy flow key; scores and thresholds are the controller's in both modes.
#include <core.p4>
#include <v1model.p4>

#include "lcmp/parser.p4"
#include "lcmp/config.p4"
#include "lcmp/route.p4"
#include "lcmp/flow.p4"
#include "lcmp/flow_cache.p4"
#include "lcmp/signals.p4"

control LcmpIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    MultipathConfig() multipath_config;
    Route() route;
    FlowHash() flow_hash;
    FlowCache() flow_cache;

    // Neighbours between datacenters send to the address of the port they reach.
    action to_neighbour(mac_addr_t src_addr, mac_addr_t dst_addr) {
        hdr.ethernet.src_addr = src_addr;
        hdr.ethernet.dst_addr = dst_addr;
    }

    table neighbours {
        key = { meta.port : exact; }
        actions = { to_neighbour; NoAction; }
        const default_action = NoAction();
        size = PORTS;
    }

    apply {
        // First, since an egress port that nobody sets is port 0 (behavioral-model#992).
        mark_to_drop(sm);
        if (hdr.ipv4.isValid() && sm.checksum_error == 0 && hdr.ipv4.ttl > 1) {
            multipath_config.apply(meta);
            route.apply(hdr, meta, sm);
            if (meta.candidates != 0) {
                flow_hash.apply(hdr, meta);
                flow_cache.apply(hdr, meta, sm);
                if (meta.decided == 1) {
                    sm.egress_spec = meta.port;
                    neighbours.apply();
                }
            }
        }
    }
}

control LcmpEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    Signals() signals;

    apply {
        signals.apply(meta, sm);
    }
}

V1Switch(LcmpParser(), LcmpVerifyChecksum(), LcmpIngress(), LcmpEgress(), LcmpComputeChecksum(),
         LcmpDeparser()) main;
