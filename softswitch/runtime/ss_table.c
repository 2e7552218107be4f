/* SPDX-License-Identifier: MIT */
/* ss_table.c - writing and reading match-action tables (see ss_lookup.h). */
#include <stdlib.h>

#include "ss_match.h"

#define MAX_TABLE_BYTES (UINT64_C(1) << 32)

/* ---- memory ---- */

static int table_allocate(ss_table *t)
{
    const ss_table_desc *d = t->desc;
    uint64_t slots = 16;
    while (slots < (uint64_t)d->max_size * 2) slots *= 2;
    if ((uint64_t)t->stride * d->max_size > MAX_TABLE_BYTES || slots > UINT32_MAX) {
        return SS_ERR_MEMORY;
    }
    t->entries = calloc(d->max_size ? d->max_size : 1, t->stride);
    t->slots = calloc(slots, sizeof *t->slots);
    t->slot_mask = (uint32_t)(slots - 1);
    if (d->with_counters || d->with_timeout || d->meter_bytes >= 0) {
        t->direct = calloc(d->max_size ? d->max_size : 1, sizeof *t->direct);
    }
    return t->entries == NULL || t->slots == NULL ? SS_ERR_MEMORY : SS_OK;
}

/* The tuple with this mask; creates it when `create`. SS_NONE: none or no memory. */
static uint32_t tuple_of(ss_table *t, const uint64_t *mask, bool create)
{
    uint32_t words = t->desc->words, unused = SS_NONE;
    if (t->desc->match == SS_EXACT) {
        return 0;
    }
    for (uint32_t i = 0; i < t->n_tuples; i++) {
        if (t->tuples[i].count == 0) {
            unused = i;
        } else if (memcmp(t->tuples[i].mask, mask, words * 8) == 0) {
            return i;
        }
    }
    if (!create) {
        return SS_NONE;
    }
    if (unused == SS_NONE) {
        if (t->n_tuples == t->cap_tuples) {
            uint32_t cap = t->cap_tuples ? t->cap_tuples * 2 : 8;
            ss_tuple *tuples = cap > UINT16_MAX ? NULL : realloc(t->tuples, cap * sizeof *tuples);
            if (tuples == NULL) return SS_NONE;
            t->tuples = tuples;
            uint16_t *order = realloc(t->order, cap * sizeof *order);
            if (order == NULL) return SS_NONE;
            t->order = order;
            t->cap_tuples = cap;
        }
        unused = t->n_tuples;
        t->tuples[unused].mask = malloc(words * 8);
        if (t->tuples[unused].mask == NULL) return SS_NONE;
        t->n_tuples++;
    }
    memcpy(t->tuples[unused].mask, mask, words * 8);
    t->tuples[unused].max_priority = INT32_MIN;
    t->tuples[unused].count = 0;
    return unused;
}

/* Keep `order` sorted by falling best priority. */
static void order_remove(ss_table *t, uint32_t tuple)
{
    uint32_t i = 0;
    while (i < t->n_order && t->order[i] != tuple) i++;
    if (i < t->n_order) {
        memmove(&t->order[i], &t->order[i + 1], (t->n_order - i - 1) * sizeof *t->order);
        t->n_order--;
    }
}

static void order_insert(ss_table *t, uint32_t tuple)
{
    uint32_t i = 0;
    while (i < t->n_order && t->tuples[t->order[i]].max_priority >= t->tuples[tuple].max_priority) i++;
    memmove(&t->order[i + 1], &t->order[i], (t->n_order - i) * sizeof *t->order);
    t->order[i] = (uint16_t)tuple;
    t->n_order++;
}

/* Slot of the chain with this masked key, or of the free slot where it belongs. */
static uint32_t slot_of(const ss_table *t, uint32_t hash, uint32_t tuple, const uint64_t *key)
{
    uint32_t i = hash & t->slot_mask;
    for (; t->slots[i].entry != 0; i = (i + 1) & t->slot_mask) {
        if (t->slots[i].hash == hash) {
            const ss_entry *e = ss_entry_at(t, t->slots[i].entry - 1, t->stride);
            if (e->tuple == tuple && ss_words_equal(e->key, key, t->desc->words)) {
                break;
            }
        }
    }
    return i;
}

