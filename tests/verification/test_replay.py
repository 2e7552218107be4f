# SPDX-License-Identifier: MIT
"""Counterexamples can be read, and followed again on the nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from softswitch.stf.cases import Case, CaseOptions, run_case
from softswitch.stf.commands import StfFailure
from verification.explorer import Reductions, explore
from verification.export import pytest_source, stf, text
from verification.model import UNLIMITED, Environment
from verification.mutants import MUTANTS
from verification.replay import ReplayError, choices, replay
from verification.systems.netlock import netlock
from verification.systems.slot import slot

BROKEN = Environment(timeout=UNLIMITED, capacity=2, reorder="any")


@pytest.mark.parametrize("reductions", [Reductions(), Reductions.none()])
def test_a_counterexample_replays_to_its_violation(reductions: Reductions) -> None:
    verdict = explore(slot(full=False), BROKEN, reductions=reductions)
    steps = choices(verdict.trace)
    absorb = reductions.absorb
    assert replay(slot(full=False), BROKEN, steps, absorb=absorb) == verdict.prop
    with pytest.raises(ReplayError, match="step 1 is not possible"):
        replay(slot(full=False), BROKEN, steps[4:], absorb=absorb)
    assert replay(slot(full=False), BROKEN, steps[:-1], absorb=absorb) is None


def test_a_broken_invariant_is_told_in_the_names_of_the_real_nodes() -> None:
    system = netlock(3, owned=False)
    environment = Environment(loss=1, duplicate=1, timeout=1, reorder="any")
    verdict = explore(system, environment)
    assert verdict.prop is not None
    assert "hold the lock at once" in verdict.prop
    assert replay(system, environment, choices(verdict.trace)) == verdict.prop


@pytest.mark.parametrize("name", ["esa-no-bitmap-check", "switchml-one-bit"])
def test_the_switch_answers_the_exported_packets_in_the_same_way(name: str, tmp_path: Path) -> None:
    mutant = next(m for m in MUTANTS if m.name == name)
    with mutant.system() as system:
        verdict = mutant.explore(system)
        artefact = system.artefacts["s1"]
        artefact.write(tmp_path / "s1.bmv2.json", tmp_path / "s1.p4info.txtpb")
    lines = stf(verdict, "s1", artefact)
    assert sum(line.startswith("packet ") for line in lines.splitlines()) >= 3
    test = tmp_path / "s1.stf"
    files = {"json": tmp_path / "s1.bmv2.json", "p4info": tmp_path / "s1.p4info.txtpb"}
    test.write_text(lines)
    run_case(Case("s1", test, test, **files), CaseOptions())
    last = lines.rindex("expect ")
    test.write_text(lines[:last] + lines[last:].replace("$", "00$"))
    with pytest.raises(StfFailure):
        run_case(Case("s1", test, test, **files), CaseOptions())


def test_the_text_has_a_line_per_step_and_what_follows() -> None:
    verdict = explore(slot(full=False), BROKEN)
    told = text(verdict)
    assert told.splitlines()[0].endswith("has a wrong sum")
    assert f"{len(verdict.trace):3}  " in told
    assert "sends to" in told


def test_the_exported_pytest_runs(tmp_path: Path) -> None:
    verdict = explore(slot(full=False), BROKEN)
    source = pytest_source(
        verdict, "slot(full=False)", "from verification.systems.slot import slot"
    )
    test = tmp_path / "test_exported.py"
    test.write_text(source)
    namespace: dict[str, object] = {}
    exec(compile(source, str(test), "exec"), namespace)
    run = namespace["test_replays_to_the_violation"]
    assert callable(run)
    run()
