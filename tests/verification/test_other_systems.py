# SPDX-License-Identifier: MIT
"""Three other in-network systems: each as designed shows its risk, and holds when repaired."""

from __future__ import annotations

import pytest

from verification.explorer import Reductions, explore
from verification.model import Environment, System
from verification.systems.netcache import netcache
from verification.systems.netchain import netchain
from verification.systems.netlock import netlock
from verification.verdict import Outcome

FAULTS = Environment(loss=1, duplicate=1, timeout=1, reorder="any")


@pytest.mark.parametrize(
    ("system", "what"),
    [
        (netcache(2, versioned=False), "a read returns 1 after write 2"),
        (netlock(3, owned=False), "hold the lock at once"),
        (netchain(3, 2, numbered=False), "goes back from number 2 to 1"),
    ],
    ids=lambda value: value.name if isinstance(value, System) else "",
)
def test_the_design_risk_is_found(system: System, what: str) -> None:
    verdict = explore(system, FAULTS)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.prop is not None
    assert what in verdict.prop
    assert len(verdict.trace) > 3


@pytest.mark.parametrize(
    "system", [netcache(2), netlock(3), netlock(2, 2), netchain(3, 2)], ids=lambda s: s.name
)
def test_the_repaired_system_holds(system: System) -> None:
    verdict = explore(system, FAULTS)
    assert verdict.outcome is Outcome.HOLDS, verdict.prop
    plain = explore(system, FAULTS, reductions=Reductions.none())
    assert plain.outcome is Outcome.HOLDS
    assert plain.statistics.states >= verdict.statistics.states