static void slot_erase(ss_table *t, uint32_t i)
{
    /* move later members of the probe run back, so that no tombstone is needed */
    uint32_t hole = i;
    for (uint32_t j = (i + 1) & t->slot_mask; t->slots[j].entry != 0; j = (j + 1) & t->slot_mask) {
        uint32_t home = t->slots[j].hash & t->slot_mask;
        if (((j - home) & t->slot_mask) >= ((j - hole) & t->slot_mask)) {
            t->slots[hole] = t->slots[j];
            hole = j;
        }
    }
    t->slots[hole].entry = 0;
}

static bool same_entry(const ss_table *t, const ss_entry *e, const ss_match_words *m)
{
    return e->priority == m->priority &&
           memcmp((const uint8_t *)e + t->range_off, m->range, t->desc->ranges * 16u) == 0;
}

static ss_entry *find_entry(ss_table *t, const ss_match_words *m)
{
    if (t->count == 0) {
        return NULL;
    }
    uint32_t tuple = tuple_of(t, m->mask, false);
    if (tuple == SS_NONE) {
        return NULL;
    }
    uint32_t slot = slot_of(t, ss_hash_words(m->key, t->desc->words, tuple), tuple, m->key);
    uint32_t at = t->slots[slot].entry;
    while (at != 0) {
        ss_entry *e = ss_entry_at(t, at - 1, t->stride);
        if (same_entry(t, e, m)) {
            return e;
        }
        at = e->next;
    }
    return NULL;
}

static uint32_t index_of(const ss_table *t, const ss_entry *e)
{
    return (uint32_t)(((const uint8_t *)e - t->entries) / t->stride);
}

int64_t ss_handle_of(const ss_table *t, const ss_entry *e)
{
    return (int64_t)((uint64_t)(e->gen & 0x7fffffff) << 32 | index_of(t, e));
}

ss_entry *ss_entry_of(ss_switch *sw, uint32_t table, int64_t handle)
{
    if (table >= ss_prog.n_tables || handle < 0) {
        return NULL;
    }
    ss_table *t = &sw->tables[table];
    uint32_t index = (uint32_t)handle;
    if (index >= t->high) {
        return NULL;
    }
    ss_entry *e = ss_entry_at(t, index, t->stride);
    return e->used && (e->gen & 0x7fffffff) == (uint32_t)(handle >> 32) ? e : NULL;
}

/* ---- targets: an action with data, a member or a group ---- */

void ss_target_release(ss_switch *sw, const ss_table *t, int32_t action, uint32_t id)
{
    if (action == SS_TARGET_MEMBER) {
        ss_member_find(&sw->profiles[t->desc->profile], id)->refs--;
    } else if (action == SS_TARGET_GROUP) {
        ss_group_find(&sw->profiles[t->desc->profile], id)->refs--;
    }
}

int ss_target_load(ss_switch *sw, const ss_table *t, int32_t action, const uint8_t *params,
                       uint32_t len, uint8_t *data, uint32_t *id)
{
    const ss_table_desc *d = t->desc;
    *id = 0;
    if (d->profile >= 0 && action < 0) {
        if (len != 4 || params == NULL) {
            return SS_ERR_INVALID;
        }
        *id = (uint32_t)ss_load32(params);
        ss_profile *p = &sw->profiles[d->profile];
        if (action == SS_TARGET_MEMBER) {
            ss_member *m = ss_member_find(p, *id);
            if (m == NULL) return SS_ERR_NOT_FOUND;
            m->refs++;
            return SS_OK;
        }
        ss_group *g = action == SS_TARGET_GROUP ? ss_group_find(p, *id) : NULL;
        if (g == NULL) return SS_ERR_NOT_FOUND;
        g->refs++;
        return SS_OK;
    }
    if (!ss_action_allowed(d->actions, d->n_actions, action)) {
        return SS_ERR_ACTION;
    }
    return ss_decode_params(&ss_prog.actions[action], params, len, data);
}

