// SPDX-License-Identifier: MIT
#ifndef LCMP_FLOW_P4
#define LCMP_FLOW_P4

#include "headers.p4"

#define ROTL(value, by) ((value)[31 - (by):0] ++ (value)[31:32 - (by)])

// The flow's identity and its hash: MurmurHash3_x86_32 over source, destination and ports, which
// is the published ECMP hash when the seed is the switch's node id.
control FlowHash(inout headers_t hdr, inout metadata_t meta) {
    bit<16> src_port;
    bit<16> dst_port;
    bit<32> k;
    bit<32> h;

    action mix() {
        k = k * 0xCC9E2D51;
        k = ROTL(k, 15);
        k = k * 0x1B873593;
        h = h ^ k;
        h = ROTL(h, 13);
        h = h * 5 + 0xE6546B64;
    }

    action finish() {
        h = h ^ 12;
        h = (h ^ (h >> 16)) * 0x85EBCA6B;
        h = (h ^ (h >> 13)) * 0xC2B2AE35;
        meta.hash = h ^ (h >> 16);
    }

    // The published key loses bits: flows of several hosts share one entry.
    action lossy_key() {
        meta.key = (flow_key_t) ((hdr.ipv4.src_addr << 16)
            | (hdr.ipv4.dst_addr ^ (bit<32>) src_port ^ (bit<32>) dst_port));
    }

    action exact_key() {
        meta.key = hdr.ipv4.src_addr ++ hdr.ipv4.dst_addr ++ hdr.ipv4.protocol
            ++ src_port ++ dst_port;
    }

    apply {
        // Packets without ports (ICMP, later fragments) are flows by their addresses.
        src_port = 0;
        dst_port = 0;
        if (hdr.transport.isValid()) {
            src_port = hdr.transport.src_port;
            dst_port = hdr.transport.dst_port;
        }
        h = meta.seed;
        k = hdr.ipv4.src_addr;
        mix();
        k = hdr.ipv4.dst_addr;
        mix();
        k = dst_port ++ src_port;
        mix();
        finish();
        if (meta.parity == 1) {
            lossy_key();
        } else {
            exact_key();
        }
        hash(meta.slot, HashAlgorithm.crc32, (bit<32>) 0, { meta.key }, (bit<32>) FLOW_SLOTS);
    }
}

#endif
