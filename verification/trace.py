# SPDX-License-Identifier: MIT
"""A path found by the core, told again as steps of the real nodes.

With symmetry the core's path goes through canonical representatives; each step is translated back
by the renaming under which the real state is the representative.
"""

from __future__ import annotations

from verification import native
from verification.interning import Interner
from verification.model import Environment
from verification.reference import Reference, Successor, Vector
from verification.verdict import Sent, TraceStep

_KINDS = {
    native.A_DELIVER: "deliver",
    native.A_LOSE: "lose",
    native.A_DUPLICATE: "duplicate",
    native.A_INTERNAL: "internal",
}


def rebuild(
    interner: Interner,
    path: list[tuple[list[int], native.Action]],
    environment: Environment,
    *,
    absorb: bool,
) -> tuple[TraceStep, ...]:
    """The counterexample as readable steps; ``path`` holds (state's words, action taken there)."""
    if not path:
        return ()
    count = len(interner.system.nodes)
    reference = Reference(interner, environment, absorb=absorb)
    state = Vector.from_words(path[0][0], count)
    steps = []
    for words, action in path:
        successor = _follow(interner, reference, state, Vector.from_words(words, count), action)
        steps.append(_tell(interner, state, successor))
        state = successor.state
    return tuple(steps)


def _follow(
    interner: Interner,
    reference: Reference,
    state: Vector,
    representative: Vector,
    action: native.Action,
) -> Successor:
    """The real step that the core took at ``representative``, at the real ``state``."""
    for permutation, perm in enumerate(interner.permutations):
        if reference.rename(state, permutation) != representative:
            continue
        event = interner.renamed_event(action.event, interner.permutations.index(_inverse(perm)))
        for successor in reference.successors(state):
            taken = (successor.kind, successor.event, successor.outcome)
            if taken == (action.kind, event, action.outcome):
                return successor
    raise AssertionError("the path found by the core cannot be followed")


def _inverse(perm: tuple[int, ...]) -> tuple[int, ...]:
    result = [0] * len(perm)
    for i, image in enumerate(perm):
        result[image] = i
    return tuple(result)


def _tell(interner: Interner, before: Vector, step: Successor) -> TraceStep:
    system = interner.system
    if step.kind == native.A_INTERNAL:
        node, event = interner.events[step.event & ~native.INTERNAL]
        source, port, what, packet = system.nodes[node].name, -1, event.name, None
    else:
        message = interner.messages[step.event]
        node, port, packet = message.node, message.port, message.packet
        source, what = interner.source(step.event), system.describe_packet(message.packet)
    sent: tuple[Sent, ...] = ()
    if step.kind in (native.A_DELIVER, native.A_INTERNAL):
        outcomes = interner.step(before.nodes[node], step.event)
        sent = tuple(_sent(interner, m) for m in outcomes[step.outcome][1])
    actor = system.nodes[node]
    return TraceStep(
        kind=_KINDS[step.kind],
        source=source,
        node=actor.name,
        port=port,
        what=what,
        packet=packet,
        after=actor.describe(interner.states[step.state.nodes[node]][1]),
        sent=sent,
        violation=step.violation,
    )


def _sent(interner: Interner, message: int) -> Sent:
    flying = interner.messages[message]
    return Sent(
        port=interner.out_port(message),
        to=interner.system.nodes[flying.node].name,
        packet=flying.packet,
        what=interner.system.describe_packet(flying.packet),
    )