/* ---- the API ---- */

/* Put an entry that is complete where lookups find it. */
static void link_entry(ss_table *t, ss_entry *e, uint32_t index)
{
    uint32_t slot = slot_of(t, e->hash, e->tuple, e->key);
    uint32_t *link = &t->slots[slot].entry;
    t->slots[slot].hash = e->hash;
    /* among equal masked keys the best comes first, older ones before younger */
    while (*link != 0 && ss_entry_at(t, *link - 1, t->stride)->priority >= e->priority) {
        link = &ss_entry_at(t, *link - 1, t->stride)->next;
    }
    e->next = *link;
    *link = index + 1;
    if (t->desc->match != SS_EXACT) {
        ss_tuple *tp = &t->tuples[e->tuple];
        bool first = tp->count++ == 0;
        if (first || e->priority > tp->max_priority) {
            order_remove(t, e->tuple);
            tp->max_priority = e->priority;
            order_insert(t, e->tuple);
        }
    }
}

static int64_t insert(ss_switch *sw, ss_table *t, ss_match_words *m, int32_t action,
                      const uint8_t *params, uint32_t params_len)
{
    const ss_table_desc *d = t->desc;
    if (t->entries == NULL && table_allocate(t) != SS_OK) {
        return SS_ERR_MEMORY;
    }
    if (find_entry(t, m) != NULL) {
        return SS_ERR_EXISTS;
    }
    if (t->count >= d->max_size) {
        return SS_ERR_FULL;
    }
    uint32_t index = t->free_list != 0 ? t->free_list - 1 : t->high;
    ss_entry *e = ss_entry_at(t, index, t->stride);
    uint32_t id, next_free = e->next;
    int rc = ss_target_load(sw, t, action, params, params_len, (uint8_t *)e + t->data_off, &id);
    if (rc != SS_OK) {
        return rc;
    }
    uint32_t tuple = tuple_of(t, m->mask, true);
    if (tuple == SS_NONE) {
        ss_target_release(sw, t, action, id);
        return SS_ERR_MEMORY;
    }
    if (t->free_list != 0) {
        t->free_list = next_free;
    } else {
        t->high++;
    }
    e->hash = ss_hash_words(m->key, d->words, tuple);
    e->priority = m->priority;
    e->seq = t->next_seq++;
    e->action = action;
    e->id = id;
    e->tuple = (uint16_t)tuple;
    e->used = 1;
    memcpy(e->key, m->key, d->words * 8);
    memcpy((uint8_t *)e + t->range_off, m->range, d->ranges * 16u);
    link_entry(t, e, index);
    if (t->direct != NULL) {
        memset(&t->direct[index], 0, sizeof t->direct[index]);
        t->direct[index].last_hit_us = sw->now;
    }
    t->count++;
    t->version++;
    sw->version++;
    return ss_handle_of(t, e);
}

int ss_table_install(ss_switch *sw, ss_table *t, const ss_const_entry *c)
{
    ss_match_words m;
    int rc = ss_load_match(t->desc, c->key, c->arg, c->priority, &m);
    int64_t h = rc != SS_OK ? rc
                            : insert(sw, t, &m, c->action, c->params, ss_prog.actions[c->action].wire_size);
    return h < 0 ? (int)h : SS_OK;
}

SS_EXPORT int64_t ss_table_insert(ss_switch *sw, uint32_t table, const uint8_t *key, const uint8_t *arg,
                                  int32_t priority, int32_t action, const uint8_t *params,
                                  uint32_t params_len)
{
    ss_match_words m;
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    ss_table *t = &sw->tables[table];
    if (t->desc->n_entries != 0) {
        return SS_ERR_CONST;
    }
    int rc = ss_load_match(t->desc, key, arg, priority, &m);
    return rc != SS_OK ? rc : insert(sw, t, &m, action, params, params_len);
}

