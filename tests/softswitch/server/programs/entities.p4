// SPDX-License-Identifier: MIT
// One of each kind of object that P4Runtime can write and read; for the tests of the server.
#include <core.p4>
#include <v1model.p4>

const bit<9> CPU_PORT = 510;

@controller_header("packet_in")
header packet_in_t {
    bit<9> ingress_port;
    bit<7> reason;
}

@controller_header("packet_out")
header packet_out_t {
    bit<9> egress_port;
    bit<7> _pad;
}

header h_t {
    bit<8>  op;
    bit<16> k;
    bit<32> addr;
    bit<12> wide;
    bit<4>  nib;
    bit<8>  res;
}

struct headers {
    packet_in_t  packet_in;
    packet_out_t packet_out;
    h_t          h;
}

struct metadata {
    bit<2> color;
}

struct learn_t {
    bit<32> addr;
    bit<9>  port;
    bit<12> wide;
}

parser P(packet_in pkt, out headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    value_set<bit<8>>(4) specials;

    state start {
        transition select(sm.ingress_port) {
            CPU_PORT: controller;
            default: plain;
        }
    }
    state controller {
        pkt.extract(hdr.packet_out);
        transition plain;
    }
    state plain {
        pkt.extract(hdr.h);
        transition select(hdr.h.op) {
            specials: special;
            default: accept;
        }
    }
    state special {
        hdr.h.res = 0xee;
        transition accept;
    }
}

control C(inout headers hdr, inout metadata meta) {
    apply {}
}

control Ig(inout headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    counter(8, CounterType.packets_and_bytes) hits;
    direct_counter(CounterType.packets_and_bytes) entry_hits;
    direct_meter<bit<2>>(MeterType.packets) entry_rate;
    meter(4, MeterType.bytes) rate;
    register<bit<32>>(16) cells;
    register<int<12>>(4) small;
    action_profile(16) prof;
    action_selector(HashAlgorithm.identity, 16, 8) sel;

    action set(bit<9> port, bit<8> v) {
        sm.egress_spec = port;
        hdr.h.res = v;
    }
    action drop() {
        mark_to_drop(sm);
    }
    action to_cpu() {
        sm.egress_spec = CPU_PORT;
    }
    action flood(bit<16> group) {
        sm.mcast_grp = group;
    }
    action counted(bit<8> v) {
        entry_hits.count();
        hdr.h.res = v;
    }
    action metered() {
        entry_rate.read(meta.color);
    }
    action only_default() {
        hdr.h.res = 0xdd;
    }
    action narrow(bit<12> w, bit<1> b) {
        hdr.h.wide = w;
        hdr.h.nib = (bit<4>) b;
    }

    table exact_t {
        key = { hdr.h.k: exact; }
        actions = { set; drop; to_cpu; flood; @defaultonly only_default; narrow; NoAction; }
        default_action = drop();
        size = 64;
        support_timeout = true;
    }
    table counted_t {
        key = { hdr.h.k: exact; }
        actions = { counted; NoAction; }
        counters = entry_hits;
        default_action = NoAction();
    }
    table metered_t {
        key = { hdr.h.k: exact; }
        actions = { metered; NoAction; }
        meters = entry_rate;
        default_action = NoAction();
    }
    table lpm_t {
        key = { hdr.h.addr: lpm; }
        actions = { set; NoAction; }
        const default_action = NoAction();
        size = 20000;
    }
    table ternary_t {
        key = {
            hdr.h.addr: ternary;
            hdr.h.k: range;
            hdr.h.wide: optional;
            hdr.h.op: exact;
        }
        actions = { set; NoAction; }
        default_action = NoAction();
    }
    table const_t {
        key = { hdr.h.op: exact; }
        actions = { set; NoAction; }
        const entries = {
            0x41: set(1, 0x42);
        }
        default_action = NoAction();
    }
    table prof_t {
        key = { hdr.h.k: exact; }
        actions = { set; drop; }
        implementation = prof;
    }
    table sel_t {
        key = { hdr.h.k: exact; hdr.h.op: selector; }
        actions = { set; drop; }
        implementation = sel;
    }
    table keyless_t {
        actions = { narrow; NoAction; }
        default_action = NoAction();
    }

    apply {
        if (hdr.packet_out.isValid()) {
            sm.egress_spec = hdr.packet_out.egress_port;
            hdr.packet_out.setInvalid();
        } else if (hdr.h.isValid()) {
            exact_t.apply();
            counted_t.apply();
            metered_t.apply();
            lpm_t.apply();
            ternary_t.apply();
            const_t.apply();
            prof_t.apply();
            sel_t.apply();
            keyless_t.apply();
            hits.count((bit<32>) hdr.h.nib);
            rate.execute_meter((bit<32>) hdr.h.nib, meta.color);
            if (hdr.h.op == 7) {
                digest<learn_t>(1, { hdr.h.addr, sm.ingress_port, hdr.h.wide });
            }
            if (hdr.h.op == 8) {
                clone(CloneType.I2E, 5);
            }
            if (hdr.h.op == 9) {
                cells.write((bit<32>) hdr.h.nib, hdr.h.addr);
                small.write(1, -2);
            }
        }
    }
}

control Eg(inout headers hdr, inout metadata meta, inout standard_metadata_t sm) {
    apply {
        if (sm.egress_port == CPU_PORT) {
            hdr.packet_in.setValid();
            hdr.packet_in.ingress_port = sm.ingress_port;
            hdr.packet_in.reason = 5;
        }
    }
}

control D(packet_out pkt, in headers hdr) {
    apply {
        pkt.emit(hdr.packet_in);
        pkt.emit(hdr.h);
    }
}

V1Switch(P(), C(), Ig(), Eg(), C(), D()) main;
