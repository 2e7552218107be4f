// SPDX-License-Identifier: MIT
// Everything that is fixed when an EPIC program is compiled.
#ifndef EPIC_SIZES_P4
#define EPIC_SIZES_P4

// 32-bit values per data packet: a power of two from 1 to 64.
#ifndef LANES
#define LANES 32
#endif

// Aggregation slots: the depth of the register arrays. Channels own segments of it.
#ifndef SLOTS
#define SLOTS 8192
#endif

// Neighbours of one switch in one group: a power of two from 1 to 32.
#ifndef FAN_IN
#define FAN_IN 32
#endif

// Rows of minimum-aggregated ACKs, one per broadcast channel.
#ifndef ACK_ROWS
#define ACK_ROWS 1024
#endif

#define MAX_CHANNELS 2048      // channel 0 counts the packets of no channel
#define EVENTS_PER_CHANNEL 16
#define CONNECTION_SIZE 16384  // (port, QP) pairs
#define IPV4_LPM_SIZE 1024

#endif