SS_EXPORT int ss_table_insert_many(ss_switch *sw, uint32_t table, uint32_t n, const uint8_t *key,
                                   const uint8_t *arg, const int32_t *priority, const int32_t *action,
                                   const uint8_t *params, const uint32_t *params_len, int64_t *result)
{
    uint32_t bytes = 0;
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    const ss_table_desc *d = sw->tables[table].desc;
    for (uint32_t i = 0; i < d->keys; i++) {
        bytes += (d->key[i].width + 7u) / 8u;
    }
    for (uint32_t i = 0; i < n; i++) {
        result[i] = ss_table_insert(sw, table, key, arg, priority[i], action[i], params, params_len[i]);
        key += bytes;
        arg += bytes;
        params += params_len[i];
    }
    return SS_OK;
}

SS_EXPORT int64_t ss_table_find(ss_switch *sw, uint32_t table, const uint8_t *key, const uint8_t *arg,
                                int32_t priority)
{
    ss_match_words m;
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    int rc = ss_load_match(sw->tables[table].desc, key, arg, priority, &m);
    if (rc != SS_OK) {
        return rc;
    }
    const ss_entry *e = find_entry(&sw->tables[table], &m);
    return e == NULL ? SS_ERR_NOT_FOUND : ss_handle_of(&sw->tables[table], e);
}

SS_EXPORT int ss_table_modify(ss_switch *sw, uint32_t table, int64_t handle, int32_t action,
                              const uint8_t *params, uint32_t params_len)
{
    ss_entry *e = ss_entry_of(sw, table, handle);
    if (e == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    ss_table *t = &sw->tables[table];
    if (t->desc->n_entries != 0) {
        return SS_ERR_CONST;
    }
    int32_t old_action = e->action;
    uint32_t old_id = e->id, id;
    /* decoding checks everything before it writes the first byte */
    int rc = ss_target_load(sw, t, action, params, params_len, (uint8_t *)e + t->data_off, &id);
    if (rc != SS_OK) {
        return rc;
    }
    ss_target_release(sw, t, old_action, old_id);
    e->action = action;
    e->id = id;
    t->version++;
    sw->version++;
    return SS_OK;
}

static void delete_entry(ss_switch *sw, ss_table *t, ss_entry *e)
{
    uint32_t index = index_of(t, e), slot = slot_of(t, e->hash, e->tuple, e->key);
    uint32_t *link = &t->slots[slot].entry;
    while (*link != index + 1) {
        link = &ss_entry_at(t, *link - 1, t->stride)->next;
    }
    *link = e->next;
    if (t->slots[slot].entry == 0) {
        slot_erase(t, slot);
    }
    if (t->desc->match != SS_EXACT && --t->tuples[e->tuple].count == 0) {
        order_remove(t, e->tuple);
    }
    ss_target_release(sw, t, e->action, e->id);
    e->used = 0;
    e->gen++; /* old handles must not reach the next owner */
    e->next = t->free_list;
    t->free_list = index + 1;
    t->count--;
    t->version++;
    sw->version++;
}

SS_EXPORT int ss_table_delete(ss_switch *sw, uint32_t table, int64_t handle)
{
    ss_entry *e = ss_entry_of(sw, table, handle);
    if (e == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    if (sw->tables[table].desc->n_entries != 0) {
        return SS_ERR_CONST;
    }
    delete_entry(sw, &sw->tables[table], e);
    return SS_OK;
}

void ss_table_empty(ss_switch *sw, ss_table *t)
{
    for (uint32_t i = 0; i < t->high; i++) {
        ss_entry *e = ss_entry_at(t, i, t->stride);
        if (e->used) {
            delete_entry(sw, t, e);
        }
    }
}

SS_EXPORT int ss_table_clear_entries(ss_switch *sw, uint32_t table)
{
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    if (sw->tables[table].desc->n_entries != 0) {
        return SS_ERR_CONST;
    }
    ss_table_empty(sw, &sw->tables[table]);
    return SS_OK;
}

SS_EXPORT uint32_t ss_table_count(ss_switch *sw, uint32_t table)
{
    return table < ss_prog.n_tables ? sw->tables[table].count : 0;
}
