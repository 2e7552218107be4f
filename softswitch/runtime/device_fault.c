/* SPDX-License-Identifier: MIT */
#include "device_fault.h"

#include <stdlib.h>
#include <string.h>

dev_frame *dev_frame_new(const uint8_t *data, uint32_t len, uint64_t release_ns)
{
    dev_frame *frame = malloc(sizeof *frame + len);
    if (frame == NULL)
        return NULL;
    frame->next = NULL;
    frame->release_ns = release_ns;
    frame->release_count = UINT64_MAX;
    frame->length = len;
    if (len > 0)
        memcpy(frame->data, data, len);
    return frame;
}

/* splitmix64: a counter-based generator, so that packet n's draw needs no history. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t draw(const dev_faults *f, uint64_t stream)
{
    return mix(mix(f->seed ^ (stream << 56)) + f->seen);
}

void dev_faults_init(dev_faults *f)
{
    memset(f, 0, sizeof *f);
}

static uint64_t threshold(double probability)
{
    if (!(probability > 0.0))
        return 0;
    if (probability >= 1.0)
        return UINT64_MAX;
    return (uint64_t)(probability * 18446744073709551616.0);
}

static void forget_lists(dev_faults *f)
{
    for (int kind = 0; kind < DEV_FAULT_KINDS; kind++) {
        free(f->list[kind]);
        f->list[kind] = NULL;
        f->list_length[kind] = f->list_next[kind] = 0;
        f->threshold[kind] = 0;
    }
    f->active = false;
}

bool dev_faults_configure(dev_faults *f, const dev_fault_config *config)
{
    forget_lists(f);
    /* A held packet counts in the old numbering; only its deadline stays meaningful. */
    for (dev_frame *frame = f->held; frame != NULL; frame = frame->next)
        frame->release_count = UINT64_MAX;
    f->seen = 0;
    f->seed = config->seed;
    f->reorder_packets = config->reorder_packets;
    f->reorder_ns = config->reorder_ns;
    for (int kind = 0; kind < DEV_FAULT_KINDS; kind++) {
        uint64_t n = config->list_length[kind];
        f->threshold[kind] = threshold(config->probability[kind]);
        if (n > 0) {
            f->list[kind] = malloc(n * sizeof(uint64_t));
            if (f->list[kind] == NULL) {
                forget_lists(f);
                return false;
            }
            memcpy(f->list[kind], config->list[kind], n * sizeof(uint64_t));
            f->list_length[kind] = n;
        }
        f->active = f->active || f->threshold[kind] > 0 || n > 0;
    }
    return true;
}

void dev_faults_clear(dev_faults *f)
{
    forget_lists(f);
    while (f->held != NULL) {
        dev_frame *next = f->held->next;
        free(f->held);
        f->held = next;
    }
}

static bool happens(dev_faults *f, dev_fault_kind kind)
{
    bool listed = false;
    while (f->list_next[kind] < f->list_length[kind] &&
           f->list[kind][f->list_next[kind]] <= f->seen)
        listed = f->list[kind][f->list_next[kind]++] == f->seen || listed;
    uint64_t limit = f->threshold[kind];
    bool drawn = limit > 0 && (limit == UINT64_MAX || draw(f, (uint64_t)kind + 1) < limit);
    if (listed || drawn)
        f->happened[kind]++;
    return listed || drawn;
}

static void hold(dev_faults *f, dev_frame *frame, uint64_t now)
{
    frame->release_ns = now + f->reorder_ns;
    frame->release_count = f->reorder_packets ? f->seen + f->reorder_packets : UINT64_MAX;
    dev_frame **at = &f->held; /* in order of arrival: equal deadlines keep their order */
    while (*at != NULL)
        at = &(*at)->next;
    *at = frame;
}

static void release(dev_faults *f, uint64_t now, bool by_count, dev_emit emit, void *ctx)
{
    dev_frame **at = &f->held;
    while (*at != NULL) {
        dev_frame *frame = *at;
        bool due = by_count ? frame->release_count <= f->seen : frame->release_ns <= now;
        if (!due) {
            at = &frame->next;
            continue;
        }
        *at = frame->next;
        uint64_t when = by_count || frame->release_ns > now ? now : frame->release_ns;
        emit(ctx, frame->data, frame->length, when);
        free(frame);
    }
}

void dev_faults_pass(dev_faults *f, const uint8_t *data, uint32_t len, uint64_t now, dev_emit emit,
                     void *ctx)
{
    if (!f->active && f->held == NULL) {
        emit(ctx, data, len, now);
        return;
    }
    f->seen++;
    /* Every kind is asked for every packet: switching one on leaves the others as they were. */
    bool lost = happens(f, DEV_LOSS);
    bool twice = happens(f, DEV_DUPLICATE) && !lost;
    bool late = happens(f, DEV_REORDER) && !lost;
    bool broken = happens(f, DEV_CORRUPT) && !lost && len > 0;
    dev_frame *copy = NULL;
    if (late || broken) {
        copy = dev_frame_new(data, len, 0);
        if (copy == NULL) { /* out of memory: the packet goes on unharmed */
            late = false;
        } else if (broken) {
            uint64_t bit = draw(f, 7) % ((uint64_t)len * 8);
            copy->data[bit / 8] ^= (uint8_t)(1u << (bit % 8));
        }
    }
    const uint8_t *bytes = copy != NULL ? copy->data : data;
    if (twice)
        emit(ctx, bytes, len, now);
    if (!late && !lost)
        emit(ctx, bytes, len, now);
    release(f, now, true, emit, ctx); /* those that waited for this one to pass */
    if (late)
        hold(f, copy, now);
    else
        free(copy);
}

uint64_t dev_faults_deadline(const dev_faults *f)
{
    uint64_t due = UINT64_MAX;
    for (const dev_frame *frame = f->held; frame != NULL; frame = frame->next)
        if (frame->release_ns < due)
            due = frame->release_ns;
    return due;
}

void dev_faults_release(dev_faults *f, uint64_t now, dev_emit emit, void *ctx)
{
    release(f, now, false, emit, ctx);
}
