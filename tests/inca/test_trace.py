# SPDX-License-Identifier: MIT
"""``inca trace``: what people read, what machines read, and bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inca.cli import main

PROGRAM = """#include <core.p4>
#include <v1model.p4>
header h_t { bit<8> a; }
struct headers_t { h_t h; }
struct metadata_t { }
parser P(packet_in p, out headers_t hdr, inout metadata_t m, inout standard_metadata_t sm) {
    state start { p.extract(hdr.h); transition accept; }
}
control V(inout headers_t hdr, inout metadata_t m) { apply { } }
control I(inout headers_t hdr, inout metadata_t m, inout standard_metadata_t sm) {
    action to(bit<9> port) { sm.egress_spec = port; }
    table t { key = { hdr.h.a : exact; } actions = { to; NoAction; } }
    apply { t.apply(); }
}
control E(inout headers_t hdr, inout metadata_t m, inout standard_metadata_t sm) { apply { } }
control C(inout headers_t hdr, inout metadata_t m) { apply { } }
control D(packet_out p, in headers_t hdr) { apply { p.emit(hdr.h); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
"""


@pytest.fixture
def program(tmp_path: Path) -> Path:
    path = tmp_path / "little.p4"
    path.write_text(PROGRAM)
    (tmp_path / "little.stf").write_text("add I.t hdr.h.a:0x05 I.to(port:3)\n")
    return path


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as ended:
        main(["trace", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code


def test_shows_parser_table_and_output_with_source_lines(
    program: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(program), "1:0577", "--stf", str(program.with_suffix(".stf"))) == 0
    out = capsys.readouterr().out
    assert "packet on port 1, 2 bytes" in out
    assert "extract" in out
    assert "little.p4:12" in out
    assert "I.to(" in out
    assert "out on port 3: 0577" in out


def test_json_has_events_and_outputs(program: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(str(program), "1:09", "--json") == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert record["out"] == [{"port": 0, "packet": "09"}]
    assert any(e["kind"] == "table" and "miss" in e["text"] for e in record["events"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["1:xyz"], "is not PORT:HEX"), ([], "nothing to trace")],
)
def test_bad_input_is_one_line(
    program: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(program), *arguments) != 0
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
