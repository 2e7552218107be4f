// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
#define OWN_COMPUTE
control Cmp(inout headers_t hdr, inout meta_t meta) {
    apply {
        hdr.h.b = 0; // error unsupported
        update_checksum(true, { hdr.h.a }, hdr.h.w, HashAlgorithm.crc32);
    }
}
#include "../tail.p4inc"
