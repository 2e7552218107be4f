/* SPDX-License-Identifier: MIT */
/* ss_state.c - life of an instance, its state as bytes, replication sets, value sets. */
#include <stdlib.h>

#include "ss_bits.h"

SS_EXPORT uint32_t ss_abi_version(void) { return SS_ABI_VERSION; }

static void init_arena(ss_switch *sw)
{
    memset(sw->arena, 0, ss_prog.arena_size);
    memcpy(sw->arena, &sw->seed, 8);
}

SS_EXPORT ss_switch *ss_create(uint64_t seed, const ss_hooks *hooks)
{
    ss_switch *sw = calloc(1, sizeof *sw);
    if (sw == NULL) {
        return NULL;
    }
    if (hooks != NULL) {
        sw->hooks = *hooks;
    }
    sw->seed = seed;
    sw->queues = 1;
    sw->egress_tail = &sw->egress_head;
    sw->ingress_tail = &sw->ingress_head;
    sw->arena = calloc(1, ss_prog.arena_size);
    sw->profiles = calloc(ss_prog.n_profiles + 1, sizeof *sw->profiles);
    sw->vsets = calloc(ss_prog.n_vsets + 1, sizeof *sw->vsets);
    for (uint32_t i = 0; sw->profiles != NULL && i < ss_prog.n_profiles; i++) {
        sw->profiles[i].desc = &ss_prog.profiles[i];
    }
    if (sw->arena == NULL || sw->profiles == NULL || sw->vsets == NULL || ss_tables_init(sw) != SS_OK) {
        ss_destroy(sw);
        return NULL;
    }
    init_arena(sw);
    return sw;
}

SS_EXPORT void ss_set_hooks(ss_switch *sw, const ss_hooks *hooks)
{
    sw->hooks = hooks != NULL ? *hooks : (ss_hooks){ .ctx = NULL };
}

static void replicas_free(ss_replicas *r)
{
    for (uint32_t i = 0; i < r->n; i++) free(r->sets[i].replicas);
    free(r->sets);
    memset(r, 0, sizeof *r);
}

SS_EXPORT void ss_destroy(ss_switch *sw)
{
    if (sw == NULL) {
        return;
    }
    ss_tables_free(sw);
    ss_profiles_free(sw);
    replicas_free(&sw->groups);
    replicas_free(&sw->sessions);
    for (uint32_t i = 0; sw->vsets != NULL && i < ss_prog.n_vsets; i++) free(sw->vsets[i].members);
    free(sw->vsets);
    while (sw->free_packets != NULL) {
        ss_packet *p = sw->free_packets;
        sw->free_packets = p->next;
        free(p->buf);
        free(p);
    }
    free(sw->arena);
    free(sw->out.data);
    free(sw->digests.data);
    free(sw->trace.data);
    free(sw->scratch);
    free(sw);
}

SS_EXPORT const ss_stats *ss_get_stats(const ss_switch *sw) { return &sw->stats; }
SS_EXPORT void ss_set_queues(ss_switch *sw, uint32_t count) { sw->queues = count ? count : 1; }
SS_EXPORT uint64_t ss_version(const ss_switch *sw) { return sw->version; }

SS_EXPORT uint64_t ss_faults(const ss_switch *sw, const char **text)
{
    *text = sw->fault;
    return sw->faults;
}

uint8_t *ss_scratch(ss_switch *sw, uint64_t size)
{
    if (size > sw->scratch_cap) {
        uint8_t *grown = realloc(sw->scratch, size * 2);
        if (grown == NULL) {
            return NULL;
        }
        sw->scratch = grown;
        sw->scratch_cap = size * 2;
    }
    return sw->scratch;
}

#define FIND(objects, count)                                       \
    for (uint32_t i = 0; i < (count); i++) {                       \
        if (strcmp((objects)[i].name, name) == 0) return (int32_t)i; \
    }                                                              \
    break

SS_EXPORT int32_t ss_find(ss_object kind, const char *name)
{
    switch (kind) {
    case SS_OBJ_TABLE: FIND(ss_prog.tables, ss_prog.n_tables);
    case SS_OBJ_ACTION: FIND(ss_prog.actions, ss_prog.n_actions);
    case SS_OBJ_PROFILE: FIND(ss_prog.profiles, ss_prog.n_profiles);
    case SS_OBJ_REGISTER: FIND(ss_prog.registers, ss_prog.n_registers);
    case SS_OBJ_COUNTER: FIND(ss_prog.counters, ss_prog.n_counters);
    case SS_OBJ_METER: FIND(ss_prog.meters, ss_prog.n_meters);
    case SS_OBJ_VALUE_SET: FIND(ss_prog.vsets, ss_prog.n_vsets);
    }
    return SS_ERR_NOT_FOUND;
}

/* ---- data-plane state ---- */

static uint64_t direct_bytes(const ss_switch *sw)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < ss_prog.n_tables; i++) {
        if (sw->tables[i].direct != NULL) n += sw->tables[i].high * sizeof(ss_direct);
    }
    return n;
}

SS_EXPORT const uint8_t *ss_state_save(ss_switch *sw, uint64_t *size)
{
    uint64_t direct = direct_bytes(sw);
    *size = ss_prog.arena_size + direct;
    if (direct == 0) {
        return sw->arena;
    }
    uint8_t *out = ss_scratch(sw, *size);
    if (out == NULL) {
        *size = 0;
        return NULL;
    }
    memcpy(out, sw->arena, ss_prog.arena_size);
    uint8_t *at = out + ss_prog.arena_size;
    for (uint32_t i = 0; i < ss_prog.n_tables; i++) {
        const ss_table *t = &sw->tables[i];
        if (t->direct != NULL) {
            memcpy(at, t->direct, t->high * sizeof(ss_direct));
            at += t->high * sizeof(ss_direct);
        }
    }
    return out;
}

