# SPDX-License-Identifier: MIT
"""What ``inca trace`` does: a pipeline built with tracing, and its events as aligned lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from inca.cli.boundary import CommandError
from inca.cli.output import console, print_json
from softswitch.engine import Pipeline, TraceEvent
from softswitch.frontend import compile_p4
from softswitch.p4info import P4Info
from softswitch.stf.commands import StfFailure
from softswitch.stf.inprocess import InProcessTarget
from softswitch.stf.parser import parse_script
from softswitch.stf.runner import run_script

Traced = tuple[int, bytes, list[TraceEvent], list[tuple[int, bytes]]]
"""A packet: port, bytes, what happened, what came out."""


class _Tracing(InProcessTarget):
    """Notes the trace of each packet."""

    def __init__(self, pipeline: Pipeline) -> None:
        super().__init__(pipeline)
        self.traced: list[Traced] = []

    def send(self, port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Run a packet, and keep what happened to it."""
        out = super().send(port, data)
        self.traced.append((port, data, self._pipeline.trace_log(), out))
        return out


def run(
    program: Path,
    packets: Iterable[tuple[int, bytes]],
    stf: Path | None,
    defines: Iterable[str],
    seed: int,
    *,
    as_json: bool,
) -> None:
    """Trace the packets of a test and those given, and print the traces."""
    pairs = (define.partition("=") for define in defines)
    compiled = compile_p4(program, defines={name: value or None for name, _, value in pairs})
    target = _Tracing(Pipeline.load(compiled.bmv2_json, seed=seed, trace=True))
    if stf is not None:
        script = parse_script(stf.read_text(encoding="utf-8"), str(stf))
        try:
            run_script(script, P4Info.of(compiled.p4info), target)
        except StfFailure as failure:  # the packets are traced all the same
            console().print(f"[yellow]the packet test fails[/]: {failure}", markup=True)
    for port, data in packets:
        target.send(port, data)
    if not target.traced:
        raise CommandError("nothing to trace: give PORT:HEX, or --stf FILE with packets")
    if as_json:
        print_json([_record(traced) for traced in target.traced])
        return
    for traced in target.traced:
        _print(traced)


def _record(traced: Traced) -> dict[str, object]:
    port, data, events, out = traced
    return {
        "port": port,
        "packet": data.hex(),
        "events": [asdict(event) for event in events],
        "out": [{"port": p, "packet": d.hex()} for p, d in out],
    }


def _print(traced: Traced) -> None:
    port, data, events, out = traced
    screen = console()
    screen.print(f"packet on port {port}, {len(data)} bytes", style="bold", markup=False)
    place = max((len(event.source) for event in events), default=0)
    kind = max((len(event.kind) for event in events), default=0)
    for event in events:
        text = f"{event.fragment}: {event.text}" if event.kind == "condition" else event.text
        screen.print(
            f"  {event.source:{place}}  {event.kind:{kind}}  {text}", markup=False, soft_wrap=True
        )
    for out_port, out_data in out:
        screen.print(f"  out on port {out_port}: {out_data.hex()}", markup=False, soft_wrap=True)
    if not out:
        screen.print("  nothing comes out", markup=False)
    screen.print()
