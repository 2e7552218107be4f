// SPDX-License-Identifier: MIT
// Where an aggregation packet goes after the slot, and what its copies look like.
#ifndef INCA_REPLY_P4
#define INCA_REPLY_P4

#include "headers.p4"

control Reply(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    // A displaced fragment leaves for the PS of its own job, known only after the swap. A table
    // of its own, since BMv2 cannot apply `jobs` a second time (p4c#457). Its counter has the
    // partial sums that each job lost to others.
    direct_counter(CounterType.packets_and_bytes) evicted;

    action to_ps(ipv4_addr_t dst_addr) {
        hdr.ipv4.dst_addr = dst_addr;
        evicted.count();
    }

    // The job is gone, nobody waits for this sum.
    action discard() {
        meta.forward = 0;
        evicted.count();
    }

    table ps_route {
        key = { hdr.agg.job : exact; }
        actions = { to_ps; discard; }
        const default_action = discard();
        counters = evicted;
        size = MAX_JOBS;
    }

    action send_result() {
        hdr.agg.msg_type = msg_type_t.PARAM;
        hdr.agg.flags = hdr.agg.flags & STICKY_FLAGS;
        sm.mcast_grp = meta.result_group;
    }

    apply {
        if (meta.event == job_event_t.EMIT || meta.event == job_event_t.REPLAY) {
            hdr.agg.src_worker = NO_WORKER;
            if (hdr.agg.bitmap != meta.full_mask) {
                hdr.agg.flags = hdr.agg.flags | FLAG_PARTIAL | FLAG_NOAGG;
                meta.forward = 1;
            } else if (meta.direct == 1) {
                send_result();
            } else {
                meta.forward = 1;
            }
        } else if (meta.work == work_t.RELEASE) {
            if (hdr.agg.src_worker == NO_WORKER) {
                sm.mcast_grp = meta.children_group;
            } else {
                meta.forward = 1;
            }
        } else if (meta.work == work_t.FETCH) {
            sm.mcast_grp = meta.remind_group;
        } else if (meta.victim == 1) {
            ps_route.apply();
        } else if (hdr.agg.msg_type == msg_type_t.PEEK || hdr.agg.msg_type == msg_type_t.FLUSH) {
            if (meta.event != job_event_t.REJECTED) {
                sm.egress_spec = sm.ingress_port;
            }
        }
    }
}

// Copies of a multicast packet get the address of the neighbour they go to.
control Replicas(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    action to_host(mac_addr_t dst_addr, ipv4_addr_t ip_addr) {
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = dst_addr;
        hdr.ipv4.dst_addr = ip_addr;
    }

    // To the PS through further switches: a PARAM with no addressee would turn round there.
    action to_server(mac_addr_t dst_addr, ipv4_addr_t ip_addr) {
        to_host(dst_addr, ip_addr);
        if (hdr.agg.msg_type == msg_type_t.PARAM) { hdr.agg.src_worker = SERVER_COPY; }
    }

    // A REMIND goes on as a question, whatever this switch has answered.
    action to_switch(mac_addr_t dst_addr) {
        hdr.ethernet.src_addr = hdr.ethernet.dst_addr;
        hdr.ethernet.dst_addr = dst_addr;
        if (hdr.agg.msg_type == msg_type_t.REMIND) {
            hdr.agg.flags = 0;
        }
    }

    table replicas {
        key = { sm.egress_rid : exact; }
        actions = { to_host; to_server; to_switch; NoAction; }
        const default_action = NoAction();
        size = REPLICA_SIZE;
    }

    apply {
        if (sm.egress_rid != 0) {
            replicas.apply();
        }
    }
}

// A queue longer than the threshold marks the packet, as IP's ECN does.
control EcnMark(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    apply {
        if (meta.ecn_threshold != 0 && sm.deq_qdepth >= meta.ecn_threshold) {
            hdr.agg.flags = hdr.agg.flags | FLAG_ECN;
        }
    }
}

#endif
