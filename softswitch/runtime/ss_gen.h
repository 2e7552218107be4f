/* SPDX-License-Identifier: MIT */
/* ss_gen.h - small helpers that only generated code uses. */
#ifndef SS_GEN_H
#define SS_GEN_H

#include "ss_lookup.h"
#include "ss_trace.h"

#define SS_ACTION static inline __attribute__((unused))
#define SS_NO_ACTION (-1000)

#define ss_counter_cells(sw, which) \
    ((ss_counter_cell *)(void *)((sw)->arena + ss_prog.counters[which].offset))
#define ss_meter_cells(sw, which) ((ss_meter_cell *)(void *)((sw)->arena + ss_prog.meters[which].offset))
#define ss_logs(sw) ((sw)->hooks.log != NULL)

SS_INLINE uint64_t ss_min(uint64_t a, uint64_t b) { return a < b ? a : b; }

SS_INLINE void ss_count(ss_switch *sw, ss_counter_cell *cells, uint64_t i, uint64_t size, uint64_t bytes)
{
    if (i < size) {
        cells[i].packets++;
        cells[i].bytes += bytes;
    } else {
        sw->stats.index_errors++;
    }
}

/* Stacks have one spare element: what is out of range goes there. */
SS_INLINE uint64_t ss_index(ss_switch *sw, uint64_t i, uint64_t size)
{
    if (i < size) {
        return i;
    }
    sw->stats.index_errors++;
    return size;
}

/* Index of the last extracted element; the spare one when there is none. */
SS_INLINE uint64_t ss_last(uint64_t next, uint64_t size) { return next > 0 && next <= size ? next - 1 : size; }

SS_INLINE uint32_t ss_shift(uint64_t count, uint32_t size) { return count < size ? (uint32_t)count : size; }

/* Zero bytes are an invalid element. */
SS_INLINE void ss_push(void *array, size_t element, uint32_t size, uint32_t n)
{
    uint8_t *a = array;
    memmove(a + n * element, a, (size - n) * element);
    memset(a, 0, n * element);
}

SS_INLINE void ss_pop(void *array, size_t element, uint32_t size, uint32_t n)
{
    uint8_t *a = array;
    memmove(a, a + n * element, (size - n) * element);
    memset(a + (size - n) * element, 0, n * element);
}

SS_INLINE uint32_t ss_entry_index(const ss_table *t, const ss_entry *e, uint32_t stride)
{
    return (uint32_t)((size_t)((const uint8_t *)e - t->entries) / stride);
}

SS_INLINE void ss_register_get(ss_switch *sw, uint32_t reg, uint64_t i, uint64_t *limbs, unsigned n)
{
    const ss_array_desc *r = &ss_prog.registers[reg];
    memset(limbs, 0, n * 8);
    if (i < r->size) {
        memcpy(limbs, sw->arena + r->offset + i * r->stride, r->cell);
    } else {
        sw->stats.index_errors++;
    }
}

SS_INLINE const ss_member *ss_target_member(ss_switch *sw, const ss_packet *p, uint32_t profile,
                                            int32_t action, uint32_t id)
{
    if (action == SS_TARGET_MEMBER) {
        return ss_member_find(&sw->profiles[profile], id);
    }
    return action == SS_TARGET_GROUP ? ss_group_pick(sw, p, profile, id) : NULL;
}

SS_INLINE bool ss_value_set_has(const ss_switch *sw, uint32_t set, const uint8_t *key, const uint8_t *mask,
                                uint32_t bytes)
{
    const ss_vset_state *v = &sw->vsets[set];
    for (uint32_t m = 0; m < v->n; m++) {
        const uint8_t *member = v->members + (size_t)m * 2 * bytes;
        uint32_t i = 0;
        while (i < bytes && ((member[i] ^ key[i]) & member[bytes + i] & mask[i]) == 0) i++;
        if (i == bytes) {
            return true;
        }
    }
    return false;
}

#endif
