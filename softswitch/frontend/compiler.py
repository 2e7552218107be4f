# SPDX-License-Identifier: MIT
"""The whole front end: preprocess, parse, check, lower, write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from finsy.proto import p4i
from google.protobuf import json_format, text_format

from softswitch.frontend import bmv2json, p4info
from softswitch.frontend.check import check_program
from softswitch.frontend.diagnostics import Diagnostic
from softswitch.frontend.lower.program import lower
from softswitch.frontend.parse import parse
from softswitch.frontend.preprocess import preprocess
from softswitch.frontend.recursion import deep_recursion
from softswitch.frontend.source import SourceText

P4INFO_SUFFIXES = (".txtpb", ".txt", ".json", ".bin")
_P4INFO_HEADER = "# proto-file: p4/config/v1/p4info.proto\n# proto-message: p4.config.v1.P4Info\n\n"


@dataclass(frozen=True)
class Compiled:
    """A compiled program.

    ``bmv2_json`` is the BMv2 JSON document (format 2.23), ``p4info`` the P4Info message;
    ``warnings`` do not stop compilation.
    """

    bmv2_json: dict[str, object]
    p4info: p4i.P4Info
    warnings: tuple[Diagnostic, ...] = field(default=())

    def json_text(self) -> str:
        """The document as JSON text."""
        return json.dumps(self.bmv2_json, indent=2) + "\n"

    def p4info_text(self) -> str:
        """The message in protobuf's text format."""
        return _P4INFO_HEADER + text_format.MessageToString(self.p4info)

    def write(self, json_path: Path | None, p4info_path: Path | None) -> None:
        """Write both files; None leaves one out.  Raises `OSError`.

        The suffix of ``p4info_path`` says how: ``.bin``, ``.json``, else text.
        """
        if json_path is not None:
            json_path.write_text(self.json_text(), encoding="utf-8")
        if p4info_path is None:
            return
        match p4info_path.suffix:
            case ".bin":
                p4info_path.write_bytes(self.p4info.SerializeToString(deterministic=True))
            case ".json":
                text = json_format.MessageToJson(self.p4info, preserving_proto_field_name=True)
                p4info_path.write_text(text + "\n", encoding="utf-8")
            case _:
                p4info_path.write_text(self.p4info_text(), encoding="utf-8")


def compile_p4(
    source: Path,
    *,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str | None] | None = None,
) -> Compiled:
    """Compile a v1model program.

    ``include_dirs`` and ``defines`` go to the C preprocessor.  Raises `P4CompileError`, which
    holds all errors found.
    """
    text = preprocess(source, include_dirs=include_dirs, defines=defines)
    typed = check_program(parse(text))
    with deep_recursion(lambda: typed.main.span):
        model = lower(typed.program, source.name)
        document = bmv2json.document(model, SourceText())
        info = p4info.message(model)
    return Compiled(document, info, tuple(typed.warnings))
