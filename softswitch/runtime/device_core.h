/* SPDX-License-Identifier: MIT */
/*
 * device_core.h - a switch without wires: one program instance between ports
 * that have queues, lines, delays and faults.
 *
 * Sans-I/O: packets come in by dev_core_receive and go out by `hooks`; time is
 * an argument (nanoseconds since the switch started).  The packet loop drives
 * it with the clock of the machine, tests and simulations with virtual time.
 *
 *   receive -> faults in -> program's ingress -> queue -> line (rate)
 *           -> program's egress -> propagation delay -> faults out -> hooks.output
 *
 * Not thread-safe: the owner serialises calls.
 */
#ifndef DEVICE_CORE_H
#define DEVICE_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "device_fault.h"
#include "device_pcap.h"
#include "device_queue.h"
#include "ss.h"

#define DEV_PORTS 512u /* port numbers are bit<9>; 511 is the drop port */

/* One list of counters: enum, names and Python's dictionary derive from it. */
#define DEV_COUNTERS(X)                                                                          \
    X(rx_packets)          /* frames that came from the wire, before faults */                   \
    X(rx_bytes)                                                                                  \
    X(tx_packets)          /* frames handed to the wire, after faults */                         \
    X(tx_bytes)                                                                                  \
    X(drop_rx_ring)        /* the kernel found no room in the receive ring */                    \
    X(drop_rx_malformed)   /* longer than the port's largest frame, cut by the kernel */         \
    X(drop_rx_loss)        /* loss fault, inbound */                                             \
    X(drop_rx_no_program)  /* no pipeline loaded */                                              \
    X(drop_rx_disabled)    /* port switched off */                                               \
    X(drop_tx_queue_full)                                                                        \
    X(drop_tx_priority)    /* priority not below the port's number of priorities (as BMv2) */    \
    X(drop_tx_down)        /* port switched off, or its interface has no carrier */              \
    X(drop_tx_loss)        /* loss fault, outbound */                                            \
    X(drop_tx_too_long)    /* longer than the interface's MTU allows */                          \
    X(drop_tx_malformed)   /* shorter than an Ethernet header */                                 \
    X(drop_tx_ring)        /* the kernel refused the frame (no buffers) */                       \
    X(drop_tx_swap)        /* waited in the queue while the pipeline was replaced */             \
    X(drop_memory)                                                                               \
    X(program_consumed)    /* packets of this port of which ingress made no copy (drop, absorb)*/ \
    X(egress_consumed)     /* packets that egress did not send */                                \
    X(rx_duplicated)                                                                             \
    X(rx_reordered)                                                                              \
    X(rx_corrupted)                                                                              \
    X(tx_duplicated)                                                                             \
    X(tx_reordered)                                                                              \
    X(tx_corrupted)                                                                              \
    X(rx_checksum_partial) /* sender left a checksum to the hardware: switch offload off there */

#define DEV_COUNTER_ENUM(name) DEV_##name,
typedef enum dev_counter { DEV_COUNTERS(DEV_COUNTER_ENUM) DEV_COUNTER_COUNT } dev_counter;

/* The functions of a compiled program (ss.h), found in its shared object. */
typedef struct dev_program {
    void (*receive)(ss_switch *, uint32_t, const uint8_t *, uint32_t, uint64_t);
    void (*dequeue)(ss_switch *, ss_packet *, const ss_queueing *, uint64_t);
    void (*discard)(ss_switch *, ss_packet *);
    void (*set_hooks)(ss_switch *, const ss_hooks *);
    void (*set_queues)(ss_switch *, uint32_t); /* NULL when the program does not check priorities */
} dev_program;

typedef struct dev_port_model {
    uint64_t rate_bps; /* 0: none; packets then pass without queueing */
    uint64_t delay_ns;
    uint32_t queue_packets;
    uint32_t priorities;
    uint32_t overhead_bytes;
    uint32_t enabled;
} dev_port_model;

typedef struct dev_core dev_core;

typedef struct dev_port {
    dev_core *core;
    uint32_t number;
    bool enabled; /* administratively */
    bool carrier;
    bool timed; /* has a rate, a delay or something waiting */
    uint64_t delay_ns;
    dev_queue queue;
    dev_frame *flying, **flying_end; /* on the line, released in order */
    uint64_t last_release;
    dev_faults faults_in, faults_out;
    dev_pcap *pcap_in, *pcap_out;
    void *wire; /* the owner's */
    uint64_t counters[DEV_COUNTER_COUNT];
} dev_port;

typedef struct dev_core_hooks {
    void *ctx;
    void (*output)(void *ctx, dev_port *port, const uint8_t *data, uint32_t len, uint64_t when);
    void (*punt)(void *ctx, const uint8_t *data, uint32_t len);
    void (*digest)(void *ctx, uint32_t id, const uint8_t *data, uint32_t len);
    void (*log)(void *ctx, const char *text); /* NULL: the program need not format anything */
} dev_core_hooks;

typedef struct dev_pending {
    ss_packet *pkt;
    uint32_t port;
} dev_pending;

struct dev_core {
    dev_core_hooks hooks;
    dev_program program;
    ss_switch *sw;
    uint32_t cpu_port; /* DEV_PORTS: none */
    uint64_t now;
    uint64_t epoch_ns; /* of time 0, for capture files */
    dev_port *ports[DEV_PORTS];
    dev_port *timed[DEV_PORTS];
    uint32_t timed_count;
    bool rated; /* some port has a rate: the order of arrival between ports matters */
    dev_pending *pending; /* packets for ports without a rate, egress still to run */
    uint32_t pending_size, pending_head, pending_count;
    dev_port *leaving; /* the port whose packet is in egress, and */
    uint64_t leaving_start; /* when it left the queue */
    uint32_t copies; /* packets that the program handed over during the current call */
    uint64_t drop_no_port;
    uint64_t drop_no_port_memory;
    uint64_t cpu_packets_in, cpu_packets_out;
};

/* Fills `program` from a handle of dlopen; false when a function is missing. */
bool dev_program_find(dev_program *program, void *library);
void dev_core_init(dev_core *core, const dev_core_hooks *hooks);
void dev_core_clear(dev_core *core);
/* Replaces the program; packets waiting for egress of the old one are dropped and counted. */
void dev_core_load(dev_core *core, const dev_program *program, ss_switch *sw);
dev_port *dev_core_add_port(dev_core *core, uint32_t number); /* NULL: no memory */
void dev_core_remove_port(dev_core *core, uint32_t number);
void dev_core_set_model(dev_core *core, dev_port *port, const dev_port_model *model);
/* Captures what the switch receives and sends on the port (inside of the faults) from
 * now on; false with errno set when a file cannot be created. */
bool dev_core_capture(dev_port *port, const char *in_path, const char *out_path);
void dev_core_receive(dev_core *core, dev_port *port, const uint8_t *data, uint32_t len,
                      uint64_t now);
/* A packet from the CPU port; false when there is no program. */
bool dev_core_inject(dev_core *core, uint32_t port, const uint8_t *data, uint32_t len,
                     uint64_t now);
/* Runs everything due up to `now`, in the order of its time. */
void dev_core_advance(dev_core *core, uint64_t now);
/* When dev_core_advance has work next, or DEV_NEVER. */
uint64_t dev_core_deadline(const dev_core *core);

#endif
