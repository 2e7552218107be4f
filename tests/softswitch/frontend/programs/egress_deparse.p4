// SPDX-License-Identifier: MIT
// Sub-controls in the deparser and the checksum controls; field lists with nested structs;
// clones and digests of headers; metadata that travels from ingress to egress.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> op; bit<8> r; bit<16> sum; }
header t_t { bit<8> x; bit<8> y; }
struct inner_t { bit<8> a; bit<8> b; }
struct headers_t { h_t h; t_t t; t_t u; }
struct meta_t { @field_list(1) inner_t kept; inner_t lost; @field_list(1, 2) bit<8> both; t_t side; }
struct note_t { t_t t; bit<8> op; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); pkt.extract(hdr.t); transition accept; }
}

#define OWN_VERIFY
control Check(inout h_t h, inout t_t t) {
    apply { verify_checksum(h.op == 9, { h.op, h.r, t }, h.sum, HashAlgorithm.csum16); }
}
control Vfy(inout headers_t hdr, inout meta_t meta) {
    apply { Check.apply(hdr.h, hdr.t); }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action tell() { digest<note_t>(1, { hdr.t, hdr.h.op }); }
    apply {
        sm.egress_spec = 1;
        meta.kept = { 1, 2 };
        meta.lost = { 3, 4 };
        meta.both = 5;
        meta.side = hdr.t;
        if (hdr.h.op == 1) { clone_preserving_field_list(CloneType.I2E, 7, 1); }
        if (hdr.h.op == 2) { clone_preserving_field_list(CloneType.I2E, 7, 2); }
        if (hdr.h.op == 3) { tell(); }
        hdr.h.r = hdr.h.r + (bit<8>) sm.checksum_error;
    }
}

#define OWN_EGRESS
control Eg(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        if (meta.side.isValid()) { hdr.u = meta.side; hdr.u.y = 0; }
        hdr.t.x = meta.kept.a ++ 4w0 == 12w0x010 ? 8w0xaa : meta.kept.a;
        hdr.t.y = meta.kept.b + (meta.lost.b << 4) + (meta.both << 4);
    }
}

#define OWN_COMPUTE
control Cmp(inout headers_t hdr, inout meta_t meta) {
    apply { update_checksum(hdr.h.op < 4, { hdr.h.op, hdr.h.r, 16w0x1200, hdr.t }, hdr.h.sum, HashAlgorithm.csum16); }
}

#define OWN_DEPARSER
control Tail(packet_out pkt, in t_t t, in t_t u) {
    apply { pkt.emit(u); pkt.emit(t); }
}
control Dep(packet_out pkt, in headers_t hdr) {
    Tail() tail;
    apply { pkt.emit(hdr.h); tail.apply(pkt, hdr.t, hdr.u); }
}
#include "tail.p4inc"
