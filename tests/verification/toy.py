# SPDX-License-Identifier: MIT
"""A pool of one slot with two versions, as SwitchML has it, or with the full chunk number.

Small enough for exhaustive search in milliseconds; the one-bit version is known to break when a
link reorders and a worker times out early.
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
    chunk: int = 0
    started: bool = False


@dataclass(frozen=True)
class Contribution:
    worker: int
    chunk: int
    values: frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Result:
    chunk: int
    values: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class ToyWorker(Plain):
    name: str
    index: int
    workers: int
    chunks: int
    versions: int

    def initial(self) -> State:
        return Progress()

    def status(self, state: Progress) -> Status:
        if state.chunk == self.chunks:
            return Status.DONE | Status.IDLE
        return Status.IDLE

    def events(self, state: Progress) -> Sequence[Event]:
        if state.chunk == self.chunks:
            return ()
        return (TIMEOUT,) if state.started else (Event("start"),)

    def fire(self, state: Progress, event: Event) -> Sequence[Step]:
        return (Step(replace(state, started=True), (self.packet(state.chunk),)),)

    def packet(self, chunk: int) -> tuple[int, Packet]:
        return 0, Contribution(self.index, chunk, frozenset({(self.index, chunk)}))

    def deliver(self, state: Progress, port: int, packet: Result) -> Sequence[Step]:
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
        return state.chunk == self.chunks

    def describe(self, state: Progress) -> str:
        return f"chunk {state.chunk}"


@dataclass(frozen=True)
class Version:
    chunk: int = -1
    seen: frozenset[int] = frozenset()
    count: int = 0
    values: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True)
class ToySwitch(Plain):
    """``full`` compares whole chunk numbers; else one bit tells versions apart, as published."""

    name: str
    workers: int
    full: bool

    def initial(self) -> State:
        return (Version(), Version())

    def status(self, state: State) -> Status:
        return Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        return ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        raise AssertionError

    def deliver(
        self, state: tuple[Version, Version], port: int, packet: Contribution
    ) -> Sequence[Step]:
        bit = packet.chunk % 2
        mine, other = state[bit], state[1 - bit]
        if self.full:
            if packet.chunk < mine.chunk:
                return (Step(state),)
            if packet.chunk > mine.chunk:
                mine = Version(packet.chunk)
        else:
            other = replace(other, seen=other.seen - {packet.worker})
        if packet.worker in mine.seen:
            sends = ((port, Result(packet.chunk, mine.values)),) if mine.count == 0 else ()
        else:
            values = tuple(sorted((mine.values if mine.count else ()) + tuple(packet.values)))
            count = (mine.count + 1) % self.workers
            mine = replace(mine, seen=mine.seen | {packet.worker}, count=count, values=values)
            everyone = tuple((w, Result(packet.chunk, values)) for w in range(self.workers))
            sends = everyone if count == 0 else ()
        return (Step((mine, other) if bit == 0 else (other, mine), sends),)

    def rename(self, state: tuple[Version, Version], perm: Permutation) -> State:
        return tuple(
            replace(
                v,
                seen=frozenset(perm[w] for w in v.seen),
                values=tuple(sorted((perm[w], c) for w, c in v.values)),
            )
            for v in state
        )

    def describe(self, state: State) -> str:
        return str(state)


def rename_packet(packet: Packet, perm: Permutation) -> Packet:
    if isinstance(packet, Contribution):
        values = frozenset((perm[w], c) for w, c in packet.values)
        return Contribution(perm[packet.worker], packet.chunk, values)
    assert isinstance(packet, Result)
    return Result(packet.chunk, tuple(sorted((perm[w], c) for w, c in packet.values)))


def toy(workers: int = 2, chunks: int = 3, *, full: bool) -> System:
    names = tuple(f"w{i}" for i in range(workers))
    versions = 1 << 30 if full else 2
    return System(
        name="slot with the full number" if full else "slot with one version bit",
        nodes=(
            *(ToyWorker(n, i, workers, chunks, versions) for i, n in enumerate(names)),
            ToySwitch("s", workers, full),
        ),
        links=tuple(Link(n, 0, "s", i) for i, n in enumerate(names)),
        workers=names,
        groups=(tuple(range(workers)),),
        rename_packet=rename_packet,
    )
