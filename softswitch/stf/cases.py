# SPDX-License-Identifier: MIT
"""Packet-test cases on disk: which there are and how one of them is run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from softswitch.p4info import P4Info
from softswitch.stf.commands import Script, StfError
from softswitch.stf.p4c import parse_p4c_script
from softswitch.stf.parser import parse_script
from softswitch.stf.runner import run_script
from softswitch.stf.target import Target

TargetName = Literal["softswitch", "bmv2"]
Dialect = Literal["inca", "p4c"]
PriorityOrder = Literal["larger", "smaller"]


@dataclass(frozen=True, slots=True)
class Case:
    """One test: a program with packets (`stf`) or with the error it must give (`err`).

    `json` and `p4info` replace the compilation of `program`.
    """

    name: str
    program: Path
    stf: Path | None = None
    err: Path | None = None
    json: Path | None = None
    p4info: Path | None = None


@dataclass(frozen=True, slots=True)
class CaseOptions:
    """How cases are run."""

    target: TargetName = "softswitch"
    dialect: Dialect = "inca"
    priorities: PriorityOrder | None = None
    sanitize: bool = False
    seed: int = 0

    @property
    def smaller_priority_wins(self) -> bool:
        """How priorities of `add` are ordered; p4c's dialect has the smaller first."""
        if self.priorities is None:
            return self.dialect == "p4c"
        return self.priorities == "smaller"


def find_cases(directory: Path, *, recorded: bool = False) -> list[Case]:
    """All cases below `directory`: NAME.p4 with NAME.stf or NAME.err beside it.

    With `recorded`, NAME.bmv2.json and NAME.p4info.txtpb are used instead of compiling, and
    negative cases, which have none, are left out.
    """
    cases = []
    for program in sorted(directory.rglob("*.p4")):
        name = program.relative_to(directory).with_suffix("").as_posix()
        stf, err = program.with_suffix(".stf"), program.with_suffix(".err")
        if stf.exists():
            json_file, p4info = _recorded(program) if recorded else (None, None)
            cases.append(Case(name, program, stf=stf, json=json_file, p4info=p4info))
        elif err.exists() and not recorded:
            cases.append(Case(name, program, err=err))
    return cases


def _recorded(program: Path) -> tuple[Path, Path]:
    return program.with_suffix(".bmv2.json"), program.with_suffix(".p4info.txtpb")


def run_case(case: Case, options: CaseOptions) -> None:
    """Run one case; return if it passed, else raise an exception whose text says why."""
    if case.err is not None:
        _run_negative(case.program, case.err)
        return
    assert case.stf is not None
    script = read_script(case.stf, options)
    config, info = _compiled(case, options.target)
    target = _open_target(config, info, options)
    try:
        run_script(script, info, target)
    finally:
        target.close()


def read_script(path: Path, options: CaseOptions) -> Script:
    """Read and parse a packet test."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise StfError(f"{path}: cannot read the packet test: {error}") from error
    parse = parse_p4c_script if options.dialect == "p4c" else parse_script
    script = parse(text, str(path))
    return replace(script, smaller_priority_wins=options.smaller_priority_wins)


def _compiled(case: Case, target: TargetName) -> tuple[Mapping[str, Any], P4Info]:
    """BMv2 JSON and P4Info of a case: given files, or the front end's result."""
    if case.json is not None and case.p4info is not None:
        return read_json(case.json), P4Info.load(case.p4info)
    if case.json is not None or case.p4info is not None:
        raise StfError("give both --json and --p4info, or neither")
    from softswitch.frontend import compile_p4

    compiled = compile_p4(case.program)
    return compiled.bmv2_json, P4Info.of(compiled.p4info)


def read_json(path: Path) -> dict[str, Any]:
    """Read BMv2 JSON."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise StfError(f"{path}: cannot read BMv2 JSON: {error}") from error
    except (ValueError, RecursionError) as error:
        raise StfError(f"{path}: not JSON: {error}") from error
    if not isinstance(document, dict):
        raise StfError(f"{path}: not BMv2 JSON: expected an object")
    return document


def _open_target(config: Mapping[str, Any], info: P4Info, options: CaseOptions) -> Target:
    if options.target == "bmv2":
        from softswitch.stf.remote import RemoteTarget, bmv2_command

        return RemoteTarget(config, info, bmv2_command())
    from softswitch.engine import Pipeline
    from softswitch.stf.inprocess import InProcessTarget

    return InProcessTarget(Pipeline.load(config, seed=options.seed, sanitize=options.sanitize))


_LINE = re.compile(r"^line:\s*([0-9]+)\s*$", re.MULTILINE)
_KIND = re.compile(r"^kind:\s*(\S+)\s*$", re.MULTILINE)


def _run_negative(program: Path, err: Path) -> None:
    """The program must be rejected on the line and with the kind that `err` gives."""
    from softswitch.frontend import P4CompileError, compile_p4

    head = err.read_text(encoding="utf-8").partition("\n---")[0]
    line, kind = _LINE.search(head), _KIND.search(head)
    if line is None or kind is None:
        raise StfError(f"{err}: expected the lines 'line: N' and 'kind: KIND'")
    try:
        compile_p4(program)
    except P4CompileError as error:
        found = [(d.line, d.kind) for d in error.diagnostics]
        if (int(line[1]), kind[1]) in found:
            return
        said = "; ".join(f"line {d.line}: {d.kind}: {d.message}" for d in error.diagnostics)
        raise StfError(f"expected {kind[1]} on line {line[1]}, the compiler said {said}") from None
    raise StfError(f"expected {kind[1]} on line {line[1]}, but the program was accepted")
