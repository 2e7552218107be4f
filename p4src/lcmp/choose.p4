// SPDX-License-Identifier: MIT
#ifndef LCMP_CHOOSE_P4
#define LCMP_CHOOSE_P4

#include "headers.p4"
#include "signals.p4"

#define BIT(condition) ((bit<16>) (bit<1>) (condition))
#define EACH_OTHER(X, i) X(i, 0) X(i, 1) X(i, 2) X(i, 3) X(i, 4) X(i, 5) X(i, 6) X(i, 7)

// Costs the candidates and draws one of those that the policy keeps. Each kept candidate owns the
// draws first .. first + width - 1; the draw is the flow's hash modulo the sum of widths.
control Choose(inout metadata_t meta, in standard_metadata_t sm) {
    bit<8> congestion;
    time_us_t sampled;
    bit<32> total;
    bit<16> keep;
    bit<16> shares;
    bit<8> fastest;

    // A signal that nothing refreshed is stale: the queue drained, or packets would have left.
#define COST(i) \
        if (meta.candidates > i && (meta.live_mask >> (bit<8>) meta.port_##i)[0:0] == 1) { \
            port_congestion.read(congestion, (bit<32>) meta.port_##i); \
            port_sampled.read(sampled, (bit<32>) meta.port_##i); \
            if (meta.stateless == 1 \
                || sm.ingress_global_timestamp - sampled > meta.stale_after) { \
                congestion = 0; \
            } \
            total = ((bit<32>) meta.alpha * (bit<32>) meta.path_##i \
                + (bit<32>) meta.beta * (bit<32>) congestion) >> meta.total_shift; \
            if (total > 255) { total = 255; } \
            meta.cost_##i = (ranked_cost_t) total; \
        } else { \
            meta.cost_##i = DEAD_COST; \
        }
    action cost_candidates() {
        EACH_CANDIDATE(COST)
    }

    // Shares in the order of the candidates.
#define QUEUE_UP(i) meta.first_##i = shares; shares = shares + meta.width_##i;

#define KEEP_LIVE(i) meta.width_##i = BIT(meta.cost_##i != DEAD_COST);
    action keep_live() {
        EACH_CANDIDATE(KEEP_LIVE)
        EACH_CANDIDATE(QUEUE_UP)
    }

#define KEEP_WEIGHT(i) \
        meta.width_##i = BIT(meta.cost_##i != DEAD_COST) * (bit<16>) meta.weight_##i;
    action keep_weighted() {
        EACH_CANDIDATE(KEEP_WEIGHT)
        EACH_CANDIDATE(QUEUE_UP)
    }

#define FIND_FASTEST(i) \
        if (meta.cost_##i != DEAD_COST && meta.weight_##i > fastest) { fastest = meta.weight_##i; }
#define KEEP_FASTEST(i) \
        meta.width_##i = BIT(meta.cost_##i != DEAD_COST && meta.weight_##i == fastest);
    action keep_fastest() {
        EACH_CANDIDATE(FIND_FASTEST)
        EACH_CANDIDATE(KEEP_FASTEST)
        EACH_CANDIDATE(QUEUE_UP)
    }

    // Ranks by (cost, index): a kept candidate's first draw is its rank, since what is kept is a
    // prefix of the ranking. The cheap half, or all when half is less than two; of these only
    // costs below the threshold; and all live ones when none is.
#define BEATS(i, j) \
        + BIT(meta.cost_##j < meta.cost_##i || (j < i && meta.cost_##j == meta.cost_##i))
#define RANK(i) meta.first_##i = 0 EACH_OTHER(BEATS, i);
#define KEEP_CHEAP(i) \
        meta.width_##i = BIT(meta.first_##i < keep && meta.cost_##i < meta.threshold \
                             && meta.cost_##i != DEAD_COST); \
        shares = shares + meta.width_##i;
#define KEEP_ANY(i) \
        meta.width_##i = BIT(meta.cost_##i != DEAD_COST); shares = shares + meta.width_##i;
    action keep_cheapest() {
        EACH_CANDIDATE(RANK)
        keep = (bit<16>) (meta.candidates >> 1);
        if (keep < 2) { keep = (bit<16>) meta.candidates; }
        EACH_CANDIDATE(KEEP_CHEAP)
        if (shares == 0) {
            EACH_CANDIDATE(KEEP_ANY)
        }
    }

#define TAKE(i) \
        if (meta.draw >= (bit<32>) meta.first_##i \
            && meta.draw - (bit<32>) meta.first_##i < (bit<32>) meta.width_##i) { \
            meta.port = meta.port_##i; \
            meta.decided = 1; \
        }
    action take() {
        EACH_CANDIDATE(TAKE)
    }

    apply {
        shares = 0;
        fastest = 0;
        cost_candidates();
        if (meta.policy == policy_t.LCMP) {
            keep_cheapest();
        } else if (meta.policy == policy_t.UCMP) {
            keep_fastest();
        } else if (meta.policy == policy_t.WCMP) {
            keep_weighted();
        } else {
            keep_live();
        }
        if (shares != 0) {
            // `identity` passes the hash on, so the result is hash % shares; BMv2 has no % by a
            // run-time value (p4c#921).
            hash(meta.draw, HashAlgorithm.identity, (bit<32>) 0, { meta.hash }, (bit<32>) shares);
            take();
        }
    }
}

#endif
