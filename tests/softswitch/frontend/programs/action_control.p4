// SPDX-License-Identifier: MIT
// Control flow inside actions: loops, switch, early returns, exits, calls of other actions.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> k; bit<8> a; bit<8> b; bit<8> c; }
struct headers_t { h_t h; }
struct meta_t { bit<8> m; }

bit<8> fold(in bit<8> x) {
    bit<8> r = 0;
    for (bit<8> i = 0; i < 8; i = i + 1) {
        if (((x >> i) & 1) == 0) { continue; }
        if (i == 6) { return 0xee; }
        r = r + 1;
    }
    return r;
}

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action add(inout bit<8> to, bit<8> v) { to = to + v; if (to > 0x80) { return; } to = to + 1; }
    action classify(bit<8> limit) {
        switch (hdr.h.a) {
            1: { hdr.h.b = 0x11; }
            2:
            3: { hdr.h.b = 0x23; return; }
            default: { hdr.h.b = 0xdd; }
        }
        add(hdr.h.c, limit);
        add(hdr.h.c, 0x10);
        if (hdr.h.c == 0x42) { exit; }
        hdr.h.c = hdr.h.c ^ 0xff;
    }
    action count() {
        hdr.h.b = fold(hdr.h.a);
        meta.m = 0;
        for (bit<8> i = 0; i < hdr.h.b; i = i + 1) {
            for (bit<8> j = 0; j < 4; j = j + 1) {
                if (j == i) { break; }
                meta.m = meta.m + 1;
                if (meta.m == 5) { hdr.h.c = 0x55; exit; }
            }
        }
        hdr.h.c = meta.m;
    }
    table t {
        key = { hdr.h.k : exact; }
        actions = { classify; count; NoAction; }
        const entries = { 1 : classify(0x20); 2 : count(); }
        default_action = NoAction();
    }
    apply {
        sm.egress_spec = 1;
        t.apply();
        hdr.h.k = 0x77;
    }
}
#include "tail.p4inc"
