/* SPDX-License-Identifier: MIT */
/* ss_match.h - a match in the form in which tables keep it. */
#ifndef SS_MATCH_H
#define SS_MATCH_H

#include "ss_lookup.h"

#define SS_MAX_WORDS 256u

typedef struct ss_match_words {
    uint64_t key[SS_MAX_WORDS], mask[SS_MAX_WORDS];
    uint64_t range[2 * SS_MAX_WORDS]; /* low and high of each range field */
    int32_t priority;
} ss_match_words;

/* Wire strings to words; checks widths, masks and ranges. */
int ss_load_match(const ss_table_desc *d, const uint8_t *key, const uint8_t *arg, int32_t priority,
                  ss_match_words *m);

#endif
