// SPDX-License-Identifier: MIT
// Stacks of unions, transitions to start, lookahead of headers, advance and verify with
// expressions, a stack in metadata, extraction into fixed elements.
#include <core.p4>
#include <v1model.p4>

header a_t { bit<8> tag; bit<8> v; }
header b_t { bit<8> tag; bit<16> w; }
header_union ab_t { a_t a; b_t b; }
header t_t { bit<8> n; bit<8> last; bit<8> sum; }
struct headers_t { t_t t; ab_t[3] u; a_t[2] s; }
struct meta_t { a_t[2] kept; bit<8> seen; bit<8> rounds; }

bool small(in bit<8> x, inout bit<8> count) { count = count + 1; return x < 0xf0; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        meta.rounds = meta.rounds + 1;
        bit<8> kind = pkt.lookahead<a_t>().tag;
        transition select(kind, meta.rounds) {
            (0x00, _): trailer;
            (0x0a, 1 .. 3): take_a;
            (0x0b, 1 .. 3): take_b;
            (0x0c, _): skip;
            default: accept;
        }
    }
    state take_a {
        pkt.extract(hdr.u.next.a);
        verify(small(hdr.u.last.a.v, meta.seen), error.ParserInvalidArgument);
        transition start;
    }
    state take_b {
        pkt.extract(hdr.u.next.b);
        transition select(hdr.u.last.b.w) { 0xffff: reject; default: start; }
    }
    state skip {
        a_t h = pkt.lookahead<a_t>();
        pkt.advance(16 + ((bit<32>) h.v << 3));
        meta.rounds = 0;
        transition start;
    }
    state trailer {
        pkt.extract(hdr.t);
        meta.kept[1].setValid();
        meta.kept[1].tag = 0x33;
        transition select(hdr.t.n) { 1: one; 2: two; _: accept; }
    }
    state one { pkt.extract(hdr.s[1]); transition accept; }
    state two { pkt.extract(hdr.s.next); pkt.extract(hdr.s.next); hdr.s.last.v = 0x44; transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = 1;
        hdr.t.last = meta.seen;
        hdr.t.sum = 0;
        if (hdr.u[0].isValid()) { hdr.t.sum = hdr.t.sum | 1; }
        if (hdr.u[1].b.isValid()) { hdr.t.sum = hdr.t.sum | 2; hdr.u[1].b.w = hdr.u[1].b.w + 1; }
        if (hdr.u[2].a.isValid()) { hdr.u[2].b.setValid(); hdr.u[2].b.tag = 0xbb; hdr.u[2].b.w = 0; }
        if (meta.kept[1].isValid() && !meta.kept[0].isValid()) { hdr.t.n = meta.kept[1].tag; }
        if (sm.parser_error == error.ParserInvalidArgument) { hdr.t.setValid(); hdr.t.n = 0xe0; hdr.t.sum = 0; }
    }
}
#include "tail.p4inc"
