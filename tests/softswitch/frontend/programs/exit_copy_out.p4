// SPDX-License-Identifier: MIT
// exit copies out and inout arguments back, through all calls that it leaves.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> k; bit<8> a; bit<8> b; bit<8> c; }
struct headers_t { h_t h; }
struct meta_t { bit<8> m; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); transition accept; }
}

control Inner(inout bit<8> x, out bit<8> y, in bit<8> k) {
    action stop(inout bit<8> z) { z = z + 1; exit; z = 0xff; }
    apply {
        x = x + 0x10;
        y = 0x77;
        if (k == 2) { exit; }
        if (k == 3) { stop(x); }
        x = x + 1;
    }
}

control Outer(inout h_t h) {
    Inner() inner;
    apply {
        // the same field twice: the copies back happen from left to right
        inner.apply(h.a, h.b, h.k);
        if (h.k == 4) { inner.apply(h.c, h.c, 2); }
        h.c = h.c + 0x20;
    }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Outer() outer;
    apply {
        sm.egress_spec = 1;
        if (hdr.h.k == 1) { exit; }
        outer.apply(hdr.h);
        hdr.h.c = hdr.h.c + 1;
    }
}
#include "tail.p4inc"
