// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        for (bit<8> i in 1 .. 3) { // error unsupported
            hdr.h.a = hdr.h.a + i;
        }
    }
}
#include "../tail.p4inc"
