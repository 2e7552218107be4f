# SPDX-License-Identifier: MIT
"""Following a known counterexample on the real nodes, step by step."""

from __future__ import annotations

from collections.abc import Sequence

from verification import native
from verification.interning import Interner
from verification.model import Environment, Fault, System
from verification.reference import Reference, Successor, Vector

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


def replay(
    system: System,
    environment: Environment,
    steps: Sequence[Choice],
    *,
    skip_hops: bool = True,
) -> str | None:
    """Take ``steps`` from the start; the property that the last one violates, or None.

    ``skip_hops`` is that of the reductions under which the counterexample was found.

    Raises ReplayError when the nodes do not offer a step.
    """
    interner = Interner(system, system.permutations()[:1], skip_hops)
    reference = Reference(interner, environment, absorb=False)
    nodes = tuple(interner.state(i, node.initial()) for i, node in enumerate(system.nodes))
    state = Vector(nodes, tuple(environment.budget(f) for f in Fault), ())
    violation = None
    for number, choice in enumerate(steps, 1):
        taken = _find(interner, reference, state, choice)
        if taken is None:
            raise ReplayError(f"step {number} is not possible: {choice}")
        state, violation = taken.state, taken.violation
    return violation


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
