// SPDX-License-Identifier: MIT
// Everything that shows in P4Info: ids, names, aliases, types, annotations, packet headers.
#define V1MODEL_VERSION 20200408
#include <core.p4>
#include <v1model.p4>

@p4runtime_translation("example.org/port", string)
type bit<9> port_name_t;
@p4runtime_translation("example.org/vlan", bit<32>)
type bit<12> vlan_t;
type bit<32> slot_t;
enum bit<8> kind_t { A = 1, B = 0x80 }
enum color_t { RED, GREEN }

@controller_header("packet_in")
header packet_in_header_t { bit<9> ingress_port; @id(7) bit<7> reason; }
@controller_header("packet_out")
header packet_out_header_t { bit<9> egress_port; bit<7> pad; }
header h_t { bit<16> a; kind_t k; bool f; bit<7> z; }
struct headers_t { packet_out_header_t out_; packet_in_header_t in_; h_t h; }
struct meta_t { vlan_t vlan; port_name_t port; }
struct learn_t { bit<16> a; kind_t k; vlan_t vlan; }
struct key_t { @match(ternary) bit<16> a; bit<8> b; }

parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    value_set<bit<16>>(4) one;
    @name("both") value_set<key_t>(2) two;
    state start {
        pkt.extract(hdr.h);
        transition select(hdr.h.a) { one: seen; default: check; }
    }
    state seen { hdr.h.z = 1; transition accept; }
    state check { transition select(hdr.h.a, (bit<8>) hdr.h.k) { two: both; default: accept; } }
    state both { hdr.h.z = 2; transition accept; }
}

control Sub(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    action set(@id(5) port_name_t port, @name("the_kind") kind_t k, bool f) {
        sm.egress_spec = (bit<9>) port;
        hdr.h.k = k;
        hdr.h.f = f;
    }
    table t {
        key = {
            meta.vlan : exact @id(3);
            hdr.h.k : ternary;
            hdr.h.f : exact;
            hdr.h.isValid() : exact;
            hdr.h.a & 0xff : exact @name("low");
            hdr.h.a[3:0] : optional @brief("low nibble");
        }
        actions = { @tableonly set; @defaultonly @custom("x", 1) NoAction; }
        const default_action = NoAction();
        size = 64;
        support_timeout = true;
    }
    apply { t.apply(); }
}

control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    counter<slot_t>(16, CounterType.bytes) bytes_;
    meter<bit<32>>(8, MeterType.bytes) rate;
    register<vlan_t, slot_t>(4) vlans;
    register<kind_t, bit<32>>(4) kinds;
    @max_group_size(4) action_selector(HashAlgorithm.crc16, 32w16, 32w10) sel;
    action_profile(32w8) prof;
    action go(bit<9> port) { sm.egress_spec = port; }
    table grouped {
        key = { hdr.h.a : exact; hdr.h.z : selector; }
        actions = { go; }
        implementation = sel;
    }
    @brief("short") @description("longer") @tag[owner="me", level=3]
    @id(0x42) table unused_name {
        key = { hdr.h.a : range; }
        actions = { go; NoAction; }
        implementation = prof;
    }
    Sub() s1;
    @name("second") Sub() s2;
    apply {
        bit<2> colour;
        s1.apply(hdr, meta, sm);
        s2.apply(hdr, meta, sm);
        grouped.apply();
        unused_name.apply();
        bytes_.count((slot_t) 1);
        rate.execute_meter(3, colour);
        vlans.write((slot_t) 0, meta.vlan);
        kinds.write(0, hdr.h.k);
        digest<learn_t>(1, { hdr.h.a, hdr.h.k, meta.vlan });
    }
}
#define PACKAGE_NOTE @pkginfo(name="inca.test", version="1.2")
#include "tail.p4inc"
