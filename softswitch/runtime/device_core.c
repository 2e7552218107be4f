/* SPDX-License-Identifier: MIT */
#include "device_core.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void count(dev_port *port, dev_counter which)
{
    port->counters[which]++;
}

/* ---- timed ports: those that dev_core_deadline must look at ------------------------- */

static void watch(dev_core *core, dev_port *port)
{
    if (!port->timed) {
        port->timed = true;
        core->timed[core->timed_count++] = port;
    }
}

static void unwatch(dev_core *core, dev_port *port)
{
    for (uint32_t i = 0; port->timed && i < core->timed_count; i++) {
        if (core->timed[i] == port) {
            core->timed[i] = core->timed[--core->timed_count];
            port->timed = false;
        }
    }
}

static uint64_t port_deadline(const dev_port *port)
{
    uint64_t due = dev_queue_deadline(&port->queue);
    if (port->flying != NULL && port->flying->release_ns < due)
        due = port->flying->release_ns;
    uint64_t held = dev_faults_deadline(&port->faults_out);
    due = held < due ? held : due;
    held = dev_faults_deadline(&port->faults_in);
    return held < due ? held : due;
}

uint64_t dev_core_deadline(const dev_core *core)
{
    uint64_t due = DEV_NEVER;
    for (uint32_t i = 0; i < core->timed_count; i++) {
        uint64_t mine = port_deadline(core->timed[i]);
        due = mine < due ? mine : due;
    }
    return due;
}

/* ---- way out ------------------------------------------------------------------------ */

static void wire_out(void *ctx, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_port *port = ctx;
    port->core->hooks.output(port->core->hooks.ctx, port, data, len, when);
}

static void mirror_fault_counters(dev_port *port)
{
    const uint64_t *in = port->faults_in.happened, *out = port->faults_out.happened;
    port->counters[DEV_drop_rx_loss] = in[DEV_LOSS];
    port->counters[DEV_rx_duplicated] = in[DEV_DUPLICATE];
    port->counters[DEV_rx_reordered] = in[DEV_REORDER];
    port->counters[DEV_rx_corrupted] = in[DEV_CORRUPT];
    port->counters[DEV_drop_tx_loss] = out[DEV_LOSS];
    port->counters[DEV_tx_duplicated] = out[DEV_DUPLICATE];
    port->counters[DEV_tx_reordered] = out[DEV_REORDER];
    port->counters[DEV_tx_corrupted] = out[DEV_CORRUPT];
}

static void cross_faults_out(dev_port *port, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_faults_pass(&port->faults_out, data, len, when, wire_out, port);
    if (port->faults_out.active)
        mirror_fault_counters(port);
    if (port->faults_out.held != NULL)
        watch(port->core, port);
}

static void fly(dev_port *port, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_frame *frame = dev_frame_new(data, len, when);
    if (frame == NULL) {
        count(port, DEV_drop_memory);
        return;
    }
    /* A delay that was shortened at run time must not let packets overtake. */
    if (frame->release_ns < port->last_release)
        frame->release_ns = port->last_release;
    port->last_release = frame->release_ns;
    *port->flying_end = frame;
    port->flying_end = &frame->next;
    watch(port->core, port);
}

/* ss_hooks.transmit: egress and deparser are through. */
static void on_transmit(void *ctx, uint32_t number, const uint8_t *data, uint32_t len)
{
    dev_core *core = ctx;
    core->copies++;
    if (number == core->cpu_port) {
        core->cpu_packets_out++;
        core->hooks.punt(core->hooks.ctx, data, len);
        return;
    }
    dev_port *port = number < DEV_PORTS ? core->ports[number] : NULL;
    if (port == NULL) {
        core->drop_no_port++;
        return;
    }
    uint64_t departure = core->now;
    if (port == core->leaving)
        departure = dev_queue_occupy(&port->queue, len, core->leaving_start);
    if (!port->enabled || !port->carrier) {
        count(port, DEV_drop_tx_down);
        return;
    }
    if (port->pcap_out != NULL)
        dev_pcap_write(port->pcap_out, data, len, core->epoch_ns + departure);
    if (departure + port->delay_ns > core->now || port->flying != NULL)
        fly(port, data, len, departure + port->delay_ns);
    else
        cross_faults_out(port, data, len, core->now);
}

