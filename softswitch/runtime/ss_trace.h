/* SPDX-License-Identifier: MIT */
/* ss_trace.h - events for a trace. `source` is "file:line TAB fragment", or empty. */
#ifndef SS_TRACE_H
#define SS_TRACE_H

#include "ss_impl.h"

__attribute__((format(printf, 4, 5))) void ss_trace(ss_switch *sw, const char *kind, const char *source,
                                                    const char *format, ...);
void ss_trace_table(ss_switch *sw, uint32_t table, const char *source, const char *const *names,
                    const uint64_t *key, const ss_entry *e);
void ss_trace_action(ss_switch *sw, uint32_t action, const char *source, const char *const *names,
                     const void *data);
void ss_trace_cell(ss_switch *sw, const char *kind, const char *source, const char *name, uint64_t index,
                   const uint64_t *value, uint32_t width);

#ifdef SS_TRACE
#define SS_EVENT(sw, kind, ...) ss_trace(sw, kind, "", __VA_ARGS__)
#else
#define SS_EVENT(sw, kind, ...) ((void)0)
#endif

#endif
