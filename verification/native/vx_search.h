/* SPDX-License-Identifier: MIT */
/* What vx.c (tables, answers) and vx_search.c (the search) share. */
#ifndef VX_SEARCH_H
#define VX_SEARCH_H

#include "vx_map.h"

#define VX_MAX_WORDS 1024u /* nodes + 1 + messages in flight */
#define VX_MAX_NODES 64u
#define OUTCOME_WORDS 4u   /* link, next, violation, n */

typedef struct {
    uint32_t n; /* words in use: nodes, the budget word, messages by (channel, order) */
    uint32_t w[VX_MAX_WORDS];
} vector;

struct vx {
    vx_config c;
    uint32_t *perm, *follows;
    words msg_channel, msg_node;        /* by message id */
    words st_flags, st_signature, st_events, events; /* by local state id; lists {n, (event, class)...} */
    map64 outcome_of, ignored, renamed, asked;
    words outcomes;
    words asked_pairs, asked_names;
    words store;       /* states: {words, word...} */
    uint64_t *offsets; /* of each state in store */
    uint64_t *edge_at; /* of each state's fault-free successors in edges: {n, state...} */
    uint64_t states_room, states;
    words actions, edges, scratch;
    uint64_t *set; /* hash << 32 | state + 1 */
    uint64_t set_room;
    words todo, retry;
    uint64_t cursor, layer_first, layer_end, transitions, overflowed;
    uint32_t depth;
    int missing, no_memory, limit;
    vector *cur, *next, *best, *tried;
    uint32_t bad_state, bad_property;
    vx_action bad_action;
};

static inline uint64_t rename_key(uint32_t id, uint32_t message, uint32_t permutation) {
    return (uint64_t)message << 62 | (uint64_t)permutation << 32 | id;
}

uint64_t vx_bytes(const vx *x);

#endif