static void on_digest(void *ctx, uint32_t id, const uint8_t *data, uint32_t len)
{
    dev_core *core = ctx;
    core->copies++;
    core->hooks.digest(core->hooks.ctx, id, data, len);
}

static void on_log(void *ctx, const char *text)
{
    dev_core *core = ctx;
    core->hooks.log(core->hooks.ctx, text);
}

/* ---- between ingress and egress ------------------------------------------------------ */

static bool pend(dev_core *core, ss_packet *pkt, uint32_t number)
{
    if (core->pending_count == core->pending_size) {
        uint32_t size = core->pending_size ? core->pending_size * 2 : 64;
        dev_pending *ring = malloc(size * sizeof *ring);
        if (ring == NULL)
            return false;
        for (uint32_t i = 0; i < core->pending_count; i++)
            ring[i] = core->pending[(core->pending_head + i) & (core->pending_size - 1)];
        free(core->pending);
        core->pending = ring;
        core->pending_size = size;
        core->pending_head = 0;
    }
    uint32_t at = (core->pending_head + core->pending_count++) & (core->pending_size - 1);
    core->pending[at] = (dev_pending){pkt, number};
    return true;
}

/* ss_hooks.enqueue: a packet or replica leaves ingress.  Egress does not run
 * inside this call, so that the program need not be re-entrant. */
static void on_enqueue(void *ctx, ss_packet *pkt, uint32_t number, uint32_t priority)
{
    dev_core *core = ctx;
    core->copies++;
    dev_port *port = number < DEV_PORTS ? core->ports[number] : NULL;
    if (port == NULL && number != core->cpu_port) {
        core->drop_no_port++;
        core->program.discard(core->sw, pkt);
        return;
    }
    if (port != NULL && port->queue.rate_bps != 0) {
        dev_push result = dev_queue_push(&port->queue, pkt, priority, core->now);
        if (result == DEV_PUSHED) {
            watch(core, port);
            return;
        }
        count(port, result == DEV_FULL           ? DEV_drop_tx_queue_full
                    : result == DEV_BAD_PRIORITY ? DEV_drop_tx_priority
                                                 : DEV_drop_memory);
    } else if (port != NULL && priority >= port->queue.priorities) {
        count(port, DEV_drop_tx_priority);
    } else if (pend(core, pkt, number)) {
        return;
    } else {
        core->drop_no_port_memory++;
    }
    core->program.discard(core->sw, pkt);
}

static void run_egress(dev_core *core, dev_port *port, ss_packet *pkt, const ss_queueing *meta,
                       uint64_t when)
{
    core->copies = 0;
    core->program.dequeue(core->sw, pkt, meta, when / 1000);
    if (core->copies == 0 && port != NULL)
        count(port, DEV_egress_consumed);
}

static void drain_pending(dev_core *core)
{
    while (core->pending_count > 0) {
        dev_pending next = core->pending[core->pending_head];
        core->pending_head = (core->pending_head + 1) & (core->pending_size - 1);
        core->pending_count--;
        ss_queueing meta = {core->now / 1000, 0, 0, 0};
        run_egress(core, core->ports[next.port], next.pkt, &meta, core->now);
    }
}

/* ---- way in -------------------------------------------------------------------------- */

