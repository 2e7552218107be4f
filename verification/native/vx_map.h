/* SPDX-License-Identifier: MIT */
/* Open-addressing map from 64-bit keys to 32-bit values, and a growing array of words. */
#ifndef VX_MAP_H
#define VX_MAP_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vx.h"

typedef struct {
    uint32_t *at;
    uint64_t n, room;
} words;

static inline int words_reserve(words *w, uint64_t more) {
    if (w->n + more <= w->room) return 1;
    uint64_t room = w->room ? w->room * 2 : 1024;
    while (room < w->n + more) room *= 2;
    uint32_t *at = realloc(w->at, room * sizeof *at);
    if (!at) return 0;
    w->at = at;
    w->room = room;
    return 1;
}

static inline int words_push(words *w, uint32_t value) {
    if (!words_reserve(w, 1)) return 0;
    w->at[w->n++] = value;
    return 1;
}

typedef struct {
    uint64_t *keys; /* key + 1, 0 = free */
    uint32_t *values;
    uint64_t n, room;
} map64;

static inline uint64_t mix64(uint64_t h) {
    h ^= h >> 33;
    h *= 0xff51afd7ed558ccdULL;
    h ^= h >> 33;
    h *= 0xc4ceb9fe1a85ec53ULL;
    return h ^ (h >> 33);
}

static inline uint32_t map_get(const map64 *m, uint64_t key) {
    if (!m->room) return VX_NONE;
    for (uint64_t i = mix64(key) & (m->room - 1);; i = (i + 1) & (m->room - 1)) {
        if (!m->keys[i]) return VX_NONE;
        if (m->keys[i] == key + 1) return m->values[i];
    }
}

static inline int map_put(map64 *m, uint64_t key, uint32_t value) {
    if (m->n * 2 >= m->room) {
        map64 big = {0};
        big.room = m->room ? m->room * 2 : 1024;
        big.keys = calloc(big.room, sizeof *big.keys);
        big.values = malloc(big.room * sizeof *big.values);
        if (!big.keys || !big.values) return free(big.keys), free(big.values), 0;
        for (uint64_t i = 0; i < m->room; i++)
            if (m->keys[i]) map_put(&big, m->keys[i] - 1, m->values[i]);
        free(m->keys);
        free(m->values);
        *m = big;
    }
    uint64_t i = mix64(key) & (m->room - 1);
    while (m->keys[i] && m->keys[i] != key + 1) i = (i + 1) & (m->room - 1);
    m->n += !m->keys[i];
    m->keys[i] = key + 1;
    m->values[i] = value;
    return 1;
}

static inline void map_free(map64 *m) {
    free(m->keys);
    free(m->values);
}

#endif
