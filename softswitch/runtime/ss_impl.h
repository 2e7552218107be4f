/* SPDX-License-Identifier: MIT */
/*
 * ss_impl.h - what the generated code and the runtime share.  Not for users.
 *
 * Generated code provides the functions ss_gen_* and the table `ss_prog`; the
 * runtime provides everything else.  Both are linked into one shared object.
 */
#ifndef SS_IMPL_H
#define SS_IMPL_H

#include <stdbool.h>
#include <string.h>

#include "ss.h"
#include "ss_control.h"

#define SS_INLINE static inline __attribute__((always_inline, unused))
#define SS_EXPORT __attribute__((visibility("default")))
#define SS_NONE UINT32_MAX
#define SS_DROP_PORT 511u
#define SS_WORK_LIMIT 4096u /* passes that one received packet may cause */
#define SS_DIGEST_BYTES 16384u
#define SS_DIGEST_BACKLOG (UINT64_C(1) << 22) /* bytes kept for ss_digests */
#define SS_LOOP_LIMIT 65536u /* backward jumps of one parse or one action */

/* standard_metadata.instance_type */
enum { SS_NORMAL = 0, SS_CLONE_I2E = 1, SS_CLONE_E2E = 2, SS_RECIRCULATED = 4,
       SS_REPLICATED = 5, SS_RESUBMITTED = 6 };

/* v1model's standard_metadata, always first in the generated `struct phv`. */
typedef struct ss_std {
    uint64_t ingress_global_timestamp, egress_global_timestamp;
    uint32_t enq_timestamp, enq_qdepth, deq_timedelta, deq_qdepth;
    uint32_t instance_type, packet_length, parser_error;
    uint16_t ingress_port, egress_spec, egress_port, mcast_grp, egress_rid;
    uint8_t checksum_error, priority, qid;
} ss_std;

struct ss_packet {
    ss_packet *next;
    const uint8_t *raw; /* the packet as ingress received it */
    const uint8_t *payload; /* what the parser left */
    uint8_t *buf; /* own memory: headroom, then payload */
    uint32_t cap;
    uint32_t raw_len, payload_len;
    uint32_t ingress_port;
    uint32_t ingress_length; /* what counters and meters count */
    uint32_t length_reg; /* received length plus added minus removed headers */
    uint32_t truncate_to;
    uint32_t port; /* where it goes after ingress */
    uint32_t clone_session, clone_list, resubmit_list, recirculate_list, digest_id;
    bool is_clone, is_exited, is_dead;
    _Alignas(16) uint8_t phv[];
};

#define SS_STD(pkt) ((ss_std *)(void *)(pkt)->phv)

/* ---- what the program looks like (generated, constant) ---- */

typedef enum ss_match { SS_EXACT, SS_LPM, SS_TERNARY, SS_RANGE } ss_match;

typedef struct ss_key_desc {
    uint16_t width; /* bits */
    uint16_t word, shift; /* where it sits in the key words; wide fields start at shift 0 */
    uint8_t match;
} ss_key_desc;

typedef struct ss_param_desc {
    uint16_t width, offset, size; /* size: bytes in the action data structure */
} ss_param_desc;

typedef struct ss_action_desc {
    const char *name;
    uint16_t params, data_size, wire_size;
    const ss_param_desc *param;
} ss_action_desc;

typedef struct ss_const_entry {
    const uint8_t *key, *arg, *params;
    int32_t priority;
    uint16_t action;
} ss_const_entry;

typedef struct ss_table_desc {
    const char *name;
    const ss_key_desc *key;
    const uint16_t *actions;
    const ss_const_entry *entries;
    const uint8_t *default_params;
    int32_t default_action; /* -1: none */
    int32_t profile; /* -1: simple table */
    int32_t meter_bytes; /* direct meter: -1 none, 0 packets, 1 bytes */
    uint32_t keys, key_bytes, words, n_actions, n_entries, max_size;
    uint32_t data_size; /* largest action data */
    uint8_t match, ranges, with_counters, with_timeout;
    uint8_t default_action_const, default_entry_const;
} ss_table_desc;

typedef struct ss_profile_desc {
    const char *name;
    const uint16_t *actions;
    uint32_t n_actions, max_size, data_size;
    uint8_t with_selector;
} ss_profile_desc;

