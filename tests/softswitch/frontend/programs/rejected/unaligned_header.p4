// SPDX-License-Identifier: MIT
#include "head.p4inc"
header odd_t { bit<7> x; } // error overlimit
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply { odd_t o; o.setValid(); o.x = 1; hdr.h.a = 1w1 ++ o.x; }
}
#include "../tail.p4inc"
