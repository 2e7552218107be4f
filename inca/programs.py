# SPDX-License-Identifier: MIT
"""P4 programs: finding them, and compiling them with either compiler."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from inca.paths import BUILD, P4_SOURCE, shown


class ProgramError(Exception):
    """A program cannot be found or compiled; the text is one line per fault."""


@dataclass(frozen=True)
class CompiledProgram:
    """The two files that a switch and a controller need."""

    name: str
    json_path: Path
    p4info_path: Path


def sources() -> dict[str, Path]:
    """Name -> source of the project's main programs (those that have a V1Switch)."""
    found = sorted(P4_SOURCE.rglob("*.p4"))
    return {path.stem: path for path in found if "V1Switch(" in path.read_text(encoding="utf-8")}


def find(name_or_path: str) -> Path:
    """The source of a program given by its name (``esa``) or path.

    Raises:
        ProgramError: there is none.
    """
    known = sources()
    if name_or_path in known:
        return known[name_or_path]
    path = Path(name_or_path)
    if path.is_file():
        return path
    close = get_close_matches(name_or_path, known, n=1)
    hint = (
        f"did you mean {close[0]!r}?" if close else f"shipped: {', '.join(known)}; or give a path"
    )
    raise ProgramError(f"no P4 program {name_or_path!r}: {hint}")


def parse_defines(defines: Sequence[str]) -> dict[str, str | None]:
    """``NAME`` and ``NAME=VALUE`` words as a mapping."""
    pairs = (word.partition("=") for word in defines)
    return {name: value if equals else None for name, equals, value in pairs}


def compile_program(
    source: Path,
    json_path: Path,
    p4info_path: Path | None = None,
    *,
    include_dirs: Sequence[Path] = (),
    defines: Mapping[str, str | None] | None = None,
    target: str = "softswitch",
) -> None:
    """Compile one program, with our front end or (target bmv2) the machine's p4c.

    Raises:
        ProgramError: no such file, no p4c, or p4c refuses the program.
        softswitch.frontend.P4CompileError: our front end refuses the program.
    """
    if not source.is_file():
        raise ProgramError(f"{source}: no such file: check the path")
    for path in filter(None, (json_path, p4info_path)):
        path.parent.mkdir(parents=True, exist_ok=True)
    if target == "bmv2":
        _run_p4c(source, json_path, p4info_path, include_dirs, defines or {})
        return
    from softswitch.frontend import compile_p4

    compiled = compile_p4(source, include_dirs=include_dirs, defines=defines or {})
    compiled.write(json_path, p4info_path)


def build(name: str, target: str = "softswitch", **defines: str | None) -> CompiledProgram:
    """Compile one of the project's programs into ``build/``.

    Macros make a variant: its files carry their names and values.
    """
    source = find(name)
    variant = "".join(f"-{key}={value}" if value else f"-{key}" for key, value in defines.items())
    stem = source.stem + variant.lower()
    compiled = CompiledProgram(source.stem, BUILD / f"{stem}.json", BUILD / f"{stem}.p4info.txtpb")
    compile_program(
        source, compiled.json_path, compiled.p4info_path, defines=defines, target=target
    )
    return compiled


def _run_p4c(
    source: Path,
    json_path: Path,
    p4info_path: Path | None,
    include_dirs: Sequence[Path],
    defines: Mapping[str, str | None],
) -> None:
    p4c = shutil.which("p4c-bm2-ss") or shutil.which("p4c")
    if p4c is None:
        raise ProgramError(
            "p4c is not on PATH: install p4lang's packages, or leave TARGET=bmv2 out"
        )
    command = [p4c, "--std", "p4-16"]
    if Path(p4c).name == "p4c":
        command += ["--target", "bmv2", "--arch", "v1model"]
    command += [f"-I{folder}" for folder in include_dirs]
    command += [f"-D{k}={v}" if v is not None else f"-D{k}" for k, v in defines.items()]
    if p4info_path is not None:
        command += ["--p4runtime-files", str(p4info_path)]
    command += ["-o", str(json_path), str(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        text = (done.stderr or done.stdout).strip()
        raise ProgramError(f"{shown(source)}: p4c: {text}")
