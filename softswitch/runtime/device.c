/* SPDX-License-Identifier: MIT */
#include "device.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "device_impl.h"

/* ---- hooks of the core ---------------------------------------------------------------- */

static void on_output(void *ctx, dev_port *port, const uint8_t *data, uint32_t len, uint64_t when)
{
    (void)when;
    device_put_wire(ctx, port->wire, data, len);
}

static void on_punt(void *ctx, const uint8_t *data, uint32_t len)
{
    device *d = ctx;
    dev_events_push(&d->queues[DEVICE_PACKET_INS], d->core.cpu_port, data, len, d->core.now);
}

static void on_digest(void *ctx, uint32_t id, const uint8_t *data, uint32_t len)
{
    device *d = ctx;
    dev_events_push(&d->queues[DEVICE_DIGESTS], id, data, len, d->core.now);
}

static void on_log(void *ctx, const char *text)
{
    device *d = ctx;
    dev_events_push(&d->queues[DEVICE_LOGS], 0, text, (uint32_t)strlen(text), d->core.now);
}

/* ---- life ------------------------------------------------------------------------------ */

device *device_new(const device_options *options)
{
    device *d = calloc(1, sizeof *d);
    if (d == NULL)
        return NULL;
    d->options = *options;
    dev_core_hooks hooks = {d, on_output, on_punt, on_digest,
                            options->log_messages ? on_log : NULL};
    dev_core_init(&d->core, &hooks);
    d->core.cpu_port = options->cpu_port;
    dev_lock_init(&d->lock);
    dev_lock_init(&d->wires_lock);
    bool ok = dev_events_open(&d->packet_outs, options->event_limit);
    for (int i = 0; i < DEVICE_QUEUES; i++)
        ok = dev_events_open(&d->queues[i], options->event_limit) && ok;
    d->netlink = dev_link_open();
    struct timespec now, epoch;
    clock_gettime(CLOCK_MONOTONIC, &now);
    clock_gettime(CLOCK_REALTIME, &epoch);
    d->start_ns = (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
    d->core.epoch_ns = (uint64_t)epoch.tv_sec * 1000000000u + (uint64_t)epoch.tv_nsec;
    if (!ok || d->netlink < 0) {
        int error = errno;
        device_free(d);
        errno = error;
        return NULL;
    }
    return d;
}

static void wake(device *d)
{
    pthread_mutex_lock(&d->packet_outs.mutex);
    uint64_t one = 1;
    if (write(d->packet_outs.fd, &one, sizeof one) < 0)
        errno = 0; /* already awake */
    pthread_mutex_unlock(&d->packet_outs.mutex);
}

bool device_start(device *d)
{
    if (d->running)
        return true;
    atomic_store(&d->stop, false);
    /* Signals are for the threads of the caller. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int error = pthread_create(&d->thread, NULL, device_loop, d);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    d->running = error == 0;
    errno = error;
    return d->running;
}

void device_stop(device *d)
{
    if (!d->running)
        return;
    atomic_store(&d->stop, true);
    wake(d);
    pthread_join(d->thread, NULL);
    d->running = false;
    for (uint32_t i = 0; i < DEV_PORTS; i++) {
        dev_port *port = d->core.ports[i];
        if (port != NULL && port->pcap_in != NULL)
            dev_pcap_flush(port->pcap_in);
        if (port != NULL && port->pcap_out != NULL)
            dev_pcap_flush(port->pcap_out);
    }
}

void device_free(device *d)
{
    device_stop(d);
    dev_core_clear(&d->core);
    for (uint32_t i = 0; i < d->wire_count; i++) {
        dev_ring_close(&d->wires[i]->ring);
        free(d->wires[i]);
    }
    for (int i = 0; i < DEVICE_QUEUES; i++)
        dev_events_free(&d->queues[i]);
    dev_events_free(&d->packet_outs);
    if (d->netlink >= 0)
        close(d->netlink);
    free(d);
}

/* Whoever holds the lock, or is next, keeps packets waiting; on a busy machine
 * the scheduler would make that milliseconds.  So the holder runs before
 * ordinary threads, if the system lets us (root, or CAP_SYS_NICE). */
static _Thread_local struct {
    bool known, ordinary, raised;
} scheduling;

static void raise_priority(void)
{
    if (!scheduling.known) {
        scheduling.known = true;
        scheduling.ordinary = sched_getscheduler(0) == SCHED_OTHER;
    }
    struct sched_param first = {.sched_priority = 1};
    scheduling.raised = scheduling.ordinary &&
                        sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &first) == 0;
    scheduling.ordinary = scheduling.raised; /* refused once: do not ask again */
}

static void lower_priority(void)
{
    struct sched_param none = {.sched_priority = 0};
    if (scheduling.raised)
        sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none);
    scheduling.raised = false;
}

void device_lock(device *d)
{
    raise_priority();
    dev_lock_take(&d->lock);
}

void device_unlock(device *d)
{
    dev_lock_give(&d->lock);
    lower_priority();
}

bool device_load(device *d, void *library, ss_switch *sw)
{
    dev_program program = {0};
    if (sw != NULL && !dev_program_find(&program, library))
        return false;
    device_lock(d);
    dev_core_load(&d->core, &program, sw);
    device_unlock(d);
    return true;
}

/* ---- ports ----------------------------------------------------------------------------- */

