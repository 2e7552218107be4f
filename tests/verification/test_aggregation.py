# SPDX-License-Identifier: MIT
"""The shipped programs and agents, checked at small scope; test_mutants.py has broken ones."""

from __future__ import annotations

from typing import Any

import pytest

from verification.agents import WorkerNode
from verification.explorer import Reductions, explore
from verification.model import Environment
from verification.systems.aggregation import aggregation, switchml
from verification.verdict import STUCK, Outcome


@pytest.mark.parametrize("program", ["esa", "atp"])
@pytest.mark.parametrize(
    "environment",
    [
        Environment(loss=1),
        Environment(duplicate=1),
        Environment(timeout=1),
        Environment(loss=1, reboot=1),
        Environment(loss=1, crash=1),
    ],
    ids=str,
)
def test_every_sum_is_exact_and_every_run_completes(program: str, environment: Environment) -> None:
    verdict = explore(aggregation(program, fragments=1), environment)
    assert verdict.outcome is Outcome.HOLDS, verdict.prop
    assert verdict.statistics.states > 100


@pytest.mark.parametrize("first_seq", [1, 65534, (1 << 32) - 1])
def test_pools_of_slots_hold_across_wrap_around(first_seq: int) -> None:
    environment = Environment(loss=1, duplicate=1, timeout=1, reorder="any")
    verdict = explore(switchml(first_seq=first_seq), environment)
    assert verdict.outcome is Outcome.HOLDS, verdict.prop
    assert verdict.statistics.states > 1000


def test_a_result_lost_together_with_the_switch_is_lost_for_good() -> None:
    verdict = explore(switchml(), Environment(loss=1, reboot=1))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.prop == STUCK
    assert [step.what for step in verdict.trace].count("reboot") == 1


@pytest.mark.parametrize("options", [{"jobs": 1}, {"jobs": 2}], ids=str)
def test_reductions_keep_the_verdict(options: dict[str, Any]) -> None:
    environment = Environment(loss=1)
    system = aggregation(fragments=1, workers=2, window=1, **options)
    reduced = explore(system, environment)
    plain = explore(system, environment, reductions=Reductions.none())
    assert reduced.outcome is plain.outcome is Outcome.HOLDS
    assert reduced.statistics.states < plain.statistics.states


def test_what_workers_forget_never_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    environment = Environment(loss=1, duplicate=1)
    system = aggregation(fragments=1)
    forgetful = explore(system, environment)
    # The server's attempts alone have no end; so only the workers remember all.
    monkeypatch.setattr(WorkerNode, "_forgetful", lambda self, state: state)
    precise = explore(aggregation(fragments=1), environment)
    assert forgetful.outcome is precise.outcome is Outcome.HOLDS
    assert forgetful.statistics.states < precise.statistics.states
