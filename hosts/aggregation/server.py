# SPDX-License-Identifier: MIT
"""The parameter server of one job: completes what the switch could not, repairs what was lost."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.config import ServerConfig
from hosts.aggregation.partials import Partials
from hosts.aggregation.sequence import Sequences, unwrap
from hosts.wire.esa import NO_WORKER, Flag, Messages, MessageType, join, take, ver_type

ServerState: TypeAlias = tuple[Any, ...]

# Plain integers: an enumeration's operators cost more than the array operations around them.
_GRAD, _PARAM, _REMIND = (
    ver_type(m) for m in (MessageType.GRAD, MessageType.PARAM, MessageType.REMIND)
)
_MISS, _PARTIAL, _RESEND = (np.uint8(f) for f in (Flag.MISS, Flag.PARTIAL, Flag.RESEND))
_COUNTED = tuple(
    (np.uint8(f), (f.name or "").lower())
    for f in (Flag.RESEND, Flag.EVICTED, Flag.PARTIAL, Flag.COLLISION, Flag.OVERFLOW)
)


@dataclass(frozen=True)
class Incomplete:
    """A fragment the server waits for: who is inside, how often it asked."""

    seq: int
    bitmap: int
    missing: tuple[int, ...]
    reminders: int


@dataclass(frozen=True)
class _Reply:
    """Messages of one kind to be built when there is room to send them."""

    kind: MessageType
    flags: int
    seqs: Sequences
    workers: NDArray[np.uint8]


class ParameterServer:
    """State machine of the parameter server of one job. Times in microseconds, monotonic."""

    def __init__(self, config: ServerConfig) -> None:
        self.config = config
        self.counters: Counter[str] = Counter()
        self._partials = Partials(config)
        self._replies: deque[_Reply] = deque()
        self._now = 0

    def on_packets(self, batch: Messages, now: int) -> None:
        """Take a batch (contiguous) of received messages.

        GRAD with any flags carries a contribution or a partial sum; a PARAM is the copy of a sum
        that the switch has sent to the workers itself.
        """
        self._now = now
        head = batch["esa"]
        kinds = head["ver_type"]
        job = self.config.job
        inside = (head["bitmap"] != 0) & (head["bitmap"] & ~np.uint32(job.full_mask) == 0)
        contribution = kinds == _GRAD
        if not contribution.all():
            flags = head["flags"]
            contribution |= (kinds == _PARAM) & (flags & _MISS == 0)
            # A reminder comes back with what the switch held (PARTIAL) or with MISS.
            contribution |= (kinds == _REMIND) & (flags & _PARTIAL != 0)
        good = contribution & inside & (head["job"] == job.job) & (head["len"] <= job.elements)
        if not good.all():
            self._count_rest(head[~good])
            batch = take(batch, good)
        if len(batch):
            self._on_contributions(batch)

    def _count_rest(self, head: NDArray[np.void]) -> None:
        missed = (head["ver_type"] == _REMIND) & (head["flags"] & _MISS != 0)
        misses = int(np.count_nonzero(missed))
        self.counters["remind_miss"] += misses
        self.counters["rejected"] += len(head) - misses

    def _on_contributions(self, batch: Messages) -> None:
        partials = self._partials
        seqs = unwrap(batch["esa"]["seq"], partials.top)
        partials.advance(int(seqs.max()))
        stale = seqs <= partials.top - partials.capacity
        if stale.any():
            self.counters["stale"] += int(np.count_nonzero(stale))
            batch, seqs = take(batch, ~stale), seqs[~stale]
        self._count(batch["esa"])
        finished = partials.done(seqs)
        if finished.any():
            self._repair(batch["esa"][finished], seqs[finished])
            batch, seqs = take(batch, ~finished), seqs[~finished]
        ghosts = seqs <= partials.settled
        if ghosts.any():
            self.counters["stale"] += int(np.count_nonzero(ghosts))
            batch, seqs = take(batch, ~ghosts), seqs[~ghosts]
        while len(seqs):
            # One contribution to each fragment at a time, so that a round is one array operation.
            if (seqs[1:] > seqs[:-1]).all():
                self._merge(batch, seqs)
                return
            first = np.unique(seqs, return_index=True)[1]
            self._merge(take(batch, first), seqs[first])
            rest = ~partials.done(seqs)
            rest[first] = False
            batch, seqs = take(batch, rest), seqs[rest]

    def _count(self, head: NDArray[np.void]) -> None:
        flags = head["flags"]
        present = int(np.bitwise_or.reduce(flags)) if len(flags) else 0
        for flag, name in _COUNTED:
            if present & flag:
                self.counters[name] += int(np.count_nonzero(flags & flag))
        full = head["bitmap"] == self.config.job.full_mask
        self.counters["full"] += int(np.count_nonzero(full & (flags & _RESEND == 0)))

    def _merge(self, batch: Messages, seqs: Sequences) -> None:
        outcome = self._partials.merge(batch, seqs, self._now)
        self.counters["duplicate"] += outcome.duplicates
        self.counters["conflict"] += outcome.conflicts
        completed = seqs[outcome.completed]
        if len(completed):
            self._partials.settle(int(completed.max()))
        self.counters["completed"] += len(completed)
        # The workers already have what the switch sent them itself.
        kinds = batch["esa"]["ver_type"][outcome.completed]
        publish = completed[kinds != _PARAM]
        self.counters["published"] += len(publish)
        self._reply(MessageType.PARAM, 0, publish)

    def _repair(self, head: NDArray[np.void], seqs: Sequences) -> None:
        """Fragments that are finished: each sender gets the cached sum again."""
        asking = (head["src_worker"] != NO_WORKER) & (head["ver_type"] == _GRAD)
        self.counters["late"] += int(np.count_nonzero(~asking))
        pairs = np.unique(np.stack([seqs[asking], head["src_worker"][asking]]), axis=1)
        self.counters["repaired"] += pairs.shape[1]
        self._reply(MessageType.PARAM, 0, pairs[0], pairs[1].astype(np.uint8))

    def _reply(
        self,
        kind: MessageType,
        flags: int,
        seqs: Sequences,
        workers: NDArray[np.uint8] | None = None,
    ) -> None:
        if len(seqs):
            to = np.full(len(seqs), NO_WORKER, np.uint8) if workers is None else workers
            self._replies.append(_Reply(kind, flags, seqs, to))

    def on_timer(self, now: int) -> None:
        """Remind the switches, then also the workers, of what is incomplete for too long."""
        self._now = now
        seqs, attempts = self._partials.expire(now)
        self.counters["reminded"] += len(seqs)
        self._reply(MessageType.REMIND, 0, seqs)
        again = seqs[attempts >= self.config.solicit_after]
        self.counters["solicited"] += len(again)
        self._reply(MessageType.PARAM, Flag.MISS, again)

    def next_deadline(self) -> int | None:
        """When `on_timer` has something to do."""
        return self._partials.next_deadline()

    def poll(self, budget: int) -> Messages:
        """At most `budget` messages; `src_worker` says to whom, 255 = all workers.

        PARAM goes to the workers, REMIND to the switches of the job.
        """
        parts = []
        while self._replies and budget > 0:
            reply = self._replies.popleft()
            if len(reply.seqs) > budget:
                rest = _Reply(reply.kind, reply.flags, reply.seqs[budget:], reply.workers[budget:])
                self._replies.appendleft(rest)
            rows = self._build(reply, budget)
            parts.append(rows)
            budget -= len(rows)
        return join(parts, self.config.job.elements)

    def _build(self, reply: _Reply, budget: int) -> Messages:
        seqs, workers = reply.seqs[:budget], reply.workers[:budget]
        # What has left the ring, or was completed since the question was put, needs no message.
        alive = self._partials.known(seqs)
        done = self._partials.done(seqs)
        answer = reply.kind == MessageType.PARAM and not reply.flags & Flag.MISS
        alive &= done if answer else ~done
        seqs, workers = seqs[alive], workers[alive]
        rows = self._partials.messages(seqs, with_values=answer)
        rows["esa"]["ver_type"] = ver_type(reply.kind)
        rows["esa"]["src_worker"] = workers
        if reply.kind == MessageType.REMIND:
            rows["esa"]["flags"] = reply.flags
        else:
            rows["esa"]["flags"] |= np.uint8(reply.flags)
        return rows

    def finished(self, seq: int) -> tuple[bool, bool]:
        """Of a fragment as numbered on the wire: is its sum here, have all workers received it."""
        number = unwrap(np.array([seq], np.uint32), self._partials.top)
        settled = bool(number[0] <= max(self._partials.settled, self._partials.oldest - 1))
        known = bool(number[0] >= self._partials.oldest) and bool(number[0] <= self._partials.top)
        return known and bool(self._partials.done(number)[0]), settled

    def incomplete(self) -> list[Incomplete]:
        """Fragments of which something but not all has arrived, oldest first."""
        return [
            Incomplete(seq, bitmap, self.missing(bitmap), reminders)
            for seq, bitmap, reminders in self._partials.incomplete()
        ]

    def missing(self, bitmap: int) -> tuple[int, ...]:
        """Ranks of the workers that are not in `bitmap`."""
        return tuple(w for w in range(self.config.job.workers) if not bitmap >> w & 1)

    def state(self) -> ServerState:
        """Hashable copy of the state; times are relative to the last time seen."""
        replies = tuple(
            (int(r.kind), r.flags, tuple(r.seqs.tolist()), tuple(r.workers.tolist()))
            for r in self._replies
        )
        return (self._partials.state(self._now), replies)

    @classmethod
    def from_state(cls, config: ServerConfig, state: ServerState, now: int = 0) -> ParameterServer:
        """A server that goes on from `state`, as if its last time had been `now`."""
        self = cls(config)
        partials, replies = state
        self._now = now
        self._partials.restore(partials, now)
        for kind, flags, seqs, workers in replies:
            self._reply(
                MessageType(kind), flags, np.array(seqs, np.int64), np.array(workers, np.uint8)
            )
        return self
