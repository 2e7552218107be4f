/* SPDX-License-Identifier: MIT */
/* ss_bits.h - bytes to words and back, and integers of more than 64 bits.
 *
 * A wide value is an array of 64-bit limbs, least significant first, in two's
 * complement.  Every function works modulo 2^(64 n). */
#ifndef SS_BITS_H
#define SS_BITS_H

#include "ss_impl.h"

typedef unsigned __int128 ss_u128;
typedef __int128 ss_s128;

SS_INLINE uint64_t ss_load16(const uint8_t *p) { uint16_t v; memcpy(&v, p, 2); return __builtin_bswap16(v); }
SS_INLINE uint64_t ss_load32(const uint8_t *p) { uint32_t v; memcpy(&v, p, 4); return __builtin_bswap32(v); }
SS_INLINE uint64_t ss_load64(const uint8_t *p) { uint64_t v; memcpy(&v, p, 8); return __builtin_bswap64(v); }
SS_INLINE void ss_store16(uint8_t *p, uint64_t x) { uint16_t v = __builtin_bswap16((uint16_t)x); memcpy(p, &v, 2); }
SS_INLINE void ss_store32(uint8_t *p, uint64_t x) { uint32_t v = __builtin_bswap32((uint32_t)x); memcpy(p, &v, 4); }
SS_INLINE void ss_store64(uint8_t *p, uint64_t x) { uint64_t v = __builtin_bswap64(x); memcpy(p, &v, 8); }

/* n constant bytes, n <= 8 */
SS_INLINE uint64_t ss_load_be(const uint8_t *p, unsigned n)
{
    switch (n) {
    case 1: return p[0];
    case 2: return ss_load16(p);
    case 3: return ss_load16(p) << 8 | p[2];
    case 4: return ss_load32(p);
    case 5: return ss_load32(p) << 8 | p[4];
    case 6: return ss_load32(p) << 16 | ss_load16(p + 4);
    case 7: return ss_load32(p) << 24 | ss_load16(p + 4) << 8 | p[6];
    case 8: return ss_load64(p);
    default: return 0;
    }
}

SS_INLINE void ss_store_be(uint8_t *p, uint64_t v, unsigned n)
{
    switch (n) {
    case 8: ss_store64(p, v); break;
    case 7: ss_store32(p, v >> 24); ss_store16(p + 4, v >> 8); p[6] = (uint8_t)v; break;
    case 6: ss_store32(p, v >> 16); ss_store16(p + 4, v); break;
    case 5: ss_store32(p, v >> 8); p[4] = (uint8_t)v; break;
    case 4: ss_store32(p, v); break;
    case 3: ss_store16(p, v >> 8); p[2] = (uint8_t)v; break;
    case 2: ss_store16(p, v); break;
    case 1: p[0] = (uint8_t)v; break;
    default: break;
    }
}

