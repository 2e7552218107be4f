/* SPDX-License-Identifier: MIT */
/*
 * device_queue.h - the egress queue of one port, as a function of time.
 *
 * Strict-priority FIFOs in front of a line of `rate_bps`.  No clock inside:
 * every call is told the time in nanoseconds, so a test or a simulator drives
 * the same code in virtual time.
 *
 * As in BMv2, `enq_qdepth` is the number of packets waiting at the port (all
 * priorities) before this one joins, `deq_qdepth` the number that it leaves
 * behind, the depth limit holds for each priority, and a larger
 * standard_metadata.priority is served first.  Unlike in BMv2 the rate is in
 * bits a second, and a packet occupies the line for as long as its bytes need.
 */
#ifndef DEVICE_QUEUE_H
#define DEVICE_QUEUE_H

#include <stdbool.h>
#include <stdint.h>

#include "ss.h"

#define DEV_PRIORITIES 8u /* standard_metadata.priority is bit<3> */
#define DEV_NEVER UINT64_MAX

typedef struct dev_queued {
    ss_packet *pkt;
    uint64_t enq_ns;
    uint32_t enq_depth;
} dev_queued;

typedef struct dev_fifo {
    dev_queued *slots;
    uint32_t size; /* slots allocated, a power of two */
    uint32_t head;
    uint32_t count;
} dev_fifo;

typedef struct dev_queue {
    dev_fifo fifo[DEV_PRIORITIES];
    uint32_t waiting;    /* packets in all priorities */
    uint32_t limit;      /* packets per priority */
    uint32_t priorities; /* priority values accepted: 0 .. priorities-1 */
    uint32_t overhead;   /* bytes added to each packet on the line (preamble, FCS, gap) */
    uint64_t rate_bps;   /* 0: no line, packets leave at once */
    uint64_t free_ns;    /* when the line has finished the last packet */
    uint64_t carry;      /* part of a nanosecond not yet charged, in 1/rate_bps ns */
} dev_queue;

typedef enum dev_push { DEV_PUSHED, DEV_FULL, DEV_BAD_PRIORITY, DEV_NO_MEMORY } dev_push;

void dev_queue_init(dev_queue *q);
/* Gives each packet still waiting to `discard`, then releases the memory. */
void dev_queue_clear(dev_queue *q, void (*discard)(void *ctx, ss_packet *pkt), void *ctx);
dev_push dev_queue_push(dev_queue *q, ss_packet *pkt, uint32_t priority, uint64_t now);
/* When the next packet can leave, or DEV_NEVER. */
uint64_t dev_queue_deadline(const dev_queue *q);
/* Takes the packet whose turn it is at or before `now`; `*start` is when its
 * transmission starts, which may be before `now` when the caller comes late. */
ss_packet *dev_queue_pop(dev_queue *q, uint64_t now, ss_queueing *meta, uint64_t *start);
/* Occupies the line from `start` with `bytes`; returns when the last bit has left. */
uint64_t dev_queue_occupy(dev_queue *q, uint32_t bytes, uint64_t start);

#endif
