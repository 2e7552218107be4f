// SPDX-License-Identifier: MIT
// EACH_LANE(X) is X(0) X(1) ... X(LANES - 1): the one place where lanes are enumerated.
// p4c compiles loops over lanes to nothing useful (no for-in in BMv2, p4c#2008), hence macros.
#ifndef INCA_LANE_LIST_P4
#define INCA_LANE_LIST_P4

#define EACH_LANE_1(X) X(0)
#define EACH_LANE_2(X) EACH_LANE_1(X) X(1)
#define EACH_LANE_4(X) EACH_LANE_2(X) X(2) X(3)
#define EACH_LANE_8(X) EACH_LANE_4(X) X(4) X(5) X(6) X(7)
#define EACH_LANE_16(X) EACH_LANE_8(X) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define EACH_LANE_32(X) EACH_LANE_16(X) \
    X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) \
    X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define EACH_LANE_64(X) EACH_LANE_32(X) \
    X(32) X(33) X(34) X(35) X(36) X(37) X(38) X(39) \
    X(40) X(41) X(42) X(43) X(44) X(45) X(46) X(47) \
    X(48) X(49) X(50) X(51) X(52) X(53) X(54) X(55) \
    X(56) X(57) X(58) X(59) X(60) X(61) X(62) X(63)

// The 32 slots that one PEEK surveys.
#define EACH_SURVEYED(X) EACH_LANE_32(X)

#define EACH_LANE_OF_(n, X) EACH_LANE_##n(X)
#define EACH_LANE_OF(n, X) EACH_LANE_OF_(n, X)
#define EACH_LANE(X) EACH_LANE_OF(LANES, X)

#endif
