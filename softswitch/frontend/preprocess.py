# SPDX-License-Identifier: MIT
"""Runs the system's ``cpp`` over a P4 source and keeps track of the original lines.

The result is the preprocessed text with line markers.  ``cpp`` squeezes blanks; every line in
which no macro was expanded is replaced by its original, so that columns are those of the file.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from softswitch.frontend.diagnostics import Diagnostic, P4CompileError

INCLUDE_DIR = Path(__file__).parent / "include"
_MARKER = re.compile(r'#\s*(?:line\s+)?(\d+)\s+"((?:[^"\\]|\\.)*)"')
_CPP_ERROR = re.compile(r"(.+?):(\d+):(?:(\d+):)? (?:fatal )?error: (.*)")
_TIMEOUT_SECONDS = 30


@dataclass(slots=True)
class Line:
    """One line of preprocessed text; ``original`` is the source line if a macro changed it."""

    file: str
    number: int
    text: str
    original: str | None = None


@dataclass(slots=True)
class Source:
    """Preprocessed program: what `softswitch.frontend.parse.parse` reads."""

    file: str
    lines: list[Line] = field(default_factory=list)

    @classmethod
    def from_text(cls, text: str, file: str = "<text>") -> Source:
        """Wraps P4 text that needs no preprocessing."""
        return cls(file, [Line(file, i, line) for i, line in enumerate(text.split("\n"), 1)])


def preprocess(
    source: Path,
    *,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str | None] | None = None,
) -> Source:
    """Preprocesses ``source``; ``#include <core.p4>`` finds our own files last.

    Raises `P4CompileError` when the file or an include is missing or ``cpp`` reports an error.
    """
    name = str(source)
    if not source.is_file():
        raise _failure("not-found", "no such file", name)
    command = ["cpp", "-C", "-undef", "-nostdinc", "-x", "assembler-with-cpp"]
    command += ["-D__TARGET_BMV2__", "-D__ARCH_V1MODEL__"]  # as p4c's driver does
    command += [f"-D{k}" if v is None else f"-D{k}={v}" for k, v in (defines or {}).items()]
    for directory in (*include_dirs, INCLUDE_DIR):
        command += ["-I", str(directory)]
    try:
        done = subprocess.run(
            [*command, name], capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
        )
    except FileNotFoundError:
        raise _failure("io", "cpp is not installed (apt install cpp)", name) from None
    except subprocess.TimeoutExpired:
        raise _failure("io", f"cpp did not end within {_TIMEOUT_SECONDS} s", name) from None
    if done.returncode:
        raise P4CompileError(_cpp_errors(done.stderr.decode(errors="replace"), name))
    return _with_lines(done.stdout.decode(errors="replace"), name)


def _failure(kind: str, message: str, file: str) -> P4CompileError:
    return P4CompileError([Diagnostic(kind, message, file, 0, 0)])


def _cpp_errors(stderr: str, file: str) -> list[Diagnostic]:
    found = []
    for line in stderr.splitlines():
        match = _CPP_ERROR.match(line)
        if match:
            where, number, column, message = match.groups()
            kind = "not-found" if "No such file" in message else "invalid"
            found.append(Diagnostic(kind, message, where, int(number), int(column or 1)))
    if not found:
        last = (stderr.strip().splitlines() or ["no message"])[-1]
        found.append(Diagnostic("io", f"cpp failed: {last}", file, 0, 0))
    return found


def _with_lines(text: str, file: str) -> Source:
    result = Source(file)
    originals: dict[str, list[str]] = {}
    number, current = 1, file
    for text_line in text.split("\n"):
        if text_line.startswith("#"):
            marker = _MARKER.match(text_line)
            if marker:
                number = int(marker.group(1))
                current = re.sub(r"\\(.)", r"\1", marker.group(2))
                continue
        result.lines.append(_line(current, number, text_line, originals))
        number += 1
    return result


def _line(file: str, number: int, text: str, originals: dict[str, list[str]]) -> Line:
    if not text or text.isspace():
        return Line(file, number, "")
    source = originals.get(file)
    if source is None:
        try:
            source = Path(file).read_text(encoding="utf-8", errors="replace").split("\n")
        except OSError:
            source = []
        originals[file] = source
    original = source[number - 1].rstrip("\r") if 0 < number <= len(source) else text
    if original == text or "".join(original.split()) == "".join(text.split()):
        return Line(file, number, original)
    return Line(file, number, text, original)
