/* SPDX-License-Identifier: MIT */
/* The search itself: successors of a state, their canonical form, and the breadth-first layers. */
#include "vx_search.h"

/* --- vectors ------------------------------------------------------------------------------------------- */

static uint32_t budget_of(const vx *x, const vector *v, uint32_t class) {
    return v->w[x->c.nodes] >> (4 * class) & 15u;
}

static void spend(const vx *x, vector *v, uint32_t class) {
    if (budget_of(x, v, class) != VX_UNLIMITED) v->w[x->c.nodes] -= 1u << (4 * class);
}

static void copy(vector *to, const vector *from) {
    to->n = from->n;
    memcpy(to->w, from->w, from->n * sizeof *to->w);
}

static void remove_at(vector *v, uint32_t i) {
    memmove(v->w + i, v->w + i + 1, (v->n - i - 1) * sizeof *v->w);
    v->n--;
}

/* Whether message a stands before b: by channel, and inside it by id when order has no meaning. */
static int before(const vx *x, uint32_t a, uint32_t b) {
    uint32_t ca = x->msg_channel.at[a], cb = x->msg_channel.at[b];
    return ca != cb ? ca < cb : x->c.reorder == VX_REORDER_ANY && a < b;
}

static void insert(vx *x, vector *v, uint32_t message) {
    uint32_t i = v->n;
    if (v->n == VX_MAX_WORDS) {
        x->limit = 1;
        return;
    }
    for (; i > x->c.nodes + 1 && before(x, message, v->w[i - 1]); i--) v->w[i] = v->w[i - 1];
    v->w[i] = message;
    v->n++;
}

static int full(const vx *x, const vector *v, uint32_t message) {
    uint32_t used = 0;
    if (!x->c.capacity) return 0;
    for (uint32_t i = x->c.nodes + 1; i < v->n; i++)
        used += x->msg_channel.at[v->w[i]] == x->msg_channel.at[message];
    return used >= x->c.capacity;
}

/* --- symmetry ------------------------------------------------------------------------------------------ */

static uint32_t renamed(vx *x, uint32_t id, uint32_t message, uint32_t permutation) {
    uint64_t key = rename_key(id, message, permutation);
    uint32_t to = map_get(&x->renamed, key);
    if (to != VX_NONE) return to;
    x->missing = 1;
    if (map_get(&x->asked, key | 1ull << 63) == VX_NONE) {
        map_put(&x->asked, key | 1ull << 63, 1);
        words_push(&x->asked_names, id);
        words_push(&x->asked_names, message);
        words_push(&x->asked_names, permutation);
    }
    return VX_NONE;
}

static int less(const vector *a, const vector *b) {
    if (a->n != b->n) return a->n < b->n;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->w[i] != b->w[i]) return a->w[i] < b->w[i];
    return 0;
}

/* Whether the permutation brings each group's nodes into the order of their signatures. */
static int sorts(const vx *x, const vector *v, const uint32_t *to) {
    uint32_t at[VX_MAX_NODES];
    for (uint32_t i = 0; i < x->c.nodes; i++) at[to[i]] = x->st_signature.at[v->w[i]];
    for (uint32_t i = 0; i < x->c.nodes; i++)
        if (x->follows[i] != VX_NONE && at[i] > at[x->follows[i]]) return 0;
    return 1;
}

/* The least of the state's images under the permutations; 0 when a name is still missing. */
static int canonical(vx *x, vector *v) {
    if (x->c.permutations < 2) return 1;
    int found = 0;
    for (uint32_t p = 0; p < x->c.permutations; p++) {
        vector *t = x->tried;
        const uint32_t *to = x->perm + (size_t)p * x->c.nodes;
        if (!sorts(x, v, to)) continue;
        t->n = x->c.nodes + 1;
        t->w[x->c.nodes] = v->w[x->c.nodes];
        for (uint32_t i = 0; i < x->c.nodes; i++) t->w[to[i]] = p ? renamed(x, v->w[i], 0, p) : v->w[i];
        for (uint32_t i = x->c.nodes + 1; i < v->n; i++) {
            uint32_t m = p ? renamed(x, v->w[i], 1, p) : v->w[i];
            if (m != VX_NONE) insert(x, t, m);
        }
        if (!x->missing && (!found++ || less(t, x->best))) copy(x->best, t);
    }
    if (found) copy(v, x->best);
    return !x->missing;
}

/* --- the store ----------------------------------------------------------------------------------------- */

static uint64_t hash_of(const vector *v) {
    uint64_t h = v->n;
    for (uint32_t i = 0; i < v->n; i++) h = mix64(h ^ v->w[i]) + i;
    return h;
}

