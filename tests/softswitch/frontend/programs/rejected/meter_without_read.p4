// SPDX-License-Identifier: MIT
#include "head.p4inc"
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {
    direct_meter<bit<8>>(MeterType.packets) m; // error unsupported
    table t {
        key = { hdr.h.a : exact; }
        actions = { NoAction; }
        meters = m;
    }
    apply { t.apply(); }
}
#include "../tail.p4inc"
