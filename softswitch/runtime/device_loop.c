/* SPDX-License-Identifier: MIT */
/* The packet loop: bursts from each interface in turn, sleep when all are empty. */
#include <errno.h>
#include <linux/if_ether.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#include "device_impl.h"

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

uint64_t device_now_ns(const device *d)
{
    return clock_ns(CLOCK_MONOTONIC) - d->start_ns;
}

/* ---- the lock ------------------------------------------------------------------------ */

void dev_lock_init(dev_lock *lock)
{
    pthread_mutex_init(&lock->mutex, NULL);
    pthread_cond_init(&lock->turn, NULL);
    lock->next = lock->serving = lock->given_ns = 0;
}

void dev_lock_take(dev_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    uint64_t mine = lock->next++;
    while (lock->serving != mine)
        pthread_cond_wait(&lock->turn, &lock->mutex);
    pthread_mutex_unlock(&lock->mutex);
}

void dev_lock_give(dev_lock *lock)
{
    pthread_mutex_lock(&lock->mutex);
    lock->serving++;
    if (lock->serving != lock->next) {
        lock->given_ns = clock_ns(CLOCK_MONOTONIC);
        pthread_cond_broadcast(&lock->turn);
    }
    pthread_mutex_unlock(&lock->mutex);
}

/* The loop's own way in, which keeps the longest time that writers held it up;
 * how long the scheduler then takes to run this thread is not theirs to answer for. */
static void take_for_packets(device *d)
{
    pthread_mutex_lock(&d->lock.mutex);
    uint64_t mine = d->lock.next++;
    if (d->lock.serving != mine) {
        uint64_t before = clock_ns(CLOCK_MONOTONIC);
        while (d->lock.serving != mine)
            pthread_cond_wait(&d->lock.turn, &d->lock.mutex);
        uint64_t waited = d->lock.given_ns > before ? d->lock.given_ns - before : 0;
        if (waited > atomic_load(&d->longest_wait_ns))
            atomic_store(&d->longest_wait_ns, waited);
    }
    pthread_mutex_unlock(&d->lock.mutex);
}

/* ---- sending ------------------------------------------------------------------------- */

void device_flush_wire(device *d, dev_wire *wire)
{
    (void)d;
    dev_tx_result result;
    uint64_t *c = wire->port->counters;
    dev_ring_flush(&wire->ring, &result);
    c[DEV_tx_packets] += result.sent;
    c[DEV_tx_bytes] += result.sent_bytes;
    c[DEV_drop_tx_down] += result.down;
    c[DEV_drop_tx_too_long] += result.too_long;
    c[DEV_drop_tx_malformed] += result.malformed;
    c[DEV_drop_tx_ring] += result.refused;
}

bool device_put_wire(device *d, dev_wire *wire, const uint8_t *data, uint32_t len)
{
    uint64_t *c = wire->port->counters;
    if (wire->gone)
        c[DEV_drop_tx_down]++;
    else if (len < ETH_HLEN)
        c[DEV_drop_tx_malformed]++;
    else if (len > wire->ring.frame_size) /* else the kernel judges by the MTU of the day */
        c[DEV_drop_tx_too_long]++;
    else {
        if (!dev_ring_put(&wire->ring, data, len)) {
            device_flush_wire(d, wire);
            dev_ring_put(&wire->ring, data, len);
        }
        return true;
    }
    return false;
}

static void flush_all(device *d)
{
    for (uint32_t i = 0; i < d->wire_count; i++)
        if (d->wires[i]->ring.tx_count > 0)
            device_flush_wire(d, d->wires[i]);
}

/* ---- receiving ----------------------------------------------------------------------- */

static void receive_one(device *d, dev_wire *wire, const dev_rx *frame, uint64_t now)
{
    if (frame->cut) {
        wire->port->counters[DEV_rx_packets]++;
        wire->port->counters[DEV_drop_rx_malformed]++;
        return;
    }
    wire->port->counters[DEV_rx_checksum_partial] += frame->checksum_partial;
    /* The kernel's time of arrival, not ours: a loop that was kept from the
     * processor must not make queues look longer than the traffic made them. */
    uint64_t arrival = frame->epoch_ns - d->core.epoch_ns;
    if (arrival > now || frame->epoch_ns < d->core.epoch_ns)
        arrival = now;
    dev_core_receive(&d->core, wire->port, frame->data, frame->length, arrival);
}

static bool burst(device *d, dev_wire *wire)
{
    dev_rx frame;
    if (!dev_ring_next(&wire->ring, &frame))
        return false;
    take_for_packets(d);
    uint64_t now = device_now_ns(d);
    uint32_t n = 0;
    do {
        receive_one(d, wire, &frame, now);
        dev_ring_done(&wire->ring);
    } while (++n < DEV_BATCH && dev_ring_next(&wire->ring, &frame));
    dev_lock_give(&d->lock);
    atomic_fetch_add_explicit(&d->bursts, 1, memory_order_relaxed);
    return true;
}

