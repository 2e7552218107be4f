/* SPDX-License-Identifier: MIT */
/*
 * vx.h - breadth-first search over global states made of small integers.
 *
 * A global state is { local state id of each node, fault budgets, messages in
 * flight }.  What a node does on an event is asked once per distinct
 * (local state, event) and then remembered: the search collects what it does
 * not know, the caller runs the real code (P4 engine, host agents) for it and
 * adds the answer, and the search goes on.  See docs/verification.md.
 */
#ifndef VX_H
#define VX_H

#include <stddef.h>
#include <stdint.h>

#define VX_NONE UINT32_MAX
#define VX_INTERNAL 0x80000000u /* event ids with this bit are internal events, else messages */

/* Fault classes; a budget of VX_UNLIMITED never runs out. */
enum { VX_LOSS, VX_DUPLICATE, VX_REORDER, VX_TIMEOUT, VX_REBOOT, VX_CRASH, VX_LINK, VX_OTHER, VX_CLASSES };
#define VX_UNLIMITED 15u
#define VX_FREE 255u /* class of internal events that cost nothing */

/* Flags of a local state. */
enum { VX_DONE = 1, VX_IDLE = 2 };

enum { VX_REORDER_NONE, VX_REORDER_BUDGET, VX_REORDER_ANY };

typedef struct vx_config {
    uint32_t nodes;
    uint32_t budgets[VX_CLASSES]; /* 0..14, or VX_UNLIMITED */
    uint32_t reorder;             /* VX_REORDER_* */
    uint32_t capacity;            /* messages per channel, 0 = no limit */
    uint32_t permutations;        /* rows of node_perm, 1 = no symmetry (row 0 is the identity) */
    uint32_t absorb;              /* drop messages that their receiver ignores for ever, at once */
    uint64_t max_states;
    uint64_t max_bytes;
} vx_config;

typedef struct vx vx;

/* How vx_run stopped. */
enum { VX_FINISHED, VX_NEED, VX_VIOLATION, VX_LIMIT, VX_LAYER, VX_NO_MEMORY };

/* How a state was reached (its parent's action). */
enum { VX_A_START, VX_A_DELIVER, VX_A_LOSE, VX_A_DUPLICATE, VX_A_INTERNAL };

typedef struct vx_action {
    uint32_t parent, kind, event, outcome;
} vx_action;

typedef struct vx_stats {
    uint64_t states, edges, frontier, bytes, overflowed;
    uint32_t depth;
} vx_stats;

/* `node_perm` says where each node goes under each permutation; `follows` names the next node of the
 * same group of interchangeable nodes, or VX_NONE. */
vx *vx_new(const vx_config *config, const uint32_t *node_perm /* [permutations][nodes] */,
           const uint32_t *follows /* [nodes] */);
void vx_free(vx *x);

void vx_add_message(vx *x, uint32_t id, uint32_t channel, uint32_t node);
/* `signature` orders interchangeable nodes: equal for states that differ only in whose they are. */
void vx_add_state(vx *x, uint32_t id, uint32_t flags, uint32_t signature, uint32_t n, const uint32_t *events,
                  const uint32_t *classes);
/* One outcome of an event: the node's next state, the messages it sends, and a violated property or VX_NONE. */
void vx_add_outcome(vx *x, uint32_t state, uint32_t event, uint32_t next, uint32_t n, const uint32_t *messages,
                    uint32_t violation);
/* In this state and all that follow it, the node ignores this message. */
void vx_add_ignored(vx *x, uint32_t state, uint32_t message);
/* An id under a permutation; `message` says whether it is a message or a local state. */
void vx_add_renamed(vx *x, uint32_t id, uint32_t message, uint32_t permutation, uint32_t renamed);

int vx_start(vx *x, const uint32_t *node_states);
/* Searches on; stops after each layer, on a violation, at a limit, or to ask. */
int vx_run(vx *x);
/* What is asked for: pairs (state, event), and triples (id, message?, permutation). */
uint32_t vx_needed(vx *x, const uint32_t **pairs);
uint32_t vx_needed_names(vx *x, const uint32_t **triples);

void vx_get_stats(const vx *x, vx_stats *out);
void vx_get_violation(const vx *x, uint32_t *state, vx_action *action, uint32_t *violation);
void vx_get_action(const vx *x, uint32_t state, vx_action *out);
/* A state's words: nodes, budget word, messages; returns their number. */
uint32_t vx_get_state(const vx *x, uint32_t state, const uint32_t **words);
uint32_t vx_layer_first(const vx *x); /* first state of the newest layer */

/* After the search: a state without messages in which all are done but one is not idle, or VX_NONE. */
uint32_t vx_find_unclean(const vx *x);
/* A state from which no continuation without faults reaches 'all done', or VX_NONE (the one of least depth). */
uint32_t vx_find_stuck(vx *x);

#endif
