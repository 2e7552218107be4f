# SPDX-License-Identifier: MIT
"""Operators of two tokens inside expanded macros, where columns cannot tell what is adjacent."""

from pathlib import Path

from softswitch.frontend.parse import parse
from softswitch.frontend.preprocess import preprocess


def test_shifts_survive_macro_expansion(tmp_path: Path) -> None:
    source = tmp_path / "shift.p4"
    source.write_text(
        "#define SHIFT(x) x = (x >> 3); x >>= 1;\n"
        "control c(inout bit<8> a) {\n  apply { SHIFT(a) }\n}\n"
    )
    parse(preprocess(source))
