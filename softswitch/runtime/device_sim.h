/* SPDX-License-Identifier: MIT */
/*
 * device_sim.h - the switch of device_core.h in virtual time: frames are
 * handed in and taken out by calls, nothing happens between calls.
 */
#ifndef DEVICE_SIM_H
#define DEVICE_SIM_H

#include "device_core.h"
#include "device_events.h"

typedef struct dev_sim dev_sim;

dev_sim *dev_sim_new(uint32_t cpu_port);
void dev_sim_free(dev_sim *sim);
bool dev_sim_load(dev_sim *sim, void *library, ss_switch *sw);
bool dev_sim_add_port(dev_sim *sim, uint32_t number, const dev_port_model *model);
bool dev_sim_set_model(dev_sim *sim, uint32_t number, const dev_port_model *model);
bool dev_sim_set_faults(dev_sim *sim, uint32_t number, uint32_t inbound,
                        const dev_fault_config *faults);
bool dev_sim_set_carrier(dev_sim *sim, uint32_t number, uint32_t carrier);
bool dev_sim_capture(dev_sim *sim, uint32_t number, const char *in_path, const char *out_path);
bool dev_sim_receive(dev_sim *sim, uint32_t port, const uint8_t *data, uint32_t len, uint64_t now);
bool dev_sim_packet_out(dev_sim *sim, const uint8_t *data, uint32_t len, uint64_t now);
void dev_sim_advance(dev_sim *sim, uint64_t now);
uint64_t dev_sim_deadline(const dev_sim *sim);
/* Oldest frame that left (id: port) or digest (id: digest); NULL: none.  The
 * caller frees it with device_event_free. */
dev_event *dev_sim_take(dev_sim *sim, uint32_t digests);
uint32_t dev_sim_queue_depth(const dev_sim *sim, uint32_t number);
bool dev_sim_counters(const dev_sim *sim, uint32_t number, uint64_t *counters);

#endif
