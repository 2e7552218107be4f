// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        hdr.u[hdr.h.a].o.x = 1; // error unsupported
    }
}
#include "../tail.p4inc"
