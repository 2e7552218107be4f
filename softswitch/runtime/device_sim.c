/* SPDX-License-Identifier: MIT */
#include "device_sim.h"

#include <stdlib.h>
#include <string.h>

typedef struct sim_list {
    dev_event *first, **last;
} sim_list;

struct dev_sim {
    dev_core core;
    sim_list frames, digests;
};

static void append(sim_list *list, uint32_t id, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_event *event = malloc(sizeof *event + len);
    if (event == NULL)
        abort(); /* a simulation that silently lost frames would be wrong */
    *event = (dev_event){.when_ns = when, .id = id, .length = len};
    if (len > 0)
        memcpy(event->data, data, len);
    *list->last = event;
    list->last = &event->next;
}

static void on_output(void *ctx, dev_port *port, const uint8_t *data, uint32_t len, uint64_t when)
{
    dev_sim *sim = ctx;
    port->counters[DEV_tx_packets]++;
    port->counters[DEV_tx_bytes] += len;
    append(&sim->frames, port->number, data, len, when);
}

static void on_punt(void *ctx, const uint8_t *data, uint32_t len)
{
    dev_sim *sim = ctx;
    append(&sim->frames, sim->core.cpu_port, data, len, sim->core.now);
}

static void on_digest(void *ctx, uint32_t id, const uint8_t *data, uint32_t len)
{
    dev_sim *sim = ctx;
    append(&sim->digests, id, data, len, sim->core.now);
}

dev_sim *dev_sim_new(uint32_t cpu_port)
{
    dev_sim *sim = calloc(1, sizeof *sim);
    if (sim == NULL)
        return NULL;
    dev_core_hooks hooks = {sim, on_output, on_punt, on_digest, NULL};
    dev_core_init(&sim->core, &hooks);
    sim->core.cpu_port = cpu_port;
    sim->frames.last = &sim->frames.first;
    sim->digests.last = &sim->digests.first;
    return sim;
}

dev_event *dev_sim_take(dev_sim *sim, uint32_t digests)
{
    sim_list *list = digests ? &sim->digests : &sim->frames;
    dev_event *event = list->first;
    if (event != NULL) {
        list->first = event->next;
        if (list->first == NULL)
            list->last = &list->first;
    }
    return event;
}

void dev_sim_free(dev_sim *sim)
{
    dev_core_clear(&sim->core);
    for (uint32_t digests = 0; digests < 2; digests++)
        for (dev_event *e = dev_sim_take(sim, digests); e != NULL; e = dev_sim_take(sim, digests))
            free(e);
    free(sim);
}

bool dev_sim_load(dev_sim *sim, void *library, ss_switch *sw)
{
    dev_program program = {0};
    if (sw != NULL && !dev_program_find(&program, library))
        return false;
    dev_core_load(&sim->core, &program, sw);
    return true;
}

static dev_port *port_of(const dev_sim *sim, uint32_t number)
{
    return number < DEV_PORTS ? sim->core.ports[number] : NULL;
}

bool dev_sim_add_port(dev_sim *sim, uint32_t number, const dev_port_model *model)
{
    if (number >= DEV_PORTS || sim->core.ports[number] != NULL)
        return false;
    dev_port *port = dev_core_add_port(&sim->core, number);
    if (port != NULL)
        dev_core_set_model(&sim->core, port, model);
    return port != NULL;
}

bool dev_sim_set_model(dev_sim *sim, uint32_t number, const dev_port_model *model)
{
    dev_port *port = port_of(sim, number);
    if (port != NULL)
        dev_core_set_model(&sim->core, port, model);
    return port != NULL;
}

bool dev_sim_set_faults(dev_sim *sim, uint32_t number, uint32_t inbound,
                        const dev_fault_config *faults)
{
    dev_port *port = port_of(sim, number);
    return port != NULL &&
           dev_faults_configure(inbound ? &port->faults_in : &port->faults_out, faults);
}

bool dev_sim_set_carrier(dev_sim *sim, uint32_t number, uint32_t carrier)
{
    dev_port *port = port_of(sim, number);
    if (port != NULL)
        port->carrier = carrier != 0;
    return port != NULL;
}

bool dev_sim_capture(dev_sim *sim, uint32_t number, const char *in_path, const char *out_path)
{
    dev_port *port = port_of(sim, number);
    return port != NULL && dev_core_capture(port, in_path, out_path);
}

bool dev_sim_receive(dev_sim *sim, uint32_t number, const uint8_t *data, uint32_t len, uint64_t now)
{
    dev_port *port = port_of(sim, number);
    if (port != NULL)
        dev_core_receive(&sim->core, port, data, len, now);
    return port != NULL;
}

bool dev_sim_packet_out(dev_sim *sim, const uint8_t *data, uint32_t len, uint64_t now)
{
    return dev_core_inject(&sim->core, sim->core.cpu_port, data, len, now);
}

void dev_sim_advance(dev_sim *sim, uint64_t now)
{
    dev_core_advance(&sim->core, now);
}

uint64_t dev_sim_deadline(const dev_sim *sim)
{
    return dev_core_deadline(&sim->core);
}

uint32_t dev_sim_queue_depth(const dev_sim *sim, uint32_t number)
{
    const dev_port *port = port_of(sim, number);
    return port == NULL ? 0 : port->queue.waiting;
}

bool dev_sim_counters(const dev_sim *sim, uint32_t number, uint64_t *counters)
{
    const dev_port *port = port_of(sim, number);
    if (port != NULL)
        memcpy(counters, port->counters, sizeof port->counters);
    return port != NULL;
}