static void ingress(void *ctx, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_port *port = ctx;
    dev_core *core = port->core;
    if (core->sw == NULL) {
        count(port, DEV_drop_rx_no_program);
        return;
    }
    if (port->pcap_in != NULL)
        dev_pcap_write(port->pcap_in, data, len, core->epoch_ns + when);
    core->copies = 0;
    core->program.receive(core->sw, port->number, data, len, when / 1000);
    if (core->copies == 0)
        count(port, DEV_program_consumed);
    drain_pending(core);
}

void dev_core_receive(dev_core *core, dev_port *port, const uint8_t *data, uint32_t len,
                      uint64_t now)
{
    if (core->timed_count > 0)
        dev_core_advance(core, now);
    core->now = now > core->now ? now : core->now;
    count(port, DEV_rx_packets);
    port->counters[DEV_rx_bytes] += len;
    if (!port->enabled) {
        count(port, DEV_drop_rx_disabled);
        return;
    }
    if (!port->faults_in.active && port->faults_in.held == NULL) {
        ingress(port, data, len, core->now);
        return;
    }
    dev_faults_pass(&port->faults_in, data, len, core->now, ingress, port);
    mirror_fault_counters(port);
    if (port->faults_in.held != NULL)
        watch(core, port);
}

bool dev_core_inject(dev_core *core, uint32_t port, const uint8_t *data, uint32_t len,
                     uint64_t now)
{
    if (core->sw == NULL)
        return false;
    dev_core_advance(core, now);
    core->now = now > core->now ? now : core->now;
    core->cpu_packets_in++;
    core->program.receive(core->sw, port, data, len, core->now / 1000);
    drain_pending(core);
    return true;
}

/* ---- time ---------------------------------------------------------------------------- */

static void advance_port(dev_core *core, dev_port *port, uint64_t due)
{
    dev_faults_release(&port->faults_in, due, ingress, port);
    while (port->flying != NULL && port->flying->release_ns <= due) {
        dev_frame *frame = port->flying;
        port->flying = frame->next;
        if (port->flying == NULL)
            port->flying_end = &port->flying;
        if (port->enabled && port->carrier)
            cross_faults_out(port, frame->data, frame->length, frame->release_ns);
        else
            count(port, DEV_drop_tx_down);
        free(frame);
    }
    dev_faults_release(&port->faults_out, due, wire_out, port);
    ss_queueing meta;
    uint64_t start;
    ss_packet *pkt = dev_queue_pop(&port->queue, due, &meta, &start);
    if (pkt != NULL) {
        core->leaving = port;
        core->leaving_start = start;
        run_egress(core, port, pkt, &meta, start);
        core->leaving = NULL;
        drain_pending(core);
    }
}

void dev_core_advance(dev_core *core, uint64_t now)
{
    while (core->timed_count > 0) {
        dev_port *first = NULL;
        uint64_t due = DEV_NEVER;
        for (uint32_t i = 0; i < core->timed_count; i++) {
            uint64_t mine = port_deadline(core->timed[i]);
            if (mine < due) {
                due = mine;
                first = core->timed[i];
            }
        }
        if (first == NULL || due > now)
            break;
        core->now = due > core->now ? due : core->now;
        advance_port(core, first, due);
        if (port_deadline(first) == DEV_NEVER)
            unwatch(core, first);
    }
}

/* ---- configuration ------------------------------------------------------------------- */

