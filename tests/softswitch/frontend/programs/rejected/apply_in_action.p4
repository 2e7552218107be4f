// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    table t { actions = { NoAction; } }
    action a() {
        t.apply(); // error type-error
    }
    apply { a(); }
}
#include "../tail.p4inc"
