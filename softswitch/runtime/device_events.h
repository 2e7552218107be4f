/* SPDX-License-Identifier: MIT */
/*
 * device_events.h - a bounded queue from the packet loop to whoever controls
 * the switch.  A file descriptor is readable while there is something in it.
 */
#ifndef DEVICE_EVENTS_H
#define DEVICE_EVENTS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct dev_event {
    struct dev_event *next;
    uint64_t when_ns;
    uint32_t id; /* digest id, or port number */
    uint32_t length;
    uint8_t data[];
} dev_event;

typedef struct dev_events {
    pthread_mutex_t mutex;
    dev_event *first, **last;
    uint32_t count, limit;
    uint64_t dropped;
    int fd;
    bool closed;
} dev_events;

bool dev_events_open(dev_events *q, uint32_t limit);
/* False, and counted: the queue is full or closed. */
bool dev_events_push(dev_events *q, uint32_t id, const void *data, uint32_t len, uint64_t when_ns);
/* Waits up to `timeout_ms` (-1: for ever).  NULL: nothing came, or the queue was closed. */
dev_event *dev_events_take(dev_events *q, int timeout_ms);
void dev_events_close(dev_events *q); /* wakes all waiters; what is queued can still be taken */
void dev_events_free(dev_events *q);

#endif
