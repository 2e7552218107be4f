// SPDX-License-Identifier: MIT
// The same table as in entities.p4, with fewer neighbours: for exchanging programs.
#include <core.p4>
#include <v1model.p4>

header h_t {
    bit<8>  op;
    bit<16> k;
    bit<8>  res;
}

struct headers {
    h_t h;
}

struct metadata {}

parser P(packet_in pkt, out headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    state start {
        pkt.extract(hdr.h);
        transition accept;
    }
}

control C(inout headers hdr, inout metadata meta) {
    apply {}
}

control Ig(inout headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    action set(bit<9> port, bit<8> v) {
        sm.egress_spec = port;
        hdr.h.res = v;
    }
    action drop() {
        mark_to_drop(sm);
    }
    table exact_t {
        key = { hdr.h.k: exact; }
        actions = { set; drop; NoAction; }
        default_action = drop();
        size = 64;
    }
    apply {
        exact_t.apply();
    }
}

control Eg(inout headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    apply {}
}

control D(packet_out pkt, in headers hdr) {
    apply {
        pkt.emit(hdr.h);
    }
}

V1Switch(P(), C(), Ig(), Eg(), C(), D()) main;