dev_error device_add_port(device *d, uint32_t number, const char *interface,
                          const dev_port_model *model)
{
    dev_wire *wire = calloc(1, sizeof *wire);
    if (wire == NULL)
        return DEV_E_SYSTEM;
    dev_error error = dev_ring_open(&wire->ring, interface, &d->options.ring);
    if (error != DEV_OK) {
        free(wire);
        return error;
    }
    strncpy(wire->interface, interface, sizeof wire->interface - 1);
    dev_lock_take(&d->wires_lock);
    device_lock(d);
    dev_port *port = dev_core_add_port(&d->core, number);
    if (port != NULL) {
        wire->port = port;
        port->wire = wire;
        dev_core_set_model(&d->core, port, model);
        d->wires[d->wire_count++] = wire;
    }
    device_unlock(d);
    if (port != NULL)
        dev_link_refresh(d, wire);
    dev_lock_give(&d->wires_lock);
    if (port == NULL) {
        dev_ring_close(&wire->ring);
        free(wire);
        errno = ENOMEM;
        return DEV_E_SYSTEM;
    }
    wake(d);
    return DEV_OK;
}

static dev_port *port_of(device *d, uint32_t number)
{
    return number < DEV_PORTS ? d->core.ports[number] : NULL;
}

bool device_remove_port(device *d, uint32_t number)
{
    dev_lock_take(&d->wires_lock);
    dev_port *port = port_of(d, number);
    if (port != NULL) {
        dev_wire *wire = port->wire;
        for (uint32_t i = 0; i < d->wire_count; i++)
            if (d->wires[i] == wire)
                d->wires[i] = d->wires[--d->wire_count];
        device_lock(d);
        dev_core_remove_port(&d->core, number);
        device_unlock(d);
        dev_ring_close(&wire->ring);
        free(wire);
    }
    dev_lock_give(&d->wires_lock);
    wake(d);
    return port != NULL;
}

bool device_set_model(device *d, uint32_t number, const dev_port_model *model)
{
    device_lock(d);
    dev_port *port = port_of(d, number);
    if (port != NULL)
        dev_core_set_model(&d->core, port, model);
    device_unlock(d);
    wake(d);
    return port != NULL;
}

bool device_set_faults(device *d, uint32_t number, uint32_t inbound, const dev_fault_config *faults)
{
    device_lock(d);
    dev_port *port = port_of(d, number);
    bool ok = port != NULL &&
              dev_faults_configure(inbound ? &port->faults_in : &port->faults_out, faults);
    device_unlock(d);
    return ok;
}

bool device_capture(device *d, uint32_t number, const char *in_path, const char *out_path)
{
    device_lock(d);
    dev_port *port = port_of(d, number);
    bool ok = port != NULL && dev_core_capture(port, in_path, out_path);
    device_unlock(d);
    return ok;
}

int device_port_state(device *d, uint32_t number)
{
    dev_lock_take(&d->wires_lock);
    const dev_port *port = port_of(d, number);
    int state = port == NULL ? -1 : port->carrier;
    if (port != NULL && ((const dev_wire *)port->wire)->gone)
        state = -2;
    dev_lock_give(&d->wires_lock);
    return state;
}

uint32_t device_queue_depth(device *d, uint32_t number)
{
    device_lock(d);
    const dev_port *port = port_of(d, number);
    uint32_t depth = port == NULL ? 0 : port->queue.waiting;
    device_unlock(d);
    return depth;
}

/* ---- numbers ---------------------------------------------------------------------------- */

bool device_port_counters(device *d, uint32_t number, uint64_t *counters)
{
    dev_lock_take(&d->wires_lock);
    device_lock(d);
    dev_port *port = port_of(d, number);
    if (port != NULL) {
        dev_wire *wire = port->wire;
        uint32_t dropped = dev_ring_dropped(&wire->ring);
        port->counters[DEV_drop_rx_ring] += dropped;
        memcpy(counters, port->counters, sizeof port->counters);
    }
    device_unlock(d);
    dev_lock_give(&d->wires_lock);
    return port != NULL;
}

const char *device_counter_name(uint32_t which)
{
#define DEV_COUNTER_NAME(name) #name,
    static const char *const names[] = {DEV_COUNTERS(DEV_COUNTER_NAME)};
    return which < DEV_COUNTER_COUNT ? names[which] : NULL;
}

void device_get_totals(device *d, device_totals *totals)
{
    device_lock(d);
    *totals = (device_totals){
        .drop_no_port = d->core.drop_no_port,
        .drop_memory = d->core.drop_no_port_memory,
        .cpu_packets_in = d->core.cpu_packets_in,
        .cpu_packets_out = d->core.cpu_packets_out,
        .drop_packet_out = d->packet_outs.dropped,
        .bursts = atomic_load(&d->bursts),
        .sleeps = atomic_load(&d->sleeps),
        .longest_wait_ns = atomic_load(&d->longest_wait_ns),
    };
    device_unlock(d);
}

/* ---- the controller's side ---------------------------------------------------------------- */

bool device_packet_out(device *d, const uint8_t *data, uint32_t len)
{
    return dev_events_push(&d->packet_outs, d->core.cpu_port, data, len, 0);
}

dev_event *device_take(device *d, device_queue queue, int timeout_ms)
{
    return dev_events_take(&d->queues[queue], timeout_ms);
}

void device_event_free(dev_event *event)
{
    free(event);
}

int device_event_fd(const device *d, device_queue queue)
{
    return d->queues[queue].fd;
}

uint64_t device_events_dropped(device *d, device_queue queue)
{
    return d->queues[queue].dropped;
}

void device_wake_readers(device *d)
{
    for (int i = 0; i < DEVICE_QUEUES; i++)
        dev_events_close(&d->queues[i]);
}
