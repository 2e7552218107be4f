/* SPDX-License-Identifier: MIT */
/* ss_flow.c - a packet's way: ingress, replication, egress, and round again.
 *
 * The order of decisions is that of simple_switch ("pseudocode for what happens
 * at the end of ingress and egress processing" in its documentation). */
#include <stdlib.h>

#include "ss_bits.h"
#include "ss_trace.h"

/* ---- packets ---- */

static uint32_t headroom(void) { return (ss_prog.max_header_bytes + 63u) & ~31u; }

bool ss_packet_reserve(ss_packet *p, uint32_t bytes)
{
    if (bytes <= p->cap) {
        return true;
    }
    /* the payload may lie in the old memory */
    uint8_t *buf = malloc(bytes + 512u);
    if (buf == NULL) {
        return false;
    }
    if (p->buf != NULL && p->payload >= p->buf && p->payload <= p->buf + p->cap) {
        memcpy(buf + headroom(), p->payload, p->payload_len);
        p->payload = buf + headroom();
    }
    free(p->buf);
    p->buf = buf;
    p->cap = bytes + 512u;
    return true;
}

ss_packet *ss_packet_get(ss_switch *sw, uint32_t room)
{
    ss_packet *p = sw->free_packets;
    if (p != NULL) {
        sw->free_packets = p->next;
    } else {
        size_t size = (sizeof *p + ss_prog.phv_size + 31u) & ~(size_t)31;
        p = aligned_alloc(32, size);
        if (p == NULL) {
            return NULL;
        }
        p->buf = NULL;
        p->cap = 0;
    }
    p->payload = NULL;
    p->payload_len = 0;
    if (!ss_packet_reserve(p, headroom() + room)) {
        ss_packet_put(sw, p);
        return NULL;
    }
    p->next = NULL;
    p->truncate_to = SS_NONE;
    p->clone_session = p->clone_list = p->resubmit_list = p->recirculate_list = p->digest_id = 0;
    p->is_clone = p->is_exited = p->is_dead = false;
    return p;
}

void ss_packet_put(ss_switch *sw, ss_packet *p)
{
    p->next = sw->free_packets;
    sw->free_packets = p;
}

/* Move the payload behind the headroom of the packet's own memory. */
void ss_packet_own_payload(ss_packet *p)
{
    uint8_t *home = p->buf + headroom();
    if (p->payload != home) {
        memmove(home, p->payload, p->payload_len);
        p->payload = home;
    }
}

/* A second packet with the same payload; phv and flags are the caller's task. */
static ss_packet *packet_copy(ss_switch *sw, const ss_packet *p)
{
    ss_packet *c = ss_packet_get(sw, p->payload_len);
    if (c != NULL) {
        c->raw = NULL;
        c->raw_len = 0;
        c->ingress_length = p->ingress_length;
        c->length_reg = p->length_reg;
        c->payload = p->payload;
        c->payload_len = p->payload_len;
        ss_packet_own_payload(c);
    }
    return c;
}

SS_EXPORT uint32_t ss_packet_bytes(const ss_packet *p)
{
    uint32_t n = ss_gen_header_bytes(p) + p->payload_len;
    return n < p->truncate_to ? n : p->truncate_to;
}

SS_EXPORT void ss_discard(ss_switch *sw, ss_packet *p) { ss_packet_put(sw, p); }

/* ---- what leaves the switch ---- */

static void record_append(ss_records *r, uint32_t number, const uint8_t *data, uint32_t len)
{
    uint64_t need = r->len + 8 + len;
    if (need > r->cap) {
        uint8_t *grown = realloc(r->data, need * 2);
        if (grown == NULL) {
            return;
        }
        r->data = grown;
        r->cap = need * 2;
    }
    memcpy(r->data + r->len, &number, 4);
    memcpy(r->data + r->len + 4, &len, 4);
    memcpy(r->data + r->len + 8, data, len);
    r->len = need;
}

static void transmit(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len)
{
    sw->stats.transmitted++;
    SS_EVENT(sw, "transmit", "port %u, %u bytes", port, len);
    if (sw->collecting) {
        record_append(&sw->out, port, data, len);
    } else if (sw->hooks.transmit != NULL) {
        sw->hooks.transmit(sw->hooks.ctx, port, data, len);
    }
}

