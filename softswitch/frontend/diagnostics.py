# SPDX-License-Identifier: MIT
"""Errors and warnings of the front end, and how they look.

Kinds are p4c's categories: ``type-error``, ``not-found``, ``invalid``, ``duplicate``,
``insufficient``, ``unsupported``, ``syntax-error``, and for errors of the preprocessor ``io``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from softswitch.frontend.ast import Span


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One message; ``column`` counts from 1, ``length`` is what the caret line underlines."""

    kind: str
    message: str
    file: str
    line: int
    column: int
    length: int = 1
    severity: str = "error"

    def __str__(self) -> str:
        """One line: ``file:line:column: error: message``."""
        where = f"{self.file}:{self.line}:{self.column}: " if self.line else ""
        if not self.line and self.file:
            where = f"{self.file}: "
        return f"{where}{self.severity}: {self.message} [{self.kind}]"

    def render(self) -> str:
        """`str` plus the source line and a caret line, when the file can be read."""
        text = _source_line(self.file, self.line)
        if text is None:
            return str(self)
        number = f"{self.line:5d} | "
        lead = "".join("\t" if c == "\t" else " " for c in text[: self.column - 1])
        length = max(1, min(self.length, len(text) - self.column + 1))
        return f"{self}\n{number}{text}\n{' ' * (len(number) - 2)}| {lead}^{'~' * (length - 1)}"


class P4CompileError(Exception):
    """A program that cannot be compiled: ``diagnostics`` has at least one error."""

    def __init__(self, diagnostics: Sequence[Diagnostic]) -> None:
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        first = next((d for d in self.diagnostics if d.severity == "error"), None)
        super().__init__(str(first) if first else "compilation failed")

    def render(self) -> str:
        """All diagnostics with their source lines and a last line that counts them."""
        errors = sum(d.severity == "error" for d in self.diagnostics)
        parts = [d.render() for d in self.diagnostics]
        parts.append(f"{errors} error{'' if errors == 1 else 's'}")
        return "\n".join(parts)


def diagnostic(kind: str, message: str, span: Span, severity: str = "error") -> Diagnostic:
    """A diagnostic at ``span``, its column corrected to that of the original file."""
    one_line = span.end_line == span.line
    length = span.end_column - span.column if one_line else 1
    column = span.column
    return Diagnostic(kind, message, span.file, span.line, column, max(1, length), severity)


def error(
    kind: str, message: str, span: Span, note: tuple[str, Span] | None = None
) -> P4CompileError:
    """An exception holding one error, and where else to look, to be raised to stop compiling."""
    found = [diagnostic(kind, message, span)]
    if note is not None:
        found.append(diagnostic(kind, note[0], note[1], "note"))
    return P4CompileError(found)


def suggestion(name: str, known: Iterable[str]) -> str:
    """`` (did you mean 'x'?)`` for the known name that is most like ``name``, or ''."""
    close = get_close_matches(name, set(known), 1, 0.7)
    return f" (did you mean '{close[0]}'?)" if close else ""


def _source_line(file: str, line: int) -> str | None:
    if line < 1:
        return None
    try:
        lines = Path(file).read_text(encoding="utf-8", errors="replace").split("\n")
    except OSError:
        return None
    return lines[line - 1].rstrip() if line <= len(lines) else None
