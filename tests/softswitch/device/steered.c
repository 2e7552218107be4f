/* SPDX-License-Identifier: MIT */
/*
 * A program behind ss.h that tests can steer from the packet itself:
 * byte 0: output port (255: drop in ingress), byte 1: priority, byte 2: copies
 * (0 means 1), byte 3: 1 drops in egress, 2 sends a digest, 3
 * logs a message.  Egress writes the
 * queueing metadata behind the fifth byte, as far as there is room:
 * enq_qdepth, deq_qdepth (1 byte each), deq_timedelta (4 bytes, us).
 */
#include <stdlib.h>
#include <string.h>

#include "ss.h"

struct ss_packet {
    uint32_t port, len;
    uint8_t data[];
};

struct ss_switch {
    ss_hooks hooks;
    int packets; /* alive */
};

ss_switch *ss_create(uint64_t seed, const ss_hooks *hooks)
{
    (void)seed;
    ss_switch *sw = calloc(1, sizeof *sw);
    if (sw != NULL && hooks != NULL)
        sw->hooks = *hooks;
    return sw;
}

void ss_set_hooks(ss_switch *sw, const ss_hooks *hooks)
{
    memset(&sw->hooks, 0, sizeof sw->hooks);
    if (hooks != NULL)
        sw->hooks = *hooks;
}

void ss_destroy(ss_switch *sw)
{
    free(sw);
}

int steered_alive(const ss_switch *sw)
{
    return sw->packets;
}

void ss_discard(ss_switch *sw, ss_packet *pkt)
{
    sw->packets--;
    free(pkt);
}

void ss_receive(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len, uint64_t now_us)
{
    (void)port;
    (void)now_us;
    if (len < 4 || data[0] == 255)
        return;
    if (data[3] == 3 && sw->hooks.log != NULL)
        sw->hooks.log(sw->hooks.ctx, "mode 3");
    if (data[3] == 2)
        sw->hooks.digest(sw->hooks.ctx, 7, data, 4);
    for (int n = data[2] ? data[2] : 1; n > 0; n--) {
        ss_packet *pkt = malloc(sizeof *pkt + len);
        if (pkt == NULL)
            return;
        pkt->port = data[0];
        pkt->len = len;
        memcpy(pkt->data, data, len);
        sw->packets++;
        sw->hooks.enqueue(sw->hooks.ctx, pkt, pkt->port, data[1]);
    }
}

void ss_dequeue(ss_switch *sw, ss_packet *pkt, const ss_queueing *q, uint64_t now_us)
{
    (void)now_us;
    uint8_t *d = pkt->data;
    if (pkt->len >= 11) {
        d[5] = (uint8_t)q->enq_qdepth;
        d[6] = (uint8_t)q->deq_qdepth;
        for (int i = 0; i < 4; i++)
            d[7 + i] = (uint8_t)(q->deq_timedelta >> (24 - 8 * i));
    }
    if (d[3] != 1)
        sw->hooks.transmit(sw->hooks.ctx, pkt->port, d, pkt->len);
    ss_discard(sw, pkt);
}
