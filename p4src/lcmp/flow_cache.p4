// SPDX-License-Identifier: MIT
#ifndef LCMP_FLOW_CACHE_P4
#define LCMP_FLOW_CACHE_P4

#include "choose.p4"

// What a new flow's decision looked like, for `inca lcmp watch` and tests.
#define DECISION_FIELDS(i) ranked_cost_t cost_##i;
struct decision_t {
    ipv4_addr_t src_addr;
    ipv4_addr_t dst_addr;
    bit<16> src_port;
    bit<16> dst_port;
    bit<2> policy;
    bit<1> stored;
    bit<4> candidates;
    port_t port;
    EACH_CANDIDATE(DECISION_FIELDS)
}

// Flows keep their port while it is up and a candidate and they are not idle. A slot is never taken from a live
// flow: one that finds no slot is decided packet by packet from the path scores alone.
control FlowCache(in headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    register<flow_key_t>(FLOW_SLOTS) flow_key;
    register<bit<16>>(FLOW_SLOTS) flow_port;
    register<time_us_t>(FLOW_SLOTS) flow_seen;
    Choose() choose;
    flow_key_t owner;
    bit<16> port;
    time_us_t seen;
    bit<1> usable;
    bit<1> listed;

    action report() {
        digest<decision_t>(1, { hdr.ipv4.src_addr, hdr.ipv4.dst_addr, hdr.transport.src_port,
            hdr.transport.dst_port, (bit<2>) meta.policy, usable, meta.candidates, meta.port,
            meta.cost_0, meta.cost_1, meta.cost_2, meta.cost_3, meta.cost_4, meta.cost_5,
            meta.cost_6, meta.cost_7 });
    }

    // A route that lost a candidate moves its flows: that switch may send them back here.
#define LIST(i) if (meta.candidates > i && (bit<16>) meta.port_##i == port) { listed = 1; }
    action lookup() {
        flow_key.read(owner, meta.slot);
        flow_port.read(port, meta.slot);
        flow_seen.read(seen, meta.slot);
        listed = 0;
        EACH_CANDIDATE(LIST)
    }

    action store() {
        flow_key.write(meta.slot, meta.key);
        flow_port.write(meta.slot, (bit<16>) meta.port);
        flow_seen.write(meta.slot, sm.ingress_global_timestamp);
    }

    apply {
        usable = 0;
        @atomic {
            if (meta.policy != policy_t.ECMP) {
                lookup();
                bool expired = sm.ingress_global_timestamp - seen > meta.idle_after;
                bool alive = listed == 1 && (meta.live_mask >> (bit<8>) port)[0:0] == 1;
                if (owner == meta.key && !expired && alive) {
                    meta.port = (port_t) port;
                    meta.decided = 1;
                    flow_seen.write(meta.slot, sm.ingress_global_timestamp);
                } else if (owner == 0 || owner == meta.key || expired) {
                    usable = 1;
                } else {
                    meta.stateless = 1;
                }
            }
            if (meta.decided == 0) {
                choose.apply(meta, sm);
                if (meta.decided == 1 && usable == 1) {
                    store();
                    report();
                }
            }
        }
    }
}

#endif
