# SPDX-License-Identifier: MIT
"""The explorer against a plain Python search, known verdicts, and itself without reductions."""

from __future__ import annotations

from collections import deque

import pytest

from verification.explorer import Limits, Reductions, explore
from verification.interning import Interner
from verification.model import UNLIMITED, Environment, Fault, System
from verification.reference import Reference, Vector
from verification.systems.slot import slot
from verification.verdict import Outcome

PLAIN = Reductions.none()
RETRANSMITTING = Environment(timeout=UNLIMITED, capacity=2)


def reachable(system: System, environment: Environment) -> int:
    interner = Interner(system, system.permutations()[:1])
    reference = Reference(interner, environment, absorb=False)
    nodes = tuple(interner.state(i, n.initial()) for i, n in enumerate(system.nodes))
    first = Vector(nodes, tuple(environment.budget(f) for f in Fault), ())
    seen, queue = {first}, deque([first])
    while queue:
        for step in reference.successors(queue.popleft()):
            if step.violation is None and step.state not in seen:
                seen.add(step.state)
                queue.append(step.state)
    return len(seen)


@pytest.mark.parametrize(
    "environment",
    [
        Environment(),
        Environment(loss=1, timeout=1),
        Environment(loss=1, duplicate=1, reorder="any", timeout=1),
        Environment(duplicate=1, reorder=2, timeout=1),
        Environment(timeout=UNLIMITED, capacity=1),
    ],
    ids=str,
)
def test_core_reaches_the_states_of_the_plain_search(environment: Environment) -> None:
    system = slot(full=True)
    verdict = explore(system, environment, reductions=PLAIN)
    assert verdict.outcome is Outcome.HOLDS
    assert verdict.statistics.states == reachable(system, environment)


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("reorder", ["none", "any", 1])
@pytest.mark.parametrize("loss", [0, 1])
@pytest.mark.parametrize("timeout", [0, 2])
def test_reductions_never_change_a_verdict(
    full: bool, reorder: str | int, loss: int, timeout: int
) -> None:
    environment = Environment(loss=loss, reorder=reorder, timeout=timeout)  # type: ignore[arg-type]
    verdicts = [
        explore(slot(full=full), environment, reductions=Reductions(symmetry=s, absorb=a))
        for s in (False, True)
        for a in (False, True)
    ]
    assert len({v.outcome for v in verdicts}) == 1
    assert len({len(v.trace) for v in verdicts}) == 1
    assert verdicts[-1].statistics.states <= verdicts[0].statistics.states


def test_one_version_bit_breaks_under_reordering_and_early_timeouts() -> None:
    environment = Environment(timeout=UNLIMITED, capacity=2, reorder="any")
    verdict = explore(slot(full=False), environment)
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.prop is not None
    assert "wrong sum" in verdict.prop
    kinds = [step.kind for step in verdict.trace]
    assert kinds.count("lose") == 0
    assert verdict.trace[-1].kind == "deliver"


def test_one_version_bit_holds_in_order_and_the_full_number_always() -> None:
    assert explore(slot(full=False), RETRANSMITTING).outcome is Outcome.HOLDS
    everything = Environment(
        loss=UNLIMITED, duplicate=UNLIMITED, timeout=UNLIMITED, capacity=2, reorder="any"
    )
    assert explore(slot(full=True), everything).outcome is Outcome.HOLDS


def test_a_bound_is_never_reported_as_holds() -> None:
    verdict = explore(slot(full=True), RETRANSMITTING, limits=Limits(states=10))
    assert verdict.outcome is Outcome.NOT_ESTABLISHED
    assert verdict.outcome.exit_code == 3
