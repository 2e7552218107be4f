# SPDX-License-Identifier: MIT
"""``python -m softswitch.frontend``: p4c's options, one clear line for bad input."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from finsy.proto import p4i

from softswitch.frontend.__main__ import main

PROGRAMS = Path(__file__).parent / "programs"
GOOD = PROGRAMS / "loops_apply.p4"


def test_writes_both_files(tmp_path: Path) -> None:
    names = [tmp_path / f"a.{kind}" for kind in ("txtpb", "json", "bin")]
    out = tmp_path / "out.json"
    args = [str(GOOD), "-o", str(out), "--p4runtime-files", ",".join(map(str, names))]
    assert main(["--target", "bmv2", "--arch", "v1model", "--std", "p4-16", *args]) == 0
    assert json.loads(out.read_text())["program"] == "loops_apply.p4"
    info = p4i.P4Info.FromString(names[2].read_bytes())
    assert [t.preamble.name for t in info.tables] == ["Ig.t"]
    assert json.loads(names[1].read_text())["pkg_info"]["arch"] == "v1model"
    assert 'name: "Ig.t"' in names[0].read_text()


def test_a_directory_gets_the_name_of_the_program(tmp_path: Path) -> None:
    assert main([str(GOOD), "-o", str(tmp_path)]) == 0
    assert (tmp_path / "loops_apply.json").exists()


def test_defines_and_include_directories(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc" / "number.p4inc").write_text("const bit<8> N = NUMBER;\n")
    program = tmp_path / "program.p4"
    program.write_text('#include "number.p4inc"\n')
    include = ["-I", str(tmp_path / "inc")]
    assert main([str(program), "-E", *include, "-DNUMBER=7"]) == 0
    assert "const bit<8> N = 7;" in capsys.readouterr().out
    assert main([str(program), *include, "-DNUMBER=7", "-UNUMBER"]) == 1
    assert "number.p4inc:1:" in capsys.readouterr().err


def test_an_error_names_the_place(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    program = PROGRAMS / "rejected" / "for_in.p4"
    assert main([str(program), "-o", str(tmp_path / "x.json")]) == 1
    first = capsys.readouterr().err.splitlines()[0]
    assert first == f"{program}:5:9: error: BMv2 does not support for-in loops [unsupported]"
    assert not (tmp_path / "x.json").exists()


def test_an_unwritable_file_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main([str(GOOD), "-o", str(tmp_path / "no" / "x.json")]) == 1
    assert "cannot be written: No such file or directory" in capsys.readouterr().err


def test_a_suffix_that_means_nothing_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([str(GOOD), "--p4runtime-files", "info.xml"])
    assert caught.value.code == 2
    assert "info.xml: the suffix must be one of .txtpb" in capsys.readouterr().err
