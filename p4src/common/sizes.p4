// SPDX-License-Identifier: MIT
// Everything that is fixed when a program is compiled. The number of aggregators in use is table
// data (`aggregator_config`); AGGREGATORS is only the depth of the register arrays.
#ifndef INCA_SIZES_P4
#define INCA_SIZES_P4

// 32-bit values per packet: a power of two from 1 to 64.
#ifndef LANES
#define LANES 32
#endif

// Depth of each register array, at most 65535: a slot's index must fit the field `round` of PEEK.
#ifndef AGGREGATORS
#define AGGREGATORS 8192
#endif

// Jobs that one switch may know at a time; row 0 counts the packets of unknown jobs.
#define MAX_JOBS 1024
// Counters per job: see job_event_t in types.p4.
#define EVENTS_PER_JOB 16

#define IPV4_LPM_SIZE 1024
#define REPLICA_SIZE 4096

#endif
