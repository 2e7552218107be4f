/* SPDX-License-Identifier: MIT */
/* ss_entries.c - reading tables back, default actions, direct resources. */
#include <stdlib.h>

#include "ss_lookup.h"

/* ---- action data: big-endian parameters to the structure of the generated code ---- */

int ss_decode_params(const ss_action_desc *a, const uint8_t *wire, uint32_t len, uint8_t *data)
{
    uint64_t limbs[256];
    if (len != a->wire_size) {
        return SS_ERR_INVALID;
    }
    const uint8_t *at = wire;
    for (uint32_t i = 0; i < a->params; i++) {
        if (a->param[i].width > 256 * 64 || ss_load_value(at, a->param[i].width, limbs) != SS_OK) {
            return SS_ERR_INVALID;
        }
        at += (a->param[i].width + 7u) / 8u;
    }
    at = wire;
    for (uint32_t i = 0; i < a->params; i++) {
        const ss_param_desc *p = &a->param[i];
        (void)ss_load_value(at, p->width, limbs);
        memcpy(data + p->offset, limbs, p->size); /* little-endian hosts only, as ss_load_be */
        at += (p->width + 7u) / 8u;
    }
    return SS_OK;
}

void ss_encode_params(const ss_action_desc *a, const uint8_t *data, uint8_t *wire)
{
    uint64_t limbs[256];
    for (uint32_t i = 0; i < a->params; i++) {
        const ss_param_desc *p = &a->param[i];
        limbs[0] = 0;
        memcpy(limbs, data + p->offset, p->size);
        ss_store_value(wire, p->width, limbs);
        wire += (p->width + 7u) / 8u;
    }
}

bool ss_action_allowed(const uint16_t *actions, uint32_t n, int32_t action)
{
    for (uint32_t i = 0; i < n; i++) {
        if (actions[i] == action) {
            return true;
        }
    }
    return false;
}

static void export_target(int32_t action, uint32_t id, const uint8_t *data, uint8_t *params)
{
    if (params == NULL) {
        return;
    }
    if (action < 0) {
        ss_store32(params, id);
    } else {
        ss_encode_params(&ss_prog.actions[action], data, params);
    }
}

/* ---- entries ---- */

static void export_entry(const ss_table *t, const ss_entry *e, uint8_t *key, uint8_t *arg)
{
    const ss_table_desc *d = t->desc;
    const uint64_t *range = (const uint64_t *)(const void *)((const uint8_t *)e + t->range_off);
    uint64_t value[256], mask[256];
    for (uint32_t i = 0; i < d->keys; i++) {
        const ss_key_desc *k = &d->key[i];
        uint32_t limbs = (k->width + 63u) / 64u, bytes = (k->width + 7u) / 8u;
        uint64_t top = k->width % 64 ? (UINT64_C(1) << (k->width % 64)) - 1 : UINT64_MAX;
        for (uint32_t w = 0; w < limbs; w++) {
            uint64_t keep = w + 1 == limbs ? top : UINT64_MAX;
            value[w] = e->key[k->word + w] >> k->shift & keep;
            mask[w] = d->match == SS_EXACT ? keep : t->tuples[e->tuple].mask[k->word + w] >> k->shift & keep;
        }
        if (k->match == SS_RANGE) {
            value[0] = range[0];
            mask[0] = range[1];
            range += 2;
        }
        if (key != NULL) {
            ss_store_value(key, k->width, value);
            key += bytes;
        }
        if (arg != NULL) {
            ss_store_value(arg, k->width, mask);
            arg += bytes;
        }
    }
}

static void export_all(const ss_table *t, const ss_entry *e, uint8_t *key, uint8_t *arg,
                       int32_t *priority, int32_t *action, uint8_t *params)
{
    export_entry(t, e, key, arg);
    export_target(e->action, e->id, (const uint8_t *)e + t->data_off, params);
    if (priority != NULL) {
        *priority = t->desc->match == SS_TERNARY || t->desc->match == SS_RANGE ? e->priority : 0;
    }
    if (action != NULL) {
        *action = e->action;
    }
}

SS_EXPORT int64_t ss_table_next(ss_switch *sw, uint32_t table, uint32_t *pos, uint8_t *key, uint8_t *arg,
                                int32_t *priority, int32_t *action, uint8_t *params)
{
    if (table >= ss_prog.n_tables) {
        return SS_ERR_NOT_FOUND;
    }
    const ss_table *t = &sw->tables[table];
    for (; *pos < t->high; ++*pos) {
        const ss_entry *e = ss_entry_at(t, *pos, t->stride);
        if (e->used) {
            ++*pos;
            export_all(t, e, key, arg, priority, action, params);
            return ss_handle_of(t, e);
        }
    }
    return SS_ERR_NOT_FOUND;
}

