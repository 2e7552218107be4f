/* SPDX-License-Identifier: MIT */
/*
 * ss.h - drive instances of a compiled P4 program from C.
 *
 * A program (BMv2 JSON) becomes one shared object: generated code plus the
 * small runtime beside this file.  The object may serve any number of
 * instances; an instance is one switch: its tables, registers, counters,
 * groups and sessions.  An instance is not thread-safe: its owner serialises
 * calls (the device holds one lock per batch of packets).
 *
 * Time is an input (microseconds since the switch started, as in BMv2), and so
 * is the random seed: the same calls give the same results.
 *
 * A packet's way:   ss_receive -> parser, ingress, replication
 *                      -> hooks.enqueue  (or straight on when it is NULL)
 *                   ss_dequeue -> egress, deparser -> hooks.transmit
 * Resubmitted and recirculated packets and clones are handled inside.
 */
#ifndef SS_H
#define SS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SS_ABI_VERSION 1u

typedef struct ss_switch ss_switch; /* one instance of the program */
typedef struct ss_packet ss_packet; /* a packet between ingress and egress */

/* How an instance reaches the world around it.  Unset hooks are NULL. */
typedef struct ss_hooks {
    void *ctx;
    /* A packet (or replica) leaves ingress for `port`; `priority` is
     * standard_metadata.priority.  The callee owns `pkt` and must give it back
     * through ss_dequeue or ss_discard.  NULL: egress runs at once. */
    void (*enqueue)(void *ctx, ss_packet *pkt, uint32_t port, uint32_t priority);
    /* A finished packet; `data` is valid during the call only. */
    void (*transmit)(void *ctx, uint32_t port, const uint8_t *data, uint32_t len);
    /* A digest message: `data` holds the packed fields, whole bytes each. */
    void (*digest)(void *ctx, uint32_t digest_id, const uint8_t *data, uint32_t len);
    /* Text of log_msg(), and of an assert() or assume() that failed. */
    void (*log)(void *ctx, const char *text);
} ss_hooks;

/* Why packets did not come out again, and what a P4 program did wrong. */
typedef struct ss_stats {
    uint64_t received;           /* ss_receive calls */
    uint64_t transmitted;        /* hooks.transmit calls */
    uint64_t dropped_ingress;    /* egress_spec was the drop port after ingress */
    uint64_t dropped_egress;     /* the same after egress */
    uint64_t dropped_no_replica; /* unknown or empty multicast group */
    uint64_t dropped_priority;   /* priority beyond the queues of a port */
    uint64_t dropped_loop;       /* resubmitted, recirculated or cloned without end */
    uint64_t dropped_assert;     /* assert() or assume() failed */
    uint64_t no_session;         /* clone to an unknown or empty session */
    uint64_t parser_errors;
    uint64_t checksum_errors;
    uint64_t index_errors; /* register, counter, meter or stack index out of range */
} ss_stats;

/* What the queue tells egress; times in microseconds, depths in packets. */
typedef struct ss_queueing {
    uint64_t enq_timestamp;
    uint32_t enq_qdepth;
    uint32_t deq_timedelta;
    uint32_t deq_qdepth;
} ss_queueing;

uint32_t ss_abi_version(void);
ss_switch *ss_create(uint64_t seed, const ss_hooks *hooks);
/* Replaces the hooks, between packets: a device takes over an instance that is
 * already there.  NULL sets all hooks to NULL. */
void ss_set_hooks(ss_switch *sw, const ss_hooks *hooks);
void ss_destroy(ss_switch *sw);

void ss_receive(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len, uint64_t now_us);
void ss_dequeue(ss_switch *sw, ss_packet *pkt, const ss_queueing *q, uint64_t now_us);
void ss_discard(ss_switch *sw, ss_packet *pkt);
uint32_t ss_packet_bytes(const ss_packet *pkt); /* length on the wire as far as known after ingress */

const ss_stats *ss_get_stats(const ss_switch *sw);
/* Priorities 0..count-1 exist on each port (default 1, as in BMv2). */
void ss_set_queues(ss_switch *sw, uint32_t count);

/*
 * Without hooks: process one packet and all its copies to the end.  Returns
 * records { uint32_t port, uint32_t len, uint8_t bytes[len] } without padding,
 * valid until the next call on this instance; their total size goes to *size.
 */
const uint8_t *ss_process(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len,
                          uint64_t now_us, uint64_t *size);
/* Digests since the last call, kept when hooks.digest is NULL: records as above, by digest id. */
const uint8_t *ss_digests(ss_switch *sw, uint64_t *size);
/* Objects built for tracing: the lines since the last call (see ss_trace.c); else nothing. */
const uint8_t *ss_trace_take(ss_switch *sw, uint64_t *size);

#ifdef __cplusplus
}
#endif
#endif
