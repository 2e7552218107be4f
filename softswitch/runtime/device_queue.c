/* SPDX-License-Identifier: MIT */
#include "device_queue.h"

#include <stdlib.h>
#include <string.h>

void dev_queue_init(dev_queue *q)
{
    memset(q, 0, sizeof *q);
    q->limit = 64; /* BMv2's default */
    q->priorities = 1;
}

void dev_queue_clear(dev_queue *q, void (*discard)(void *ctx, ss_packet *pkt), void *ctx)
{
    for (uint32_t i = 0; i < DEV_PRIORITIES; i++) {
        dev_fifo *f = &q->fifo[i];
        for (; f->count > 0; f->count--) {
            discard(ctx, f->slots[f->head].pkt);
            f->head = (f->head + 1) & (f->size - 1);
        }
        free(f->slots);
        memset(f, 0, sizeof *f);
    }
    q->waiting = 0;
}

static bool fifo_grow(dev_fifo *f)
{
    uint32_t size = f->size ? f->size * 2 : 16;
    dev_queued *slots = malloc(size * sizeof *slots);
    if (slots == NULL)
        return false;
    for (uint32_t i = 0; i < f->count; i++)
        slots[i] = f->slots[(f->head + i) & (f->size - 1)];
    free(f->slots);
    f->slots = slots;
    f->size = size;
    f->head = 0;
    return true;
}

dev_push dev_queue_push(dev_queue *q, ss_packet *pkt, uint32_t priority, uint64_t now)
{
    if (priority >= q->priorities)
        return DEV_BAD_PRIORITY;
    dev_fifo *f = &q->fifo[priority];
    if (f->count >= q->limit)
        return DEV_FULL;
    if (f->count == f->size && !fifo_grow(f))
        return DEV_NO_MEMORY;
    f->slots[(f->head + f->count) & (f->size - 1)] = (dev_queued){pkt, now, q->waiting};
    f->count++;
    q->waiting++;
    return DEV_PUSHED;
}

uint64_t dev_queue_deadline(const dev_queue *q)
{
    if (q->waiting == 0)
        return DEV_NEVER;
    uint64_t first = DEV_NEVER;
    for (uint32_t i = 0; i < DEV_PRIORITIES; i++) {
        const dev_fifo *f = &q->fifo[i];
        if (f->count > 0 && f->slots[f->head].enq_ns < first)
            first = f->slots[f->head].enq_ns;
    }
    return first > q->free_ns ? first : q->free_ns;
}

ss_packet *dev_queue_pop(dev_queue *q, uint64_t now, ss_queueing *meta, uint64_t *start)
{
    uint64_t due = dev_queue_deadline(q);
    if (due > now)
        return NULL;
    /* Choose among those that were there when the line became free: a late
     * caller must not let a later, more urgent packet overtake in hindsight. */
    for (uint32_t i = DEV_PRIORITIES; i-- > 0;) {
        dev_fifo *f = &q->fifo[i];
        if (f->count == 0 || f->slots[f->head].enq_ns > due)
            continue;
        dev_queued item = f->slots[f->head];
        f->head = (f->head + 1) & (f->size - 1);
        f->count--;
        q->waiting--;
        meta->enq_timestamp = item.enq_ns / 1000;
        meta->enq_qdepth = item.enq_depth;
        meta->deq_timedelta = (uint32_t)(due / 1000 - item.enq_ns / 1000);
        meta->deq_qdepth = q->waiting;
        *start = due;
        return item.pkt;
    }
    return NULL;
}

uint64_t dev_queue_occupy(dev_queue *q, uint32_t bytes, uint64_t start)
{
    if (q->rate_bps == 0)
        return start;
    /* The remainder is carried so that long runs follow the rate exactly. */
    unsigned __int128 work = (unsigned __int128)(bytes + q->overhead) * 8u * 1000000000u + q->carry;
    q->free_ns = start + (uint64_t)(work / q->rate_bps);
    q->carry = (uint64_t)(work % q->rate_bps);
    return q->free_ns;
}
