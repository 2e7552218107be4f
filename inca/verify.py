# SPDX-License-Identifier: MIT
"""What ``inca verify`` does: one check with a live display, or the standard set in parallel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.status import Status

from inca.cli.output import console, print_json, table
from verification import catalog, export
from verification.catalog import Case
from verification.explorer import Limits, Reductions, explore
from verification.model import Environment, System
from verification.verdict import Outcome, Statistics, Verdict

_STYLE = {Outcome.HOLDS: "green", Outcome.VIOLATED: "red", Outcome.NOT_ESTABLISHED: "yellow"}
_PROCESSES = 2
_UNEXPECTED = 1


@dataclass(frozen=True)
class Request:
    """One check."""

    system: str
    options: Mapping[str, int]
    environment: Environment
    limits: Limits = field(default_factory=Limits)
    reductions: Reductions = field(default_factory=Reductions)


def list_systems() -> int:
    """Print the systems by name."""
    made = table([("system", "left"), ("", "left")])
    for name, entry in catalog.SYSTEMS.items():
        made.add_row(name, entry.summary)
    console().print(made)
    return 0


def run_one(request: Request, *, folder: Path | None, as_json: bool) -> int:
    """Check one system; print the verdict and, when violated, the shortest trace."""
    system = catalog.make(request.system, request.options)
    with Status(request.system, console=console()) as status:

        def show(stats: Statistics, frontier: int) -> None:
            rate = stats.states / max(stats.seconds, 1e-9)
            status.update(
                f"{request.system}: {stats.states:,} states, depth {stats.depth}, "
                f"frontier {frontier:,}, {rate:,.0f}/s"
            )

        verdict = explore(
            system,
            request.environment,
            limits=request.limits,
            reductions=request.reductions,
            progress=None if as_json else show,
        )
    if as_json:
        print_json(_record(verdict))
    else:
        if verdict.outcome is Outcome.VIOLATED:
            console().print(_text(verdict), soft_wrap=True, markup=False)
        _print_table([(verdict, None)])
        if verdict.reason:
            console().print(f"not established: {verdict.reason}")
    if folder is not None and verdict.outcome is Outcome.VIOLATED:
        for line in _write(folder, request, system, verdict):
            if not as_json:
                console().print(line)
    return verdict.outcome.exit_code


def run_standard(limits: Limits, *, as_json: bool) -> int:
    """Check the standard set on two cores; fail when a verdict is not the expected one."""
    rows: dict[int, Verdict] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with (
        Progress(*columns, console=console(), disable=as_json) as progress,
        ProcessPoolExecutor(_PROCESSES) as pool,
    ):
        task = progress.add_task("checking", total=len(catalog.STANDARD))
        pending = {
            pool.submit(_check, case, limits): number
            for number, case in enumerate(catalog.STANDARD)
        }
        for future in as_completed(pending):
            number = pending[future]
            rows[number] = future.result()
            states = sum(v.statistics.states for v in rows.values())
            described = f"{rows[number].system}: {rows[number].outcome.value}; {states:,} states"
            progress.update(task, advance=1, description=described)
    ordered = [(rows[n], case.expected) for n, case in enumerate(catalog.STANDARD)]
    if as_json:
        print_json([{**_record(v), "expected": e.value} for v, e in ordered])
    else:
        _print_table(ordered)
    unexpected = sum(v.outcome is not e for v, e in ordered)
    if not as_json:
        console().print(f"{len(ordered) - unexpected} as expected, {unexpected} not")
    return _UNEXPECTED if unexpected else 0


def _check(case: Case, limits: Limits) -> Verdict:
    return case.check(limits)


def _text(verdict: Verdict) -> str:
    return export.text(verdict) + "\n"


def _print_table(rows: Iterable[tuple[Verdict, Outcome | None]]) -> None:
    made = table(
        [
            ("system", "left"),
            ("environment", "left"),
            ("states", "right"),
            ("transitions", "right"),
            ("depth", "right"),
            ("code runs", "right"),
            ("seconds", "right"),
            ("verdict", "left"),
        ]
    )
    for column in made.columns[:2]:  # narrow terminals break text, never figures
        column.no_wrap = False
    for verdict, expected in rows:
        s = verdict.statistics
        told = f"[{_STYLE[verdict.outcome]}]{verdict.outcome.value}[/]"
        if verdict.outcome is Outcome.VIOLATED:
            told += f" in {len(verdict.trace)} steps"
        if expected is not None and expected is not verdict.outcome:
            told += f" [bold red](expected: {expected.value})[/]"
        made.add_row(
            verdict.system,
            str(verdict.environment),
            f"{s.states:,}",
            f"{s.transitions:,}",
            str(s.depth),
            f"{s.local_steps:,}",
            f"{s.seconds:.2f}",
            told,
        )
    console().print(made)


def _record(verdict: Verdict) -> dict[str, object]:
    return {
        "system": verdict.system,
        "environment": asdict(verdict.environment),
        "verdict": verdict.outcome.value,
        "property": verdict.prop,
        "reason": verdict.reason,
        "statistics": asdict(verdict.statistics),
        "trace": [
            {"kind": t.kind, "source": t.source, "node": t.node, "what": t.what, "after": t.after}
            for t in verdict.trace
        ],
    }


def _write(folder: Path, request: Request, system: System, verdict: Verdict) -> list[str]:
    """The counterexample as text, pytest and, where switches run a program, pcap and STF.

    Returns what to tell about it.
    """
    told = []
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trace.txt").write_text(_text(verdict))
    source = export.pytest_source(
        verdict,
        catalog.expression(request.system, request.options),
        catalog.imports(request.system),
        skip_hops=request.reductions.skip_hops,
        absorb=request.reductions.absorb,
    )
    (folder / f"test_{request.system.replace('-', '_')}.py").write_text(source)
    if any(isinstance(step.packet, bytes) for step in verdict.trace):
        export.pcap(folder / "trace.pcap", verdict.trace)
    for switch, artefact in system.artefacts.items():
        if any(step.kind == "internal" and step.node == switch for step in verdict.trace):
            told.append(f"no packet test of {switch}: one cannot tell a switch to reboot")
            continue
        packet_test = export.stf(verdict, switch, artefact)
        (folder / f"{switch}.stf").write_text(packet_test, encoding="utf-8")
        artefact.write(folder / f"{switch}.bmv2.json", folder / f"{switch}.p4info.txtpb")
    return [*told, f"counterexample written to {folder}"]
