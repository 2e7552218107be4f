# SPDX-License-Identifier: MIT
"""A worker's window: fragments on offer, in flight and received, in rings indexed by sequence."""

from __future__ import annotations

from collections import deque
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.sequence import Sequences, span
from hosts.wire.esa import Messages, join, message_dtype, put, take

WindowState: TypeAlias = tuple[Any, ...]

NEVER = np.iinfo(np.int64).max


class Window:
    """base .. following - 1 are in flight; following .. end - 1 wait to be sent.

    Received sums stay in the ring for W more fragments, so that the worker can answer a parameter
    server that lost its copy.
    """

    def __init__(self, first: int, reach: int, capacity: int, elements: int) -> None:
        self.base = self.following = self.end = self._first = first
        self._reach = reach
        self._mask = capacity - 1
        self._sent: Messages = np.zeros(capacity, message_dtype(elements))
        self._sums = np.zeros((capacity, elements), np.int32)
        self._received = np.zeros(capacity, np.bool_)
        self._sent_at = np.zeros(capacity, np.int64)
        self._repeated = np.zeros(capacity, np.bool_)
        self._waiting: deque[Messages] = deque()
        self._delivered: list[NDArray[np.int32]] = []

    @property
    def in_flight(self) -> int:
        """Fragments sent and not passed by the base."""
        return self.following - self.base

    def offer(self, messages: Messages) -> None:
        """Append messages, already numbered from `end` on."""
        if len(messages):
            self._waiting.append(messages)
            self.end += len(messages)

    def send(self, count: int, now: int) -> Messages:
        """The next `count` messages; they are in flight from now on."""
        rows = self._take(count)
        slots = span(self.following, self.following + count) & self._mask
        put(self._sent, slots, rows)
        self._received[slots] = False
        self._repeated[slots] = False
        self._sent_at[slots] = now
        self.following += count
        return rows

    def _take(self, count: int) -> Messages:
        parts: list[Messages] = []
        while count:
            head = self._waiting.popleft()
            if len(head) > count:
                self._waiting.appendleft(head[count:])
                head = head[:count]
            parts.append(head)
            count -= len(head)
        return join(parts, self._sums.shape[1])

    def repeat(self, seqs: Sequences, now: int) -> Messages:
        """Copies of messages in flight, to be sent again."""
        slots = seqs & self._mask
        self._sent_at[slots] = now
        self._repeated[slots] = True
        return take(self._sent, slots)

    def wanted(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which of `seqs` are in flight and not received."""
        inside = (seqs >= self.base) & (seqs < self.following)
        missing: NDArray[np.bool_] = inside & ~self._received[seqs & self._mask]
        return missing

    def receive(self, seqs: Sequences, values: NDArray[Any]) -> int:
        """Store wanted sums and advance the base; returns how far it advanced."""
        slots = seqs & self._mask
        self._sums[slots] = values
        self._received[slots] = True
        flight = span(self.base, self.following) & self._mask
        arrived = self._received[flight]
        advance = len(arrived) if arrived.all() else int(arrived.argmin())
        if advance:
            self._delivered.append(self._sums[flight[:advance]])
            self.base += advance
        return advance

    def collect(self) -> NDArray[np.int32]:
        """Sums received in order since the last call, shape (n, E)."""
        parts, self._delivered = self._delivered, []
        if len(parts) == 1:
            return parts[0]
        return np.concatenate(parts) if parts else self._sums[:0].copy()

    def gaps(self) -> Sequences:
        """The base and every missing fragment below the highest received one."""
        flight = span(self.base, self.following)
        arrived = self._received[flight & self._mask]
        if not arrived.any():
            return flight[:1]
        highest = len(arrived) - int(arrived[::-1].argmax())
        missing: Sequences = flight[:highest][~arrived[:highest]]
        return missing

    def sent_at(self, seqs: Sequences) -> NDArray[np.int64]:
        """When each fragment was sent last."""
        times: NDArray[np.int64] = self._sent_at[seqs & self._mask]
        return times

    def sent_once(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which fragments were never repeated."""
        once: NDArray[np.bool_] = ~self._repeated[seqs & self._mask]
        return once

    def sums(self, seqs: Sequences) -> tuple[NDArray[np.bool_], NDArray[np.int32], Messages]:
        """For fragments that were sent: is the sum known, the sum, the own message."""
        slots = seqs & self._mask
        known = (seqs < self.base) | self._received[slots]
        return known, self._sums[slots], take(self._sent, slots)

    def forgotten(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which fragments were received so long ago that their sums have left the ring."""
        return (seqs >= self._first) & (seqs < self.base - self._reach)

    def remembered(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which fragments were sent and are still in the ring."""
        return (seqs >= max(self._first, self.base - self._reach)) & (seqs < self.following)

    def state(self, now: int) -> WindowState:
        """Hashable copy of everything that can still matter; times relative to `now`."""
        kept = span(max(self._first, self.base - self._reach), self.following)
        slots = kept & self._mask
        known = (kept < self.base) | self._received[slots]
        return (
            (self.base, self.following, self.end),
            known.tobytes(),
            np.where(known[:, None], self._sums[slots], 0).tobytes(),
            self._sent[slots].tobytes(),
            (self._sent_at[slots] - now).tobytes(),
            self._repeated[slots].tobytes(),
            b"".join(part.tobytes() for part in self._waiting),
            self.collected_bytes(),
        )

    def collected_bytes(self) -> bytes:
        """Sums delivered and not collected yet."""
        return b"".join(part.tobytes() for part in self._delivered)

    def restore(self, state: WindowState, now: int) -> None:
        """Take over a state made by `state`."""
        (self.base, self.following, self.end), known, sums, sent, ages, repeated, wait, ready = (
            state
        )
        slots = span(max(self._first, self.base - self._reach), self.following) & self._mask
        elements = self._sums.shape[1]
        self._received[slots] = np.frombuffer(known, np.bool_)
        self._sums[slots] = np.frombuffer(sums, np.int32).reshape(-1, elements)
        self._sent[slots] = np.frombuffer(sent, self._sent.dtype)
        self._sent_at[slots] = np.frombuffer(ages, np.int64) + now
        self._repeated[slots] = np.frombuffer(repeated, np.bool_)
        self._waiting.clear()
        if wait:
            self._waiting.append(np.frombuffer(wait, self._sent.dtype))
        self._delivered = (
            [np.frombuffer(ready, np.int32).reshape(-1, elements).copy()] if ready else []
        )
