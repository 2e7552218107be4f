// SPDX-License-Identifier: MIT
// Header unions as arguments and variables, copies, comparison, validity of members.
#include <core.p4>
#include <v1model.p4>

header k_t { bit<8> op; bit<8> r; }
header a_t { bit<8> x; }
header b_t { bit<16> y; }
header_union u_t { a_t a; b_t b; }
struct headers_t { k_t k; u_t u; u_t v; }
struct meta_t { }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.k);
        transition select(hdr.k.op[7:7]) { 0: one; 1: two; }
    }
    state one { pkt.extract(hdr.u.a); transition accept; }
    state two { pkt.extract(hdr.u.b); transition accept; }
}

control Fill(inout u_t u, in bit<8> v) {
    apply {
        if (u.a.isValid()) { u.b.setValid(); u.b.y = v ++ v; }
        else { u.a.setValid(); u.a.x = v; }
    }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Fill() fill;
    apply {
        sm.egress_spec = 1;
        switch (hdr.k.op & 0x7f) {
            1: { fill.apply(hdr.u, 0x5a); }
            2: { hdr.v = hdr.u; }
            3: { hdr.v = hdr.u; if (hdr.u == hdr.v) { hdr.k.r = 1; } }
            4: { hdr.v.a.setValid(); hdr.v.a.x = 1; if (hdr.u == hdr.v) { hdr.k.r = 1; } else { hdr.k.r = 2; } }
            5: { if (!hdr.v.isValid() && hdr.u.isValid()) { hdr.k.r = 3; } hdr.u.a.setInvalid(); }
            6: { hdr.u.b.setValid(); hdr.u.b.y = 0x0102; if (!hdr.u.a.isValid()) { hdr.k.r = 4; } }
        }
    }
}
#include "tail.p4inc"
