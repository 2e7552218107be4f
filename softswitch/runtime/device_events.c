/* SPDX-License-Identifier: MIT */
#include "device_events.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool dev_events_open(dev_events *q, uint32_t limit)
{
    memset(q, 0, sizeof *q);
    pthread_mutex_init(&q->mutex, NULL);
    q->last = &q->first;
    q->limit = limit;
    q->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return q->fd >= 0;
}

static void raise_flag(dev_events *q)
{
    uint64_t one = 1;
    if (write(q->fd, &one, sizeof one) < 0)
        return; /* only when the counter is full: readable anyway */
}

static void lower_flag(dev_events *q)
{
    uint64_t value;
    if (read(q->fd, &value, sizeof value) < 0)
        return; /* was not raised */
}

bool dev_events_push(dev_events *q, uint32_t id, const void *data, uint32_t len, uint64_t when_ns)
{
    dev_event *event = malloc(sizeof *event + len);
    pthread_mutex_lock(&q->mutex);
    if (event == NULL || q->count >= q->limit || q->closed) {
        q->dropped++;
        pthread_mutex_unlock(&q->mutex);
        free(event);
        return false;
    }
    event->next = NULL;
    event->when_ns = when_ns;
    event->id = id;
    event->length = len;
    if (len > 0)
        memcpy(event->data, data, len);
    *q->last = event;
    q->last = &event->next;
    if (q->count++ == 0)
        raise_flag(q);
    pthread_mutex_unlock(&q->mutex);
    return true;
}

static dev_event *try_take(dev_events *q, bool *closed)
{
    pthread_mutex_lock(&q->mutex);
    dev_event *event = q->first;
    if (event != NULL) {
        q->first = event->next;
        if (q->first == NULL)
            q->last = &q->first;
        q->count--;
    }
    *closed = q->closed;
    if (q->first == NULL && !q->closed)
        lower_flag(q);
    pthread_mutex_unlock(&q->mutex);
    return event;
}

dev_event *dev_events_take(dev_events *q, int timeout_ms)
{
    for (;;) {
        bool closed;
        dev_event *event = try_take(q, &closed);
        if (event != NULL || closed || timeout_ms == 0)
            return event;
        struct pollfd wait = {.fd = q->fd, .events = POLLIN};
        if (poll(&wait, 1, timeout_ms) <= 0) {
            event = try_take(q, &closed);
            return event; /* timeout, or a signal that Python wants to see */
        }
    }
}

void dev_events_close(dev_events *q)
{
    pthread_mutex_lock(&q->mutex);
    q->closed = true;
    raise_flag(q);
    pthread_mutex_unlock(&q->mutex);
}

void dev_events_free(dev_events *q)
{
    while (q->first != NULL) {
        dev_event *next = q->first->next;
        free(q->first);
        q->first = next;
    }
    if (q->fd >= 0)
        close(q->fd);
    pthread_mutex_destroy(&q->mutex);
}
