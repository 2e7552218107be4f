// SPDX-License-Identifier: MIT
#ifndef EPIC_CONNECTION_P4
#define EPIC_CONNECTION_P4

#include "headers.p4"

// What a packet's connection is for: direction, root flag, operation, ACK target and fan-out are
// table data. A channel is one primitive of one group (all-reduce with one operation, reduce to
// or broadcast from one rank) with a PSN space of its own. Its QP number changes with the group's
// epoch, so packets of a destroyed group miss.
control Connection(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    // From a contributor. reflect: the neighbour is a host of an all-reduce, its ACK of the result
    // is the ACK of its request. root: results go to kids_group, else sums go to up_port.
    action contributor(channel_t channel, epoch_t epoch, agg_op_t op, child_t child,
                       bit<32> full_mask, bit<32> slot_base, bit<32> slot_mask, bit<1> reflect,
                       bit<1> root, bit<9> up_port, bit<16> kids_group) {
        meta.known = 1;
        meta.data_rule = data_rule_t.AGGREGATE;
        meta.ack_rule = (ack_rule_t) (1w0 ++ reflect);
        meta.channel = channel;
        meta.epoch = epoch;
        meta.op = op;
        meta.child = child;
        meta.full_mask = full_mask;
        meta.slot_base = slot_base;
        meta.slot_mask = slot_mask;
        meta.root = root;
        meta.up_port = up_port;
        meta.kids_group = kids_group;
    }

    // Where data comes from that all others get: the parent, or a broadcast's source.
    action source(channel_t channel, bit<16> kids_group) {
        meta.known = 1;
        meta.data_rule = data_rule_t.REPLICATE;
        meta.channel = channel;
        meta.kids_group = kids_group;
    }

    // Where the sum of a reduce goes: its ACK is that of all contributors.
    action destination(channel_t channel, bit<16> kids_group) {
        meta.known = 1;
        meta.ack_rule = ack_rule_t.REPLICATE;
        meta.channel = channel;
        meta.kids_group = kids_group;
    }

    // A receiver of a broadcast: what all of them have is acknowledged to the source.
    action receiver(channel_t channel, epoch_t epoch, child_t child, bit<32> full_mask,
                    bit<32> ack_row, bit<9> up_port) {
        meta.known = 1;
        meta.ack_rule = ack_rule_t.MINIMUM;
        meta.channel = channel;
        meta.epoch = epoch;
        meta.child = child;
        meta.full_mask = full_mask;
        meta.ack_row = ack_row;
        meta.up_port = up_port;
    }

    table connections {
        key = {
            sm.ingress_port : exact;
            hdr.bth.dest_qp : exact;
        }
        actions = { contributor; source; destination; receiver; NoAction; }
        const default_action = NoAction();
        size = CONNECTION_SIZE;
    }

    apply {
        connections.apply();
    }
}

#endif
