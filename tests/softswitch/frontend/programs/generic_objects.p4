// SPDX-License-Identifier: MIT
// Generic structs, headers and functions; defaults; constructor arguments; shared registers.
#include <core.p4>
#include <v1model.p4>

header gen_t<T> { T v; bit<8> tag; }
header o_t { bit<8> a; bit<8> b; bit<8> c; bit<8> d; bit<16> e; }
struct two_t<A, B> { A first; B second; }
struct headers_t { gen_t<bit<8>> n; gen_t<bit<16>> w; o_t o; }
struct meta_t { two_t<bit<8>, two_t<bit<8>, bit<16>>> deep; }

T larger<T>(in T x, in T y, in bool first) { if (first) { return x; } return y; }
two_t<B, A> swap<A, B>(in two_t<A, B> p) { return { p.second, p.first }; }
bit<8> scaled(in bit<8> x, bit<8> k = 3) { return x * k; }

control Count(in bit<32> at, out bit<8> n)(register<bit<8>> cells, bit<8> step) {
    apply {
        bit<8> v;
        cells.read(v, at);
        n = v + step;
        cells.write(at, n);
    }
}

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.n); pkt.extract(hdr.w); pkt.extract(hdr.o); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    register<bit<8>>(16) cells;
    Count(cells, 1) one;
    Count(cells, 16) sixteen;
    apply {
        sm.egress_spec = 1;
        one.apply((bit<32>) hdr.n.v, hdr.o.a);
        sixteen.apply(at = (bit<32>) hdr.n.v, n = hdr.o.b);
        meta.deep = { 1, { 2, 0x304 } };
        two_t<bit<8>, bit<16>> p = { second = hdr.w.v, first = hdr.n.tag };
        two_t<bit<16>, bit<8>> q = swap(p);
        hdr.o.e = larger(q.first, meta.deep.second.second, q.second > 4);
        hdr.o.c = scaled(hdr.n.v) + scaled(k = 5, x = 1);
        tuple<bit<8>, two_t<bit<8>, bit<8>>> t = { 9, { 4, 5 } };
        hdr.o.d = t[0] + t[1].second;
        hdr.w = { 0xabcd, ... };
    }
}
#include "tail.p4inc"
