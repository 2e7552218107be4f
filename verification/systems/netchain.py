# SPDX-License-Identifier: MIT
"""A register replicated over a chain of switches, after NetChain (NSDI'18).

Writes enter at the head, pass every switch, and are answered by the tail; reads go to the tail.
The head numbers the writes.

The design's risk: a link that reorders brings an older write behind a newer one.  ``numbered``
repairs it: a switch takes only writes with a larger number than its own, passes others on
unapplied when they are equal, and drops older ones.

Property (agreement): once everything has arrived, all replicas hold the head's value; and no
replica's number ever falls.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace

from verification.model import (
    Event,
    Fault,
    Invariant,
    Link,
    Plain,
    State,
    Status,
    Step,
    System,
)

RETRY = Event("retry", Fault.TIMEOUT)


@dataclass(frozen=True)
class Message:
    """WRITE or ANSWER of the client's n-th write; ``number`` is the head's."""

    kind: str
    write: int
    number: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.write} (number {self.number})"


@dataclass(frozen=True)
class Writer(Plain):
    """Writes 1, 2, ...; up to ``window`` unanswered."""

    name: str
    writes: int
    window: int

    def initial(self) -> State:
        """(sent, answered writes)."""
        return (0, frozenset[int]())

    def status(self, state: tuple[int, frozenset[int]]) -> Status:
        """Done when all are answered."""
        done = len(state[1]) == self.writes
        return Status.DONE | Status.IDLE if done else Status.IDLE

    def events(self, state: tuple[int, frozenset[int]]) -> Sequence[Event]:
        """Send the next, or repeat the oldest unanswered."""
        sent, answered = state
        result = []
        if sent < self.writes and sent - len(answered) < self.window:
            result.append(Event("write"))
        if sent > len(answered):
            result.append(RETRY)
        return result

    def fire(self, state: tuple[int, frozenset[int]], event: Event) -> Sequence[Step]:
        """Send."""
        sent, answered = state
        if event == RETRY:
            oldest = min(set(range(1, sent + 1)) - answered)
            return (Step(state, ((0, Message("WRITE", oldest)),)),)
        return (Step((sent + 1, answered), ((0, Message("WRITE", sent + 1)),)),)

    def deliver(
        self, state: tuple[int, frozenset[int]], port: int, packet: Message
    ) -> Sequence[Step]:
        """An answer from the tail."""
        return (Step((state[0], state[1] | {packet.write})),)

    def describe(self, state: tuple[int, frozenset[int]]) -> str:
        """Progress."""
        return f"sent {state[0]}, answered {sorted(state[1])}"


@dataclass(frozen=True)
class Replica:
    """A switch's copy: the number and the write it belongs to; the head remembers its numbering."""

    number: int = 0
    write: int = 0
    given: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class ChainSwitch(Plain):
    """Port 0 towards the head, port 1 towards the tail (of the tail: to the client)."""

    name: str
    head: bool
    tail: bool
    numbered: bool

    def initial(self) -> State:
        """Nothing written."""
        return Replica()

    def status(self, state: State) -> Status:
        """It has nothing to do of its own."""
        return Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """None."""
        return ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Not called."""
        raise AssertionError(event)

    def deliver(self, state: Replica, port: int, packet: Message) -> Sequence[Step]:
        """Number at the head, apply, pass on."""
        if self.head:
            known = dict(state.given)
            number = known.get(packet.write, state.number + 1)
            given = tuple(sorted({**known, packet.write: number}.items()))
            packet, state = replace(packet, number=number), replace(state, given=given)
        falls = None
        if self.numbered and packet.number < state.number:
            # A newer write stands here already; its sender must hear that its own is over.
            return (Step(state, ((1, self._onward(packet)),)),)
        if packet.number < state.number:
            falls = f"{self.name} goes back from number {state.number} to {packet.number}"
        following = replace(state, number=packet.number, write=packet.write)
        return (Step(following, ((1, self._onward(packet)),), None if self.head else falls),)

    def _onward(self, packet: Message) -> Message:
        return replace(packet, kind="ANSWER") if self.tail else packet

    def describe(self, state: Replica) -> str:
        """The copy."""
        return f"write {state.write} with number {state.number}"


def _ordered(near: Replica, far: Replica) -> str | None:
    if far.number > near.number:
        return f"a later replica is ahead: {far.number} after {near.number}"
    return None


def netchain(replicas: int = 3, writes: int = 2, *, numbered: bool = True) -> System:
    """A client and a chain of switches."""
    names = tuple(f"s{i}" for i in range(1, replicas + 1))
    switches = tuple(
        ChainSwitch(name, i == 0, i == replicas - 1, numbered) for i, name in enumerate(names)
    )
    onward = (*names[1:], "client")
    return System(
        name="chain, numbered writes" if numbered else "chain, plain writes",
        nodes=(Writer("client", writes, writes), *switches),
        links=(
            Link("client", 0, names[0], 0),
            *(
                Link(name, 1, peer, 1 if peer == "client" else 0)
                for name, peer in zip(names, onward, strict=True)
            ),
        ),
        invariants=tuple(
            Invariant("chain order", pair, _ordered) for pair in itertools.pairwise(names)
        )
        if numbered
        else (),
    )
