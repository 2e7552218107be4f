/* SPDX-License-Identifier: MIT */
/*
 * ss_lookup.h - finding an entry, inlined into the generated code so that the
 * number of key words is a constant there.
 *
 * All kinds of tables share one open-addressing index of (hash, entry).  An
 * exact table is one tuple; LPM, ternary and range tables have one tuple per
 * mask in use (tuple space search), tried in the order of the best priority
 * they hold, so that the search ends early.  Range fields enter the mask with
 * the prefix that low and high have in common; the entry settles the rest.
 */
#ifndef SS_LOOKUP_H
#define SS_LOOKUP_H

#include "ss_bits.h"

SS_INLINE uint32_t ss_hash_words(const uint64_t *w, unsigned n, uint32_t tuple)
{
    uint64_t h = UINT64_C(0x9e3779b97f4a7c15) ^ ((uint64_t)tuple * UINT64_C(0xd6e8feb86659fd93));
    for (unsigned i = 0; i < n; i++) {
        ss_u128 m = (ss_u128)(h ^ w[i]) * UINT64_C(0xa0761d6478bd642f);
        h = (uint64_t)m ^ (uint64_t)(m >> 64);
    }
    h ^= h >> 32;
    return (uint32_t)(h * UINT64_C(0xe7037ed1a0b428db) >> 32);
}

SS_INLINE ss_entry *ss_entry_at(const ss_table *t, uint32_t index, uint32_t stride)
{
    return (ss_entry *)(void *)(t->entries + (size_t)index * stride);
}

SS_INLINE bool ss_words_equal(const uint64_t *a, const uint64_t *b, unsigned n)
{
    uint64_t diff = 0;
    for (unsigned i = 0; i < n; i++) diff |= a[i] ^ b[i];
    return diff == 0;
}

SS_INLINE ss_entry *ss_lookup_exact(const ss_table *t, const uint64_t *key, unsigned words, uint32_t stride)
{
    if (t->count == 0) {
        return NULL;
    }
    uint32_t hash = ss_hash_words(key, words, 0);
    for (uint32_t i = hash & t->slot_mask; t->slots[i].entry != 0; i = (i + 1) & t->slot_mask) {
        if (t->slots[i].hash == hash) {
            ss_entry *e = ss_entry_at(t, t->slots[i].entry - 1, stride);
            if (ss_words_equal(e->key, key, words)) {
                return e;
            }
        }
    }
    return NULL;
}

bool ss_ranges_match(const ss_table *t, const ss_entry *e, const uint64_t *key);

SS_INLINE ss_entry *ss_lookup_tuples(const ss_table *t, const uint64_t *key, unsigned words,
                                     uint32_t stride, bool ranges)
{
    ss_entry *best = NULL;
    for (uint32_t o = 0; o < t->n_order; o++) {
        uint32_t id = t->order[o];
        const ss_tuple *tuple = &t->tuples[id];
        if (best != NULL && tuple->max_priority < best->priority) {
            break;
        }
        uint64_t masked[words > 0 ? words : 1];
        for (unsigned w = 0; w < words; w++) masked[w] = key[w] & tuple->mask[w];
        uint32_t hash = ss_hash_words(masked, words, id);
        for (uint32_t i = hash & t->slot_mask; t->slots[i].entry != 0; i = (i + 1) & t->slot_mask) {
            if (t->slots[i].hash != hash) {
                continue;
            }
            ss_entry *e = ss_entry_at(t, t->slots[i].entry - 1, stride);
            if (e->tuple != id || !ss_words_equal(e->key, masked, words)) {
                continue;
            }
            while (ranges && !ss_ranges_match(t, e, key)) {
                if (e->next == 0) {
                    e = NULL;
                    break;
                }
                e = ss_entry_at(t, e->next - 1, stride);
            }
            if (e != NULL && (best == NULL || e->priority > best->priority ||
                              (e->priority == best->priority && e->seq < best->seq))) {
                best = e;
            }
            break;
        }
    }
    return best;
}

#endif
