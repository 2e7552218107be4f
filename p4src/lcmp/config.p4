// SPDX-License-Identifier: MIT
#ifndef LCMP_CONFIG_P4
#define LCMP_CONFIG_P4

#include "headers.p4"

// What holds for the whole switch, as the default action of a table without a key: one write
// changes it while packets flow, and BMv2 has no registers over P4Runtime (PI#376).
control MultipathConfig(inout metadata_t meta) {
    // live_mask: bit p is set while port p is up. idle_after, stale_after: microseconds.
    action configure(bit<2> policy, bit<1> parity, bit<32> seed, bit<8> alpha, bit<8> beta,
                     bit<8> total_shift, bit<9> threshold, bit<64> live_mask,
                     bit<48> idle_after, bit<48> stale_after) {
        meta.policy = (policy_t) policy;
        meta.parity = parity;
        meta.seed = seed;
        meta.alpha = alpha;
        meta.beta = beta;
        meta.total_shift = total_shift;
        meta.threshold = threshold;
        meta.live_mask = live_mask;
        meta.idle_after = idle_after;
        meta.stale_after = stale_after;
    }

    table multipath_config {
        actions = { configure; }
        default_action = configure(2, 0, 0, 3, 1, 2, 204, 0xFFFFFFFFFFFFFFFF, 2000000, 100000);
    }

    apply {
        multipath_config.apply();
    }
}

#endif