/* dlsym returns an object pointer; POSIX allows the conversion that ISO C does not. */
static bool find(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

bool dev_program_find(dev_program *program, void *library)
{
    bool found = find(library, "ss_receive", &program->receive) &&
                 find(library, "ss_dequeue", &program->dequeue) &&
                 find(library, "ss_discard", &program->discard) &&
                 find(library, "ss_set_hooks", &program->set_hooks);
    find(library, "ss_set_queues", &program->set_queues);
    return found;
}

void dev_core_init(dev_core *core, const dev_core_hooks *hooks)
{
    memset(core, 0, sizeof *core);
    core->hooks = *hooks;
    core->cpu_port = DEV_PORTS;
}

static void discard_queued(void *ctx, ss_packet *pkt)
{
    dev_port *port = ctx;
    count(port, DEV_drop_tx_swap);
    port->core->program.discard(port->core->sw, pkt);
}

void dev_core_load(dev_core *core, const dev_program *program, ss_switch *sw)
{
    for (uint32_t i = 0; core->sw != NULL && i < DEV_PORTS; i++)
        if (core->ports[i] != NULL)
            dev_queue_clear(&core->ports[i]->queue, discard_queued, core->ports[i]);
    if (core->sw != NULL)
        core->program.set_hooks(core->sw, NULL);
    core->sw = sw;
    if (sw != NULL) {
        ss_hooks hooks = {.ctx = core,
                          .enqueue = on_enqueue,
                          .transmit = on_transmit,
                          .digest = on_digest,
                          .log = core->hooks.log != NULL ? on_log : NULL};
        core->program = *program;
        program->set_hooks(sw, &hooks);
        if (program->set_queues != NULL) /* the number of priorities is each port's own */
            program->set_queues(sw, DEV_PRIORITIES);
    }
}

dev_port *dev_core_add_port(dev_core *core, uint32_t number)
{
    dev_port *port = calloc(1, sizeof *port);
    if (port == NULL)
        return NULL;
    port->core = core;
    port->number = number;
    port->enabled = port->carrier = true;
    port->flying_end = &port->flying;
    dev_queue_init(&port->queue);
    dev_faults_init(&port->faults_in);
    dev_faults_init(&port->faults_out);
    core->ports[number] = port;
    return port;
}

static void stop_capture(dev_port *port)
{
    if (port->pcap_in != NULL)
        dev_pcap_close(port->pcap_in);
    if (port->pcap_out != NULL)
        dev_pcap_close(port->pcap_out);
    port->pcap_in = port->pcap_out = NULL;
}

bool dev_core_capture(dev_port *port, const char *in_path, const char *out_path)
{
    stop_capture(port);
    port->pcap_in = dev_pcap_open(in_path);
    if (port->pcap_in == NULL)
        return false;
    port->pcap_out = dev_pcap_open(out_path);
    if (port->pcap_out != NULL)
        return true;
    int error = errno;
    stop_capture(port);
    errno = error;
    return false;
}

void dev_core_remove_port(dev_core *core, uint32_t number)
{
    dev_port *port = core->ports[number];
    if (port == NULL)
        return;
    unwatch(core, port);
    dev_queue_clear(&port->queue, discard_queued, port);
    dev_faults_clear(&port->faults_in);
    dev_faults_clear(&port->faults_out);
    while (port->flying != NULL) {
        dev_frame *next = port->flying->next;
        free(port->flying);
        port->flying = next;
    }
    stop_capture(port);
    core->ports[number] = NULL;
    free(port);
}

void dev_core_set_model(dev_core *core, dev_port *port, const dev_port_model *model)
{
    port->queue.rate_bps = model->rate_bps;
    port->queue.carry = 0;
    port->queue.limit = model->queue_packets;
    port->queue.priorities = model->priorities;
    port->queue.overhead = model->overhead_bytes;
    port->delay_ns = model->delay_ns;
    port->enabled = model->enabled != 0;
    core->rated = false;
    for (uint32_t i = 0; i < DEV_PORTS; i++)
        core->rated = core->rated || (core->ports[i] != NULL && core->ports[i]->queue.rate_bps > 0);
    if (port->queue.rate_bps == 0) /* nobody waits for a line that is no longer there */
        port->queue.free_ns = core->now;
}

void dev_core_clear(dev_core *core)
{
    for (uint32_t i = 0; i < DEV_PORTS; i++)
        dev_core_remove_port(core, i);
    dev_core_load(core, NULL, NULL);
    free(core->pending);
    core->pending = NULL;
    core->pending_size = core->pending_head = core->pending_count = 0;
}