static void digest(ss_switch *sw, const ss_packet *p)
{
    uint8_t *data = ss_scratch(sw, SS_DIGEST_BYTES);
    uint32_t len = data == NULL ? 0 : ss_gen_digest(p->digest_id, p, data);
    if (len == 0) {
        return;
    }
    SS_EVENT(sw, "digest", "list %u, %u bytes", p->digest_id, len);
    if (sw->hooks.digest != NULL) {
        sw->hooks.digest(sw->hooks.ctx, p->digest_id, data, len);
    } else if (sw->digests.len < SS_DIGEST_BACKLOG) {
        record_append(&sw->digests, p->digest_id, data, len);
    }
}

/* ---- replication ---- */

static void to_egress(ss_switch *sw, ss_packet *p, uint32_t port)
{
    ss_std *std = SS_STD(p);
    p->port = port;
    if (std->priority >= sw->queues) {
        sw->stats.dropped_priority++;
        SS_EVENT(sw, "drop", "priority %u of %u queues", std->priority, sw->queues);
        ss_packet_put(sw, p);
        return;
    }
    SS_EVENT(sw, "enqueue", "port %u, priority %u", port, std->priority);
    std->enq_timestamp = (uint32_t)sw->now;
    std->enq_qdepth = 0;
    p->next = NULL;
    if (sw->hooks.enqueue != NULL && !sw->collecting) {
        ss_packet_own_payload(p);
        p->raw = NULL;
        sw->hooks.enqueue(sw->hooks.ctx, p, port, std->priority);
        return;
    }
    *sw->egress_tail = p;
    sw->egress_tail = &p->next;
}

static void replicate(ss_switch *sw, const ss_packet *p, const ss_replica_set *set)
{
    for (uint32_t i = 0; i < set->n; i++) {
        ss_packet *c = packet_copy(sw, p);
        if (c == NULL) {
            return;
        }
        memcpy(c->phv, p->phv, ss_prog.phv_size);
        SS_EVENT(sw, "copy", "to port %u, rid %u", set->replicas[i].port, set->replicas[i].rid);
        SS_STD(c)->egress_rid = (uint16_t)set->replicas[i].rid;
        if (set->truncate != 0) {
            c->truncate_to = set->truncate;
        }
        to_egress(sw, c, set->replicas[i].port);
    }
}

static void reset_meta(ss_packet *p) { memset(p->phv, 0, ss_prog.meta_size); }

static void clone_ingress(ss_switch *sw, const ss_packet *p)
{
    SS_EVENT(sw, "clone", "ingress to egress, session %u", p->clone_session);
    const ss_replica_set *set = ss_replicas_find(&sw->sessions, p->clone_session);
    if (set == NULL || set->n == 0) {
        sw->stats.no_session++;
        return;
    }
    ss_packet *c = ss_packet_get(sw, p->raw_len);
    if (c == NULL) {
        return;
    }
    c->raw = p->raw;
    c->raw_len = p->raw_len;
    c->ingress_length = p->ingress_length;
    c->length_reg = p->raw_len;
    memset(c->phv, 0, ss_prog.phv_size);
    SS_STD(c)->ingress_port = (uint16_t)(p->ingress_port);
    ss_gen_parse(sw, c);
    reset_meta(c);
    ss_gen_copy_fields(p->clone_list, c, p);
    SS_STD(c)->instance_type = SS_CLONE_I2E;
    replicate(sw, c, set);
    ss_packet_put(sw, c);
}

static void clone_egress(ss_switch *sw, const ss_packet *p)
{
    SS_EVENT(sw, "clone", "egress to egress, session %u", p->clone_session);
    const ss_replica_set *set = ss_replicas_find(&sw->sessions, p->clone_session);
    if (set == NULL || set->n == 0) {
        sw->stats.no_session++;
        return;
    }
    ss_packet *c = packet_copy(sw, p);
    if (c == NULL) {
        return;
    }
    memcpy(c->phv, p->phv, ss_prog.phv_size);
    reset_meta(c);
    ss_gen_copy_fields(p->clone_list, c, p);
    SS_STD(c)->instance_type = SS_CLONE_E2E;
    replicate(sw, c, set);
    ss_packet_put(sw, c);
}

