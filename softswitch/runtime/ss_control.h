/* SPDX-License-Identifier: MIT */
/*
 * ss_control.h - the control plane of an instance: tables, profiles, state.
 *
 * Objects go by index; ss_find() turns a fully qualified name into one.
 * Values on this interface are big-endian byte strings, each value in
 * ceil(width / 8) bytes, one after the other in the order of the program.
 * A match takes two strings of equal length, `key` and `arg`; per key field:
 *
 *     exact            value, ignored     (a whole table of exact keys may pass arg = NULL)
 *     lpm              value, prefix mask
 *     ternary/optional value, mask
 *     range            low,   high
 *
 * Functions return SS_OK (or a count or a handle) or a negative SS_ERR_*.
 */
#ifndef SS_CONTROL_H
#define SS_CONTROL_H

#include "ss.h"

#ifdef __cplusplus
extern "C" {
#endif

enum {
    SS_OK = 0,
    SS_ERR_FULL = -1, /* table or profile has max_size entries */
    SS_ERR_EXISTS = -2, /* an entry with this match (and priority) is there */
    SS_ERR_NOT_FOUND = -3, /* no such entry, member, group, set */
    SS_ERR_INVALID = -4, /* index, length, mask or value out of range */
    SS_ERR_CONST = -5, /* constant entries or constant default action */
    SS_ERR_ACTION = -6, /* action not in the table's or profile's list */
    SS_ERR_IN_USE = -7, /* a member or group that entries still use */
    SS_ERR_MEMORY = -8
};

enum { SS_TARGET_MEMBER = -1, SS_TARGET_GROUP = -2 };

typedef enum ss_object {
    SS_OBJ_TABLE, SS_OBJ_ACTION, SS_OBJ_PROFILE, SS_OBJ_REGISTER, SS_OBJ_COUNTER,
    SS_OBJ_METER, SS_OBJ_VALUE_SET
} ss_object;

typedef struct ss_replica { uint32_t port, rid; } ss_replica;

/* Index of a named object or SS_ERR_NOT_FOUND. */
int32_t ss_find(ss_object kind, const char *name);

/*
 * Tables.  `action` is an action index, or SS_TARGET_MEMBER / SS_TARGET_GROUP
 * for tables with an action profile: then params is the 4-byte id.  The larger
 * priority wins; tables without ternary or range keys take priority 0.
 */
int64_t ss_table_insert(ss_switch *sw, uint32_t table, const uint8_t *key, const uint8_t *arg,
                        int32_t priority, int32_t action, const uint8_t *params, uint32_t params_len);
/* `n` insertions in one call: their strings one after the other; `params` of entry i has
 * params_len[i] bytes.  Each handle or SS_ERR_* goes to result[i]; failures don't stop the rest. */
int ss_table_insert_many(ss_switch *sw, uint32_t table, uint32_t n, const uint8_t *key, const uint8_t *arg,
                         const int32_t *priority, const int32_t *action, const uint8_t *params,
                         const uint32_t *params_len, int64_t *result);
int ss_table_modify(ss_switch *sw, uint32_t table, int64_t handle, int32_t action,
                    const uint8_t *params, uint32_t params_len);
int ss_table_delete(ss_switch *sw, uint32_t table, int64_t handle);
int64_t ss_table_find(ss_switch *sw, uint32_t table, const uint8_t *key, const uint8_t *arg,
                      int32_t priority);
int ss_table_set_default(ss_switch *sw, uint32_t table, int32_t action, const uint8_t *params,
                         uint32_t params_len);
int ss_table_reset_default(ss_switch *sw, uint32_t table);
/* The current default: returns its action, or -1000 when the table has none. */
int32_t ss_table_default(ss_switch *sw, uint32_t table, uint8_t *params);
uint32_t ss_table_count(ss_switch *sw, uint32_t table);
/* Next entry at or after position *pos (start with 0); its handle, or SS_ERR_NOT_FOUND at the end.
 * `key`, `arg` and `params` may be NULL. */
int64_t ss_table_next(ss_switch *sw, uint32_t table, uint32_t *pos, uint8_t *key, uint8_t *arg,
                      int32_t *priority, int32_t *action, uint8_t *params);
int ss_table_get(ss_switch *sw, uint32_t table, int64_t handle, uint8_t *key, uint8_t *arg,
                 int32_t *priority, int32_t *action, uint8_t *params);
int ss_table_clear_entries(ss_switch *sw, uint32_t table);

/* Direct resources of an entry. rates: cir, cburst, pir, pburst; NULL removes the configuration. */
int ss_entry_counter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *packets, uint64_t *bytes);
int ss_entry_set_counter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t packets, uint64_t bytes);
int ss_entry_set_meter(ss_switch *sw, uint32_t table, int64_t handle, const uint64_t *rates);
int ss_entry_meter(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *rates);
int ss_entry_set_timeout(ss_switch *sw, uint32_t table, int64_t handle, uint64_t idle_us, uint64_t now_us);
int ss_entry_last_hit(ss_switch *sw, uint32_t table, int64_t handle, uint64_t *idle_us, uint64_t *last_us);

