// SPDX-License-Identifier: MIT
// Extern calls with operands that are not fields: slices, stack elements, expressions, headers.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> op; bit<8> i; bit<16> r; int<8> s; bool f; bit<7> z; }
header e_t { bit<8> v; bit<8> w; }
struct headers_t { h_t h; e_t[2] e; }
struct in_t { e_t e; bit<8> x; }
struct meta_t { in_t d; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); pkt.extract(hdr.e.next); pkt.extract(hdr.e.next); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    register<int<8>>(8) rs;
    register<bool>(8) rf;
    register<bit<4>>(8) r4;
    counter(8, CounterType.packets) c;
    apply {
        sm.egress_spec = 1;
        bit<32> i = (bit<32>) hdr.h.i;
        c.count(i + 1);
        switch (hdr.h.op) {
            1: { rs.write(i, hdr.h.s - 1); rf.write(i + 1, hdr.h.s < 0); r4.write(i, hdr.h.r[7:4]); }
            2: { rs.read(hdr.h.s, i); rf.read(hdr.h.f, i + 1); r4.read(hdr.h.r[11:8], i); hdr.h.z = hdr.h.s < 0 ? 7w1 : 7w2; }
            3: { r4.read(hdr.e[hdr.h.i].v[7:4], (bit<32>) hdr.h.i); }
            4: { hash(hdr.h.r, HashAlgorithm.xor16, 16w0, { hdr.e[0], hdr.e[1].v, 8w0xf0 }, 32w0x10000); }
            5: { meta.d.e = hdr.e[1]; meta.d.x = 1; hash(hdr.e[1].v[3:0], HashAlgorithm.identity, 4w1, { meta.d.x }, 4w8); }
            6: { random(hdr.h.r[7:0], 8w3, 8w3); random(hdr.e[hdr.h.i].w, 8w4, 8w4); }
            7: { log_msg("{} {}", { hdr.h.s + 1, hdr.h.f }); assert(hdr.h.f || hdr.h.i < 9); truncate((bit<32>) hdr.h.i + 3); }
        }
    }
}
#include "tail.p4inc"