/* ---- ingress ---- */

static void resubmit(ss_switch *sw, ss_packet *p)
{
    SS_EVENT(sw, "resubmit", "keeps field list %u", p->resubmit_list);
    ss_packet *c = ss_packet_get(sw, p->raw_len);
    if (c != NULL) {
        /* the received bytes may lie in p's memory, which is about to be reused */
        memcpy(c->buf + headroom(), p->raw, p->raw_len);
        c->raw = c->buf + headroom();
        c->raw_len = p->raw_len;
        c->ingress_length = p->ingress_length;
        c->length_reg = p->raw_len;
        c->ingress_port = p->ingress_port;
        memset(c->phv, 0, ss_prog.phv_size);
        ss_gen_copy_fields(p->resubmit_list, c, p);
        SS_STD(c)->instance_type = SS_RESUBMITTED;
        SS_STD(c)->packet_length = p->raw_len;
        *sw->ingress_tail = c;
        sw->ingress_tail = &c->next;
    }
    ss_packet_put(sw, p);
}

static void ingress(ss_switch *sw, ss_packet *p)
{
    ss_std *std = SS_STD(p);
    SS_EVENT(sw, "ingress", "port %u, %u bytes, instance type %u", p->ingress_port, p->raw_len, std->instance_type);
    ss_gen_parse(sw, p);
    sw->stats.parser_errors += std->parser_error != 0;
    sw->stats.checksum_errors += std->checksum_error;
    ss_gen_ingress(sw, p);
    p->is_exited = false;
    if (p->is_dead) {
        sw->stats.dropped_assert++;
        ss_packet_put(sw, p);
        return;
    }
    if (p->is_clone) {
        clone_ingress(sw, p);
        p->is_clone = false;
    }
    if (p->digest_id != 0) {
        digest(sw, p);
    }
    if (p->resubmit_list != 0) {
        resubmit(sw, p);
    } else if (std->mcast_grp != 0) {
        const ss_replica_set *set = ss_replicas_find(&sw->groups, std->mcast_grp);
        std->instance_type = SS_REPLICATED;
        SS_EVENT(sw, "multicast", "group %u, %u copies", std->mcast_grp, set == NULL ? 0 : set->n);
        if (set != NULL && set->n != 0) {
            replicate(sw, p, set);
        } else {
            sw->stats.dropped_no_replica++;
        }
        ss_packet_put(sw, p);
    } else if (std->egress_spec == SS_DROP_PORT) {
        sw->stats.dropped_ingress++;
        SS_EVENT(sw, "drop", "at the end of ingress");
        ss_packet_put(sw, p);
    } else {
        std->instance_type = SS_NORMAL;
        to_egress(sw, p, std->egress_spec);
    }
}

/* ---- egress ---- */

static void recirculate(ss_switch *sw, ss_packet *p, const uint8_t *data, uint32_t len)
{
    SS_EVENT(sw, "recirculate", "%u bytes, keeps field list %u", len, p->recirculate_list);
    ss_packet *c = ss_packet_get(sw, len);
    if (c != NULL) {
        memcpy(c->buf + headroom(), data, len);
        c->raw = c->buf + headroom();
        c->raw_len = c->ingress_length = c->length_reg = len;
        c->ingress_port = p->ingress_port;
        memset(c->phv, 0, ss_prog.phv_size);
        ss_gen_copy_fields(p->recirculate_list, c, p);
        SS_STD(c)->instance_type = SS_RECIRCULATED;
        SS_STD(c)->packet_length = len;
        *sw->ingress_tail = c;
        sw->ingress_tail = &c->next;
    }
    ss_packet_put(sw, p);
}