SS_EXPORT int ss_table_get(ss_switch *sw, uint32_t table, int64_t handle, uint8_t *key, uint8_t *arg,
                           int32_t *priority, int32_t *action, uint8_t *params)
{
    const ss_entry *e = ss_entry_of(sw, table, handle);
    if (e == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    export_all(&sw->tables[table], e, key, arg, priority, action, params);
    return SS_OK;
}

/* ---- default actions ---- */

static int set_default(ss_switch *sw, ss_table *t, int32_t action, const uint8_t *params, uint32_t len)
{
    uint32_t id;
    int rc = ss_target_load(sw, t, action, params, len, t->default_data, &id);
    if (rc != SS_OK) {
        return rc;
    }
    if (t->default_is_set) {
        ss_target_release(sw, t, t->default_action, t->default_id);
    }
    t->default_action = action;
    t->default_id = id;
    t->default_is_set = true;
    t->version++;
    sw->version++;
    return SS_OK;
}

SS_EXPORT int ss_table_set_default(ss_switch *sw, uint32_t table, int32_t action, const uint8_t *params,
                                   uint32_t params_len)
{
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    const ss_table_desc *d = sw->tables[table].desc;
    if (d->default_entry_const || (d->default_action_const && action != d->default_action)) {
        return SS_ERR_CONST;
    }
    return set_default(sw, &sw->tables[table], action, params, params_len);
}

SS_EXPORT int ss_table_reset_default(ss_switch *sw, uint32_t table)
{
    if (table >= ss_prog.n_tables) {
        return SS_ERR_INVALID;
    }
    ss_table *t = &sw->tables[table];
    if (t->desc->default_action >= 0) {
        const ss_action_desc *a = &ss_prog.actions[t->desc->default_action];
        return set_default(sw, t, t->desc->default_action, t->desc->default_params, a->wire_size);
    }
    if (t->default_is_set) {
        ss_target_release(sw, t, t->default_action, t->default_id);
        t->default_is_set = false;
        t->version++;
        sw->version++;
    }
    return SS_OK;
}

SS_EXPORT int32_t ss_table_default(ss_switch *sw, uint32_t table, uint8_t *params)
{
    if (table >= ss_prog.n_tables || !sw->tables[table].default_is_set) {
        return -1000;
    }
    const ss_table *t = &sw->tables[table];
    export_target(t->default_action, t->default_id, t->default_data, params);
    return t->default_action;
}

/* ---- direct resources ---- */

static ss_direct *direct_of(ss_switch *sw, uint32_t table, int64_t handle)
{
    const ss_entry *e = ss_entry_of(sw, table, handle);
    return e == NULL || sw->tables[table].direct == NULL ? NULL
                                                         : &sw->tables[table].direct[(uint32_t)handle];
}

SS_EXPORT int ss_entry_counter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *packets, uint64_t *bytes)
{
    const ss_direct *d = direct_of(sw, table, handle);
    if (d == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    *packets = d->count.packets;
    *bytes = d->count.bytes;
    return SS_OK;
}

SS_EXPORT int ss_entry_set_counter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t packets, uint64_t bytes)
{
    ss_direct *d = direct_of(sw, table, handle);
    if (d == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    d->count.packets = packets;
    d->count.bytes = bytes;
    return SS_OK;
}

SS_EXPORT int ss_entry_set_meter(ss_switch *sw, uint32_t table, int64_t handle, const uint64_t *rates)
{
    ss_direct *d = direct_of(sw, table, handle);
    if (d == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    ss_meter_configure(&d->meter, rates, sw->now);
    return SS_OK;
}

SS_EXPORT int ss_entry_meter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *rates)
{
    const ss_direct *d = direct_of(sw, table, handle);
    return d == NULL ? SS_ERR_NOT_FOUND : ss_meter_rates(&d->meter, rates);
}

SS_EXPORT int ss_entry_set_timeout(ss_switch *sw, uint32_t table, int64_t handle, uint64_t idle_us, uint64_t now_us)
{
    ss_direct *d = direct_of(sw, table, handle);
    if (d == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    d->idle_timeout_us = idle_us;
    d->last_hit_us = now_us;
    return SS_OK;
}

SS_EXPORT int ss_entry_last_hit(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *idle_us, uint64_t *last_us)
{
    const ss_direct *d = direct_of(sw, table, handle);
    if (d == NULL) {
        return SS_ERR_NOT_FOUND;
    }
    *idle_us = d->idle_timeout_us;
    *last_us = d->last_hit_us;
    return SS_OK;
}

/* ---- life of all tables of an instance ---- */

int ss_tables_init(ss_switch *sw)
{
    sw->tables = calloc(ss_prog.n_tables + 1, sizeof *sw->tables);
    if (sw->tables == NULL) {
        return SS_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < ss_prog.n_tables; i++) {
        ss_table *t = &sw->tables[i];
        const ss_table_desc *d = t->desc = &ss_prog.tables[i];
        t->range_off = (uint32_t)(sizeof(ss_entry) + d->words * 8);
        t->data_off = t->range_off + d->ranges * 16u;
        t->stride = (t->data_off + d->data_size + 7) & ~7u;
        t->default_data = calloc(1, d->data_size + 8);
        if (t->default_data == NULL) {
            return SS_ERR_MEMORY;
        }
    }
    for (uint32_t i = 0; i < ss_prog.n_tables; i++) {
        ss_table *t = &sw->tables[i];
        int rc = ss_table_reset_default(sw, i);
        for (uint32_t j = 0; j < t->desc->n_entries && rc == SS_OK; j++) {
            rc = ss_table_install(sw, t, &t->desc->entries[j]);
        }
        if (rc != SS_OK) {
            return rc;
        }
    }
    return SS_OK;
}

void ss_tables_free(ss_switch *sw)
{
    for (uint32_t i = 0; sw->tables != NULL && i < ss_prog.n_tables; i++) {
        ss_table *t = &sw->tables[i];
        for (uint32_t j = 0; j < t->n_tuples; j++) free(t->tuples[j].mask);
        free(t->tuples);
        free(t->order);
        free(t->entries);
        free(t->slots);
        free(t->direct);
        free(t->default_data);
    }
    free(sw->tables);
}
