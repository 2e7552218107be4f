/* SPDX-License-Identifier: MIT */
/*
 * device_ring.h - one network interface: frames in through a TPACKET_V2 ring,
 * frames out in batches of sendmmsg.
 *
 * Version 2 of the ring rather than 3, because 3 hands over a block only when
 * it is full or a millisecond old.  sendmmsg rather than a transmit ring,
 * because veth copies the pages of a transmit ring (no gain was measured) and
 * because sendmmsg says which frame was refused and why.
 */
#ifndef DEVICE_RING_H
#define DEVICE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DEV_BATCH 64u
#define DEV_MAX_MTU 9216u

typedef enum dev_error {
    DEV_OK,
    DEV_E_NO_INTERFACE,
    DEV_E_PERMISSION,
    DEV_E_MTU,
    DEV_E_SYSTEM /* errno says more */
} dev_error;

typedef struct dev_ring_options {
    uint32_t rx_frames;    /* 0: by the interface's MTU */
    uint32_t qdisc_bypass; /* saves a little, hides sent frames from tcpdump on this side */
} dev_ring_options;

typedef struct dev_ring_tx dev_ring_tx;

typedef struct dev_ring {
    int fd; /* -1: closed */
    int ifindex;
    uint32_t mtu;
    uint32_t frame_size, frames, head;
    uint8_t *rx;
    dev_ring_tx *tx;
    uint32_t tx_count;
} dev_ring;

typedef struct dev_rx {
    uint8_t *data;
    uint32_t length;
    bool cut;              /* longer than the ring's frames */
    bool checksum_partial; /* the sender relies on checksum offload */
    uint64_t epoch_ns;     /* when the kernel saw it */
} dev_rx;

/* What became of the frames of a flush. */
typedef struct dev_tx_result {
    uint32_t sent, down, too_long, malformed, refused;
    uint64_t sent_bytes;
} dev_tx_result;

dev_error dev_ring_open(dev_ring *ring, const char *interface, const dev_ring_options *options);
void dev_ring_close(dev_ring *ring);
/* When the kernel saw the oldest frame not yet taken; false: there is none. */
bool dev_ring_peek(const dev_ring *ring, uint64_t *epoch_ns);
/* The oldest frame not yet taken; it stays valid until dev_ring_done. */
bool dev_ring_next(dev_ring *ring, dev_rx *frame);
void dev_ring_done(dev_ring *ring);
/* Appends to the batch; false: the batch is full, flush first. */
bool dev_ring_put(dev_ring *ring, const uint8_t *data, uint32_t len);
void dev_ring_flush(dev_ring *ring, dev_tx_result *result);
uint32_t dev_ring_dropped(dev_ring *ring); /* by the kernel since the last call */
int dev_ring_clear_error(dev_ring *ring);  /* the pending socket error, or 0 */

#endif
