// SPDX-License-Identifier: MIT
// Stack elements at run-time indices as out arguments; tables applied inside expressions
// and arguments; an exit in a table's action below two calls.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> op; bit<8> i; bit<8> r; bit<8> q; }
header e_t { bit<8> v; }
struct headers_t { h_t h; e_t[3] s; }
struct meta_t { bit<8> m; }

bit<8> keep(in bit<8> x) { return x; }
bit<8> bump(inout bit<8> x) { x = x + 1; return x; }
void both(out bit<8> x, inout bit<8> y) { x = y + 1; y = 0xee; }
void change(inout e_t e) { e.v = e.v + 0x40; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.h);
        pkt.extract(hdr.s.next); pkt.extract(hdr.s.next); pkt.extract(hdr.s.next);
        transition accept;
    }
}

control Deep(inout bit<8> a, inout headers_t hdr) {
    action leave(bit<8> v) { a = v; exit; }
    action stay() { a = a + 1; }
    table t {
        key = { hdr.h.i : exact; }
        actions = { leave; stay; }
        default_action = stay();
    }
    apply { t.apply(); a = a + 1; }
}
control Middle(inout h_t h, inout headers_t all) {
    Deep() deep;
    apply { deep.apply(h.r, all); h.q = 0x99; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Middle() middle;
    h_t mine;
    action yes() { hdr.h.q = 1; }
    table inner { key = { hdr.h.i : exact; } actions = { yes; NoAction; } }
    table outer {
        key = { meta.m + 0 : exact @name("k"); }
        actions = { yes; NoAction; }
        const entries = { 2 : yes(); }
    }
    table last { key = { hdr.h.i : exact; } actions = { NoAction; } }
    apply {
        sm.egress_spec = 1;
        if (hdr.h.op == 1) { hdr.h.r = bump(hdr.s[hdr.h.i].v); }
        if (hdr.h.op == 2) { hdr.s[bump(hdr.h.i)].v = bump(hdr.h.i); }
        if (hdr.h.op == 3) { both(hdr.s[hdr.h.i].v, hdr.h.i); }
        if (hdr.h.op == 4) { change(hdr.s[hdr.h.i]); }
        if (hdr.h.op == 5) { hdr.h.r = keep(hdr.s[keep(hdr.h.i)].v) + hdr.s[bump(hdr.h.i)].v; }
        if (hdr.h.op == 6) { meta.m = inner.apply().hit ? 8w1 : 8w2; if (outer.apply().hit) { hdr.h.r = hdr.h.q; } }
        if (hdr.h.op == 7) { hdr.h.r = keep(last.apply().miss ? 8w7 : 8w8); }
        if (hdr.h.op == 8) { mine = hdr.h; middle.apply(mine, hdr); hdr.h = mine; }
        hdr.h.op = 0xff;
    }
}
#include "tail.p4inc"
