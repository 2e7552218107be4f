# SPDX-License-Identifier: MIT
"""Programs for every part of the language: compiled, checked, run on the engine."""

from __future__ import annotations

from pathlib import Path

import pytest
from finsy.proto import p4i
from google.protobuf import text_format

from softswitch.frontend import P4CompileError, compile_p4
from softswitch.stf.cases import Case, CaseOptions, run_case
from tests.softswitch.frontend.bmv2_format import problems

PROGRAMS = Path(__file__).parent / "programs"
GOOD = sorted(p for p in PROGRAMS.glob("*.p4"))
BAD = sorted(p for p in (PROGRAMS / "rejected").glob("*.p4"))


@pytest.mark.parametrize("program", GOOD, ids=lambda p: p.stem)
def test_packets(program: Path) -> None:
    run_case(Case(program.stem, program, stf=program.with_suffix(".stf")), CaseOptions())


@pytest.mark.parametrize("program", GOOD, ids=lambda p: p.stem)
def test_document_follows_the_format(program: Path) -> None:
    assert problems(compile_p4(program).bmv2_json) == []


@pytest.mark.parametrize("program", BAD, ids=lambda p: p.stem)
def test_rejected(program: Path) -> None:
    """The last comment of the program says ``// error KIND`` on the line of the error."""
    lines = program.read_text().splitlines()
    marked = [(n, x.split("// error ")[1]) for n, x in enumerate(lines, 1) if "// error " in x]
    with pytest.raises(P4CompileError) as caught:
        compile_p4(program)
    found = [(d.line, d.kind) for d in caught.value.diagnostics if d.severity == "error"]
    assert found == marked


def test_written_files_are_what_was_compiled(tmp_path: Path) -> None:
    done = compile_p4(GOOD[0])
    done.write(tmp_path / "a.json", tmp_path / "a.txtpb")
    text = (tmp_path / "a.txtpb").read_text()
    assert text.startswith("# proto-file: p4/config/v1/p4info.proto\n")
    assert text_format.Parse(text, p4i.P4Info()) == done.p4info
    assert '"__meta__"' in (tmp_path / "a.json").read_text()