/* Action profiles. */
int ss_member_insert(ss_switch *sw, uint32_t profile, uint32_t id, int32_t action,
                     const uint8_t *params, uint32_t params_len);
int ss_member_modify(ss_switch *sw, uint32_t profile, uint32_t id, int32_t action,
                     const uint8_t *params, uint32_t params_len);
int ss_member_delete(ss_switch *sw, uint32_t profile, uint32_t id);
int ss_member_get(ss_switch *sw, uint32_t profile, uint32_t id, int32_t *action, uint8_t *params);
/* Creates the group or replaces its members. */
int ss_group_set(ss_switch *sw, uint32_t profile, uint32_t id, const uint32_t *members,
                 const uint32_t *weights, uint32_t n);
int ss_group_delete(ss_switch *sw, uint32_t profile, uint32_t id);

/* Registers, counters, meters (indirect ones). */
int ss_register_read(ss_switch *sw, uint32_t reg, uint32_t index, uint8_t *value);
int ss_register_write(ss_switch *sw, uint32_t reg, uint32_t index, const uint8_t *value);
int ss_counter_read(ss_switch *sw, uint32_t counter, uint32_t index, uint64_t *packets, uint64_t *bytes);
int ss_counter_write(ss_switch *sw, uint32_t counter, uint32_t index, uint64_t packets, uint64_t bytes);
int ss_meter_set(ss_switch *sw, uint32_t meter, uint32_t index, const uint64_t *rates);
int ss_meter_get(ss_switch *sw, uint32_t meter, uint32_t index, uint64_t *rates);

/* Packet replication. truncate: bytes kept of a copy, 0 keeps all. n = 0 is an empty set. */
int ss_group_replicas(ss_switch *sw, uint32_t group, const ss_replica *replicas, uint32_t n);
int ss_group_remove(ss_switch *sw, uint32_t group);
int ss_session_replicas(ss_switch *sw, uint32_t session, const ss_replica *replicas, uint32_t n,
                        uint32_t truncate);
int ss_session_remove(ss_switch *sw, uint32_t session);

/* Parser value sets: replaces all members, each a value and a mask of the set's byte width. */
int ss_value_set(ss_switch *sw, uint32_t set, const uint8_t *members, uint32_t n);

/*
 * Data-plane state (random state, registers, counters, meters, direct
 * resources) as one string of bytes.  ss_state_save returns memory that is
 * valid until the next call on the instance.  ss_version changes with every
 * control-plane write, so equal versions mean equal tables, profiles and sets.
 */
const uint8_t *ss_state_save(ss_switch *sw, uint64_t *size);
int ss_state_load(ss_switch *sw, const uint8_t *state, uint64_t size);
uint64_t ss_version(const ss_switch *sw);
/* Forget all entries, members, groups and sets and install the constant entries again. */
int ss_reset_control(ss_switch *sw);
/* The number of failed assert()s so far and the text of the last one. */
uint64_t ss_faults(const ss_switch *sw, const char **text);

#ifdef __cplusplus
}
#endif
#endif
