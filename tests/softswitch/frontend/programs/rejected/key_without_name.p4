// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    table t {
        key = {
            hdr.h.a + 1 : exact; // error expected
        }
        actions = { NoAction; }
    }
    apply { t.apply(); }
}
#include "../tail.p4inc"
