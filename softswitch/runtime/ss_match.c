/* SPDX-License-Identifier: MIT */
/* ss_match.c - matches from the byte strings of ss_control.h to key words. */
#include "ss_match.h"

static uint32_t limbs_of(uint32_t width) { return (width + 63) / 64; }

int ss_load_value(const uint8_t *wire, uint32_t width, uint64_t *limbs)
{
    uint32_t bytes = (width + 7) / 8, n = limbs_of(width);
    for (uint32_t i = 0; i < n; i++) {
        uint64_t v = 0;
        for (uint32_t b = 0; b < 8 && i * 8 + b < bytes; b++) {
            v |= (uint64_t)wire[bytes - 1 - i * 8 - b] << (8 * b);
        }
        limbs[i] = v;
    }
    uint32_t top = width % 64;
    return top != 0 && limbs[n - 1] >> top != 0 ? SS_ERR_INVALID : SS_OK;
}

void ss_store_value(uint8_t *wire, uint32_t width, const uint64_t *limbs)
{
    uint32_t bytes = (width + 7) / 8;
    for (uint32_t i = 0; i < bytes; i++) {
        wire[bytes - 1 - i] = (uint8_t)(limbs[i / 8] >> (8 * (i % 8)));
    }
}

/* The longest mask under which all values of low..high are equal. */
static uint64_t range_mask(uint64_t low, uint64_t high, uint32_t width)
{
    uint64_t all = width == 64 ? UINT64_MAX : (UINT64_C(1) << width) - 1;
    uint64_t diff = low ^ high;
    return diff == 0 ? all : diff >> 63 ? 0 : all & ~((UINT64_C(2) << (63 - __builtin_clzll(diff))) - 1);
}

static bool is_prefix(const uint64_t *mask, uint32_t width, int32_t *length)
{
    bool zero_seen = false;
    int32_t ones = 0;
    for (uint32_t bit = width; bit-- > 0;) {
        bool one = mask[bit / 64] >> (bit % 64) & 1;
        if (one && zero_seen) {
            return false;
        }
        zero_seen = zero_seen || !one;
        ones += one;
    }
    *length = ones;
    return true;
}

static int load_field(const ss_table_desc *d, const ss_key_desc *k, const uint8_t *key,
                      const uint8_t *arg, ss_match_words *m, uint32_t *range)
{
    uint64_t value[SS_MAX_WORDS], mask[SS_MAX_WORDS];
    uint32_t n = limbs_of(k->width);
    if (ss_load_value(key, k->width, value) != SS_OK) {
        return SS_ERR_INVALID;
    }
    if (k->match == SS_EXACT) {
        for (uint32_t i = 0; i < n; i++) mask[i] = UINT64_MAX;
        if (k->width % 64 != 0) mask[n - 1] = (UINT64_C(1) << (k->width % 64)) - 1;
    } else if (arg == NULL || ss_load_value(arg, k->width, mask) != SS_OK) {
        return SS_ERR_INVALID;
    }
    if (k->match == SS_RANGE) {
        if (value[0] > mask[0]) {
            return SS_ERR_INVALID;
        }
        m->range[*range] = value[0];
        m->range[*range + 1] = mask[0];
        *range += 2;
        mask[0] = range_mask(value[0], mask[0], k->width);
    }
    int32_t prefix;
    if (k->match == SS_LPM) {
        if (!is_prefix(mask, k->width, &prefix)) {
            return SS_ERR_INVALID;
        }
        if (d->match == SS_LPM) {
            m->priority = prefix;
        }
    }
    for (uint32_t i = 0; i < n; i++) {
        m->key[k->word + i] |= (value[i] & mask[i]) << k->shift;
        m->mask[k->word + i] |= mask[i] << k->shift;
    }
    return SS_OK;
}

int ss_load_match(const ss_table_desc *d, const uint8_t *key, const uint8_t *arg,
                      int32_t priority, ss_match_words *m)
{
    uint32_t range = 0, offset = 0;
    memset(m->key, 0, d->words * 8);
    memset(m->mask, 0, d->words * 8);
    m->priority = d->match == SS_EXACT || d->match == SS_LPM ? 0 : priority;
    if (d->keys == 0 || (key == NULL) || d->words > SS_MAX_WORDS) {
        return SS_ERR_INVALID;
    }
    for (uint32_t i = 0; i < d->keys; i++) {
        int rc = load_field(d, &d->key[i], key + offset, arg ? arg + offset : NULL, m, &range);
        if (rc != SS_OK) {
            return rc;
        }
        offset += (d->key[i].width + 7u) / 8u;
    }
    return SS_OK;
}

bool ss_ranges_match(const ss_table *t, const ss_entry *e, const uint64_t *key)
{
    const uint64_t *range = (const uint64_t *)(const void *)((const uint8_t *)e + t->range_off);
    for (uint32_t i = 0; i < t->desc->keys; i++) {
        const ss_key_desc *k = &t->desc->key[i];
        if (k->match != SS_RANGE) {
            continue;
        }
        uint64_t v = key[k->word] >> k->shift;
        v = k->width == 64 ? v : v & ((UINT64_C(1) << k->width) - 1);
        if (v < range[0] || v > range[1]) {
            return false;
        }
        range += 2;
    }
    return true;
}
