// SPDX-License-Identifier: MIT
#ifndef LCMP_HEADERS_P4
#define LCMP_HEADERS_P4

#include "sizes.p4"

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;
typedef bit<48> time_us_t;
typedef bit<9> port_t;
typedef bit<8> cost_t;
typedef bit<9> ranked_cost_t;   // DEAD_COST is above every cost_t
typedef bit<104> flow_key_t;    // 5-tuple, or the published 32-bit id in parity mode; 0 is free

const bit<16> ETH_TYPE_IPV4 = 0x0800;
const bit<8> IP_PROTO_TCP = 6;
const bit<8> IP_PROTO_UDP = 17;
const port_t CPU_PORT = 255;
const ranked_cost_t DEAD_COST = 256;

// The numbers are the published ROUTING_MODE; WCMP is truly weighted by rate.
enum bit<2> policy_t { ECMP = 0, UCMP = 1, LCMP = 2, WCMP = 3 }

header ethernet_t {
    mac_addr_t dst_addr;
    mac_addr_t src_addr;
    bit<16> eth_type;
}

header ipv4_t {
    bit<4> version;
    bit<4> ihl;
    bit<6> dscp;
    bit<2> ecn;
    bit<16> total_len;
    bit<16> identification;
    bit<3> flags;
    bit<13> frag_offset;
    bit<8> ttl;
    bit<8> protocol;
    bit<16> hdr_checksum;
    ipv4_addr_t src_addr;
    ipv4_addr_t dst_addr;
}

// What TCP and UDP have in common at their start.
header transport_t {
    bit<16> src_port;
    bit<16> dst_port;
}

struct headers_t {
    ethernet_t ethernet;
    ipv4_t ipv4;
    transport_t transport;
}

#define CANDIDATE_FIELDS(i) \
    port_t port_##i; cost_t path_##i; bit<8> weight_##i; ranked_cost_t cost_##i; \
    bit<16> first_##i; bit<16> width_##i;

struct metadata_t {
    // the switch, from multipath_config
    policy_t policy;
    bit<1> parity;
    bit<32> seed;
    bit<8> alpha;
    bit<8> beta;
    bit<8> total_shift;
    ranked_cost_t threshold;
    bit<64> live_mask;
    time_us_t idle_after;
    time_us_t stale_after;
    // the route
    bit<4> candidates;
    EACH_CANDIDATE(CANDIDATE_FIELDS)
    // the flow
    flow_key_t key;
    bit<32> hash;
    bit<32> slot;
    bit<1> stateless;            // no slot: decide from the path score, so that packets agree
    bit<1> decided;
    port_t port;
    bit<32> draw;                // which of the kept candidates' shares
}

#endif