SS_EXPORT int ss_state_load(ss_switch *sw, const uint8_t *state, uint64_t size)
{
    if (size != ss_prog.arena_size + direct_bytes(sw)) {
        return SS_ERR_INVALID;
    }
    memcpy(sw->arena, state, ss_prog.arena_size);
    state += ss_prog.arena_size;
    for (uint32_t i = 0; i < ss_prog.n_tables; i++) {
        ss_table *t = &sw->tables[i];
        if (t->direct != NULL) {
            memcpy(t->direct, state, t->high * sizeof(ss_direct));
            state += t->high * sizeof(ss_direct);
        }
    }
    return SS_OK;
}

SS_EXPORT int ss_reset_control(ss_switch *sw)
{
    ss_tables_free(sw);
    ss_profiles_free(sw);
    replicas_free(&sw->groups);
    replicas_free(&sw->sessions);
    for (uint32_t i = 0; i < ss_prog.n_vsets; i++) {
        free(sw->vsets[i].members);
        sw->vsets[i] = (ss_vset_state){ .members = NULL };
    }
    sw->version++;
    sw->tables = NULL;
    sw->profiles = calloc(ss_prog.n_profiles + 1, sizeof *sw->profiles);
    if (sw->profiles == NULL) {
        return SS_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < ss_prog.n_profiles; i++) {
        sw->profiles[i].desc = &ss_prog.profiles[i];
    }
    return ss_tables_init(sw);
}

/* ---- multicast groups and clone sessions: sorted by id ---- */

static uint32_t lower_bound(const ss_replicas *r, uint32_t id)
{
    uint32_t low = 0, high = r->n;
    while (low < high) {
        uint32_t mid = (low + high) / 2;
        if (r->sets[mid].id < id) low = mid + 1;
        else high = mid;
    }
    return low;
}

const ss_replica_set *ss_replicas_find(const ss_replicas *r, uint32_t id)
{
    uint32_t i = lower_bound(r, id);
    return i < r->n && r->sets[i].id == id ? &r->sets[i] : NULL;
}

static int replicas_set(ss_replicas *r, uint32_t id, const ss_replica *replicas, uint32_t n, uint32_t truncate)
{
    ss_replica *copy = malloc((n + 1u) * sizeof *copy);
    if (copy == NULL) {
        return SS_ERR_MEMORY;
    }
    if (n != 0) {
        memcpy(copy, replicas, n * sizeof *copy);
    }
    uint32_t i = lower_bound(r, id);
    if (i < r->n && r->sets[i].id == id) {
        free(r->sets[i].replicas);
    } else {
        if (r->n == r->cap) {
            uint32_t cap = r->cap ? r->cap * 2 : 8;
            ss_replica_set *grown = realloc(r->sets, cap * sizeof *grown);
            if (grown == NULL) {
                free(copy);
                return SS_ERR_MEMORY;
            }
            r->sets = grown;
            r->cap = cap;
        }
        memmove(&r->sets[i + 1], &r->sets[i], (r->n - i) * sizeof *r->sets);
        r->n++;
    }
    r->sets[i] = (ss_replica_set){ .id = id, .n = n, .truncate = truncate, .replicas = copy };
    return SS_OK;
}

static int replicas_remove(ss_replicas *r, uint32_t id)
{
    uint32_t i = lower_bound(r, id);
    if (i >= r->n || r->sets[i].id != id) {
        return SS_ERR_NOT_FOUND;
    }
    free(r->sets[i].replicas);
    memmove(&r->sets[i], &r->sets[i + 1], (r->n - i - 1) * sizeof *r->sets);
    r->n--;
    return SS_OK;
}

SS_EXPORT int ss_group_replicas(ss_switch *sw, uint32_t group, const ss_replica *replicas, uint32_t n)
{
    sw->version++;
    return group == 0 ? SS_ERR_INVALID : replicas_set(&sw->groups, group, replicas, n, 0);
}

SS_EXPORT int ss_group_remove(ss_switch *sw, uint32_t group)
{
    sw->version++;
    return replicas_remove(&sw->groups, group);
}

SS_EXPORT int ss_session_replicas(ss_switch *sw, uint32_t session, const ss_replica *replicas, uint32_t n,
                                  uint32_t truncate)
{
    sw->version++;
    return replicas_set(&sw->sessions, session, replicas, n, truncate);
}

SS_EXPORT int ss_session_remove(ss_switch *sw, uint32_t session)
{
    sw->version++;
    return replicas_remove(&sw->sessions, session);
}

/* ---- parser value sets ---- */

SS_EXPORT int ss_value_set(ss_switch *sw, uint32_t set, const uint8_t *members, uint32_t n)
{
    if (set >= ss_prog.n_vsets) {
        return SS_ERR_INVALID;
    }
    size_t size = (size_t)n * 2 * ss_prog.vsets[set].bytes;
    uint8_t *copy = malloc(size + 1);
    if (copy == NULL) {
        return SS_ERR_MEMORY;
    }
    if (size != 0) {
        memcpy(copy, members, size);
    }
    free(sw->vsets[set].members);
    sw->vsets[set].members = copy;
    sw->vsets[set].n = n;
    sw->version++;
    return SS_OK;
}
