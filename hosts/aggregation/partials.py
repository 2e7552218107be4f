# SPDX-License-Identifier: MIT
"""The parameter server's ring: partial sums, and finished ones kept for repair.

The ring holds the last `capacity` >= 2 W fragments up to the highest one seen (`top`). Whatever
falls out of it was received by every worker: the slowest worker waits for a fragment above
top - 2 W (see `JobConfig.capacity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.arithmetic import combine
from hosts.aggregation.config import ServerConfig
from hosts.aggregation.sequence import Sequences, span
from hosts.wire.esa import ESA, Flag, Messages, message_dtype, take

PartialsState: TypeAlias = tuple[Any, ...]

NEVER = np.iinfo(np.int64).max
STICKY = np.uint8(Flag.ECN | Flag.OVERFLOW)
OVERFLOW = np.uint8(Flag.OVERFLOW)


@dataclass(frozen=True)
class Outcome:
    """What a round of merges did; `completed` indexes its rows."""

    completed: NDArray[np.intp]
    duplicates: int
    conflicts: int


class Partials:
    """Ring of fragments; a free place has bitmap 0."""

    def __init__(self, config: ServerConfig) -> None:
        job = config.job
        self.capacity = job.capacity
        self.top = job.first_seq - 1
        self.settled = job.first_seq - 1
        self._config = config
        self._full = np.uint32(job.full_mask)
        self._mask = self.capacity - 1
        self._head: NDArray[np.void] = np.zeros(self.capacity, ESA.dtype)
        self._sums = np.zeros((self.capacity, job.elements), np.int32)
        self._bitmap = np.zeros(self.capacity, np.uint32)
        self._deadline = np.full(self.capacity, NEVER, np.int64)
        self._attempts = np.zeros(self.capacity, np.int64)

    @property
    def oldest(self) -> int:
        """The lowest fragment that has a place in the ring."""
        return self.top - self.capacity + 1

    def advance(self, top: int) -> None:
        """Make room up to `top`; the oldest fragments leave the ring."""
        if top > self.top:
            slots = span(max(self.top + 1, top + 1 - self.capacity), top + 1) & self._mask
            self._bitmap[slots] = 0
            self._deadline[slots] = NEVER
            self._attempts[slots] = 0
            self.top = top

    def settle(self, completed: int) -> None:
        """A complete fragment proves that every worker has the sums of those W before it.

        What is unfinished there is a ghost: late copies of fragments that completed elsewhere.
        Nobody could complete it, since workers forget sums, too.
        """
        self.settled = max(self.settled, completed - self._config.job.window)
        open_slots = np.flatnonzero((self._bitmap != 0) & (self._bitmap != self._full))
        if len(open_slots):
            ghosts = open_slots[self._sequences(open_slots) <= self.settled]
            self._bitmap[ghosts] = 0
            self._deadline[ghosts] = NEVER
            self._attempts[ghosts] = 0

    def known(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which fragments are in the ring with something in them."""
        inside = (seqs > self.top - self.capacity) & (seqs <= self.top)
        some: NDArray[np.bool_] = inside & (self._bitmap[seqs & self._mask] != 0)
        return some

    def done(self, seqs: Sequences) -> NDArray[np.bool_]:
        """Which fragments (all within the ring) are finished."""
        finished: NDArray[np.bool_] = self._bitmap[seqs & self._mask] == self._full
        return finished

    def merge(self, batch: Messages, seqs: Sequences, now: int) -> Outcome:
        """Merge at most one contribution per fragment; none of them is finished.

        A full sum overwrites. Disjoint contributions combine. Of two that overlap the one with
        more workers stays: a sum cannot be taken apart, resends finish the fragment.
        """
        slots = seqs & self._mask
        head = batch["esa"]
        new, old = head["bitmap"].astype(np.uint32), self._bitmap[slots]
        full = new == self._full
        write = full | (old == 0)
        add = ~write & (new & old == 0)
        subset = ~write & ~add & (new & ~old == 0)
        conflict = ~write & ~add & ~subset
        larger = np.bitwise_count(new) > np.bitwise_count(old)
        write |= conflict & larger
        if write.any():
            self._write(slots[write], _rows(batch, write), fresh=old[write] == 0)
            self._bitmap[slots[write]] = new[write]
        if add.any():
            self._add(slots[add], _rows(batch, add))
            self._bitmap[slots[add]] |= new[add]
        completed = np.flatnonzero(self._bitmap[slots] == self._full)
        self._arm(slots, now)
        return Outcome(completed, int(np.count_nonzero(subset)), int(np.count_nonzero(conflict)))

    def _write(self, slots: Sequences, batch: Messages, fresh: NDArray[np.bool_]) -> None:
        flags = batch["esa"]["flags"] & STICKY
        kept = np.where(fresh, 0, self._head["flags"][slots] & STICKY)
        exponents = np.where(fresh, 0, self._head["exp"][slots])
        self._head[slots] = batch["esa"]
        self._head["flags"][slots] = flags | kept
        self._head["exp"][slots] = np.maximum(exponents, batch["esa"]["exp"])
        self._sums[slots] = batch["values"]

    def _add(self, slots: Sequences, batch: Messages) -> None:
        head = batch["esa"]
        self._sums[slots], overflow = combine(
            self._head["op"][slots], self._sums[slots], batch["values"]
        )
        flags = head["flags"] & STICKY | np.where(overflow, OVERFLOW, np.uint8(0))
        self._head["flags"][slots] |= flags
        self._head["exp"][slots] = np.maximum(self._head["exp"][slots], head["exp"])

    def _arm(self, slots: Sequences, now: int) -> None:
        finished = self._bitmap[slots] == self._full
        self._deadline[slots[finished]] = NEVER
        idle = ~finished & (self._deadline[slots] == NEVER)
        self._deadline[slots[idle]] = now + self._config.remind_us

    def expire(self, now: int) -> tuple[Sequences, NDArray[np.int64]]:
        """Incomplete fragments whose timer ran out, re-armed with backoff; their attempts."""
        slots = np.flatnonzero(self._deadline <= now)
        self._attempts[slots] += 1
        attempts = self._attempts[slots]
        waits = self._config.remind_us << np.minimum(attempts, 20)
        self._deadline[slots] = now + np.minimum(waits, self._config.remind_max_us)
        seqs = self._sequences(slots)
        order = np.argsort(seqs)
        return seqs[order], attempts[order]

    def next_deadline(self) -> int | None:
        """Earliest timer."""
        earliest = int(self._deadline.min())
        return None if earliest == NEVER else earliest

    def _sequences(self, slots: NDArray[np.intp]) -> Sequences:
        """The fragments that live in `slots`."""
        low = self.top - self.capacity + 1
        return low + ((slots - low) & self._mask)

    def messages(self, seqs: Sequences, with_values: bool) -> Messages:
        """Messages about fragments in the ring: header as stored, bitmap, sum."""
        slots = seqs & self._mask
        rows = np.zeros(len(seqs), message_dtype(self._config.job.elements))
        rows["esa"] = self._head[slots]
        rows["esa"]["bitmap"] = self._bitmap[slots]
        if with_values:
            rows["values"] = self._sums[slots]
        return rows

    def incomplete(self) -> list[tuple[int, int, int]]:
        """(sequence, bitmap, attempts) of unfinished fragments, oldest first."""
        slots = np.flatnonzero((self._bitmap != 0) & (self._bitmap != self._full))
        rows = zip(
            self._sequences(slots).tolist(),
            self._bitmap[slots].tolist(),
            self._attempts[slots].tolist(),
            strict=True,
        )
        return sorted(rows)

    def state(self, now: int) -> PartialsState:
        """Hashable copy; times relative to `now`."""
        seqs = np.sort(self._sequences(np.flatnonzero(self._bitmap)))
        slots = seqs & self._mask
        deadlines = self._deadline[slots]
        return (
            (self.top, self.settled),
            tuple(seqs.tolist()),
            self._bitmap[slots].tobytes(),
            self._head[slots].tobytes(),
            self._sums[slots].tobytes(),
            np.where(deadlines == NEVER, NEVER, deadlines - now).tobytes(),
            self._attempts[slots].tobytes(),
        )

    def restore(self, state: PartialsState, now: int) -> None:
        """Take over a state made by `state`."""
        (self.top, self.settled), seqs, bitmap, head, sums, deadlines, attempts = state
        slots = np.array(seqs, np.int64) & self._mask
        waits = np.frombuffer(deadlines, np.int64)
        self._bitmap[slots] = np.frombuffer(bitmap, np.uint32)
        self._head[slots] = np.frombuffer(head, ESA.dtype)
        self._sums[slots] = np.frombuffer(sums, np.int32).reshape(-1, self._sums.shape[1])
        self._deadline[slots] = np.where(waits == NEVER, NEVER, waits + now)
        self._attempts[slots] = np.frombuffer(attempts, np.int64)


def _rows(batch: Messages, wanted: NDArray[np.bool_]) -> Messages:
    return batch if wanted.all() else take(batch, wanted)
