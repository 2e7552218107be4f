/* SPDX-License-Identifier: MIT */
/* Interfaces that lose their carrier, go down, disappear and come back. */
#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "device_impl.h"

int dev_link_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);
    if (fd < 0)
        return -1;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK};
    if (bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static void set_carrier(device *d, dev_wire *wire, bool carrier)
{
    dev_lock_take(&d->lock);
    bool changed = wire->port->carrier != carrier;
    wire->port->carrier = carrier;
    dev_lock_give(&d->lock);
    if (changed) {
        uint8_t state = carrier;
        dev_events_push(&d->queues[DEVICE_PORT_EVENTS], wire->port->number, &state, 1,
                        device_now_ns(d));
    }
}

static void lose(device *d, dev_wire *wire)
{
    dev_ring_close(&wire->ring);
    wire->gone = true;
    set_carrier(d, wire, false);
}

static void find_again(device *d, dev_wire *wire)
{
    if (dev_ring_open(&wire->ring, wire->interface, &d->options.ring) == DEV_OK) {
        wire->gone = false;
        dev_link_refresh(d, wire);
    }
}

void dev_link_refresh(device *d, dev_wire *wire)
{
    struct ifreq request;
    memset(&request, 0, sizeof request);
    memcpy(request.ifr_name, wire->interface, sizeof request.ifr_name);
    if (wire->gone)
        return;
    if (ioctl(wire->ring.fd, SIOCGIFFLAGS, &request) != 0) {
        lose(d, wire);
        return;
    }
    int up = IFF_UP | IFF_RUNNING;
    set_carrier(d, wire, (request.ifr_flags & up) == up);
}

static void handle(device *d, const struct nlmsghdr *message)
{
    const struct ifinfomsg *link = NLMSG_DATA(message);
    if (link->ifi_family != AF_UNSPEC)
        return; /* a bridge telling of its ports */
    const char *name = "";
    int length = (int)IFLA_PAYLOAD(message);
    for (const struct rtattr *a = IFLA_RTA(link); RTA_OK(a, length); a = RTA_NEXT(a, length))
        if (a->rta_type == IFLA_IFNAME)
            name = RTA_DATA(a);
    for (uint32_t i = 0; i < d->wire_count; i++) {
        dev_wire *wire = d->wires[i];
        if (!wire->gone && wire->ring.ifindex == link->ifi_index) {
            unsigned up = IFF_UP | IFF_RUNNING;
            if (message->nlmsg_type == RTM_DELLINK)
                lose(d, wire);
            else
                set_carrier(d, wire, (link->ifi_flags & up) == up);
        } else if (wire->gone && message->nlmsg_type == RTM_NEWLINK &&
                   strcmp(name, wire->interface) == 0) {
            find_again(d, wire);
        }
    }
}

void dev_link_read(device *d)
{
    char buffer[32768] __attribute__((aligned(8)));
    for (;;) {
        ssize_t got = recv(d->netlink, buffer, sizeof buffer, MSG_DONTWAIT);
        if (got < 0 && errno == ENOBUFS) { /* messages were lost: ask for the state instead */
            for (uint32_t i = 0; i < d->wire_count; i++)
                if (d->wires[i]->gone)
                    find_again(d, d->wires[i]);
                else
                    dev_link_refresh(d, d->wires[i]);
            continue;
        }
        if (got <= 0)
            return;
        int left = (int)got;
        for (const struct nlmsghdr *m = (const void *)buffer; NLMSG_OK(m, left);
             m = NLMSG_NEXT(m, left))
            if (m->nlmsg_type == RTM_NEWLINK || m->nlmsg_type == RTM_DELLINK)
                handle(d, m);
    }
}