typedef struct ss_array_desc {
    const char *name;
    uint64_t offset; /* in the state arena */
    uint32_t size, width, cell; /* width: bits of a register; cell: bytes of one cell */
    uint32_t stride; /* bytes from one cell to the next: registers may be interleaved */
    uint32_t type; /* meters: 1 counts bytes */
} ss_array_desc;

typedef struct ss_vset_desc {
    const char *name;
    uint32_t bytes;
} ss_vset_desc;

typedef struct ss_program {
    const char *name;
    const ss_action_desc *actions;
    const ss_table_desc *tables;
    const ss_profile_desc *profiles;
    const ss_array_desc *registers, *counters, *meters;
    const ss_vset_desc *vsets;
    uint32_t n_actions, n_tables, n_profiles, n_registers, n_counters, n_meters, n_vsets;
    uint32_t phv_size, meta_size; /* meta: prefix of the phv that copies reset */
    uint32_t max_header_bytes;
    uint64_t arena_size;
} ss_program;

extern const ss_program ss_prog;

void ss_gen_parse(ss_switch *sw, ss_packet *p);
void ss_gen_ingress(ss_switch *sw, ss_packet *p);
void ss_gen_egress(ss_switch *sw, ss_packet *p);
void ss_gen_checksums(ss_switch *sw, ss_packet *p);
uint32_t ss_gen_header_bytes(const ss_packet *p);
void ss_gen_deparse(const ss_packet *p, uint8_t *out);
void ss_gen_copy_fields(uint32_t list, ss_packet *dst, const ss_packet *src);
uint32_t ss_gen_digest(uint32_t id, const ss_packet *p, uint8_t *out);
uint64_t ss_gen_select(ss_switch *sw, const ss_packet *p, uint32_t profile);

/* ---- one instance ---- */

typedef struct ss_counter_cell { uint64_t packets, bytes; } ss_counter_cell;

typedef struct ss_meter_cell {
    uint64_t cir, cburst, pir, pburst; /* units per second, units */
    uint64_t committed, peak; /* tokens, in millionths of a unit */
    uint64_t last_us;
    uint64_t configured;
} ss_meter_cell;

/* An entry is followed by its key words, mask words (ternary kinds), range
 * words (low, high per range key) and the action data. */
typedef struct ss_entry {
    uint32_t hash;
    uint32_t next; /* index + 1 of the next entry with the same masked key */
    int32_t priority;
    uint32_t seq;
    int32_t action; /* or SS_TARGET_MEMBER, SS_TARGET_GROUP */
    uint32_t id; /* member or group */
    uint32_t gen;
    uint16_t tuple;
    uint16_t used;
    uint64_t key[];
} ss_entry;

typedef struct ss_direct {
    ss_counter_cell count;
    ss_meter_cell meter;
    uint64_t last_hit_us;
    uint64_t idle_timeout_us;
} ss_direct;

typedef struct ss_slot { uint32_t hash, entry; } ss_slot; /* entry: index + 1, 0 is free */

typedef struct ss_tuple {
    uint64_t *mask;
    int32_t max_priority;
    uint32_t count; /* entries; 0: unused */
} ss_tuple;

typedef struct ss_table {
    const ss_table_desc *desc;
    uint8_t *entries;
    ss_slot *slots;
    ss_direct *direct; /* NULL unless counters, meters or timeouts */
    ss_tuple *tuples;
    uint16_t *order; /* tuples by falling max_priority */
    uint64_t *masks;
    uint32_t n_order, n_tuples, cap_tuples;
    uint32_t stride, data_off, mask_off, range_off;
    uint32_t slot_mask;
    uint32_t count, high; /* entries in use; highest index ever used + 1 */
    uint32_t free_list; /* index + 1 */
    uint32_t next_seq;
    uint64_t version;
    int32_t default_action;
    uint32_t default_id;
    uint8_t *default_data;
    bool default_is_set;
} ss_table;

typedef struct ss_member {
    int32_t action; /* -1: unused */
    uint32_t id, refs;
    uint8_t *data;
} ss_member;

typedef struct ss_group {
    uint32_t id, refs, n_slots, n_members;
    uint32_t *slots; /* member indices, in the order that the hash selects */
    uint32_t *member_ids;
} ss_group;

typedef struct ss_profile {
    const ss_profile_desc *desc;
    ss_member *members;
    ss_group *groups;
    uint32_t n_members, n_groups, cap_members, cap_groups;
    uint32_t used_slots; /* members and graves */
    uint64_t version;
} ss_profile;

typedef struct ss_replica_set {
    uint32_t id, n, truncate;
    ss_replica *replicas;
} ss_replica_set;