static int grow(vx *x) {
    if (x->states == x->states_room) {
        uint64_t room = x->states_room ? 2 * x->states_room : 4096;
        uint64_t *o = realloc(x->offsets, room * sizeof *o);
        if (o) x->offsets = o;
        uint64_t *e = realloc(x->edge_at, room * sizeof *e);
        if (e) x->edge_at = e;
        if (!o || !e) return 0;
        x->states_room = room;
    }
    if (2 * (x->states + 1) < x->set_room) return 1;
    uint64_t room = x->set_room ? 2 * x->set_room : 8192, *set = calloc(room, sizeof *set);
    if (!set) return 0;
    for (uint64_t i = 0; i < x->set_room; i++) {
        if (!x->set[i]) continue;
        uint64_t j = (x->set[i] >> 32) & (room - 1);
        while (set[j]) j = (j + 1) & (room - 1);
        set[j] = x->set[i];
    }
    free(x->set);
    x->set = set;
    x->set_room = room;
    return 1;
}

/* The index of a state, entered when new; VX_NONE without memory. */
static uint32_t enter(vx *x, const vector *v, const vx_action *how) {
    uint64_t h = hash_of(v) & 0xffffffffu;
    if (!grow(x)) return x->no_memory = 1, VX_NONE;
    uint64_t i = h & (x->set_room - 1);
    for (; x->set[i]; i = (i + 1) & (x->set_room - 1)) {
        if (x->set[i] >> 32 != h) continue;
        uint32_t s = (uint32_t)x->set[i] - 1;
        const uint32_t *at = x->store.at + x->offsets[s];
        if (at[0] == v->n && !memcmp(at + 1, v->w, v->n * sizeof *at)) return s;
    }
    if (!words_reserve(&x->store, v->n + 1) || !words_reserve(&x->actions, 4)) return x->no_memory = 1, VX_NONE;
    uint32_t s = (uint32_t)x->states++;
    x->set[i] = h << 32 | (s + 1);
    x->offsets[s] = x->store.n;
    x->edge_at[s] = 0;
    x->store.at[x->store.n++] = v->n;
    memcpy(x->store.at + x->store.n, v->w, v->n * sizeof *v->w);
    x->store.n += v->n;
    memcpy(x->actions.at + x->actions.n, how, sizeof *how);
    x->actions.n += 4;
    return s;
}

/* --- successors ---------------------------------------------------------------------------------------- */

static uint32_t outcomes_of(vx *x, uint32_t state, uint32_t event) {
    uint64_t key = (uint64_t)state << 32 | event;
    uint32_t at = map_get(&x->outcome_of, key);
    if (at != VX_NONE) return at;
    x->missing = 1;
    if (map_get(&x->asked, key) == VX_NONE) {
        map_put(&x->asked, key, 1);
        words_push(&x->asked_pairs, state);
        words_push(&x->asked_pairs, event);
    }
    return VX_NONE;
}

/* Drop what the receivers ignore for ever: such a delivery commutes with everything. */
static void absorb(vx *x, vector *v) {
    for (uint32_t i = x->c.nodes + 1; i < v->n;) {
        uint32_t state = v->w[x->msg_node.at[v->w[i]]];
        outcomes_of(x, state, v->w[i]);
        if (map_get(&x->ignored, (uint64_t)state << 32 | v->w[i]) != VX_NONE)
            remove_at(v, i);
        else
            i++;
    }
}

static void arrive(vx *x, vector *v, const vx_action *how, int fault, uint32_t violation) {
    if (x->c.absorb) absorb(x, v);
    if (x->missing || !canonical(x, v)) return;
    if (violation != VX_NONE) {
        if (x->bad_state != VX_NONE) return;
        x->bad_state = how->parent;
        x->bad_action = *how;
        x->bad_property = violation;
        return;
    }
    uint32_t s = enter(x, v, how);
    x->transitions++;
    if (s != VX_NONE && !fault) words_push(&x->scratch, s);
}

/* `base` with `event` happening at `node`: one successor per outcome. */
static void happen(vx *x, const vector *base, uint32_t node, vx_action how, int fault) {
    uint32_t at = outcomes_of(x, base->w[node], how.event), nth = 0;
    for (; at != VX_NONE; at = x->outcomes.at[at], nth++) {
        const uint32_t *o = x->outcomes.at + at;
        vector *v = x->next;
        int blocked = 0;
        copy(v, base);
        v->w[node] = o[1];
        for (uint32_t i = 0; i < o[3]; i++) {
            if (!full(x, v, o[OUTCOME_WORDS + i]))
                insert(x, v, o[OUTCOME_WORDS + i]);
            else if (how.kind == VX_A_INTERNAL)
                blocked = 1;
            else
                x->overflowed++;
        }
        how.outcome = nth;
        if (!blocked) arrive(x, v, &how, fault, o[2]);
    }
}

static void message_steps(vx *x, uint32_t parent, vector *base, uint32_t i, uint32_t place) {
    const vector *v = x->cur;
    uint32_t m = v->w[i];
    int late = place > 0 && x->c.reorder != VX_REORDER_ANY;
    if (!late || (x->c.reorder == VX_REORDER_BUDGET && budget_of(x, v, VX_REORDER))) {
        copy(base, v);
        remove_at(base, i);
        if (late) spend(x, base, VX_REORDER);
        happen(x, base, x->msg_node.at[m], (vx_action){parent, VX_A_DELIVER, m, 0}, late);
    }
    if (budget_of(x, v, VX_LOSS)) {
        copy(x->next, v);
        remove_at(x->next, i);
        spend(x, x->next, VX_LOSS);
        arrive(x, x->next, &(vx_action){parent, VX_A_LOSE, m, 0}, 1, VX_NONE);
    }
    if (budget_of(x, v, VX_DUPLICATE) && v->n < VX_MAX_WORDS && !full(x, v, m)) {
        vector *d = x->next;
        copy(d, v);
        memmove(d->w + i + 1, d->w + i, (d->n - i) * sizeof *d->w);
        d->n++;
        spend(x, d, VX_DUPLICATE);
        arrive(x, d, &(vx_action){parent, VX_A_DUPLICATE, m, 0}, 1, VX_NONE);
    }
}

