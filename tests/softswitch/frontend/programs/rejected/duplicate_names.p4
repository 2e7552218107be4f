// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    @name(".x") table t { actions = { NoAction; } }
    @name(".x") table u { actions = { NoAction; } } // error duplicate
    apply { t.apply(); u.apply(); }
}
#include "../tail.p4inc"
