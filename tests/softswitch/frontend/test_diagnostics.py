# SPDX-License-Identifier: MIT
"""How errors look and where they point: original files, lines and columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from softswitch.frontend.check import check_program
from softswitch.frontend.diagnostics import P4CompileError
from softswitch.frontend.parse import parse
from softswitch.frontend.preprocess import preprocess

from .sample_programs import check, program


def failure(text: str, folder: Path) -> P4CompileError:
    with pytest.raises(P4CompileError) as caught:
        check(text, folder)
    return caught.value


def test_an_error_shows_the_line_and_underlines_the_cause(tmp_path: Path) -> None:
    error = failure(program(apply="\thdr.h.a =   1 +  missing; // why"), tmp_path)
    line = error.diagnostics[0].line
    assert error.render().split("\n") == [
        f"{tmp_path}/program.p4:{line}:19: error: missing: declaration not found [not-found]",
        f"{line:5d} | \thdr.h.a =   1 +  missing; // why",
        "      | \t                 ^~~~~~~",
        "1 error",
    ]
    assert str(error) == error.render().split("\n")[0]


def test_all_errors_are_reported_once(tmp_path: Path) -> None:
    apply = "hdr.h.a = one; hdr.h.b = two; bit<8> bad = three; hdr.h.a = bad; four.apply();"
    found = failure(program(apply=apply), tmp_path).diagnostics
    names = [d.message.split(":")[0] for d in found]
    assert names == ["one", "two", "three", "four"]


def test_the_error_comes_before_warnings_in_the_text(tmp_path: Path) -> None:
    error = failure(program(apply="hdr.h.a = 300; hdr.h.a = nothing;"), tmp_path)
    assert [d.severity for d in error.diagnostics] == ["warning", "error"]
    assert "nothing: declaration not found" in str(error)


@pytest.mark.parametrize(
    ("apply", "hint"),
    [
        ("hdr.h.a = metta.m;", "'meta'"),
        ("hdr.h.padd = 1;", "'pad'"),
        ("meta.err = error.NoErorr;", "'NoError'"),
        ("r.wrte(1, 2);", "'write'"),
        ("mark_to_dorp(sm);", "'mark_to_drop'"),
    ],
)
def test_a_near_name_is_suggested(apply: str, hint: str, tmp_path: Path) -> None:
    text = program(apply=apply, control="register<bit<8>>(2) r;")
    assert f"did you mean {hint}?" in str(failure(text, tmp_path))


def test_errors_in_included_files_name_them(tmp_path: Path) -> None:
    (tmp_path / "part.p4").write_text("const bit<8> FINE = 1;\n\nconst bit<8> BAD = true;\n")
    error = failure(program(top='#include "part.p4"'), tmp_path).diagnostics[0]
    assert (error.file, error.line, error.column) == (f"{tmp_path}/part.p4", 3, 20)


def test_errors_in_macros_underline_the_macro(tmp_path: Path) -> None:
    top = "#define ADD(x, y) ((x) + (y))"
    text = program(top=top, apply="hdr.h.a = ADD(hdr.h.a, hdr.h.b) + 1;")
    error = failure(text, tmp_path).diagnostics[0]
    assert (error.column, error.length) == (11, len("ADD(hdr.h.a, hdr.h.b)"))


def test_a_call_of_many_lines_points_at_call_and_argument(tmp_path: Path) -> None:
    text = program(apply="mark_to_drop(\n    meta);")
    error, note = failure(text, tmp_path).diagnostics
    assert (error.severity, note.severity) == ("error", "note")
    assert note.line == error.line + 1


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(P4CompileError, match=r"nowhere\.p4: error: no such file"):
        preprocess(tmp_path / "nowhere.p4")
    source = tmp_path / "a.p4"
    source.write_text('const bit<8> X = 1;\n#include "nowhere.p4"\n')
    with pytest.raises(P4CompileError) as caught:
        preprocess(source)
    found = caught.value.diagnostics[0]
    assert (found.file, found.line, found.kind) == (str(source), 2, "not-found")
    assert "nowhere.p4" in found.message


def test_error_directives_and_unfinished_comments_are_errors(tmp_path: Path) -> None:
    source = tmp_path / "a.p4"
    for text, line in (("\n#error no such target\n", 2), ("bit\n/* never closed\n", 2)):
        source.write_text(text)
        with pytest.raises(P4CompileError) as caught:
            parse(preprocess(source))
        assert caught.value.diagnostics[0].line == line


def test_defines_and_include_directories_reach_cpp(tmp_path: Path) -> None:
    (tmp_path / "inc").mkdir()
    (tmp_path / "inc/x.p4").write_text("const bit<8> X = WIDTH;\n")
    source = tmp_path / "a.p4"
    source.write_text("#include <x.p4>\n#ifdef FLAG\nconst bit<8> Y = X;\n#endif\n")
    read = preprocess(source, include_dirs=[tmp_path / "inc"], defines={"WIDTH": "7", "FLAG": None})
    names = [d.name for d in parse(read).declarations]
    assert names == ["X", "Y"]


def test_a_program_without_main_is_rejected(tmp_path: Path) -> None:
    source = tmp_path / "a.p4"
    source.write_text("#include <core.p4>\nconst bit<8> X = 1;\n")
    with pytest.raises(P4CompileError, match="main"):
        check_program(parse(preprocess(source)))


def test_crlf_and_unicode_sources(tmp_path: Path) -> None:
    text = program(apply='log_msg("Größe {}", { hdr.h.a }); hdr.h.a = nothing;')
    (tmp_path / "program.p4").write_bytes(text.replace("\n", "\r\n").encode())
    with pytest.raises(P4CompileError) as caught:
        check_program(parse(preprocess(tmp_path / "program.p4")))
    assert [d.kind for d in caught.value.diagnostics] == ["not-found"]
    assert caught.value.diagnostics[0].column == 45


def test_a_control_that_does_not_fit_shows_its_parameter(tmp_path: Path) -> None:
    text = program().replace(
        "control Eg(inout headers_t hdr, inout meta_t",
        "control Eg(inout headers_t hdr,\n in meta_t",
    )
    error, *notes = failure(text, tmp_path).diagnostics
    assert "directions 'in' and 'inout' differ" in error.message
    assert text.split("\n")[error.line - 1].startswith("V1Switch(")
    assert error.column == text.split("\n")[error.line - 1].index("Eg()") + 1
    shown = [text.split("\n")[note.line - 1] for note in notes]
    assert shown[0].startswith(" in meta_t")
    assert shown[1].startswith("struct meta_t")
