// SPDX-License-Identifier: MIT
#ifndef LCMP_SIGNALS_P4
#define LCMP_SIGNALS_P4

#include "headers.p4"

// Per port: the congestion score and when it was taken. Egress writes, ingress reads, so they
// stand outside both. An egress read-modify-write is safe: BMv2 gives a port to one egress thread.
register<bit<8>>(PORTS) port_congestion;
register<time_us_t>(PORTS) port_sampled;

const bit<16> MAX_DURATION = 1023;
const bit<32> HIGH_WATER = 204;
const bit<32> LOW_WATER = 102;

// Samples the queue of the egress port at most once per interval: level, trend and duration of
// its congestion, fused into eight bits (design reference 2.2, 8.1).
control Signals(inout metadata_t meta, inout standard_metadata_t sm) {
    register<bit<32>>(PORTS) port_queue;
    register<int<32>>(PORTS) port_trend;
    register<bit<16>>(PORTS) port_duration;
    bit<32> port;
    bit<32> queue;
    bit<32> level;
    bit<32> growth;
    bit<32> score;
    bit<16> duration;
    int<32> trend;
    bit<1> sampling;
    bit<32> drained;
    time_us_t interval;

    // interval: microseconds between samples. drained: packets that the port sends in it.
    // from_i: the queue from which level i holds, in packets.
#define LEVEL_PARAM(i, value) , bit<32> from_##i
#define LEVEL_STEP_UP(i, value) \
        if (level == 0 && queue >= from_##i) { level = value; }
    action sample(time_us_t every, bit<32> drain EACH_LEVEL(LEVEL_PARAM)) {
        interval = every;
        drained = drain;
        sampling = 1;
        level = 0;
        EACH_LEVEL(LEVEL_STEP_UP)
        if (queue == 0) { level = 0; }
    }

    table port_profiles {
        key = { sm.egress_port : exact; }
        actions = { sample; NoAction; }
        const default_action = NoAction();
        size = PORTS;
    }

#define GROWTH_STEP_UP(i, value) \
        if (growth == 0 && (bit<32>) trend * 10 >= drained * (i + 1)) { growth = value; }
    action measure_growth() {
        growth = 0;
        EACH_LEVEL(GROWTH_STEP_UP)
    }

    action fuse(bit<32> queue_weight, bit<32> trend_weight, bit<32> duration_weight,
                bit<8> shift) {
        score = (bit<32>) (duration >> 2);
        if (score > 255) { score = 255; }
        score = (queue_weight * level + trend_weight * growth + duration_weight * score) >> shift;
        if (score > 255) { score = 255; }
        port_congestion.write(port, (bit<8>) score);
    }

    table congestion_weights {
        actions = { fuse; }
        default_action = fuse(2, 1, 1, 2);
    }

    apply {
        port = (bit<32>) sm.egress_port;
        queue = (bit<32>) sm.deq_qdepth;
        sampling = 0;
        if (port < PORTS) {
            port_profiles.apply();
            if (sampling == 1) {
                time_us_t last;
                port_sampled.read(last, port);
                if (last == 0 || sm.egress_global_timestamp - last >= interval) {
                    bit<32> before;
                    port_queue.read(before, port);
                    port_trend.read(trend, port);
                    port_duration.read(duration, port);
                    int<32> change = (int<32>) queue - (int<32>) before;
                    trend = trend - (trend >> 3) + (change >> 3);
                    growth = 0;
                    if (trend > 0) {
                        measure_growth();
                    }
                    if (level >= HIGH_WATER && duration < MAX_DURATION) {
                        duration = duration + 1;
                    } else if (level <= LOW_WATER && duration > 0) {
                        duration = duration - 1;
                    }
                    port_queue.write(port, queue);
                    port_trend.write(port, trend);
                    port_duration.write(port, duration);
                    port_sampled.write(port, sm.egress_global_timestamp);
                    congestion_weights.apply();
                }
            }
        }
    }
}

#endif
