// SPDX-License-Identifier: MIT
// == and != of varbit fields: the same length and the same bits. Alone, in headers, in structs.
#include <core.p4>
#include <v1model.p4>

header k_t { bit<8> op; bit<8> a_len; bit<8> b_len; bit<8> r; }
header v_t { bit<8> t; varbit<64> data; bit<8> end; }
header w_t { varbit<64> data; }
struct headers_t { k_t k; v_t a; v_t b; w_t[2] w; }
struct pair_t { v_t v; bit<8> x; }
struct meta_t { bit<8> early; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.k);
        pkt.extract(hdr.a, (bit<32>) hdr.k.a_len << 3);
        transition select(hdr.k.op) { 3: elements; 10: elements; 6: accept; default: second; }
    }
    state second {
        pkt.extract(hdr.b, (bit<32>) hdr.k.b_len << 3);
        meta.early = hdr.a.data == hdr.b.data ? 8w0x11 : 8w0x22;
        transition accept;
    }
    state elements {
        pkt.extract(hdr.w.next, (bit<32>) hdr.k.a_len << 3);
        pkt.extract(hdr.w.next, (bit<32>) hdr.k.b_len << 3);
        transition accept;
    }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action tell(bool b) { hdr.k.r = b ? 8w1 : 8w2; }
    action compare() { hdr.k.r = (hdr.a.data == hdr.b.data && hdr.a.t != 0) ? 8w3 : 8w4; }
    apply {
        sm.egress_spec = 1;
        pair_t p;
        pair_t q;
        varbit<64> kept;
        w_t[2] others;
        switch (hdr.k.op) {
            1: { if (hdr.a.data == hdr.b.data) { hdr.k.r = 1; } else { hdr.k.r = 2; } }
            2: { tell(hdr.a.data != hdr.b.data); }
            3: {
                tell(hdr.w[0].data == hdr.w[1].data);
                bit<8> i = hdr.a.t & 1;
                if (hdr.w[i].data != hdr.w[0].data) { hdr.a.end = 0xff; }
            }
            4: { tell(hdr.a == hdr.b); }
            5: { compare(); }
            6: { tell(hdr.a == hdr.b || hdr.w[0] != hdr.w[1]); }
            7: {
                p.v = hdr.a; p.x = 5;
                q.v = hdr.b; q.x = 5;
                tell(p == q);
            }
            8: {
                kept = hdr.a.data;
                hdr.a.data = hdr.b.data;
                tell(!(kept == hdr.a.data));
            }
            9: { hdr.k.r = meta.early; }
            10: {
                others[0] = hdr.w[1];
                others[1] = hdr.w[0];
                tell(others == hdr.w);
            }
        }
    }
}
#include "tail.p4inc"
