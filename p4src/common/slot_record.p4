// SPDX-License-Identifier: MIT
#ifndef INCA_SLOT_RECORD_P4
#define INCA_SLOT_RECORD_P4

// slot_info: the fields of the packet that must move together with the values, and only they:
//     prio 8 | exp 8 | op 8 | sticky flags 8 | len 16 | iter 16
// slot_since: when the slot was taken 48 | layer 16
#define INFO_PRIO 63:56
#define INFO_EXP 55:48
#define INFO_OP 47:40
#define INFO_FLAGS 39:32
#define INFO_LEN 31:16
#define INFO_ITER 15:0
#define SINCE_TIME 63:16
#define SINCE_LAYER 15:0

#endif
