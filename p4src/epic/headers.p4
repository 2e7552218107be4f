// SPDX-License-Identifier: MIT
#ifndef EPIC_HEADERS_P4
#define EPIC_HEADERS_P4

#include "sizes.p4"
#include "types.p4"
#include "../common/lane_list.p4"

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

// hosts/wire/internet.py defines BTH and AETH; a test compares them.
header bth_t {
    bit<8> opcode;
    bit<1> se;
    bit<1> m;
    bit<2> pad_count;
    bit<4> tver;
    bit<16> pkey;
    bit<1> fecn;
    bit<1> becn;
    bit<6> rsv6;
    qpn_t dest_qp;
    bit<1> ack_req;
    bit<7> rsv7;
    psn_t psn;
}

header aeth_t {
    bit<8> syndrome;
    bit<24> msn;
}

#define LANE_FIELD(n) bit<32> v##n;
header lanes_t {
    EACH_LANE(LANE_FIELD)
}

// The ICRC stays in the unparsed rest of the packet and passes as it is.
struct headers_t {
    ethernet_t ethernet;
    ipv4_t ipv4;
    udp_t udp;
    bth_t bth;
    aeth_t aeth;
    lanes_t lanes;
}

// Bytes of IPv4, UDP, BTH and ICRC around the values of a data packet or the AETH of an ACK.
const bit<16> DATA_IP_LEN = 20 + 8 + 12 + 4 * LANES + 4;
const bit<16> ACK_IP_LEN = 20 + 8 + 12 + 4 + 4;

struct metadata_t {
    // the packet's way
    bit<1> forward;             // route it by its IPv4 destination
    channel_event_t event;
    // the connection, from `connections`
    bit<1> known;
    data_rule_t data_rule;
    ack_rule_t ack_rule;
    channel_t channel;
    epoch_t epoch;
    agg_op_t op;
    bit<1> root;                // a complete sum turns round here
    child_t child;              // the neighbour that the packet came from
    bit<32> full_mask;          // all neighbours that contribute
    bit<32> slot_base;
    bit<32> slot_mask;          // slots of the channel minus 1; they are a power of two
    bit<32> ack_row;
    bit<9> up_port;
    bit<16> kids_group;
    // the slot
    slot_index_t slot;
    lane_work_t lane_work;
}

#endif
