# SPDX-License-Identifier: MIT
"""A pool of one slot with two versions, as SwitchML has it, or with the full chunk number.

Small enough for exhaustive search in milliseconds; the one-bit version is known to break when a
link reorders and a worker times out early.  ``verification/murphi/`` has the same protocols in
another checker's language, written independently.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verification.model import (
    Event,
    Fault,
    Link,
    Packet,
    Permutation,
    Plain,
    State,
    Status,
    Step,
    System,
)

TIMEOUT = Event("timeout", Fault.TIMEOUT)


@dataclass(frozen=True)
class Progress:
    """The chunk a worker is at; it has begun."""

    chunk: int = 0
    started: bool = False


@dataclass(frozen=True)
class Contribution:
    """A worker's packet; `values` are (worker, chunk)."""

    worker: int
    chunk: int
    values: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Result:
    """The switch's packet; `values` are (worker, chunk), sorted."""

    chunk: int
    values: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class SlotWorker(Plain):
    """Sends chunk after chunk, repeats when its timer fires, tells ``versions`` chunks apart."""

    name: str
    index: int
    workers: int
    chunks: int
    versions: int

    def initial(self) -> State:
        """Not begun."""
        return Progress()

    def status(self, state: Progress) -> Status:
        """Done after the last chunk."""
        if state.chunk == self.chunks:
            return Status.DONE | Status.IDLE
        return Status.IDLE

    def events(self, state: Progress) -> Sequence[Event]:
        """Start, then the timer."""
        if state.chunk == self.chunks:
            return ()
        return (TIMEOUT,) if state.started else (Event("start"),)

    def fire(self, state: Progress, event: Event) -> Sequence[Step]:
        """Send the current chunk."""
        return (Step(replace(state, started=True), (self.packet(state.chunk),)),)

    def packet(self, chunk: int) -> tuple[int, Packet]:
        """The contribution to a chunk."""
        return 0, Contribution(self.index, chunk, frozenset({(self.index, chunk)}))

    def deliver(self, state: Progress, port: int, packet: Result) -> Sequence[Step]:
        """A result, when it is of the current chunk as far as the worker can tell."""
        if state.chunk == self.chunks or packet.chunk % self.versions != (
            state.chunk % self.versions
        ):
            return (Step(state),)
        wanted = tuple((w, state.chunk) for w in range(self.workers))
        bad = None if packet.values == wanted else f"chunk {state.chunk} has a wrong sum"
        following = replace(state, chunk=state.chunk + 1)
        sends = (self.packet(following.chunk),) if following.chunk < self.chunks else ()
        return (Step(following, sends, bad),)

    def ignores(self, state: Progress, port: int, packet: Packet) -> bool:
        """All, when done."""
        return state.chunk == self.chunks

    def describe(self, state: Progress) -> str:
        """The chunk."""
        return f"chunk {state.chunk}"


@dataclass(frozen=True)
class Version:
    """One of the slot's two sets: whose contributions are inside, and how many are counted."""

    chunk: int = -1
    seen: frozenset[int] = frozenset()
    count: int = 0
    values: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class SlotSwitch(Plain):
    """``full`` compares whole chunk numbers; else one bit tells versions apart, as published."""

    name: str
    workers: int
    full: bool

    def initial(self) -> State:
        """Both sets empty."""
        return (Version(), Version())

    def status(self, state: State) -> Status:
        """It has nothing to do of its own."""
        return Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """None."""
        return ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Not called."""
        raise AssertionError(event)

    def deliver(
        self, state: tuple[Version, Version], port: int, packet: Contribution
    ) -> Sequence[Step]:
        """One pass of the pipeline."""
        bit = packet.chunk % 2
        mine, other = state[bit], state[1 - bit]
        if self.full:
            if packet.chunk < mine.chunk:
                return (Step(state),)
            if packet.chunk > mine.chunk:
                mine = Version(packet.chunk)
        else:
            other = replace(other, seen=other.seen - {packet.worker})
        sends: tuple[tuple[int, Packet], ...] = ()
        if packet.worker in mine.seen:
            if mine.count == 0:
                sends = ((port, Result(packet.chunk, mine.values)),)
        else:
            values = tuple(sorted((mine.values if mine.count else ()) + tuple(packet.values)))
            count = (mine.count + 1) % self.workers
            mine = replace(mine, seen=mine.seen | {packet.worker}, count=count, values=values)
            everyone = tuple((w, Result(packet.chunk, values)) for w in range(self.workers))
            if count == 0:
                sends = everyone
        return (Step((mine, other) if bit == 0 else (other, mine), sends),)

    def rename(self, state: tuple[Version, Version], perm: Permutation) -> State:
        """Workers renamed in both sets."""
        return tuple(
            replace(
                v,
                seen=frozenset(perm[w] for w in v.seen),
                values=tuple(sorted((perm[w], c) for w, c in v.values)),
            )
            for v in state
        )

    def describe(self, state: State) -> str:
        """Both sets."""
        return str(state)


def _rename_packet(packet: Packet, perm: Permutation) -> Packet:
    if isinstance(packet, Contribution):
        values = frozenset((perm[w], c) for w, c in packet.values)
        return Contribution(perm[packet.worker], packet.chunk, values)
    assert isinstance(packet, Result)
    return Result(packet.chunk, tuple(sorted((perm[w], c) for w, c in packet.values)))


def slot(workers: int = 2, chunks: int = 3, *, full: bool = True) -> System:
    """Workers around one switch; the property is that each result is the sum of its chunk."""
    names = tuple(f"w{i}" for i in range(workers))
    versions = 1 << 30 if full else 2
    return System(
        name="slot with the full number" if full else "slot with one version bit",
        nodes=(
            *(SlotWorker(n, i, workers, chunks, versions) for i, n in enumerate(names)),
            SlotSwitch("s", workers, full),
        ),
        links=tuple(Link(n, 0, "s", i) for i, n in enumerate(names)),
        workers=names,
        groups=(tuple(range(workers)),),
        rename_packet=_rename_packet,
    )
