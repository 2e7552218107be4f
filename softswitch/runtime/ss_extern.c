/* SPDX-License-Identifier: MIT */
/* ss_extern.c - v1model externs: hashes, random, meters, counters, registers, log. */
#include <stdio.h>
#include <stdlib.h>

#include "ss_bits.h"

/* ---- hashes and checksums ---- */

static uint32_t crc_table[256];
static uint16_t crc16_table[256], ccitt_table[256];

__attribute__((constructor)) static void fill_tables(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i, a = i, t = i << 8;
        for (int k = 0; k < 8; k++) {
            c = c & 1 ? c >> 1 ^ 0xedb88320u : c >> 1;
            a = a & 1 ? a >> 1 ^ 0xa001u : a >> 1;
            t = t & 0x8000 ? t << 1 ^ 0x1021u : t << 1;
        }
        crc_table[i] = c;
        crc16_table[i] = (uint16_t)a;
        ccitt_table[i] = (uint16_t)t;
    }
}

uint64_t ss_hash_crc32(const uint8_t *d, size_t n)
{
    uint32_t c = 0xffffffffu;
    for (size_t i = 0; i < n; i++) c = crc_table[(c ^ d[i]) & 0xff] ^ c >> 8;
    return c ^ 0xffffffffu;
}

uint64_t ss_hash_crc16(const uint8_t *d, size_t n)
{
    uint32_t c = 0;
    for (size_t i = 0; i < n; i++) c = crc16_table[(c ^ d[i]) & 0xff] ^ c >> 8;
    return c;
}

uint64_t ss_hash_crc_ccitt(const uint8_t *d, size_t n)
{
    uint32_t c = 0xffff;
    for (size_t i = 0; i < n; i++) c = (ccitt_table[(c >> 8 ^ d[i]) & 0xff] ^ c << 8) & 0xffff;
    return c;
}

