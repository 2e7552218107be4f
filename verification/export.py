# SPDX-License-Identifier: MIT
"""Counterexamples for people and for other tools: text, packet test (STF), pcap, pytest."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from pathlib import Path

from verification.model import Artefact
from verification.replay import choices
from verification.verdict import TraceStep, Verdict

_MARKS = {"deliver": "->", "lose": "-x lost", "duplicate": "=> twice", "internal": "*"}


def text(verdict: Verdict) -> str:
    """The counterexample, a line per step and one for what follows from it."""
    lines = [f"{verdict.system}: {verdict.prop}", f"environment: {verdict.environment}", ""]
    for number, step in enumerate(verdict.trace, 1):
        lines.append(f"{number:3}  {_headline(step)}")
        if step.kind in ("deliver", "internal"):
            lines.append(f"       {step.node}: {step.after}")
            lines += [f"       sends to {sent.to}: {sent.what}" for sent in step.sent]
    return "\n".join(lines)


def _headline(step: TraceStep) -> str:
    if step.kind == "internal":
        return f"{step.node} * {step.what}"
    return f"{step.source} {_MARKS[step.kind]} {step.node}   {step.what}"


def stf(verdict: Verdict, switch: str, artefact: Artefact) -> str:
    """The packets that one switch receives in the trace and what it answers, as a packet test.

    It passes on a target that behaves as the embedded one did: it shows how the switch took part
    in the violation, not that the switch is to blame.
    """
    lines = [f"# {verdict.system}: {verdict.prop}", f"# environment: {verdict.environment}"]
    lines += [f"# program: {artefact.program}", *artefact.setup]
    for number, step in enumerate(verdict.trace, 1):
        if step.node != switch or step.kind != "deliver":
            continue
        assert isinstance(step.packet, bytes)
        lines += ["", f"# step {number}: {step.what}", f"packet {step.port} {step.packet.hex()}"]
        for sent in step.sent:
            assert isinstance(sent.packet, bytes)
            lines += [f"# {sent.what}", f"expect {sent.port} {sent.packet.hex()}$"]
    return "\n".join([*lines, "", "no_packet", ""])


def pcap(path: Path, trace: Sequence[TraceStep]) -> None:
    """The delivered packets in order, one microsecond apart (tcpdump's format, Ethernet)."""
    with path.open("wb") as out:
        out.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1))
        for number, step in enumerate(trace):
            if step.kind == "deliver" and isinstance(step.packet, bytes):
                size = len(step.packet)
                out.write(struct.pack("<IIII", 0, number, size, size) + step.packet)


def pytest_source(
    verdict: Verdict,
    make_system: str,
    imports: str,
    *,
    skip_hops: bool = True,
    absorb: bool = True,
) -> str:
    """A test that follows the same steps on the real nodes and expects the same violation.

    ``make_system`` is a Python expression for the system, ``imports`` what it needs.
    """
    steps = "\n".join(f"    {choice!r}," for choice in choices(verdict.trace))
    return (
        "# SPDX-License-Identifier: MIT\n"
        f'"""{verdict.system}: {verdict.prop}"""\n\n'
        f"{imports}\n"
        "from verification.model import Environment\n"
        "from verification.replay import replay\n\n"
        f"STEPS = [\n{steps}\n]\n\n\n"
        "def test_replays_to_the_violation() -> None:\n"
        f"    environment = {verdict.environment!r}\n"
        f"    system = {make_system}\n"
        "    found = replay(\n"
        f"        system, environment, STEPS, skip_hops={skip_hops}, absorb={absorb}\n"
        "    )\n"
        f"    assert found == {verdict.prop!r}\n"
    )
