// SPDX-License-Identifier: MIT
// Side effects inside conditions, operands, indices and arguments, from left to right.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> a; bit<8> b; bit<8> c; bit<8> d; bit<8> e; bit<8> f; }
header e_t { bit<8> v; }
struct headers_t { h_t h; e_t[3] s; }
struct pair_t { bit<8> x; bit<8> y; }
struct meta_t { bit<8> n; pair_t p; }

bit<8> next(inout bit<8> n) { n = n + 1; return n; }
bool below(inout bit<8> n, in bit<8> limit) { n = n + 1; return n < limit; }
bit<8> sub(in bit<8> x, in bit<8> y) { return x - y; }
pair_t two(inout bit<8> n) { pair_t r; r.x = next(n); r.y = next(n); return r; }
bit<8> pick(in bit<8> x) { if (x > 5) { return 1; } else if (x > 3) { return 2; } return 3; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.h);
        pkt.extract(hdr.s.next); pkt.extract(hdr.s.next); pkt.extract(hdr.s.next);
        transition accept;
    }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = 1;
        bit<8> n = 0;
        // n is read before the call changes it
        hdr.h.a = n + next(n) + n;
        // both sides only when needed
        if (below(n, 2) && below(n, 10) || below(n, 4)) { hdr.h.b = n; } else { hdr.h.b = 0xff; }
        // the index is evaluated before the right side
        n = 0;
        hdr.s[n].v = next(n);
        // arguments in order
        n = 10;
        hdr.h.c = sub(next(n), next(n) + n);
        n = 5;
        meta.p = two(n);
        hdr.h.d = meta.p.x * 16 + meta.p.y;
        // overlap: the right side is read first
        meta.p = { meta.p.y, meta.p.x };
        hdr.h.e = meta.p.x * 16 + meta.p.y;
        hdr.h.f = hdr.h.f > 3 ? pick(hdr.h.f) : next(hdr.h.f) + (false ? next(n) : 0x20);
        hdr.s[1].v = pick(hdr.s[1].v) + pick(hdr.s[2].v) * 16;
        hdr.s[2].v[3:0] = next(n)[3:0];
    }
}
#include "tail.p4inc"
