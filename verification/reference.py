# SPDX-License-Identifier: MIT
"""The transition relation in plain Python: the definition that the C core must agree with.

Used to rebuild counterexamples in terms of the real nodes, and by tests as an independent search.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from verification import native
from verification.interning import Interner
from verification.model import UNLIMITED, Environment, Fault


@dataclass(frozen=True, slots=True)
class Vector:
    """A global state: local state per node, budget per fault class, messages in flight."""

    nodes: tuple[int, ...]
    budgets: tuple[int, ...]
    messages: tuple[int, ...]

    @classmethod
    def from_words(cls, words: list[int], nodes: int) -> Vector:
        """Decode the core's words."""
        budgets = tuple(words[nodes] >> 4 * k & 15 for k in range(native.CLASSES))
        return cls(tuple(words[:nodes]), budgets, tuple(words[nodes + 1 :]))


@dataclass(frozen=True, slots=True)
class Successor:
    """One step: what happens (``native.A_*``, event id, outcome index) and where it leads."""

    kind: int
    event: int
    outcome: int
    fault: bool
    state: Vector
    violation: str | None = None


class Reference:
    """Successors of a state, following ``native/vx_search.c`` rule by rule."""

    def __init__(self, interner: Interner, environment: Environment, *, absorb: bool) -> None:
        self.interner, self.environment, self.absorb = interner, environment, absorb
        self.any_order = environment.reorder == "any"

    def successors(self, state: Vector) -> Iterator[Successor]:
        """All steps from ``state``."""
        for index, place in self._places(state):
            yield from self._message_steps(state, index, place)
        for node in range(len(state.nodes)):
            yield from self._internal_steps(state, node)

    def _places(self, state: Vector) -> Iterator[tuple[int, int]]:
        place, channels = 0, [self.interner.messages[m].channel for m in state.messages]
        for i, message in enumerate(state.messages):
            same = i > 0 and channels[i] == channels[i - 1]
            place = place + 1 if same else 0
            if not (same and self.any_order and message == state.messages[i - 1]):
                yield i, place

    def _message_steps(self, state: Vector, index: int, place: int) -> Iterator[Successor]:
        message = state.messages[index]
        rest = state.messages[:index] + state.messages[index + 1 :]
        late = place > 0 and not self.any_order
        if not late or state.budgets[Fault.REORDER]:
            budgets = self._spent(state, Fault.REORDER) if late else state.budgets
            base = Vector(state.nodes, budgets, rest)
            node = self.interner.messages[message].node
            yield from self._happen(base, node, native.A_DELIVER, message, late)
        if state.budgets[Fault.LOSS]:
            after = Vector(state.nodes, self._spent(state, Fault.LOSS), rest)
            yield self._arrive(after, native.A_LOSE, message, 0, True, None)
        if state.budgets[Fault.DUPLICATE] and not self._full(state.messages, message):
            twice = (*state.messages[: index + 1], message, *state.messages[index + 1 :])
            after = Vector(state.nodes, self._spent(state, Fault.DUPLICATE), twice)
            yield self._arrive(after, native.A_DUPLICATE, message, 0, True, None)

    def _internal_steps(self, state: Vector, node: int) -> Iterator[Successor]:
        for event, fault in self.interner.enabled(state.nodes[node]):
            quiet = not state.messages
            free = fault == native.FREE or (fault == Fault.TIMEOUT and quiet)
            if free:
                yield from self._happen(state, node, native.A_INTERNAL, event, False)
            elif state.budgets[fault]:
                base = Vector(state.nodes, self._spent(state, Fault(fault)), state.messages)
                yield from self._happen(base, node, native.A_INTERNAL, event, True)

    def _happen(
        self, base: Vector, node: int, kind: int, event: int, fault: bool
    ) -> Iterator[Successor]:
        outcomes = self.interner.step(base.nodes[node], event)
        for nth, (following, sent, violation) in enumerate(outcomes):
            messages, blocked = base.messages, False
            for message in sent:
                if not self._full(messages, message):
                    messages = self.insert(messages, message)
                elif kind == native.A_INTERNAL:
                    blocked = True
            nodes = (*base.nodes[:node], following, *base.nodes[node + 1 :])
            if not blocked:
                after = Vector(nodes, base.budgets, messages)
                yield self._arrive(after, kind, event, nth, fault, violation)

    def _arrive(
        self, state: Vector, kind: int, event: int, nth: int, fault: bool, violation: str | None
    ) -> Successor:
        if self.absorb:
            kept = tuple(
                m
                for m in state.messages
                if not self.interner.ignored(state.nodes[self.interner.messages[m].node], m)
            )
            state = Vector(state.nodes, state.budgets, kept)
        return Successor(kind, event, nth, fault, state, violation)

    def insert(self, messages: tuple[int, ...], message: int) -> tuple[int, ...]:
        """The message behind all that stand before it: by channel, then by order or id."""

        def stands_before(other: int) -> bool:
            ours = self.interner.messages[message].channel
            theirs = self.interner.messages[other].channel
            return theirs < ours or (theirs == ours and (not self.any_order or other <= message))

        place = len(messages)
        while place and not stands_before(messages[place - 1]):
            place -= 1
        return (*messages[:place], message, *messages[place:])

    def rename(self, state: Vector, permutation: int) -> Vector:
        """The state with the workers renamed."""
        to = self.interner.node_map(self.interner.permutations[permutation])
        nodes = [0] * len(state.nodes)
        for i, local in enumerate(state.nodes):
            nodes[to[i]] = self.interner.renamed_state(local, permutation)
        messages: tuple[int, ...] = ()
        for message in state.messages:
            messages = self.insert(messages, self.interner.renamed_message(message, permutation))
        return Vector(tuple(nodes), state.budgets, messages)

    def _full(self, messages: tuple[int, ...], message: int) -> bool:
        channel = self.interner.messages[message].channel
        used = sum(self.interner.messages[m].channel == channel for m in messages)
        return bool(self.environment.capacity) and used >= self.environment.capacity

    @staticmethod
    def _spent(state: Vector, fault: Fault) -> tuple[int, ...]:
        left = list(state.budgets)
        if left[fault] != UNLIMITED:
            left[fault] -= 1
        return tuple(left)
