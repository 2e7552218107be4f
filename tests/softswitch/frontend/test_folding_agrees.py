# SPDX-License-Identifier: MIT
"""What the checker computes from constants is what the switch computes from a packet."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4

from .random_expressions import FIELDS, KINDS, Writer, field_values, type_name

COUNT = 30
PROGRAM = """\
#include <core.p4>
#include <v1model.p4>
{consts}
header h_t {{ {fields} }}
{results}
struct headers_t {{ h_t h; {members} }}
struct meta_t {{ }}
parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
    state start {{ pkt.extract(hdr.h); transition accept; }}
}}
control Vfy(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
    apply {{
        sm.egress_spec = 1;
{body}
    }}
}}
control Eg(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{ apply {{ }} }}
control Cmp(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Dep(packet_out pkt, in headers_t hdr) {{ apply {{ pkt.emit(hdr); }} }}
V1Switch(Prs(), Vfy(), Ig(), Eg(), Cmp(), Dep()) main;
"""


def padded(width: int) -> int:
    """Bits that fill up to whole bytes, at least one."""
    return -width % 8 or 8


def packet(values: dict[str, int]) -> bytes:
    bits = width = 0
    for name, kind in FIELDS.items():
        bits = bits << KINDS[kind][1] | values[name]
        width += KINDS[kind][1]
    pad = padded(width)
    return (bits << pad).to_bytes((width + pad) // 8, "big")


def source(values: dict[str, int], cases: list[tuple[str, str, str]]) -> str:
    body = [
        f"hdr.o{i}.setValid(); hdr.o{i}.run = {run};\nhdr.o{i}.fold = {fold}; hdr.o{i}.pad = 0;"
        for i, (_, run, fold) in enumerate(cases)
    ]
    results = [
        f"header o{i}_t {{ {type_name(k)} run; {type_name(k)} fold;"
        f" bit<{padded(2 * KINDS[k][1])}> pad; }}"
        for i, (k, _, _) in enumerate(cases)
    ]
    consts = [
        f"const {type_name(k)} K_{n} = ({type_name(k)}) {KINDS[k][1]}w{values[n]};"
        for n, k in FIELDS.items()
    ]
    fields = [f"{type_name(k)} {n};" for n, k in FIELDS.items()]
    pad = padded(sum(KINDS[k][1] for k in FIELDS.values()))
    return PROGRAM.format(
        consts="\n".join(consts),
        fields=" ".join([*fields, f"bit<{pad}> pad;"]),
        results="\n".join(results),
        members=" ".join(f"o{i}_t o{i};" for i in range(len(cases))),
        body="\n".join(body),
    )


@pytest.mark.parametrize("seed", [1, 2])
def test_folding_and_running_agree(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    values = field_values(rng)
    cases = []
    for _ in range(COUNT):
        kind, inner, depth = rng.choice(list(KINDS)), rng.getrandbits(60), rng.randrange(1, 5)
        run = Writer(random.Random(inner), lambda n: f"hdr.h.{n}").value(kind, depth)
        fold = Writer(random.Random(inner), lambda n: f"K_{n}").value(kind, depth)
        cases.append((kind, run, fold))
    program = tmp_path / "folding.p4"
    program.write_text(source(values, cases))
    data = packet(values)
    [(_, sent)] = Pipeline.load(compile_p4(program).bmv2_json).process(0, data)
    results = sent[len(data) :]
    bits, left = int.from_bytes(results, "big"), 8 * len(results)
    for kind, run, _ in cases:
        width = KINDS[kind][1]
        pair = []
        for _ in range(2):
            left -= width
            pair.append(bits >> left & ((1 << width) - 1))
        left -= padded(2 * width)
        assert pair[0] == pair[1], f"{type_name(kind)}: {run} with {values}"
    assert left == 0


def test_comparisons_that_are_always_true_compile(tmp_path: Path) -> None:
    program = tmp_path / "always.p4"
    always = ["hdr.h.a == hdr.h.a", "hdr.h.a >= 0", "hdr.h.a <= 255", "!(hdr.h.g < hdr.h.g)"]
    cases = [("u1", f"({c} ? 1w1 : 0)", "1w1") for c in always]
    values = dict.fromkeys(FIELDS, 0)
    program.write_text(source(values, cases))
    [(_, sent)] = Pipeline.load(compile_p4(program).bmv2_json).process(0, packet(values))
    assert sent[len(packet(values)) :] == b"\xc0" * len(always)
