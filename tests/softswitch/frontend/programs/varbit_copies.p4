// SPDX-License-Identifier: MIT
// Headers with varbit fields: copied, hashed, assigned to variables.
#include <core.p4>
#include <v1model.p4>

header k_t { bit<8> op; bit<8> len; bit<16> r; }
header v_t { bit<8> t; varbit<64> data; }
struct headers_t { k_t k; v_t a; v_t b; }
struct meta_t { }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.k);
        pkt.extract(hdr.a, (bit<32>) hdr.k.len << 3);
        transition select(hdr.k.op) { 2: second; 4: second; default: accept; }
    }
    state second { pkt.extract(hdr.b, 8 * (bit<32>) (hdr.k.len + 1)); transition accept; }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = 1;
        v_t t;
        switch (hdr.k.op) {
            1: { hdr.b = hdr.a; hdr.b.t = 0xbb; }
            2: { t = hdr.a; hdr.a = hdr.b; hdr.b = t; }
            4: { hdr.a.data = hdr.b.data; }
            5: { hash(hdr.k.r, HashAlgorithm.xor16, 16w0, { hdr.a.t, hdr.a.data }, 32w0x10000); }
        }
    }
}
#include "tail.p4inc"
