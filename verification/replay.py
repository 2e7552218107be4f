# SPDX-License-Identifier: MIT
"""Following a known counterexample on the real nodes, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from verification import native
from verification.interning import Interner
from verification.model import Environment, Fault, Status, System
from verification.reference import Reference, Successor, Vector
from verification.verdict import HELD, STUCK, TraceStep

Choice = tuple[str, str, str, str]
"""(kind, source, node, packet or event as text) of a step, as in a trace."""

_KINDS = {
    "deliver": native.A_DELIVER,
    "lose": native.A_LOSE,
    "duplicate": native.A_DUPLICATE,
    "internal": native.A_INTERNAL,
}


class ReplayError(AssertionError):
    """A step of the counterexample is not possible any more: the code behaves differently now."""


def choices(trace: Sequence[TraceStep]) -> list[Choice]:
    """What to follow of a counterexample."""
    return [(step.kind, step.source, step.node, step.what) for step in trace]


def replay(
    system: System,
    environment: Environment,
    steps: Sequence[Choice],
    *,
    skip_hops: bool = True,
    absorb: bool = True,
) -> str | None:
    """Take ``steps`` from the start; the property that the last one violates, or None.

    ``skip_hops`` and ``absorb`` are those of the reductions under which the counterexample was
    found: they decide what is in flight.

    Raises ReplayError when the nodes do not offer a step.
    """
    interner = Interner(system, system.permutations()[:1], skip_hops)
    reference = Reference(interner, environment, absorb=absorb)
    nodes = tuple(interner.state(i, node.initial()) for i, node in enumerate(system.nodes))
    state = Vector(nodes, tuple(environment.budget(f) for f in Fault), ())
    violation = _broken(interner, state)
    for number, choice in enumerate(steps, 1):
        taken = _find(interner, reference, state, choice)
        if taken is None:
            raise ReplayError(f"step {number} is not possible: {choice}")
        state = taken.state
        violation = taken.violation or _broken(interner, state)
    return violation or _whole_run(interner, reference, state)


def _broken(interner: Interner, state: Vector) -> str | None:
    """The invariant that a state violates."""
    system = interner.system
    local = {
        node.name: interner.states[known][1]
        for node, known in zip(system.nodes, state.nodes, strict=True)
    }
    for invariant in system.invariants:
        wrong = invariant.check(*(local[name] for name in invariant.nodes))
        if wrong is not None:
            return f"{invariant.name}: {wrong}"
    return None


def _whole_run(interner: Interner, reference: Reference, state: Vector) -> str | None:
    """Whether something is held although all is done, or no run from here completes."""
    system = interner.system
    if _all(interner, state, Status.DONE):
        unclean = not state.messages and not _all(interner, state, Status.IDLE)
        return HELD if unclean and system.check_idle else None
    if not system.check_progress:
        return None
    seen, todo = {state}, [state]
    while todo:
        for step in reference.successors(todo.pop()):
            if step.fault or step.state in seen:
                continue
            if _all(interner, step.state, Status.DONE):
                return None
            seen.add(step.state)
            todo.append(step.state)
    return STUCK


def _all(interner: Interner, state: Vector, flag: Status) -> bool:
    return all(interner.status(node) & flag for node in state.nodes)


def _find(
    interner: Interner, reference: Reference, state: Vector, choice: Choice
) -> Successor | None:
    kind, source, node, what = choice
    for successor in reference.successors(state):
        if successor.kind != _KINDS[kind]:
            continue
        if successor.kind == native.A_INTERNAL:
            actor, event = interner.events[successor.event & ~native.INTERNAL]
            offered = (interner.system.nodes[actor].name, event.name)
            if offered == (node, what):
                return successor
            continue
        message = interner.messages[successor.event]
        receiver = interner.system.nodes[message.node].name
        told = interner.system.describe_packet(message.packet)
        if (interner.source(successor.event), receiver, told) == (source, node, what):
            return successor
    return None
