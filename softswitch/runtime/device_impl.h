/* SPDX-License-Identifier: MIT */
/* device_impl.h - what the files of the running switch share. */
#ifndef DEVICE_IMPL_H
#define DEVICE_IMPL_H

#include <net/if.h>
#include <pthread.h>
#include <stdatomic.h>

#include "device.h"

/* First come, first served: neither packets nor table writes can starve the other. */
typedef struct dev_lock {
    pthread_mutex_t mutex;
    pthread_cond_t turn;
    uint64_t next, serving;
    uint64_t given_ns; /* when it was last given to somebody who waited */
} dev_lock;

typedef struct dev_wire {
    char interface[IF_NAMESIZE];
    dev_ring ring;
    dev_port *port;
    bool gone; /* the interface was deleted; it may come back under its name */
} dev_wire;

struct device {
    dev_core core;
    device_options options;
    dev_lock lock;       /* guards core and program */
    dev_lock wires_lock; /* guards wires; taken before `lock` */
    dev_wire *wires[DEV_PORTS];
    uint32_t wire_count;
    dev_events queues[DEVICE_QUEUES];
    dev_events packet_outs;
    int netlink;
    atomic_bool stop;
    bool running;
    pthread_t thread;
    uint64_t start_ns;
    atomic_uint_fast64_t bursts, sleeps, longest_wait_ns;
};

void dev_lock_init(dev_lock *lock);
void dev_lock_take(dev_lock *lock);
void dev_lock_give(dev_lock *lock);

void *device_loop(void *argument);
void device_flush_wire(device *d, dev_wire *wire);
bool device_put_wire(device *d, dev_wire *wire, const uint8_t *data, uint32_t len);

/* Kernel messages about interfaces. */
int dev_link_open(void);
void dev_link_read(device *d);    /* with wires_lock held */
void dev_link_refresh(device *d, dev_wire *wire);

#endif
