// SPDX-License-Identifier: MIT
// Whole elements at run-time indices, stacks as variables, arguments and operands of ==.
#include <core.p4>
#include <v1model.p4>

header k_t { bit<8> op; bit<8> i; bit<8> j; bit<8> r; }
header e_t { bit<8> v; bit<8> w; }
struct headers_t { k_t k; e_t[3] s; e_t x; }
struct meta_t { e_t[3] saved; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.k); transition more; }
    state more {
        pkt.extract(hdr.s.next);
        transition select(hdr.s.last.w) { 0: accept; default: more; }
    }
}

control Rotate(inout e_t[3] s) {
    apply {
        e_t first = s[0];
        s.pop_front(1);
        s[2] = first;
    }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Rotate() rotate;
    e_t[3] copy;
    apply {
        sm.egress_spec = 1;
        bit<8> i = hdr.k.i;
        bit<8> j = hdr.k.j;
        switch (hdr.k.op) {
            1: { hdr.s[i] = hdr.s[j]; }
            2: { hdr.x = hdr.s[i]; }
            3: { e_t t = hdr.s[i]; hdr.s[i] = hdr.s[j]; hdr.s[j] = t; }
            4: { rotate.apply(hdr.s); }
            5: { meta.saved = hdr.s; hdr.s[0].v = 0xee; hdr.k.r = meta.saved == hdr.s ? 8w1 : 8w2; }
            6: { copy = hdr.s; copy[1].setInvalid(); hdr.k.r = copy == hdr.s ? 8w1 : 8w2; hdr.s = copy; }
            7: { if (hdr.s[i].isValid() && !hdr.s[j].isValid()) { hdr.k.r = 0x55; } }
            8: { hdr.s[i].v = hdr.s[j].v + 1; hdr.s[i].w[7:4] = 0xa; }
            9: { hdr.s[i].setInvalid(); hdr.k.r = (bit<8>) hdr.s.size; }
        }
    }
}
#include "tail.p4inc"
