// SPDX-License-Identifier: MIT
#ifndef LCMP_SIZES_P4
#define LCMP_SIZES_P4

#define FLOW_SLOTS 65536   // flow cache, a power of two
#define FLOW_SLOT_BITS 16
#define PORTS 64           // ports with congestion signals; the live mask has a bit for each
#define ROUTE_SIZE 1024

// EACH_CANDIDATE(X) is X(0) .. X(7): the one place where candidates are enumerated.
// BMv2 has neither for-in loops (p4c#2008) nor arrays in metadata, hence macros.
#define EACH_CANDIDATE(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
// EACH_LEVEL(X): the ten congestion levels, highest first.
#define EACH_LEVEL(X) X(9, 255) X(8, 229) X(7, 204) X(6, 178) X(5, 153) X(4, 127) X(3, 102) \
    X(2, 76) X(1, 51) X(0, 25)

#endif
