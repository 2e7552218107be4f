// SPDX-License-Identifier: MIT
#ifndef EPIC_TYPES_P4
#define EPIC_TYPES_P4

#include "../common/types.p4"

typedef bit<24> psn_t;
typedef bit<24> qpn_t;
typedef bit<32> epoch_t;       // of a group, from 1 and never reused
typedef bit<11> channel_t;     // log2(MAX_CHANNELS) bits, so it cannot leave the counter array
typedef bit<5> child_t;        // number of a neighbour within its group
typedef bit<56> epoch_psn_t;   // epoch ++ psn; all zero: never used

#define PSN_OF 23:0
#define EPOCH_OF 55:24

const bit<16> ROCE_UDP_PORT = 4791;
const bit<8> OPCODE_SEND_ONLY = 0x04;  // RC, data
const bit<8> OPCODE_ACK = 0x11;        // RC

// PSNs wrap; a distance below half of their range is "newer" (RFC 1982).
const psn_t PSN_HALF = 0x800000;

// What the switch does with the data of a connection.
enum bit<2> data_rule_t { DROP = 0, AGGREGATE = 1, REPLICATE = 2 }

// What it does with the ACKs. Data aggregates <=> its ACK replicates, data replicates <=> its ACK
// aggregates; AllReduce does both, so a host's ACK turns round at its leaf.
enum bit<2> ack_rule_t { DROP = 0, REFLECT = 1, REPLICATE = 2, MINIMUM = 3 }

// Exactly one is counted per RoCE packet and switch.
enum bit<4> channel_event_t {
    FORWARD = 0,      // of no channel: routed by IPv4, or dropped without a route
    ALLOCATE = 1,     // first contribution of a PSN
    MERGE = 2,        // added to its slot
    DUPLICATE = 3,    // contribution already inside, others are missing: dropped
    COMPLETE = 4,     // completed its PSN
    REPLAY = 5,       // duplicate of a complete PSN: answered again
    STALE = 6,        // older than what the slot holds: dropped
    RESULT = 7,       // data replicated to the children
    REFLECT = 8,      // ACK sent back to its host
    ACK_COPY = 9,     // ACK replicated to the children
    ACK_MINIMUM = 10, // ACK that raised the minimum, or repeats it
    ACK_HELD = 11,    // ACK that waits for those of other children
    REJECTED = 12     // malformed, or not what this connection carries: dropped
}

#endif