static void egress(ss_switch *sw, ss_packet *p, const ss_queueing *q)
{
    ss_std *std = SS_STD(p);
    std->egress_global_timestamp = sw->now & UINT64_C(0xffffffffffff);
    if (q != NULL) {
        std->enq_timestamp = (uint32_t)q->enq_timestamp;
        std->enq_qdepth = q->enq_qdepth & 0x7ffff;
        std->deq_timedelta = q->deq_timedelta;
        std->deq_qdepth = q->deq_qdepth & 0x7ffff;
    } else {
        std->deq_timedelta = std->deq_qdepth = 0;
    }
    std->qid = std->priority;
    std->egress_port = (uint16_t)p->port;
    std->egress_spec = 0; /* BMv2: the drop port plus one, cut to nine bits */
    std->packet_length = p->length_reg;
    SS_EVENT(sw, "egress", "port %u, rid %u, instance type %u", p->port, std->egress_rid, std->instance_type);
    ss_gen_egress(sw, p);
    p->is_exited = false;
    if (p->is_dead) {
        sw->stats.dropped_assert++;
        ss_packet_put(sw, p);
        return;
    }
    if (p->is_clone) {
        clone_egress(sw, p);
        p->is_clone = false;
    }
    if (std->egress_spec == SS_DROP_PORT) {
        sw->stats.dropped_egress++;
        SS_EVENT(sw, "drop", "at the end of egress");
        ss_packet_put(sw, p);
        return;
    }
    ss_gen_checksums(sw, p);
    uint32_t headers = ss_gen_header_bytes(p), len = headers + p->payload_len;
    if (!ss_packet_reserve(p, headroom() + p->payload_len)) {
        ss_packet_put(sw, p);
        return;
    }
    ss_packet_own_payload(p);
    uint8_t *out = p->buf + headroom() - headers;
    ss_gen_deparse(p, out);
    len = len < p->truncate_to ? len : p->truncate_to;
    if (p->recirculate_list != 0) {
        recirculate(sw, p, out, len);
        return;
    }
    transmit(sw, p->port, out, len);
    ss_packet_put(sw, p);
}

/* ---- entry points ---- */

static void drain(ss_switch *sw)
{
    for (;;) {
        ss_packet *p = sw->egress_head;
        bool is_egress = p != NULL;
        if (is_egress) {
            sw->egress_head = p->next;
            if (p->next == NULL) sw->egress_tail = &sw->egress_head;
        } else if ((p = sw->ingress_head) != NULL) {
            sw->ingress_head = p->next;
            if (p->next == NULL) sw->ingress_tail = &sw->ingress_head;
        } else {
            return;
        }
        if (sw->work++ >= SS_WORK_LIMIT) {
            sw->stats.dropped_loop++;
            SS_EVENT(sw, "drop", "more than %u passes for one packet", SS_WORK_LIMIT);
            ss_packet_put(sw, p);
        } else if (is_egress) {
            egress(sw, p, NULL);
        } else {
            ingress(sw, p);
        }
    }
}

SS_EXPORT void ss_receive(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len, uint64_t now_us)
{
    sw->now = now_us;
    sw->stats.received++;
    ss_packet *p = ss_packet_get(sw, len);
    if (p == NULL) {
        return;
    }
    p->raw = data;
    p->raw_len = p->ingress_length = p->length_reg = len;
    p->ingress_port = port;
    memset(p->phv, 0, ss_prog.phv_size);
    ss_std *std = SS_STD(p);
    std->ingress_port = port & 0x1ff;
    std->packet_length = len;
    std->ingress_global_timestamp = now_us & UINT64_C(0xffffffffffff);
    sw->work = 0;
    ingress(sw, p);
    drain(sw);
}

SS_EXPORT void ss_dequeue(ss_switch *sw, ss_packet *p, const ss_queueing *q, uint64_t now_us)
{
    sw->now = now_us;
    sw->work = 0;
    egress(sw, p, q);
    drain(sw);
}

/* ---- ss_process: collect what comes out ---- */

SS_EXPORT const uint8_t *ss_process(ss_switch *sw, uint32_t port, const uint8_t *data, uint32_t len,
                                    uint64_t now_us, uint64_t *size)
{
    sw->out.len = 0;
    sw->collecting = true;
    ss_receive(sw, port, data, len, now_us);
    sw->collecting = false;
    *size = sw->out.len;
    return sw->out.data;
}

SS_EXPORT const uint8_t *ss_digests(ss_switch *sw, uint64_t *size)
{
    *size = sw->digests.len;
    sw->digests.len = 0;
    return sw->digests.data;
}
