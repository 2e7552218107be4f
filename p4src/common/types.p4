// SPDX-License-Identifier: MIT
#ifndef INCA_TYPES_P4
#define INCA_TYPES_P4

typedef bit<48> mac_addr_t;
typedef bit<32> ipv4_addr_t;
typedef bit<48> time_us_t;
typedef bit<32> slot_index_t;
typedef bit<48> fragment_key_t;  // job ++ seq; 0 is no fragment, since both start at 1
typedef bit<10> job_index_t;     // log2(MAX_JOBS) bits, so it cannot leave the counter array

const bit<16> ETH_TYPE_IPV4 = 0x0800;
const bit<8> IP_PROTO_UDP = 17;
const bit<16> AGG_UDP_PORT = 0xE5A0;
const bit<4> AGG_VERSION = 1;
const bit<9> CPU_PORT = 510;  // what topologies/ starts switches with
const bit<8> NO_WORKER = 0xFF;
const bit<8> SERVER_COPY = 0xFE;

// What a packet is for.
enum bit<4> msg_type_t {
    GRAD = 1,    // worker -> PS: one fragment of a gradient, or a partial sum
    PARAM = 2,   // -> workers: the sum
    REMIND = 3,  // PS -> switches: what do you hold of this fragment?
    PEEK = 4,    // controller -> switch: show a slot, or with a bitmap: which of 32 are held?
    FLUSH = 5,   // controller -> switch: show and free a slot
    SML = 6      // worker -> switch: one fragment of a SwitchML-style job
}

// How contributions combine, lane by lane.
enum bit<8> agg_op_t { SUM = 0, OR = 1, MAX = 2, MIN = 3 }

// Bits of agg.flags.
const bit<8> FLAG_RESEND = 0x80;
const bit<8> FLAG_EVICTED = 0x40;
const bit<8> FLAG_PARTIAL = 0x20;
const bit<8> FLAG_COLLISION = 0x10;
const bit<8> FLAG_ECN = 0x08;
const bit<8> FLAG_NOAGG = 0x04;
const bit<8> FLAG_OVERFLOW = 0x02;
const bit<8> FLAG_MISS = 0x01;
// What stays with the values when they move between packet and slot.
const bit<8> STICKY_FLAGS = 0x0A;  // ECN, OVERFLOW

// What the slot logic shall do with a packet: decided by `dispatch`.
enum bit<3> work_t { NONE = 0, CONTRIBUTE = 1, FETCH = 2, RELEASE = 3, SHOW = 4, SURVEY = 5 }

// What `lanes` shall do with the values of packet and slot.
enum bit<3> lane_work_t { NONE = 0, STORE = 1, MERGE = 2, SWAP = 3, LOAD = 4 }

// What a colliding packet that loses does to the holder's priority.
enum bit<2> downgrade_t { NONE = 0, HALVE = 1, DECREMENT = 2, AGE = 3 }

// Exactly one is counted per aggregation packet and switch.
enum bit<4> job_event_t {
    FORWARD = 0,       // passed on as it is
    ALLOCATE = 1,      // took a free slot
    MERGE = 2,         // added to its slot
    DUPLICATE = 3,     // contribution already inside: dropped
    EMIT = 4,          // completed its fragment
    PREEMPT = 5,       // displaced a fragment of lower priority
    PASS_THROUGH = 6,  // lost against the holder: on to the PS
    EXPIRE = 7,        // displaced a fragment that had waited too long
    REMIND_HIT = 8,    // fetched a partial sum
    REMIND_MISS = 9,   // nothing to fetch
    RESEND = 10,       // repeated by its worker
    REJECTED = 11,     // malformed: dropped
    RESULT = 12,       // a sum on its way to the workers
    BYPASS = 13,       // marked NOAGG by an earlier switch
    STALE = 14,        // SwitchML: of an older round, dropped
    REPLAY = 15        // answered again from a complete slot
}

#endif
