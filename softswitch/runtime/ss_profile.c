/* SPDX-License-Identifier: MIT */
/* ss_profile.c - action profiles: members, groups, selection by hash. */
#include <stdlib.h>

#include "ss_bits.h"

ss_member *ss_member_find(ss_profile *p, uint32_t id)
{
    for (uint32_t i = 0; i < p->cap_members; i++) {
        uint32_t at = (id + i) & (p->cap_members - 1);
        if (p->members[at].action == -1) {
            return NULL;
        }
        if (p->members[at].action >= 0 && p->members[at].id == id) {
            return &p->members[at];
        }
    }
    return NULL;
}

/* Groups are sorted by id; the position of the first that is not below `id`. */
static uint32_t group_position(const ss_profile *p, uint32_t id)
{
    uint32_t low = 0, high = p->n_groups;
    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        if (p->groups[mid].id < id) low = mid + 1;
        else high = mid;
    }
    return low;
}

ss_group *ss_group_find(ss_profile *p, uint32_t id)
{
    uint32_t at = group_position(p, id);
    return at < p->n_groups && p->groups[at].id == id ? &p->groups[at] : NULL;
}

/* Members live in a hash table by id: action -1 is free, -2 a grave. */
static int members_grow(ss_profile *p)
{
    uint32_t old_cap = p->cap_members, cap = old_cap ? old_cap * 2 : 16;
    ss_member *old = p->members, *grown = calloc(cap, sizeof *grown);
    if (grown == NULL) {
        return SS_ERR_MEMORY;
    }
    for (uint32_t i = 0; i < cap; i++) grown[i].action = -1;
    for (uint32_t i = 0; i < old_cap; i++) {
        if (old[i].action < 0) continue;
        uint32_t at = old[i].id & (cap - 1);
        while (grown[at].action != -1) at = (at + 1) & (cap - 1);
        grown[at] = old[i];
    }
    free(old);
    p->members = grown;
    p->cap_members = cap;
    p->used_slots = p->n_members;
    return SS_OK;
}

static ss_profile *profile_of(ss_switch *sw, uint32_t profile)
{
    return profile < ss_prog.n_profiles ? &sw->profiles[profile] : NULL;
}

static int check(const ss_profile *p, int32_t action)
{
    return ss_action_allowed(p->desc->actions, p->desc->n_actions, action) ? SS_OK : SS_ERR_ACTION;
}

SS_EXPORT int ss_member_insert(ss_switch *sw, uint32_t profile, uint32_t id, int32_t action,
                               const uint8_t *params, uint32_t params_len)
{
    ss_profile *p = profile_of(sw, profile);
    if (p == NULL) return SS_ERR_INVALID;
    if (ss_member_find(p, id) != NULL) return SS_ERR_EXISTS;
    if (p->n_members >= p->desc->max_size) return SS_ERR_FULL;
    int rc = check(p, action);
    if (rc != SS_OK) return rc;
    if (p->used_slots * 2 >= p->cap_members && members_grow(p) != SS_OK) return SS_ERR_MEMORY;
    uint8_t *data = calloc(1, p->desc->data_size + 8);
    if (data == NULL) return SS_ERR_MEMORY;
    rc = ss_decode_params(&ss_prog.actions[action], params, params_len, data);
    if (rc != SS_OK) {
        free(data);
        return rc;
    }
    uint32_t at = id & (p->cap_members - 1);
    while (p->members[at].action >= 0) at = (at + 1) & (p->cap_members - 1);
    p->used_slots += p->members[at].action == -1;
    p->members[at] = (ss_member){ .action = action, .id = id, .data = data };
    p->n_members++;
    p->version++;
    sw->version++;
    return SS_OK;
}

SS_EXPORT int ss_member_modify(ss_switch *sw, uint32_t profile, uint32_t id, int32_t action,
                               const uint8_t *params, uint32_t params_len)
{
    ss_profile *p = profile_of(sw, profile);
    ss_member *m = p == NULL ? NULL : ss_member_find(p, id);
    if (m == NULL) return SS_ERR_NOT_FOUND;
    int rc = check(p, action);
    if (rc == SS_OK) rc = ss_decode_params(&ss_prog.actions[action], params, params_len, m->data);
    if (rc == SS_OK) {
        m->action = action;
        p->version++;
        sw->version++;
    }
    return rc;
}

SS_EXPORT int ss_member_delete(ss_switch *sw, uint32_t profile, uint32_t id)
{
    ss_profile *p = profile_of(sw, profile);
    ss_member *m = p == NULL ? NULL : ss_member_find(p, id);
    if (m == NULL) return SS_ERR_NOT_FOUND;
    if (m->refs != 0) return SS_ERR_IN_USE;
    free(m->data);
    *m = (ss_member){ .action = -2 };
    p->n_members--;
    p->version++;
    sw->version++;
    return SS_OK;
}

