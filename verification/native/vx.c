/* SPDX-License-Identifier: MIT */
/* Tables of what nodes do, the store of global states, and the answers read from it; see vx.h. */
#include "vx_search.h"

vx *vx_new(const vx_config *config, const uint32_t *node_perm, const uint32_t *follows) {
    vx *x = calloc(1, sizeof *x);
    if (!x) return NULL;
    x->c = *config;
    size_t n = (size_t)config->permutations * config->nodes;
    x->perm = malloc((n ? n : 1) * sizeof *x->perm);
    x->follows = malloc((config->nodes ? config->nodes : 1) * sizeof *x->follows);
    x->cur = malloc(sizeof *x->cur);
    x->next = malloc(sizeof *x->next);
    x->best = malloc(sizeof *x->best);
    x->tried = malloc(sizeof *x->tried);
    if (!x->perm || !x->follows || !x->cur || !x->next || !x->best || !x->tried) return vx_free(x), NULL;
    memcpy(x->perm, node_perm, n * sizeof *x->perm);
    memcpy(x->follows, follows, config->nodes * sizeof *x->follows);
    x->bad_state = VX_NONE;
    return x;
}

void vx_free(vx *x) {
    if (!x) return;
    words *all[] = {&x->msg_channel, &x->msg_node,   &x->st_flags, &x->st_signature, &x->st_events, &x->events, &x->outcomes,
                    &x->asked_pairs, &x->asked_names, &x->store,    &x->actions,   &x->edges,  &x->todo,
                    &x->retry,       &x->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->at);
    map_free(&x->outcome_of);
    map_free(&x->ignored);
    map_free(&x->renamed);
    map_free(&x->asked);
    free(x->offsets);
    free(x->edge_at);
    free(x->set);
    free(x->perm);
    free(x->follows);
    free(x->cur);
    free(x->next);
    free(x->best);
    free(x->tried);
    free(x);
}

static void set_at(vx *x, words *w, uint32_t id, uint32_t value) {
    while (w->n <= id)
        if (!words_push(w, VX_NONE)) {
            x->no_memory = 1;
            return;
        }
    w->at[id] = value;
}

void vx_add_message(vx *x, uint32_t id, uint32_t channel, uint32_t node) {
    set_at(x, &x->msg_channel, id, channel);
    set_at(x, &x->msg_node, id, node);
}

void vx_add_state(vx *x, uint32_t id, uint32_t flags, uint32_t signature, uint32_t n, const uint32_t *events,
                  const uint32_t *classes) {
    set_at(x, &x->st_flags, id, flags);
    set_at(x, &x->st_signature, id, signature);
    set_at(x, &x->st_events, id, (uint32_t)x->events.n);
    if (!words_reserve(&x->events, 1 + 2 * (uint64_t)n)) {
        x->no_memory = 1;
        return;
    }
    words_push(&x->events, n);
    for (uint32_t i = 0; i < n; i++) {
        words_push(&x->events, events[i]);
        words_push(&x->events, classes[i]);
    }
}

void vx_add_outcome(vx *x, uint32_t state, uint32_t event, uint32_t next, uint32_t n, const uint32_t *messages,
                    uint32_t violation) {
    uint64_t key = (uint64_t)state << 32 | event;
    uint32_t at = (uint32_t)x->outcomes.n;
    if (!words_reserve(&x->outcomes, OUTCOME_WORDS + (uint64_t)n)) {
        x->no_memory = 1;
        return;
    }
    words_push(&x->outcomes, VX_NONE); /* link to a further outcome */
    words_push(&x->outcomes, next);
    words_push(&x->outcomes, violation);
    words_push(&x->outcomes, n);
    for (uint32_t i = 0; i < n; i++) words_push(&x->outcomes, messages[i]);
    uint32_t before = map_get(&x->outcome_of, key);
    if (before == VX_NONE) {
        if (!map_put(&x->outcome_of, key, at)) x->no_memory = 1;
        return;
    }
    while (x->outcomes.at[before] != VX_NONE) before = x->outcomes.at[before];
    x->outcomes.at[before] = at;
}

void vx_add_ignored(vx *x, uint32_t state, uint32_t message) {
    if (!map_put(&x->ignored, (uint64_t)state << 32 | message, 1)) x->no_memory = 1;
}

