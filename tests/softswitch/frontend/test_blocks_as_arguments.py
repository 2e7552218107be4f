# SPDX-License-Identifier: MIT
"""Controls and parsers as constructor arguments, generic ones, and direct application."""

from __future__ import annotations

from pathlib import Path

import pytest

from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4

PROGRAM = """\
#include <core.p4>
#include <v1model.p4>
header h_t {{ bit<8> a; bit<16> b; }}
struct headers_t {{ h_t h; }}
struct meta_t {{ }}
control Op<T>(inout T v);
control Inc(inout bit<8> v)(bit<8> by) {{ apply {{ v = v + by; }} }}
control Twice(inout bit<8> value) {{ apply {{ value = value << 1; }} }}
control Use(inout bit<8> x)(Op<bit<8>> op) {{ apply {{ op.apply(x); }} }}
control Set<T>(inout T to, in T what) {{ T before; apply {{ before = to; to = what; }} }}
parser Get<H>(packet_in p, out H h);
parser GetH(packet_in from, out h_t header_out) {{
    state start {{ from.extract(header_out); transition accept; }}
}}
parser Wrap(packet_in p, out h_t h)(Get<h_t> inner) {{
    state start {{ inner.apply(p, h); transition accept; }}
}}
parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
    Wrap(GetH()) wrapped;
    state start {{ wrapped.apply(pkt, hdr.h); transition accept; }}
}}
control Vfy(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
    {instances}
    apply {{ sm.egress_spec = 1; {apply} }}
}}
control Eg(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{ apply {{ }} }}
control Cmp(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Dep(packet_out pkt, in headers_t hdr) {{ apply {{ pkt.emit(hdr); }} }}
V1Switch(Prs(), Vfy(), Ig(), Eg(), Cmp(), Dep()) main;
"""


@pytest.mark.parametrize(
    ("instances", "apply", "expected"),
    [
        ("Use(Inc(3)) u;", "u.apply(hdr.h.a);", b"\x0d\x01\x02"),
        ("Twice() t; Use(t) u;", "u.apply(hdr.h.a);", b"\x14\x01\x02"),
        ("Use(Inc(1)) u; Use(Inc(2)) v;", "u.apply(hdr.h.a); v.apply(hdr.h.a);", b"\x0d\x01\x02"),
        ("Set<bit<8>>() s;", "s.apply(hdr.h.a, 7);", b"\x07\x01\x02"),
        ("", "Set<bit<8>>.apply(hdr.h.a, 7); Set.apply(hdr.h.b, 8);", b"\x07\x00\x08"),
    ],
)
def test_a_block_does_what_its_arguments_say(
    instances: str, apply: str, expected: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "blocks.p4"
    path.write_text(PROGRAM.format(instances=instances, apply=apply))
    pipeline = Pipeline.load(compile_p4(path).bmv2_json)
    assert pipeline.process(0, b"\x0a\x01\x02rest") == [(1, expected + b"rest")]
