# SPDX-License-Identifier: MIT
"""Text of the source files, for the fragments that BMv2's JSON carries."""

from __future__ import annotations

from pathlib import Path

from softswitch.frontend.ast import Span


class SourceText:
    """Reads each file once."""

    def __init__(self) -> None:
        self._lines: dict[str, list[str]] = {}

    def fragment(self, span: Span) -> str:
        """The source text of a span; only the first line of longer ones, with ``...``."""
        lines = self._file(span.file)
        if not 0 < span.line <= len(lines):
            return ""
        line = lines[span.line - 1]
        if span.end_line == span.line:
            return line[span.column - 1 : span.end_column - 1]
        return line[span.column - 1 :].rstrip() + " ..."

    def _file(self, name: str) -> list[str]:
        known = self._lines.get(name)
        if known is None:
            try:
                text = Path(name).read_text(encoding="utf-8", errors="replace")
            except OSError:
                text = ""
            known = self._lines[name] = text.split("\n")
        return known