void vx_add_renamed(vx *x, uint32_t id, uint32_t message, uint32_t permutation, uint32_t renamed) {
    if (!map_put(&x->renamed, rename_key(id, message, permutation), renamed)) x->no_memory = 1;
}

uint32_t vx_needed(vx *x, const uint32_t **pairs) {
    *pairs = x->asked_pairs.at;
    return (uint32_t)(x->asked_pairs.n / 2);
}

uint32_t vx_needed_names(vx *x, const uint32_t **triples) {
    *triples = x->asked_names.at;
    return (uint32_t)(x->asked_names.n / 3);
}

uint64_t vx_bytes(const vx *x) {
    return 4 * (x->store.room + x->actions.room + x->edges.room + x->events.room + x->outcomes.room) +
           16 * x->states_room + 8 * x->set_room + 12 * (x->outcome_of.room + x->renamed.room + x->asked.room);
}

void vx_get_stats(const vx *x, vx_stats *out) {
    out->states = x->states;
    out->edges = x->transitions;
    out->frontier = x->states - x->layer_first;
    out->bytes = vx_bytes(x);
    out->overflowed = x->overflowed;
    out->depth = x->depth;
}

void vx_get_violation(const vx *x, uint32_t *state, vx_action *action, uint32_t *violation) {
    *state = x->bad_state;
    *action = x->bad_action;
    *violation = x->bad_property;
}

void vx_get_action(const vx *x, uint32_t state, vx_action *out) {
    memcpy(out, x->actions.at + 4 * (size_t)state, sizeof *out);
}

uint32_t vx_get_state(const vx *x, uint32_t state, const uint32_t **out) {
    const uint32_t *at = x->store.at + x->offsets[state];
    *out = at + 1;
    return at[0];
}

uint32_t vx_layer_first(const vx *x) { return (uint32_t)x->layer_first; }

static int all_have(const vx *x, uint32_t state, uint32_t flag) {
    const uint32_t *w = x->store.at + x->offsets[state] + 1;
    for (uint32_t i = 0; i < x->c.nodes; i++)
        if (!(x->st_flags.at[w[i]] & flag)) return 0;
    return 1;
}

uint32_t vx_find_unclean(const vx *x) {
    for (uint32_t s = 0; s < x->states; s++)
        if (x->store.at[x->offsets[s]] == x->c.nodes + 1 && all_have(x, s, VX_DONE) && !all_have(x, s, VX_IDLE))
            return s;
    return VX_NONE;
}

/* Backward reachability from the 'all done' states over fault-free edges. */
uint32_t vx_find_stuck(vx *x) {
    uint64_t n = x->states, total = 0;
    uint64_t *first = calloc(n + 2, sizeof *first);
    uint8_t *good = calloc(n ? n : 1, 1);
    uint32_t *queue = malloc((n ? n : 1) * sizeof *queue), *into = NULL, stuck = VX_NONE;
    if (!first || !good || !queue) goto out;
    for (uint64_t s = 0; s < n; s++) {
        const uint32_t *e = x->edges.at + x->edge_at[s];
        for (uint32_t i = 1; i <= e[0]; i++) first[e[i] + 2]++, total++;
    }
    for (uint64_t s = 2; s < n + 2; s++) first[s] += first[s - 1];
    into = malloc((total ? total : 1) * sizeof *into);
    if (!into) goto out;
    for (uint64_t s = 0; s < n; s++) {
        const uint32_t *e = x->edges.at + x->edge_at[s];
        for (uint32_t i = 1; i <= e[0]; i++) into[first[e[i] + 1]++] = (uint32_t)s;
    }
    uint64_t head = 0, tail = 0;
    for (uint32_t s = 0; s < n; s++)
        if (all_have(x, s, VX_DONE)) good[s] = 1, queue[tail++] = s;
    for (; head < tail; head++)
        for (uint64_t i = first[queue[head]]; i < first[queue[head] + 1]; i++)
            if (!good[into[i]]) good[into[i]] = 1, queue[tail++] = into[i];
    for (uint32_t s = 0; s < n && stuck == VX_NONE; s++)
        if (!good[s]) stuck = s;
out:
    x->no_memory |= !into;
    free(first);
    free(good);
    free(queue);
    free(into);
    return stuck;
}
