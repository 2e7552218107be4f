// SPDX-License-Identifier: MIT
#ifndef INCA_HEADERS_P4
#define INCA_HEADERS_P4

#include "sizes.p4"
#include "types.p4"
#include "lane_list.p4"

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

header udp_t {
    bit<16> src_port;
    bit<16> dst_port;
    bit<16> length;
    bit<16> checksum;
}

// The aggregation header; hosts/wire/esa.py is its definition, a test compares the two.
header agg_t {
    bit<4> ver;
    msg_type_t msg_type;
    bit<8> flags;
    bit<16> job;
    bit<32> seq;
    bit<32> bitmap;
    bit<8> prio;
    bit<8> exp;
    bit<8> src_worker;
    agg_op_t op;
    bit<16> iter;
    bit<16> layer;
    bit<16> round;
    bit<16> len;
}

#define LANE_FIELD(n) bit<32> v##n;
header lanes_t {
    EACH_LANE(LANE_FIELD)
}

// From the controller: which port to send the packet out of; 0: treat it as received on CPU_PORT.
@controller_header("packet_out")
header packet_out_t {
    bit<9> egress_port;
    bit<7> padding;
}

// To the controller.
@controller_header("packet_in")
header packet_in_t {
    bit<9> ingress_port;
    bit<7> padding;
}

struct headers_t {
    packet_out_t packet_out;
    packet_in_t packet_in;
    ethernet_t ethernet;
    ipv4_t ipv4;
    udp_t udp;
    agg_t agg;
    lanes_t lanes;
}

struct metadata_t {
    // the packet's way
    bit<1> forward;              // route it by its IPv4 destination
    work_t work;
    lane_work_t lane_work;
    job_event_t event;
    // the job, from job_lookup
    bit<1> known_job;
    bit<1> aggregates;           // this switch holds slots for the job
    bit<1> direct;               // a complete sum goes straight to workers and PS
    bit<1> free_on_complete;
    job_index_t job_index;
    bit<32> full_mask;           // the workers below this switch
    bit<16> children_group;
    bit<16> result_group;
    bit<16> remind_group;
    // the switch, from aggregator_config
    downgrade_t downgrade;
    slot_index_t aggregators;
    time_us_t age_after;
    time_us_t expire_after;
    bit<19> ecn_threshold;
    // the slot as found
    slot_index_t slot;
    fragment_key_t key;          // of the packet
    fragment_key_t owner;
    bit<32> slot_bitmap;
    bit<64> slot_info;
    bit<64> slot_since;
    bit<8> slot_prio;
    bit<1> victim;               // the packet now carries the displaced fragment
    bit<32> overflow;            // not zero: some lane saturated
}

#endif
