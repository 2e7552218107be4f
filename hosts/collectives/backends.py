# SPDX-License-Identifier: MIT
"""Collectives of int32 rows as programs: in the switches, or over a ring of hosts.

A program yields stages, rows to send and numbers of rows to wait for by connection, and gets the
received rows back. It never waits itself, so programs know no time and no packets.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np

from hosts.collectives.description import Channel, Primitive
from hosts.collectives.endpoint import Rows
from hosts.wire.esa import Op

#: A channel of the switches, or a side of the ring.
Key: TypeAlias = Channel | str
NEXT, PREVIOUS = "next", "previous"


@dataclass(frozen=True)
class Stage:
    """What to send, and how many rows to wait for. It ends when all is there and acknowledged."""

    sends: Mapping[Key, Rows] = field(default_factory=dict)
    receives: Mapping[Key, int] = field(default_factory=dict)


Received: TypeAlias = Mapping[Key, Rows]
Program: TypeAlias = Generator[Stage, Received, Rows]


class Backend(Protocol):
    """How one group's collectives are carried out; shapes are (rows, elements)."""

    name: str

    def allreduce(self, rows: Rows, op: Op) -> Program:
        """The reduction, at every rank."""

    def reduce(self, rows: Rows, root: int) -> Program:
        """The sum at `root`; elsewhere no rows."""

    def broadcast(self, rows: Rows, root: int) -> Program:
        """The rows of `root`; elsewhere only the number of `rows` counts."""

    def allgather(self, rows: Rows) -> Program:
        """The rows of all ranks, one after the other."""

    def reduce_scatter(self, rows: Rows) -> Program:
        """Of the sum of `rows`, in as many equal parts as ranks, the one of this rank."""


def _saturated(rows: np.ndarray[tuple[int, ...], np.dtype[np.int64]]) -> Rows:
    return np.clip(rows, -(2**31), 2**31 - 1).astype(np.int32)


def add(a: Rows, b: Rows) -> Rows:
    """Sum that stays in int32, as switches add."""
    return _saturated(a.astype(np.int64) + b)


_COMBINE: Mapping[Op, Callable[[Rows, Rows], Rows]] = {
    Op.SUM: add,
    Op.MAX: np.maximum,
    Op.MIN: np.minimum,
}


class InNetwork:
    """Over the channels of the group's tree."""

    name = "in_network"

    def __init__(self, rank: int, size: int) -> None:
        self._rank = rank
        self._size = size

    def allreduce(self, rows: Rows, op: Op) -> Program:
        """One packet up and one down per row."""
        channel = Channel(Primitive.ALLREDUCE, op)
        return (yield Stage({channel: rows}, {channel: len(rows)}))[channel]

    def reduce(self, rows: Rows, root: int) -> Program:
        """The root's own part does not travel."""
        return (yield from self._reduces({root: rows}))

    def broadcast(self, rows: Rows, root: int) -> Program:
        """Data away from the root, ACKs towards it."""
        return (yield from self._broadcasts({root: rows}))

    def allgather(self, rows: Rows) -> Program:
        """One broadcast per rank, all at a time."""
        return (yield from self._broadcasts(dict.fromkeys(range(self._size), rows)))

    def reduce_scatter(self, rows: Rows) -> Program:
        """One reduce per rank, all at a time."""
        parts = np.split(rows, self._size)
        return (yield from self._reduces(dict(enumerate(parts))))

    def _broadcasts(self, by_root: Mapping[int, Rows]) -> Program:
        channels = {root: Channel(Primitive.BROADCAST, Op.SUM, root) for root in by_root}
        others = [root for root in by_root if root != self._rank]
        got = yield Stage(
            {channels[r]: rows for r, rows in by_root.items() if r == self._rank},
            {channels[r]: len(by_root[r]) for r in others},
        )
        return np.concatenate([got[channels[r]] if r in others else by_root[r] for r in by_root])

    def _reduces(self, by_root: Mapping[int, Rows]) -> Program:
        channels = {root: Channel(Primitive.REDUCE, Op.SUM, root) for root in by_root}
        own = by_root.get(self._rank)
        mine = channels.get(self._rank)
        got = yield Stage(
            {channels[r]: rows for r, rows in by_root.items() if r != self._rank},
            {mine: len(own)} if mine is not None and own is not None else {},
        )
        if mine is None or own is None:
            return next(iter(by_root.values()))[:0]
        return add(own, got[mine])


class Ring:
    """Over connections from each rank to the next, without any help of switches.

    The reduction of a part is done in one order of ranks and then copied, so results are the same
    bits everywhere.
    """

    name = "ring"

    def __init__(self, rank: int, size: int) -> None:
        self._rank = rank
        self._size = size

    def allreduce(self, rows: Rows, op: Op) -> Program:
        """Reduce-scatter and all-gather: 2 (n - 1) / n of the data per link."""
        if self._size == 1:
            return rows
        part = -(-len(rows) // self._size)
        padded = np.zeros((part * self._size, rows.shape[1]), np.int32)
        padded[: len(rows)] = rows
        own = yield from self._scatter(padded, op)
        return (yield from self.allgather(own))[: len(rows)]

    def reduce(self, rows: Rows, root: int) -> Program:
        """Along the ring, from the rank after the root to the root."""
        if self._size == 1:
            return rows
        total = rows
        if self._rank != (root + 1) % self._size:
            got = yield Stage(receives={PREVIOUS: len(rows)})
            total = add(got[PREVIOUS], rows)
        if self._rank == root:
            return total
        yield Stage({NEXT: total})
        return rows[:0]

    def broadcast(self, rows: Rows, root: int) -> Program:
        """Along the ring, from the root to the rank before it."""
        if self._rank != root:
            rows = (yield Stage(receives={PREVIOUS: len(rows)}))[PREVIOUS]
        if (self._rank + 1) % self._size != root:
            yield Stage({NEXT: rows})
        return rows

    def allgather(self, rows: Rows) -> Program:
        """Every rank passes on what it got last."""
        parts = {self._rank: rows}
        for step in range(self._size - 1):
            sent, got = (self._rank - step) % self._size, (self._rank - step - 1) % self._size
            received = yield Stage({NEXT: parts[sent]}, {PREVIOUS: len(rows)})
            parts[got] = received[PREVIOUS]
        return np.concatenate([parts[rank] for rank in range(self._size)])

    def reduce_scatter(self, rows: Rows) -> Program:
        """Every rank adds its part to what it got last."""
        return (yield from self._scatter(rows, Op.SUM))

    def _scatter(self, rows: Rows, op: Op) -> Program:
        parts = np.split(rows, self._size)
        moving = parts[(self._rank - 1) % self._size]
        for step in range(self._size - 1):
            received = yield Stage({NEXT: moving}, {PREVIOUS: len(moving)})
            own = parts[(self._rank - step - 2) % self._size]
            moving = _COMBINE[op](received[PREVIOUS], own)
        return moving