/* `bits` bits from bit offset `off` (most significant bit first), bits <= 64 */
SS_INLINE uint64_t ss_load_bits(const uint8_t *p, uint32_t off, unsigned bits)
{
    const uint8_t *q = p + off / 8;
    unsigned lead = off % 8, bytes = (lead + bits + 7) / 8, tail = bytes * 8 - lead - bits;
    uint64_t v;
    if (bytes <= 8) {
        v = ss_load_be(q, bytes) >> tail;
    } else {
        v = ss_load64(q) << (8 - tail) | (uint64_t)q[8] >> tail;
    }
    return bits == 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

SS_INLINE void ss_store_bits(uint8_t *p, uint32_t off, unsigned bits, uint64_t v)
{
    /* from the last byte backwards, keeping the neighbours' bits */
    uint32_t end = off + bits;
    while (bits > 0) {
        unsigned tail = (8 - end % 8) % 8, room = 8 - tail;
        unsigned take = bits < room ? bits : room;
        uint8_t *b = p + (end - 1) / 8;
        unsigned mask = ((1u << take) - 1) << tail;
        *b = (uint8_t)((*b & ~mask) | (((unsigned)v << tail) & mask));
        v >>= take;
        end -= take;
        bits -= take;
    }
}

SS_INLINE void ss_w_load_bits(uint64_t *d, int n, const uint8_t *p, uint32_t off, unsigned bits)
{
    for (int i = 0; i < n; i++) {
        unsigned take = bits < 64 ? bits : 64;
        d[i] = take == 0 ? 0 : ss_load_bits(p, off + bits - take, take);
        bits -= take;
    }
}

SS_INLINE void ss_w_store_bits(uint8_t *p, uint32_t off, unsigned bits, const uint64_t *s)
{
    for (int i = 0; bits > 0; i++) {
        unsigned take = bits < 64 ? bits : 64;
        ss_store_bits(p, off + bits - take, take, s[i]);
        bits -= take;
    }
}

SS_INLINE ss_u128 ss_ld128(const uint64_t *s) { return (ss_u128)s[1] << 64 | s[0]; }
SS_INLINE void ss_st128(uint64_t *d, ss_u128 v) { d[0] = (uint64_t)v; d[1] = (uint64_t)(v >> 64); }

/* value of a scalar shift; C leaves counts of 64 and more undefined */
SS_INLINE uint64_t ss_shl64(uint64_t v, uint64_t c) { return c < 64 ? v << c : 0; }
SS_INLINE uint64_t ss_shr64(uint64_t v, uint64_t c) { return c < 64 ? v >> c : 0; }
SS_INLINE int64_t ss_sar64(int64_t v, uint64_t c) { return v >> (c < 63 ? c : 63); }
SS_INLINE ss_u128 ss_shl128(ss_u128 v, uint64_t c) { return c < 128 ? v << c : 0; }
SS_INLINE ss_u128 ss_shr128(ss_u128 v, uint64_t c) { return c < 128 ? v >> c : 0; }
SS_INLINE ss_s128 ss_sar128(ss_s128 v, uint64_t c) { return v >> (c < 127 ? c : 127); }
SS_INLINE uint64_t ss_sx64(uint64_t v, unsigned w) { return (uint64_t)((int64_t)(v << (64 - w)) >> (64 - w)); }
SS_INLINE ss_u128 ss_sx128(ss_u128 v, unsigned w) { return (ss_u128)((ss_s128)(v << (128 - w)) >> (128 - w)); }
SS_INLINE uint64_t ss_udiv64(uint64_t a, uint64_t b) { return b ? a / b : 0; }
SS_INLINE uint64_t ss_umod64(uint64_t a, uint64_t b) { return b ? a % b : 0; }
SS_INLINE ss_u128 ss_udiv128(ss_u128 a, ss_u128 b) { return b ? a / b : 0; }
SS_INLINE ss_u128 ss_umod128(ss_u128 a, ss_u128 b) { return b ? a % b : 0; }
SS_INLINE ss_s128 ss_sdiv128(ss_s128 a, ss_s128 b) { return b ? a / b : 0; }
SS_INLINE ss_s128 ss_smod128(ss_s128 a, ss_s128 b) { return b ? a % b : 0; }

SS_INLINE void ss_w_zero(uint64_t *d, int n) { memset(d, 0, (size_t)n * 8); }

/* d (n limbs) = s (m limbs), extended with zero or with the sign, or cut */
SS_INLINE void ss_w_copy(uint64_t *d, int n, const uint64_t *s, int m, bool is_signed)
{
    uint64_t fill = is_signed && (s[m - 1] >> 63) ? UINT64_MAX : 0;
    for (int i = 0; i < n; i++) {
        d[i] = i < m ? s[i] : fill;
    }
}

SS_INLINE void ss_w_add(uint64_t *d, const uint64_t *a, const uint64_t *b, int n)
{
    uint64_t carry = 0;
    for (int i = 0; i < n; i++) {
        ss_u128 t = (ss_u128)a[i] + b[i] + carry;
        d[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
}

SS_INLINE void ss_w_sub(uint64_t *d, const uint64_t *a, const uint64_t *b, int n)
{
    uint64_t borrow = 0;
    for (int i = 0; i < n; i++) {
        ss_u128 t = (ss_u128)a[i] - b[i] - borrow;
        d[i] = (uint64_t)t;
        borrow = (uint64_t)(t >> 64) & 1;
    }
}

SS_INLINE void ss_w_mul(uint64_t *restrict d, const uint64_t *a, const uint64_t *b, int n)
{
    ss_w_zero(d, n);
    for (int i = 0; i < n; i++) {
        uint64_t carry = 0;
        for (int j = 0; i + j < n; j++) {
            ss_u128 t = (ss_u128)a[i] * b[j] + d[i + j] + carry;
            d[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
    }
}

SS_INLINE void ss_w_and(uint64_t *d, const uint64_t *a, const uint64_t *b, int n) { for (int i = 0; i < n; i++) d[i] = a[i] & b[i]; }
SS_INLINE void ss_w_or(uint64_t *d, const uint64_t *a, const uint64_t *b, int n) { for (int i = 0; i < n; i++) d[i] = a[i] | b[i]; }
SS_INLINE void ss_w_xor(uint64_t *d, const uint64_t *a, const uint64_t *b, int n) { for (int i = 0; i < n; i++) d[i] = a[i] ^ b[i]; }
SS_INLINE void ss_w_not(uint64_t *d, const uint64_t *a, int n) { for (int i = 0; i < n; i++) d[i] = ~a[i]; }

SS_INLINE void ss_w_shl(uint64_t *restrict d, const uint64_t *a, uint64_t c, int n)
{
    for (int i = n - 1; i >= 0; i--) {
        uint64_t limb = c / 64, bit = c % 64;
        uint64_t hi = (uint64_t)i >= limb ? a[(uint64_t)i - limb] : 0;
        uint64_t lo = (uint64_t)i > limb ? a[(uint64_t)i - limb - 1] : 0;
        d[i] = bit ? hi << bit | lo >> (64 - bit) : hi;
    }
}

SS_INLINE void ss_w_shr(uint64_t *restrict d, const uint64_t *a, uint64_t c, int n, bool is_signed)
{
    uint64_t fill = is_signed && (a[n - 1] >> 63) ? UINT64_MAX : 0, limb = c / 64, bit = c % 64;
    for (uint64_t i = 0; i < (uint64_t)n; i++) {
        uint64_t lo = limb < (uint64_t)n - i ? a[i + limb] : fill;
        uint64_t hi = limb + 1 < (uint64_t)n - i ? a[i + limb + 1] : fill;
        d[i] = bit ? lo >> bit | hi << (64 - bit) : lo;
    }
}

SS_INLINE int ss_w_cmp(const uint64_t *a, const uint64_t *b, int n) /* signed */
{
    if (a[n - 1] != b[n - 1]) {
        return (int64_t)a[n - 1] < (int64_t)b[n - 1] ? -1 : 1;
    }
    for (int i = n - 2; i >= 0; i--) {
        if (a[i] != b[i]) {
            return a[i] < b[i] ? -1 : 1;
        }
    }
    return 0;
}

/* keep the low `w` bits and extend them with zero or with bit w - 1 */
SS_INLINE void ss_w_wrap(uint64_t *d, const uint64_t *a, unsigned w, int n, bool is_signed)
{
    bool negative = is_signed && (a[(w - 1) / 64] >> ((w - 1) % 64) & 1);
    for (int i = 0; i < n; i++) {
        unsigned low = (unsigned)i * 64;
        uint64_t keep = w >= low + 64 ? UINT64_MAX : w <= low ? 0 : (UINT64_C(1) << (w - low)) - 1;
        d[i] = (a[i] & keep) | (negative ? ~keep : 0);
    }
}

/* quotient and remainder of non-negative values; zero when b is zero */
void ss_w_divmod(uint64_t *q, uint64_t *r, const uint64_t *a, const uint64_t *b, int n);

SS_INLINE bool ss_w_is_zero(const uint64_t *a, int n)
{
    uint64_t any = 0;
    for (int i = 0; i < n; i++) any |= a[i];
    return any == 0;
}

/* Varbit fields are a uint16_t, their length in bits, and the bytes right after it. */
SS_INLINE bool ss_varbit_equal(const void *a, const void *b)
{
    uint16_t bits, other;
    memcpy(&bits, a, sizeof bits);
    memcpy(&other, b, sizeof other);
    return bits == other &&
           memcmp((const uint8_t *)a + sizeof bits, (const uint8_t *)b + sizeof bits, bits / 8u) == 0;
}

#endif