static void internal_steps(vx *x, uint32_t parent, uint32_t node) {
    const vector *v = x->cur;
    const uint32_t *list = x->events.at + x->st_events.at[v->w[node]];
    int quiet = v->n == x->c.nodes + 1;
    for (uint32_t k = 0; k < list[0]; k++) {
        uint32_t event = list[1 + 2 * k], class = list[2 + 2 * k];
        /* A timer that fires while nothing is in flight is what progress waits for; otherwise it is early. */
        int free_of_charge = class == VX_FREE || (class == VX_TIMEOUT && quiet);
        vector base;
        if (!free_of_charge && !budget_of(x, v, class)) continue;
        copy(&base, v);
        if (!free_of_charge) spend(x, &base, class);
        happen(x, &base, node, (vx_action){parent, VX_A_INTERNAL, event, 0}, !free_of_charge);
    }
}

static int expand(vx *x, uint32_t s) {
    vector base;
    const uint32_t *at = x->store.at + x->offsets[s];
    x->cur->n = at[0];
    memcpy(x->cur->w, at + 1, at[0] * sizeof *at);
    x->scratch.n = 0;
    x->missing = 0;
    uint64_t transitions = x->transitions, overflowed = x->overflowed;
    const vector *v = x->cur;
    for (uint32_t i = x->c.nodes + 1, place = 0; i < v->n; i++) {
        int same = i > x->c.nodes + 1 && x->msg_channel.at[v->w[i]] == x->msg_channel.at[v->w[i - 1]];
        place = same ? place + 1 : 0;
        if (same && x->c.reorder == VX_REORDER_ANY && v->w[i] == v->w[i - 1]) continue; /* the same again */
        message_steps(x, s, &base, i, place);
    }
    for (uint32_t n = 0; n < x->c.nodes; n++) internal_steps(x, s, n);
    if (x->missing) { /* comes again once the answers are there */
        x->transitions = transitions;
        x->overflowed = overflowed;
    }
    if (x->missing || x->no_memory) return !x->no_memory;
    x->edge_at[s] = x->edges.n;
    if (!words_reserve(&x->edges, x->scratch.n + 1)) return x->no_memory = 1, 0;
    words_push(&x->edges, (uint32_t)x->scratch.n);
    for (uint64_t i = 0; i < x->scratch.n; i++) words_push(&x->edges, x->scratch.at[i]);
    return 1;
}

/* --- layers -------------------------------------------------------------------------------------------- */

static int begin_layer(vx *x) {
    x->todo.n = 0;
    x->cursor = 0;
    for (uint64_t s = x->layer_first; s < x->layer_end; s++)
        if (!words_push(&x->todo, (uint32_t)s)) return 0;
    return 1;
}

int vx_start(vx *x, const uint32_t *node_states) {
    vector *v = x->next;
    v->n = x->c.nodes + 1;
    memcpy(v->w, node_states, x->c.nodes * sizeof *v->w);
    v->w[x->c.nodes] = 0;
    for (uint32_t k = 0; k < VX_CLASSES; k++) v->w[x->c.nodes] |= x->c.budgets[k] << (4 * k);
    words_push(&x->edges, 0); /* offset 0: no successors */
    enter(x, v, &(vx_action){VX_NONE, VX_A_START, VX_NONE, 0});
    x->layer_first = 0;
    x->layer_end = x->states;
    return !x->no_memory && begin_layer(x);
}

int vx_run(vx *x) {
    x->asked_pairs.n = x->asked_names.n = 0;
    for (; x->cursor < x->todo.n; x->cursor++) {
        uint32_t s = x->todo.at[x->cursor];
        if (!expand(x, s)) return VX_NO_MEMORY;
        if (x->missing && !words_push(&x->retry, s)) return VX_NO_MEMORY;
        if (x->states > x->c.max_states || vx_bytes(x) > x->c.max_bytes || x->limit) return VX_LIMIT;
    }
    if (x->retry.n) {
        words done = x->todo;
        x->todo = x->retry;
        x->retry = done;
        x->retry.n = 0;
        x->cursor = 0;
        return VX_NEED;
    }
    if (x->bad_state != VX_NONE) return VX_VIOLATION;
    x->layer_first = x->layer_end;
    x->layer_end = x->states;
    if (x->layer_first == x->layer_end) return VX_FINISHED;
    x->depth++;
    return begin_layer(x) ? VX_LAYER : VX_NO_MEMORY;
}
