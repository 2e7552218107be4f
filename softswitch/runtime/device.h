/* SPDX-License-Identifier: MIT */
/*
 * device.h - a running switch: ports on Linux interfaces around one program.
 *
 * One thread moves the packets.  All functions may be called from any thread;
 * device_lock gives the caller the program between two bursts of packets.
 */
#ifndef DEVICE_H
#define DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "device_core.h"
#include "device_events.h"
#include "device_ring.h"

typedef struct device device;

typedef struct device_options {
    uint32_t cpu_port;       /* DEV_PORTS: none */
    uint32_t event_limit;    /* of each queue towards the controller */
    uint32_t busy_poll_us;   /* look for packets that long before sleeping; 0: sleep at once */
    uint32_t coalesce_us;    /* under load, let packets gather that long; 0: never */
    uint32_t log_messages;   /* queue what the program says by log_msg */
    dev_ring_options ring;
} device_options;

typedef enum device_queue {
    DEVICE_PACKET_INS,
    DEVICE_DIGESTS,
    DEVICE_PORT_EVENTS,
    DEVICE_LOGS,
    DEVICE_QUEUES
} device_queue;

device *device_new(const device_options *options);
void device_free(device *d);
/* `library` is a handle of dlopen; NULL unloads.  False: it lacks a function of ss.h. */
bool device_load(device *d, void *library, ss_switch *sw);
dev_error device_add_port(device *d, uint32_t number, const char *interface,
                          const dev_port_model *model);
bool device_remove_port(device *d, uint32_t number);
bool device_set_model(device *d, uint32_t number, const dev_port_model *model);
bool device_set_faults(device *d, uint32_t number, uint32_t inbound, const dev_fault_config *faults);
bool device_capture(device *d, uint32_t number, const char *in_path, const char *out_path);
bool device_start(device *d);
void device_stop(device *d);
uint64_t device_now_ns(const device *d);

void device_lock(device *d);
void device_unlock(device *d);

bool device_packet_out(device *d, const uint8_t *data, uint32_t len);
dev_event *device_take(device *d, device_queue queue, int timeout_ms);
void device_event_free(dev_event *event);
int device_event_fd(const device *d, device_queue queue);
uint64_t device_events_dropped(device *d, device_queue queue);
void device_wake_readers(device *d);

/* 1: up, 0: no carrier, -1: no such port, -2: the interface is gone */
int device_port_state(device *d, uint32_t number);
uint32_t device_queue_depth(device *d, uint32_t number);
/* `counters` has room for DEV_COUNTER_COUNT values. */
bool device_port_counters(device *d, uint32_t number, uint64_t *counters);
const char *device_counter_name(uint32_t which); /* NULL past the end */

typedef struct device_totals {
    uint64_t drop_no_port, drop_memory, cpu_packets_in, cpu_packets_out, drop_packet_out;
    uint64_t bursts, sleeps, longest_wait_ns;
} device_totals;
void device_get_totals(device *d, device_totals *totals);

#endif
