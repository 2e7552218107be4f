/* SPDX-License-Identifier: MIT */
/*
 * device_fault.h - faults of one direction of one port.
 *
 * Packets are numbered from 1.  Whether packet n suffers a fault is a pure
 * function of (seed, kind of fault, n), or given as a list of numbers: the same
 * seed and the same packets give the same faults, whatever the timing.
 * A lost packet suffers nothing else.  A reordered packet is held until
 * `reorder_packets` later packets have passed or `reorder_ns` have gone by.
 */
#ifndef DEVICE_FAULT_H
#define DEVICE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

typedef enum dev_fault_kind {
    DEV_LOSS,
    DEV_DUPLICATE,
    DEV_REORDER,
    DEV_CORRUPT,
    DEV_FAULT_KINDS
} dev_fault_kind;

/* What a caller asks for; `list` holds ascending packet numbers. */
typedef struct dev_fault_config {
    double probability[DEV_FAULT_KINDS];
    const uint64_t *list[DEV_FAULT_KINDS];
    uint64_t list_length[DEV_FAULT_KINDS];
    uint64_t reorder_packets; /* 0: by time only */
    uint64_t reorder_ns;
    uint64_t seed;
} dev_fault_config;

/* A frame kept for later. */
typedef struct dev_frame {
    struct dev_frame *next;
    uint64_t release_ns;
    uint64_t release_count; /* packet number after which it goes */
    uint32_t length;
    uint8_t data[];
} dev_frame;

typedef struct dev_faults {
    bool active;
    uint64_t seen; /* number of the last packet */
    uint64_t threshold[DEV_FAULT_KINDS];
    uint64_t *list[DEV_FAULT_KINDS];
    uint64_t list_length[DEV_FAULT_KINDS];
    uint64_t list_next[DEV_FAULT_KINDS];
    uint64_t seed;
    uint64_t reorder_packets;
    uint64_t reorder_ns;
    dev_frame *held;
    uint64_t happened[DEV_FAULT_KINDS];
} dev_faults;

/* Receives the packets that come through, at `when`. */
typedef void (*dev_emit)(void *ctx, const uint8_t *data, uint32_t len, uint64_t when);

dev_frame *dev_frame_new(const uint8_t *data, uint32_t len, uint64_t release_ns);

void dev_faults_init(dev_faults *f);
/* Starts numbering anew; false when memory runs out (the faults are then off).
 * Packets held by the old configuration stay held until their time. */
bool dev_faults_configure(dev_faults *f, const dev_fault_config *config);
void dev_faults_clear(dev_faults *f);
void dev_faults_pass(dev_faults *f, const uint8_t *data, uint32_t len, uint64_t now, dev_emit emit,
                     void *ctx);
uint64_t dev_faults_deadline(const dev_faults *f);
void dev_faults_release(dev_faults *f, uint64_t now, dev_emit emit, void *ctx);

#endif
