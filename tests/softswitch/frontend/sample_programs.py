# SPDX-License-Identifier: MIT
"""A v1model program with gaps to fill, and what checking it gives."""

from __future__ import annotations

from pathlib import Path

from softswitch.frontend.ast import TypedProgram
from softswitch.frontend.check import check_program
from softswitch.frontend.diagnostics import Diagnostic, P4CompileError
from softswitch.frontend.parse import parse
from softswitch.frontend.preprocess import preprocess

TEMPLATE = """\
#include <core.p4>
#include <v1model.p4>
enum bit<8> Code {{ one = 1, two = 2 }}
enum Plain {{ X, Y }}
type bit<8> Port_t;
struct pair_t<A, B> {{ A first; B second; }}
header h_t {{ bit<8> a; bit<16> b; int<8> s; Code c; bool f; bit<7> pad; }}
header v_t {{ varbit<64> v; }}
header_union u_t {{ h_t h; v_t v; }}
struct headers_t {{ h_t h; h_t g; h_t[4] hs; u_t u; v_t v; }}
struct meta_t {{ bit<8> m; pair_t<bit<8>, bool> p; Plain e; Port_t port; error err; }}
{top}
parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
{parser}
    state start {{
{state}
        transition accept;
    }}
{states}
}}
control Vfy(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{
{control}
    apply {{
{apply}
    }}
}}
control Eg(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {{ apply {{ }} }}
control Cmp(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}
control Dep(packet_out pkt, in headers_t hdr) {{ apply {{ pkt.emit(hdr.h); }} }}
V1Switch(Prs(), Vfy(), Ig(), Eg(), Cmp(), Dep()) main;
"""
GAPS = ("top", "parser", "state", "states", "control", "apply")


def program(**gaps: str) -> str:
    """The template with some gaps filled."""
    return TEMPLATE.format(**{name: gaps.get(name, "") for name in GAPS})


def check(text: str, folder: Path) -> TypedProgram:
    """Checks program text."""
    path = folder / "program.p4"
    path.write_text(text)
    return check_program(parse(preprocess(path)))


def errors(text: str, folder: Path) -> list[Diagnostic]:
    """The errors that checking gives."""
    try:
        check(text, folder)
    except P4CompileError as failure:
        return [d for d in failure.diagnostics if d.severity == "error"]
    return []