uint64_t ss_hash_csum16(const uint8_t *d, size_t n)
{
    uint64_t sum = 0;
    size_t i = 0;
    for (; i + 4 <= n; i += 4) sum += ss_load32(d + i);
    if (i + 2 <= n) {
        sum += ss_load16(d + i);
        i += 2;
    }
    if (i < n) sum += (uint64_t)d[i] << 8;
    while (sum >> 16 != 0) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

uint64_t ss_hash_xor16(const uint8_t *d, size_t n)
{
    uint64_t x = 0;
    size_t i = 0;
    for (; i + 2 <= n; i += 2) x ^= ss_load16(d + i);
    return i < n ? x ^ (uint64_t)d[i] << 8 : x;
}

uint64_t ss_hash_identity(const uint8_t *d, size_t n)
{
    uint64_t x = 0;
    for (size_t i = 0; i < n && i < 8; i++) x = x << 8 | d[i];
    return x;
}

/* ---- random: splitmix64, its state in the first word of the arena ---- */

uint64_t ss_random(ss_switch *sw, uint64_t low, uint64_t high)
{
    uint64_t state, z;
    memcpy(&state, sw->arena, 8);
    state += UINT64_C(0x9e3779b97f4a7c15);
    memcpy(sw->arena, &state, 8);
    z = (state ^ state >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    if (high < low) {
        return low;
    }
    uint64_t span = high - low;
    return span == UINT64_MAX ? z : low + (uint64_t)((ss_u128)z * (span + 1) >> 64);
}

/* ---- meters: two rates, three colours, colour-blind (RFC 2698) ---- */

#define MILLION UINT64_C(1000000)

void ss_meter_configure(ss_meter_cell *m, const uint64_t *rates, uint64_t now)
{
    memset(m, 0, sizeof *m);
    if (rates == NULL) {
        return;
    }
    m->cir = rates[0];
    m->cburst = rates[1];
    m->pir = rates[2];
    m->pburst = rates[3];
    m->committed = m->cburst * MILLION; /* buckets start full */
    m->peak = m->pburst * MILLION;
    m->last_us = now;
    m->configured = 1;
}

int ss_meter_rates(const ss_meter_cell *m, uint64_t *rates)
{
    rates[0] = m->cir;
    rates[1] = m->cburst;
    rates[2] = m->pir;
    rates[3] = m->pburst;
    return m->configured ? 1 : 0;
}

static uint64_t refill(uint64_t tokens, uint64_t rate, uint64_t burst, uint64_t dt)
{
    ss_u128 t = (ss_u128)rate * dt + tokens, full = (ss_u128)burst * MILLION;
    return (uint64_t)(t < full ? t : full);
}

uint32_t ss_meter_run(ss_switch *sw, ss_meter_cell *m, uint64_t units)
{
    if (!m->configured) {
        return 0;
    }
    uint64_t dt = sw->now > m->last_us ? sw->now - m->last_us : 0, need = units * MILLION;
    m->committed = refill(m->committed, m->cir, m->cburst, dt);
    m->peak = refill(m->peak, m->pir, m->pburst, dt);
    m->last_us = sw->now;
    if (m->peak < need) {
        return 2; /* red */
    }
    m->peak -= need;
    if (m->committed < need) {
        return 1; /* yellow */
    }
    m->committed -= need;
    return 0;
}

/* ---- access from the control plane ---- */

static uint8_t *cell_of(ss_switch *sw, const ss_array_desc *arrays, uint32_t n, uint32_t which, uint32_t index)
{
    return which >= n || index >= arrays[which].size
               ? NULL
               : sw->arena + arrays[which].offset + (uint64_t)index * arrays[which].stride;
}

SS_EXPORT int ss_register_read(ss_switch *sw, uint32_t reg, uint32_t index, uint8_t *value)
{
    uint64_t limbs[256] = { 0 };
    const uint8_t *c = cell_of(sw, ss_prog.registers, ss_prog.n_registers, reg, index);
    if (c == NULL) return SS_ERR_INVALID;
    memcpy(limbs, c, ss_prog.registers[reg].cell);
    ss_store_value(value, ss_prog.registers[reg].width, limbs);
    return SS_OK;
}

SS_EXPORT int ss_register_write(ss_switch *sw, uint32_t reg, uint32_t index, const uint8_t *value)
{
    uint64_t limbs[256];
    uint8_t *c = cell_of(sw, ss_prog.registers, ss_prog.n_registers, reg, index);
    if (c == NULL || ss_load_value(value, ss_prog.registers[reg].width, limbs) != SS_OK) return SS_ERR_INVALID;
    memcpy(c, limbs, ss_prog.registers[reg].cell);
    return SS_OK;
}

SS_EXPORT int ss_counter_read(ss_switch *sw, uint32_t counter, uint32_t index, uint64_t *packets, uint64_t *bytes)
{
    const uint8_t *c = cell_of(sw, ss_prog.counters, ss_prog.n_counters, counter, index);
    if (c == NULL) return SS_ERR_INVALID;
    memcpy(packets, c, 8);
    memcpy(bytes, c + 8, 8);
    return SS_OK;
}

SS_EXPORT int ss_counter_write(ss_switch *sw, uint32_t counter, uint32_t index, uint64_t packets, uint64_t bytes)
{
    uint8_t *c = cell_of(sw, ss_prog.counters, ss_prog.n_counters, counter, index);
    if (c == NULL) return SS_ERR_INVALID;
    memcpy(c, &packets, 8);
    memcpy(c + 8, &bytes, 8);
    return SS_OK;
}

SS_EXPORT int ss_meter_set(ss_switch *sw, uint32_t meter, uint32_t index, const uint64_t *rates)
{
    uint8_t *c = cell_of(sw, ss_prog.meters, ss_prog.n_meters, meter, index);
    if (c == NULL) return SS_ERR_INVALID;
    ss_meter_configure((ss_meter_cell *)(void *)c, rates, sw->now);
    return SS_OK;
}

SS_EXPORT int ss_meter_get(ss_switch *sw, uint32_t meter, uint32_t index, uint64_t *rates)
{
    uint8_t *c = cell_of(sw, ss_prog.meters, ss_prog.n_meters, meter, index);
    return c == NULL ? SS_ERR_INVALID : ss_meter_rates((ss_meter_cell *)(void *)c, rates);
}

/* ---- log_msg, assert, assume ---- */

void ss_assert_failed(ss_switch *sw, ss_packet *p, const char *text)
{
    snprintf(sw->fault, sizeof sw->fault, "%s", text);
    sw->faults++;
    p->is_dead = true;
    if (sw->hooks.log != NULL) {
        sw->hooks.log(sw->hooks.ctx, sw->fault);
    }
}

void ss_log(ss_switch *sw, const char *format, const char *const *values, uint32_t n)
{
    char text[1024];
    size_t len = 0;
    uint32_t used = 0;
    if (sw->hooks.log == NULL) {
        return;
    }
    for (const char *f = format; *f != 0 && len + 1 < sizeof text; f++) {
        if (f[0] == '{' && f[1] == '}' && used < n) {
            int k = snprintf(text + len, sizeof text - len, "%s", values[used++]);
            len = k < 0 || (size_t)k >= sizeof text - len ? sizeof text - 1 : len + (size_t)k;
            f++;
        } else {
            text[len++] = *f;
        }
    }
    text[len] = 0;
    sw->hooks.log(sw->hooks.ctx, text);
}

void ss_format(char *out, size_t room, const uint64_t *limbs, unsigned n, bool is_signed)
{
    bool negative = is_signed && limbs[n - 1] >> 63;
    if (n == 1) {
        if (is_signed) snprintf(out, room, "%lld", (long long)(int64_t)limbs[0]);
        else snprintf(out, room, "%llu", (unsigned long long)limbs[0]);
        return;
    }
    size_t at = (size_t)snprintf(out, room, negative ? "...0x" : "0x");
    for (unsigned i = n; i-- > 0 && at + 17 < room;) {
        at += (size_t)snprintf(out + at, room - at, "%016llx", (unsigned long long)limbs[i]);
    }
}

void ss_w_divmod(uint64_t *q, uint64_t *r, const uint64_t *a, const uint64_t *b, int n)
{
    ss_w_zero(q, n);
    ss_w_zero(r, n);
    if (ss_w_is_zero(b, n)) {
        return;
    }
    for (int bit = n * 64 - 1; bit >= 0; bit--) {
        for (int i = n - 1; i > 0; i--) r[i] = r[i] << 1 | r[i - 1] >> 63;
        r[0] = r[0] << 1 | (a[bit / 64] >> (bit % 64) & 1);
        if (ss_w_cmp(r, b, n) >= 0) {
            ss_w_sub(r, r, b, n);
            q[bit / 64] |= UINT64_C(1) << (bit % 64);
        }
    }
}
