// SPDX-License-Identifier: MIT
#ifndef INCA_AGGREGATOR_CONFIG_P4
#define INCA_AGGREGATOR_CONFIG_P4

#include "headers.p4"

// What holds for the whole switch, as the default action of a table without a key: P4Runtime can
// set it while packets flow, and BMv2 has no registers over P4Runtime (PI#376).
control AggregatorConfig(inout headers_t hdr, inout metadata_t meta) {
    // aggregators: slots in use, 0 = none (everything is completed by the PS).
    // age_after, expire_after: microseconds. ecn_threshold: packets in the egress queue, 0 = off.
    action configure(bit<32> aggregators, bit<2> downgrade, bit<48> age_after,
                     bit<48> expire_after, bit<19> ecn_threshold) {
        meta.aggregators = aggregators;
        meta.downgrade = (downgrade_t) downgrade;
        meta.age_after = age_after;
        meta.expire_after = expire_after;
        meta.ecn_threshold = ecn_threshold;
    }

    table aggregator_config {
        actions = { configure; }
        default_action = configure(AGGREGATORS, 0, 0xFFFFFFFFFFFF, 0xFFFFFFFFFFFF, 0);
    }

    apply {
        aggregator_config.apply();
        // BMv2 crashes on a register index beyond the array.
        if (meta.aggregators > AGGREGATORS) {
            meta.aggregators = AGGREGATORS;
        }
    }
}

#endif
