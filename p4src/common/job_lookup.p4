// SPDX-License-Identifier: MIT
#ifndef INCA_JOB_LOOKUP_P4
#define INCA_JOB_LOOKUP_P4

#include "headers.p4"

// The row of the packet's job on this switch, one node of the job's tree.
control JobLookup(inout headers_t hdr, inout metadata_t meta) {
    // full_mask: the workers below this switch. children_group: ports towards them.
    // result_group: the same and the PS. remind_group: the way to the PS and child switches.
    action aggregate(job_index_t job_index, bit<32> full_mask, bit<1> direct,
                     bit<1> free_on_complete, bit<16> children_group, bit<16> result_group,
                     bit<16> remind_group) {
        meta.known_job = 1;
        meta.aggregates = 1;
        meta.job_index = job_index;
        meta.full_mask = full_mask;
        meta.direct = direct;
        meta.free_on_complete = free_on_complete;
        meta.children_group = children_group;
        meta.result_group = result_group;
        meta.remind_group = remind_group;
    }

    // On the job's tree, but with nothing to aggregate, or aggregation is switched off.
    action relay(job_index_t job_index, bit<32> full_mask, bit<16> children_group,
                 bit<16> remind_group) {
        meta.known_job = 1;
        meta.job_index = job_index;
        meta.full_mask = full_mask;
        meta.children_group = children_group;
        meta.remind_group = remind_group;
    }

    table jobs {
        key = { hdr.agg.job : exact; }
        actions = { aggregate; relay; NoAction; }
        const default_action = NoAction();
        size = MAX_JOBS;
    }

    apply {
        jobs.apply();
    }
}

#endif
