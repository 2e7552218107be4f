// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    register<meta_t>(4) r; // error unsupported
    apply { r.write(0, meta); }
}
#include "../tail.p4inc"