SS_EXPORT int ss_member_get(ss_switch *sw, uint32_t profile, uint32_t id, int32_t *action, uint8_t *params)
{
    ss_profile *p = profile_of(sw, profile);
    const ss_member *m = p == NULL ? NULL : ss_member_find(p, id);
    if (m == NULL) return SS_ERR_NOT_FOUND;
    *action = m->action;
    if (params != NULL) ss_encode_params(&ss_prog.actions[m->action], m->data, params);
    return SS_OK;
}

static void group_drop_members(ss_profile *p, ss_group *g)
{
    for (uint32_t i = 0; i < g->n_members; i++) {
        ss_member_find(p, g->member_ids[i])->refs--;
    }
    free(g->slots);
    free(g->member_ids);
    g->slots = g->member_ids = NULL;
    g->n_slots = g->n_members = 0;
}

/* Slots as BMv2 lays them out: every member once, then the further copies. */
static int group_fill(ss_profile *p, ss_group *g, const uint32_t *members, const uint32_t *weights, uint32_t n)
{
    uint64_t slots = 0;
    for (uint32_t i = 0; i < n; i++) slots += weights ? weights[i] : 1;
    if (slots > (1u << 20)) return SS_ERR_INVALID;
    g->slots = calloc(slots + 1, sizeof *g->slots);
    g->member_ids = calloc(n + 1u, sizeof *g->member_ids);
    if (g->slots == NULL || g->member_ids == NULL) return SS_ERR_MEMORY;
    for (uint32_t i = 0; i < n; i++) {
        g->member_ids[i] = members[i];
        ss_member_find(p, members[i])->refs++;
        if (weights == NULL || weights[i] > 0) g->slots[g->n_slots++] = members[i];
    }
    g->n_members = n;
    for (uint32_t i = 0; weights != NULL && i < n; i++) {
        for (uint32_t w = 1; w < weights[i]; w++) g->slots[g->n_slots++] = members[i];
    }
    return SS_OK;
}

static ss_group *group_add(ss_profile *p, uint32_t id)
{
    if (p->n_groups == p->cap_groups) {
        uint32_t cap = p->cap_groups ? p->cap_groups * 2 : 8;
        ss_group *grown = realloc(p->groups, cap * sizeof *grown);
        if (grown == NULL) return NULL;
        p->groups = grown;
        p->cap_groups = cap;
    }
    uint32_t at = group_position(p, id);
    memmove(&p->groups[at + 1], &p->groups[at], (p->n_groups - at) * sizeof *p->groups);
    p->n_groups++;
    p->groups[at] = (ss_group){ .id = id };
    return &p->groups[at];
}

SS_EXPORT int ss_group_set(ss_switch *sw, uint32_t profile, uint32_t id, const uint32_t *members,
                           const uint32_t *weights, uint32_t n)
{
    ss_profile *p = profile_of(sw, profile);
    if (p == NULL || !p->desc->with_selector) return SS_ERR_INVALID;
    for (uint32_t i = 0; i < n; i++) {
        if (ss_member_find(p, members[i]) == NULL) return SS_ERR_NOT_FOUND;
    }
    ss_group *g = ss_group_find(p, id);
    if (g == NULL) {
        g = group_add(p, id);
        if (g == NULL) return SS_ERR_MEMORY;
    } else {
        group_drop_members(p, g);
    }
    p->version++;
    sw->version++;
    return group_fill(p, g, members, weights, n);
}

SS_EXPORT int ss_group_delete(ss_switch *sw, uint32_t profile, uint32_t id)
{
    ss_profile *p = profile_of(sw, profile);
    ss_group *g = p == NULL ? NULL : ss_group_find(p, id);
    if (g == NULL) return SS_ERR_NOT_FOUND;
    if (g->refs != 0) return SS_ERR_IN_USE;
    group_drop_members(p, g);
    uint32_t at = (uint32_t)(g - p->groups);
    memmove(g, g + 1, (p->n_groups - at - 1) * sizeof *g);
    p->n_groups--;
    p->version++;
    sw->version++;
    return SS_OK;
}

const ss_member *ss_group_pick(ss_switch *sw, const ss_packet *pkt, uint32_t profile, uint32_t group)
{
    ss_profile *p = &sw->profiles[profile];
    const ss_group *g = ss_group_find(p, group);
    if (g == NULL || g->n_slots == 0) return NULL;
    uint64_t hash = ss_gen_select(sw, pkt, profile);
    return ss_member_find(p, g->slots[hash % g->n_slots]);
}

void ss_profiles_free(ss_switch *sw)
{
    for (uint32_t i = 0; sw->profiles != NULL && i < ss_prog.n_profiles; i++) {
        ss_profile *p = &sw->profiles[i];
        for (uint32_t j = 0; j < p->n_groups; j++) {
            free(p->groups[j].slots);
            free(p->groups[j].member_ids);
        }
        for (uint32_t j = 0; j < p->cap_members; j++) free(p->members[j].data);
        free(p->members);
        free(p->groups);
    }
    free(sw->profiles);
}
