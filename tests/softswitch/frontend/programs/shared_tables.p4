// SPDX-License-Identifier: MIT
// A table applied at two places that continue in the same way; a control without tables twice.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> k; bit<8> a; bit<8> b; bit<8> c; }
struct headers_t { h_t h; }
struct meta_t { bit<8> m; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); transition accept; }
}

control Sub(inout bit<8> x, in bit<8> y) {
    apply { if (x == 0) { x = 0x20 + y; return; } x = x + 1; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Sub() sub;
    action mark(bit<8> v) { hdr.h.c = hdr.h.c + v; }
    table t { key = { hdr.h.k : exact; } actions = { mark; NoAction; } }
    apply {
        sm.egress_spec = 1;
        if (hdr.h.k > 4) {
            hdr.h.c = 0x10;
            t.apply();
        } else if (hdr.h.k > 2) {
            t.apply();
        }
        hdr.h.b = 1;
        if (hdr.h.a == 0) { sub.apply(meta.m, 1); } else { sub.apply(meta.m, hdr.h.k); }
        hdr.h.a = meta.m;
    }
}
#include "tail.p4inc"
