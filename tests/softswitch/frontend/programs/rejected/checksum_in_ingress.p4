// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    apply {
        update_checksum(true, { hdr.h.a }, hdr.h.w, HashAlgorithm.crc32); // error invalid
    }
}
#include "../tail.p4inc"