/* A burst from all interfaces in the order of arrival, as the queues must see them. */
static bool merged_burst(device *d)
{
    take_for_packets(d);
    uint64_t now = device_now_ns(d);
    uint32_t n = 0;
    for (; n < DEV_BATCH; n++) {
        dev_wire *first = NULL;
        uint64_t earliest = UINT64_MAX, seen;
        for (uint32_t i = 0; i < d->wire_count; i++) {
            if (dev_ring_peek(&d->wires[i]->ring, &seen) && seen < earliest) {
                earliest = seen;
                first = d->wires[i];
            }
        }
        dev_rx frame;
        if (first == NULL || !dev_ring_next(&first->ring, &frame))
            break;
        receive_one(d, first, &frame, now);
        dev_ring_done(&first->ring);
    }
    dev_lock_give(&d->lock);
    atomic_fetch_add_explicit(&d->bursts, n > 0, memory_order_relaxed);
    return n > 0;
}

static bool inject(device *d)
{
    dev_event *event = dev_events_take(&d->packet_outs, 0);
    if (event == NULL)
        return false;
    take_for_packets(d);
    for (uint32_t n = 0; event != NULL; n++) {
        dev_core_inject(&d->core, event->id, event->data, event->length, device_now_ns(d));
        device_event_free(event);
        event = n + 1 < DEV_BATCH ? dev_events_take(&d->packet_outs, 0) : NULL;
    }
    dev_lock_give(&d->lock);
    return true;
}

/* Runs what is due and returns when more will be. */
static uint64_t run_timers(device *d)
{
    take_for_packets(d);
    if (d->core.timed_count > 0)
        dev_core_advance(&d->core, device_now_ns(d));
    uint64_t due = dev_core_deadline(&d->core);
    dev_lock_give(&d->lock);
    return due;
}

/* One round over everything; false when there was nothing to do. */
static bool round_of_work(device *d, uint64_t *due)
{
    bool busy = inject(d);
    if (d->core.rated)
        busy = merged_burst(d) || busy;
    else
        for (uint32_t i = 0; i < d->wire_count; i++)
            busy = burst(d, d->wires[i]) || busy;
    *due = run_timers(d);
    flush_all(d);
    return busy;
}

/* ---- sleeping ------------------------------------------------------------------------ */

static void wait_for_work(device *d, uint64_t due)
{
    struct pollfd fds[DEV_PORTS + 2];
    nfds_t n = 0;
    fds[n++] = (struct pollfd){.fd = d->packet_outs.fd, .events = POLLIN};
    fds[n++] = (struct pollfd){.fd = d->netlink, .events = POLLIN};
    uint32_t wires = d->wire_count;
    for (uint32_t i = 0; i < wires; i++)
        fds[n++] = (struct pollfd){.fd = d->wires[i]->ring.fd, .events = POLLIN};
    dev_lock_give(&d->wires_lock);

    struct timespec timeout = {0, 0};
    if (due != DEV_NEVER) {
        uint64_t now = device_now_ns(d);
        uint64_t left = due > now ? due - now : 0;
        timeout.tv_sec = (time_t)(left / 1000000000u);
        timeout.tv_nsec = (long)(left % 1000000000u);
    }
    atomic_fetch_add_explicit(&d->sleeps, 1, memory_order_relaxed);
    int ready = ppoll(fds, n, due != DEV_NEVER ? &timeout : NULL, NULL);

    dev_lock_take(&d->wires_lock);
    d->core.epoch_ns = clock_ns(CLOCK_REALTIME) - device_now_ns(d);
    if (ready <= 0)
        return;
    if (fds[1].revents != 0)
        dev_link_read(d);
    for (uint32_t i = 0; i < d->wire_count && i < wires; i++) {
        /* An error stays pending, and would wake us for ever, until it is read. */
        if ((fds[i + 2].revents & (POLLERR | POLLNVAL | POLLHUP)) && !d->wires[i]->gone) {
            dev_ring_clear_error(&d->wires[i]->ring);
            dev_link_refresh(d, d->wires[i]);
        }
    }
}

static void gather(uint32_t microseconds)
{
    struct timespec t = {0, (long)microseconds * 1000};
    nanosleep(&t, NULL);
}

void *device_loop(void *argument)
{
    device *d = argument;
    prctl(PR_SET_NAME, "packet-loop");
    prctl(PR_SET_TIMERSLACK, 1ul); /* queues and delays need better than the usual 50 us */
    uint64_t idle_since = 0;
    uint64_t bursts_before = 0;
    dev_lock_take(&d->wires_lock);
    while (!atomic_load_explicit(&d->stop, memory_order_relaxed)) {
        uint64_t due;
        if (round_of_work(d, &due)) {
            idle_since = 0;
            dev_lock_give(&d->wires_lock); /* ports may be added under load, too */
            dev_lock_take(&d->wires_lock);
            continue;
        }
        if (d->options.busy_poll_us > 0) {
            uint64_t now = device_now_ns(d);
            idle_since = idle_since ? idle_since : now;
            if (now - idle_since < d->options.busy_poll_us * 1000ull) {
                dev_lock_give(&d->wires_lock);
                sched_yield();
                dev_lock_take(&d->wires_lock);
                continue;
            }
        }
        uint64_t bursts = atomic_load_explicit(&d->bursts, memory_order_relaxed);
        wait_for_work(d, due);
        if (d->options.coalesce_us > 0 && bursts != bursts_before)
            gather(d->options.coalesce_us);
        bursts_before = bursts;
        idle_since = 0;
    }
    dev_lock_give(&d->wires_lock);
    return NULL;
}
