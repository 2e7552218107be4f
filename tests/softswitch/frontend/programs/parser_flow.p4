// SPDX-License-Identifier: MIT
// Branches and calls inside parser states; sub-parsers on stacks and with constructor
// arguments; lookahead of structures; selects on lists, ranges and signed keys.
#include <core.p4>
#include <v1model.p4>

header k_t { bit<8> n; int<8> s; bit<8> r; }
header e_t { bit<4> t; bit<4> v; }
header big_t { bit<16> x; }
struct look_t { bit<4> t; bit<4> v; bit<8> w; }
struct headers_t { k_t k; e_t[4] e; big_t b; }
struct meta_t { bit<8> sum; bit<8> path; }
error { TooMany }

bit<8> weight(in bit<4> v) { if (v > 7) { return 0x40; } return (bit<8>) v; }

parser Entry(packet_in pkt, inout e_t[4] e, inout bit<8> sum, out bool again)(bit<4> last) {
    state start {
        pkt.extract(e.next);
        sum = sum + weight(e.last.v);
        again = e.last.t != last;
        transition select(e.last.t) {
            0xd: reject;
            default: accept;
        }
    }
}

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Entry(0xf) entry;
    bool again = true;
    bit<8> count = 0;
    state start {
        pkt.extract(hdr.k);
        verify(hdr.k.n <= 4, error.TooMany);
        if (hdr.k.n == 0) { meta.path = 1; again = false; } else { meta.path = 2; }
        meta.sum = hdr.k.n > 3 ? 8w0x80 : hdr.k.n;
        transition select(again) { true: entries; false: rest; }
    }
    state entries {
        entry.apply(pkt, hdr.e, meta.sum, again);
        count = count + 1;
        hdr.e.last.v = hdr.e.last.v + 1;
        transition select(count, again) {
            (1 .. 2, true): entries;
            (3, _): rest;
            default: rest;
        }
    }
    state rest {
        look_t l = pkt.lookahead<look_t>();
        meta.path = meta.path + (bit<8>) l.v + l.w;
        transition select(hdr.k.s) {
            -1: big;
            -9 .. 2: negative;
            -128 &&& -128: accept;
            default: big;
        }
    }
    state negative {
        hdr.k.r = 0x40;
        transition select(hdr.k.s) { -9: big; 0 .. 2: big; default: accept; }
    }
    state big { pkt.extract(hdr.b); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = 1;
        hdr.k.r = hdr.k.r + meta.sum;
        hdr.k.n = meta.path;
        if (sm.parser_error == error.TooMany) { hdr.k.r = 0xee; }
        if (hdr.b.isValid()) { hdr.b.x = hdr.b.x + 1; }
    }
}
#include "tail.p4inc"