typedef struct ss_replicas {
    ss_replica_set *sets; /* sorted by id */
    uint32_t n, cap;
} ss_replicas;

typedef struct ss_vset_state {
    uint8_t *members; /* value, then mask */
    uint32_t n;
} ss_vset_state;

/* { uint32_t number, uint32_t len, uint8_t bytes[len] } one after the other */
typedef struct ss_records {
    uint8_t *data;
    uint64_t len, cap;
} ss_records;

struct ss_switch {
    uint8_t *arena; /* random state, registers, counters, meters */
    uint64_t now;
    ss_hooks hooks;
    ss_stats stats;
    ss_table *tables;
    ss_profile *profiles;
    ss_vset_state *vsets;
    ss_replicas groups, sessions;
    ss_packet *free_packets;
    ss_packet *egress_head, **egress_tail; /* work of the current call */
    ss_packet *ingress_head, **ingress_tail;
    uint32_t work; /* passes since the call began */
    uint32_t queues;
    bool collecting; /* inside ss_process */
    ss_records out, digests, trace;
    uint8_t *scratch;
    uint64_t scratch_cap;
    uint64_t seed;
    uint64_t version; /* changes with every control-plane write */
    char fault[256]; /* text of the last failed assert() */
    uint64_t faults;
};

/* ---- the runtime's services to generated code ---- */

uint64_t ss_random(ss_switch *sw, uint64_t low, uint64_t high);
void ss_meter_configure(ss_meter_cell *m, const uint64_t *rates, uint64_t now);
int ss_meter_rates(const ss_meter_cell *m, uint64_t *rates);
uint32_t ss_meter_run(ss_switch *sw, ss_meter_cell *m, uint64_t units);
uint64_t ss_hash_crc32(const uint8_t *d, size_t n);
uint64_t ss_hash_crc16(const uint8_t *d, size_t n);
uint64_t ss_hash_crc_ccitt(const uint8_t *d, size_t n);
uint64_t ss_hash_csum16(const uint8_t *d, size_t n);
uint64_t ss_hash_xor16(const uint8_t *d, size_t n);
uint64_t ss_hash_identity(const uint8_t *d, size_t n);
void ss_assert_failed(ss_switch *sw, ss_packet *p, const char *text);
void ss_log(ss_switch *sw, const char *format, const char *const *values, uint32_t n);
void ss_format(char *out, size_t room, const uint64_t *limbs, unsigned n, bool is_signed);
uint8_t *ss_scratch(ss_switch *sw, uint64_t size);
const ss_member *ss_group_pick(ss_switch *sw, const ss_packet *p, uint32_t profile, uint32_t group);

/* ---- between the files of the runtime ---- */

ss_packet *ss_packet_get(ss_switch *sw, uint32_t room);
void ss_packet_put(ss_switch *sw, ss_packet *p);
void ss_packet_own_payload(ss_packet *p);
bool ss_packet_reserve(ss_packet *p, uint32_t bytes);
int ss_tables_init(ss_switch *sw);
void ss_tables_free(ss_switch *sw);
void ss_table_empty(ss_switch *sw, ss_table *t);
int ss_table_install(ss_switch *sw, ss_table *t, const ss_const_entry *c);
ss_entry *ss_entry_of(ss_switch *sw, uint32_t table, int64_t handle);
int64_t ss_handle_of(const ss_table *t, const ss_entry *e);
int ss_target_load(ss_switch *sw, const ss_table *t, int32_t action, const uint8_t *params,
                   uint32_t len, uint8_t *data, uint32_t *id);
void ss_target_release(ss_switch *sw, const ss_table *t, int32_t action, uint32_t id);
int ss_load_value(const uint8_t *wire, uint32_t width, uint64_t *limbs);
void ss_store_value(uint8_t *wire, uint32_t width, const uint64_t *limbs);
void ss_profiles_free(ss_switch *sw);
int ss_decode_params(const ss_action_desc *a, const uint8_t *wire, uint32_t len, uint8_t *data);
void ss_encode_params(const ss_action_desc *a, const uint8_t *data, uint8_t *wire);
ss_member *ss_member_find(ss_profile *p, uint32_t id);
ss_group *ss_group_find(ss_profile *p, uint32_t id);
const ss_replica_set *ss_replicas_find(const ss_replicas *r, uint32_t id);
bool ss_action_allowed(const uint16_t *actions, uint32_t n, int32_t action);

#endif
