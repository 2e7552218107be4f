// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    table t { // error invalid
        key = { hdr.h.a : exact; }
        actions = { NoAction; }
    }
    apply {
        if (hdr.h.b == 1) { t.apply(); hdr.h.b = 3; } else { t.apply(); }
    }
}
#include "../tail.p4inc"
