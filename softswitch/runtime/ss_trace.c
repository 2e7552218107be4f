/* SPDX-License-Identifier: MIT */
/*
 * ss_trace.c - what happens to a packet, as lines of text.
 *
 * Only objects built with -DSS_TRACE call this.  A line is
 *     kind TAB file:line TAB source fragment TAB text NEWLINE
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "ss_lookup.h"
#include "ss_trace.h"

#define LINE_BYTES 2048u
#define BACKLOG_BYTES (UINT64_C(1) << 24)

typedef struct text {
    char *at;
    size_t room;
} text;

__attribute__((format(printf, 2, 3))) static void put(text *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t->at, t->room, format, args);
    va_end(args);
    if (n > 0) {
        size_t used = (size_t)n < t->room ? (size_t)n : t->room - 1;
        t->at += used;
        t->room -= used;
    }
}

static void put_value(text *t, const uint64_t *limbs, uint32_t width)
{
    uint8_t bytes[2048];
    uint32_t n = (width + 7u) / 8u, i = 0;
    if (n > sizeof bytes) {
        put(t, "(%u bits)", width);
        return;
    }
    ss_store_value(bytes, width, limbs);
    while (i + 1 < n && bytes[i] == 0) i++;
    put(t, "0x%x", n ? bytes[i] : 0);
    for (i++; i < n; i++) put(t, "%02x", bytes[i]);
}

static void append(ss_switch *sw, const char *line, size_t n)
{
    ss_records *r = &sw->trace;
    if (r->len + n > BACKLOG_BYTES) {
        return;
    }
    if (r->len + n > r->cap) {
        uint64_t cap = (r->len + n) * 2;
        uint8_t *grown = realloc(r->data, cap);
        if (grown == NULL) {
            return;
        }
        r->data = grown;
        r->cap = cap;
    }
    memcpy(r->data + r->len, line, n);
    r->len += n;
}

static void finish(ss_switch *sw, const char *line, text *t)
{
    t->room += 1; /* kept for the end of the line */
    put(t, "\n");
    append(sw, line, (size_t)(t->at - line));
}

void ss_trace(ss_switch *sw, const char *kind, const char *source, const char *format, ...)
{
    char line[LINE_BYTES];
    text t = { line, sizeof line - 1 };
    put(&t, "%s\t%s\t", kind, *source ? source : "\t");
    va_list args;
    va_start(args, format);
    int n = vsnprintf(t.at, t.room, format, args);
    va_end(args);
    size_t used = n < 0 ? 0 : (size_t)n < t.room ? (size_t)n : t.room - 1;
    t.at += used;
    t.room -= used;
    finish(sw, line, &t);
}

static void put_key(text *t, const ss_key_desc *k, const uint64_t *key)
{
    uint64_t v[256];
    uint32_t limbs = (k->width + 63u) / 64u;
    for (uint32_t i = 0; i < limbs; i++) v[i] = key[k->word + i] >> k->shift;
    if (k->width % 64 != 0) v[limbs - 1] &= (UINT64_C(1) << (k->width % 64)) - 1;
    put_value(t, v, k->width);
}

void ss_trace_table(ss_switch *sw, uint32_t table, const char *source, const char *const *names,
                    const uint64_t *key, const ss_entry *e)
{
    const ss_table *tb = &sw->tables[table];
    char line[LINE_BYTES];
    text t = { line, sizeof line - 1 };
    put(&t, "table\t%s\t%s: ", *source ? source : "\t", tb->desc->name);
    for (uint32_t i = 0; i < tb->desc->keys; i++) {
        put(&t, "%s%s=", i ? ", " : "", names[i]);
        put_key(&t, &tb->desc->key[i], key);
    }
    if (e == NULL) {
        put(&t, "%smiss", tb->desc->keys ? ": " : "");
    } else {
        put(&t, ": hit entry %lld", (long long)ss_handle_of(tb, e));
        if (tb->desc->match == SS_TERNARY || tb->desc->match == SS_RANGE) put(&t, ", priority %d", e->priority);
        if (tb->desc->match == SS_LPM) put(&t, ", prefix length %d", e->priority);
    }
    finish(sw, line, &t);
}

void ss_trace_action(ss_switch *sw, uint32_t action, const char *source, const char *const *names, const void *data)
{
    const ss_action_desc *a = &ss_prog.actions[action];
    char line[LINE_BYTES];
    text t = { line, sizeof line - 1 };
    put(&t, "action\t%s\t%s(", *source ? source : "\t", a->name);
    for (uint32_t i = 0; i < a->params && data != NULL; i++) {
        uint64_t v[256] = { 0 };
        memcpy(v, (const uint8_t *)data + a->param[i].offset, a->param[i].size);
        put(&t, "%s%s=", i ? ", " : "", names[i]);
        put_value(&t, v, a->param[i].width);
    }
    put(&t, ")");
    finish(sw, line, &t);
}

void ss_trace_cell(ss_switch *sw, const char *kind, const char *source, const char *name, uint64_t index,
                   const uint64_t *value, uint32_t width)
{
    char line[LINE_BYTES];
    text t = { line, sizeof line - 1 };
    put(&t, "%s\t%s\t%s[%llu]", kind, *source ? source : "\t", name, (unsigned long long)index);
    if (value != NULL) {
        put(&t, " = ");
        put_value(&t, value, width);
    }
    finish(sw, line, &t);
}

SS_EXPORT const uint8_t *ss_trace_take(ss_switch *sw, uint64_t *size)
{
    *size = sw->trace.len;
    sw->trace.len = 0;
    return sw->trace.data;
}
