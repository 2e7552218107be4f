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
} ss_hooks;

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

#ifdef __cplusplus
}
#endif
#endif
