// SPDX-License-Identifier: MIT
// Signed action data, keys and constants; wide and odd widths; slices and concatenation.
#include <core.p4>
#include <v1model.p4>

header h_t { int<8> a; int<8> b; bit<8> r; bit<8> q; int<16> w; }
header l_t { bit<200> x; bit<200> y; }
struct headers_t { h_t h; l_t l; }
struct meta_t { int<8> m; }

const int<8> LOW = -100;

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); pkt.extract(hdr.l); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action cmp(int<8> v) {
        if (v < hdr.h.b) { hdr.h.r = 1; } else { hdr.h.r = 2; }
        hdr.h.w = (int<16>) v * -3;
        meta.m = v;
    }
    table t {
        key = { hdr.h.a : exact; }
        actions = { cmp; }
        default_action = cmp(-5);
        const entries = { -1 : cmp(-128); 1 : cmp(127); LOW : cmp(LOW); }
    }
    apply {
        sm.egress_spec = 1;
        t.apply();
        hdr.h.q = (bit<8>) (meta.m >> 1) ^ (bit<8>) ((meta.m |-| hdr.h.b) |+| 1);
        if (meta.m != -5 && -meta.m == 100) { hdr.h.q = 0x99; }
        hdr.l.y = (hdr.l.x << 100) | (hdr.l.x >> 100);
        hdr.l.x[199:192] = hdr.l.x[7:0] ++ 8w0x5a == 0x015a ? 8w0x11 : (bit<8>) hdr.h.a;
        hdr.l.x = hdr.l.x + 200w0xffffffffffffffffffffffff;
    }
}
#include "tail.p4inc"
