// SPDX-License-Identifier: MIT
// Tables of sub-controls on their parameters; results of apply inside expressions and switch.
#include <core.p4>
#include <v1model.p4>

header h_t { bit<8> k; bit<8> a; bit<8> r; bool flag; bit<7> z; }
struct headers_t { h_t h; }
enum bit<8> Kind { ONE = 1, TWO = 2 }
struct meta_t { bool hit; Kind kind; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    state start { pkt.extract(hdr.h); transition accept; }
}

control Look(inout bit<8> key_, out bit<8> result)(bit<8> dflt) {
    action set(bit<8> v) { result = v; key_ = key_ + 1; }
    action miss() { result = dflt; }
    table t {
        key = { key_ : exact @name("key"); }
        actions = { set; miss; }
        default_action = miss();
    }
    apply { t.apply(); }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    Look(0xd1) first;
    Look(0xd2) second;
    action on() { hdr.h.flag = true; }
    action off() { hdr.h.flag = false; }
    table hit_t { key = { hdr.h.k : exact; } actions = { on; off; NoAction; } }
    table flag_t {
        key = { hdr.h.flag : exact; meta.kind : exact; }
        actions = { on; off; NoAction; }
        const entries = { (true, Kind.ONE) : off(); (false, Kind.TWO) : on(); }
    }
    apply {
        sm.egress_spec = 1;
        bit<8> x;
        first.apply(hdr.h.k, x);
        second.apply(x, hdr.h.r);
        hdr.h.a = x;
        meta.kind = hdr.h.z[1:0] == 1 ? Kind.ONE : Kind.TWO;
        if (hdr.h.z > 1 && hit_t.apply().hit || hdr.h.k == 0x40) { hdr.h.r = hdr.h.r + 1; }
        switch (flag_t.apply().action_run) {
            on: { hdr.h.z = 0x11; }
            off:
            NoAction: { hdr.h.z = 0x22; }
            default: { hdr.h.z = 0x33; }
        }
    }
}
#include "tail.p4inc"
