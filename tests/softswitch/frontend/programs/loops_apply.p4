// SPDX-License-Identifier: MIT
// C-style loops in apply blocks, with and without tables in them.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> n; bit<8> sum; bit<8> hits; bit<8> nest; bit<8> k; }
struct headers_t { h_t h; }
struct meta_t { bit<8> key; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action add(bit<8> v) { hdr.h.hits = hdr.h.hits + v; }
    action stop() { exit; }
    table t {
        key = { meta.key : exact; }
        actions = { add; stop; NoAction; }
        const entries = { 1 : add(0x10); 3 : add(1); 9 : stop(); }
    }
    apply {
        sm.egress_spec = 1;
        hdr.h.sum = 0;
        for (bit<8> i = 1; i <= hdr.h.n; i += 1) {
            if (i == 3) { continue; }
            if (i == 6) { break; }
            hdr.h.sum = hdr.h.sum + i;
        }
        hdr.h.nest = 0;
        for (bit<8> a = 0; a < 3; a = a + 1) {
            for (bit<8> b = 0; b < a; b = b + 1) { hdr.h.nest = hdr.h.nest + 1; }
        }
        hdr.h.hits = 0;
        for (bit<8> j = hdr.h.n; j > 0; j = j - 1) {
            meta.key = j;
            if (t.apply().miss) { hdr.h.k = hdr.h.k + 1; continue; }
            if (j == 1 && hdr.h.n == 7) { return; }
        }
        hdr.h.k = hdr.h.k | 0x80;
    }
}
#include "tail.p4inc"
