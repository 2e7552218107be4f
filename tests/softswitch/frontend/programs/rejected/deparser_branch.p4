// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) { apply { } }
#define OWN_DEPARSER
control Dep(packet_out pkt, in headers_t hdr) {
    apply {
        if (hdr.h.a == 1) { // error unsupported
            pkt.emit(hdr.h);
        }
    }
}
#include "../tail.p4inc"
