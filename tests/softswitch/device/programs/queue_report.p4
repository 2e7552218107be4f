// SPDX-License-Identifier: MIT
// Sends each frame to the port and with the priority that it names, and writes what the queue
// and the clocks said into it.
#include <core.p4>
#include <v1model.p4>

header report_t {
    bit<16> port;
    bit<8> priority;
    bit<8> clones;
    bit<32> enq_timestamp;
    bit<32> enq_qdepth;
    bit<32> deq_timedelta;
    bit<32> deq_qdepth;
    bit<48> ingress_time;
    bit<48> egress_time;
}

struct headers_t {
    report_t report;
}

struct metadata_t {}

parser ReportParser(packet_in packet, out headers_t hdr, inout metadata_t meta,
                    inout standard_metadata_t sm) {
    state start {
        packet.extract(hdr.report);
        transition accept;
    }
}

control ReportVerify(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control ReportIngress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    apply {
        sm.egress_spec = (bit<9>) hdr.report.port;
        sm.priority = (bit<3>) hdr.report.priority;
        if (hdr.report.clones == 1) {
            clone(CloneType.I2E, 5);
        }
        hdr.report.ingress_time = sm.ingress_global_timestamp;
    }
}

control ReportEgress(inout headers_t hdr, inout metadata_t meta, inout standard_metadata_t sm) {
    apply {
        hdr.report.enq_timestamp = sm.enq_timestamp;
        hdr.report.enq_qdepth = (bit<32>) sm.enq_qdepth;
        hdr.report.deq_timedelta = sm.deq_timedelta;
        hdr.report.deq_qdepth = (bit<32>) sm.deq_qdepth;
        hdr.report.egress_time = sm.egress_global_timestamp;
    }
}

control ReportCompute(inout headers_t hdr, inout metadata_t meta) {
    apply {}
}

control ReportDeparser(packet_out packet, in headers_t hdr) {
    apply {
        packet.emit(hdr.report);
    }
}

V1Switch(ReportParser(), ReportVerify(), ReportIngress(), ReportEgress(), ReportCompute(),
         ReportDeparser()) main;
