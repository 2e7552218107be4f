# SPDX-License-Identifier: MIT
"""The worker: sends fragments of its gradient, receives their sums.

A stream of fragments without end: iterations and buckets are consecutive ranges of it, so a key
(job, sequence) is never used twice. Rules of the window, the timers and the repair are explained
in docs/aggregation.md.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.config import WorkerConfig
from hosts.aggregation.congestion import CongestionWindow
from hosts.aggregation.rtt import RetransmissionTimer
from hosts.aggregation.sequence import Sequences, span, unwrap
from hosts.aggregation.window import NEVER, Window
from hosts.wire.esa import ESA, Flag, Messages, MessageType, Op, join, message_dtype, take, ver_type

WorkerState: TypeAlias = tuple[Any, ...]

# Plain integers: an enumeration's operators cost more than the array operations around them.
_PARAM = ver_type(MessageType.PARAM)
_MISS, _ECN, _OVERFLOW, _RESEND = (
    np.uint8(f) for f in (Flag.MISS, Flag.ECN, Flag.OVERFLOW, Flag.RESEND)
)


@dataclass(frozen=True)
class Stuck:
    """A fragment that does not complete. `seen` is the server's bitmap, None when unknown."""

    seq: int
    age_us: int
    seen: int | None


class Worker:
    """State machine of one worker of one job. Times in microseconds, monotonic."""

    def __init__(self, config: WorkerConfig) -> None:
        job = config.job
        self.config = config
        self.counters: Counter[str] = Counter()
        self._window = Window(job.first_seq, job.window, job.capacity, job.elements)
        self._congestion = CongestionWindow(
            job.window, config.initial_window, config.congestion_control
        )
        self._timer = RetransmissionTimer(config.rto_us, config.rto_max_us)
        self._now = 0
        self._deadline = int(NEVER)
        self._beyond = 0
        self._repeats: list[int] = []
        self._answers: list[int] = []
        self._seen: dict[int, int] = {}

    def offer(
        self,
        values: NDArray[np.integer[Any]],
        *,
        op: Op = Op.SUM,
        priority: int = 1,
        layer: int = 0,
        iteration: int = 0,
        exponents: NDArray[np.uint8] | int = 0,
        last_len: int | None = None,
    ) -> int:
        """Append fragments, shape (n, E), int32; returns the sequence number of the first.

        All workers must offer the same number of fragments in the same order. `last_len` is the
        number of valid elements of the last fragment.
        """
        job = self.config.job
        if values.ndim != 2 or values.shape[1] != job.elements:
            raise ValueError(f"fragments of shape {values.shape}: give (n, {job.elements})")
        rows = np.empty(len(values), message_dtype(job.elements))
        rows["esa"] = ESA.pack(
            msg_type=MessageType.SML if job.pool else MessageType.GRAD,
            job=job.job,
            bitmap=self.config.bit,
            prio=priority,
            src_worker=self.config.rank,
            op=op,
            iter=iteration & 0xFFFF,
            layer=layer,
            len=job.elements,
        )
        first = self._window.end
        seqs = span(first, first + len(values))
        rows["esa"]["seq"] = (seqs & 0xFFFFFFFF).astype(np.uint32)
        if job.pool:
            rows["esa"]["round"] = (seqs // job.pool + 1) & 0xFFFF
        rows["esa"]["exp"] = exponents
        if last_len is not None and len(rows):
            rows["esa"]["len"][-1] = last_len
        rows["values"] = values
        self._window.offer(rows)
        return first

    def collect(self) -> NDArray[np.int32]:
        """Sums received in order since the last call, shape (n, E)."""
        return self._window.collect()

    @property
    def received(self) -> int:
        """Lowest sequence number not received: everything below is complete."""
        return self._window.base

    @property
    def idle(self) -> bool:
        """Nothing on offer is outstanding."""
        return self._window.base == self._window.end

    def on_packets(self, batch: Messages, now: int) -> None:
        """Take a batch (contiguous) of received messages; only PARAM of this job counts."""
        self._now = now
        head = batch["esa"]
        mine = (head["ver_type"] == _PARAM) & (head["job"] == self.config.job.job)
        if not mine.all():
            self.counters["ignored"] += int(len(mine) - np.count_nonzero(mine))
            batch = take(batch, mine)
        missing = (batch["esa"]["flags"] & _MISS) != 0
        if missing.any():
            self._on_solicited(batch["esa"][missing])
            batch = take(batch, ~missing)
        if len(batch):
            self._on_sums(batch)

    def _on_sums(self, batch: Messages) -> None:
        head = batch["esa"]
        seqs = unwrap(head["seq"], self._window.base)
        wanted = self._window.wanted(seqs)
        if not self.config.job.pool:
            # A pool's slot forgets who is inside when they have gone on.
            wanted &= head["bitmap"] == self.config.job.full_mask
        if not wanted.all():
            self.counters["late"] += int(len(wanted) - np.count_nonzero(wanted))
            batch, seqs = take(batch, wanted), seqs[wanted]
            if not len(seqs):
                return
            head = batch["esa"]
        fresh = _distinct(seqs)
        self.counters["received"] += fresh
        self._sample_rtt(seqs)
        advanced = self._window.receive(seqs, batch["values"])
        # The base came to rest when the last fragment below it arrived; what came afterwards is
        # beyond the gap.
        below = np.flatnonzero(seqs < self._window.base)
        after = seqs[below[-1] + 1 :] if advanced else seqs
        before = 0 if advanced else self._beyond
        self._beyond = before + _distinct(after)
        flags = int(np.bitwise_or.reduce(head["flags"]))
        congested = bool(flags & _ECN)
        if flags & _OVERFLOW:
            self.counters["overflow"] += int(np.count_nonzero(head["flags"] & _OVERFLOW))
        base, following = self._window.base, self._window.following
        self._congestion.on_results(fresh, congested, base, following)
        if advanced:
            self._progress()
        if before < self.config.beyond <= self._beyond:
            self.counters["gap"] += 1
            self._repeats.append(base)
            self._congestion.on_loss(base, following)

    def _sample_rtt(self, seqs: Sequences) -> None:
        once = seqs[self._window.sent_once(seqs)]
        if len(once):
            self._timer.sample(self._now - int(self._window.sent_at(once[-1:])[0]))

    def _progress(self) -> None:
        self._timer.progress()
        self._arm()
        if self._seen:
            self._seen = {s: bits for s, bits in self._seen.items() if s >= self._window.base}

    def _arm(self) -> None:
        flying = self._window.in_flight
        self._deadline = self._now + self._timer.timeout_us if flying else int(NEVER)

    def _on_solicited(self, head: NDArray[np.void]) -> None:
        """The server lacks these sums: answer with the sum, or else with the own part.

        A sum that this worker has forgotten was received by all. The newest sum tells the server
        so, which would otherwise ask for ever.
        """
        seqs = unwrap(head["seq"], self._window.base)
        seqs = np.where(self._window.forgotten(seqs), self._window.base - 1, seqs)
        waiting = self._window.wanted(seqs).tolist()
        for seq, bitmap, lacking in zip(
            seqs.tolist(), head["bitmap"].tolist(), waiting, strict=True
        ):
            self.counters["solicited"] += 1
            if lacking:
                self._seen[seq] = bitmap
            useful = not (lacking and bitmap & self.config.bit)
            if useful and seq not in self._answers:
                self._answers.append(seq)

    def on_timer(self, now: int) -> None:
        """Repeat what is overdue. Early calls do nothing."""
        self._now = now
        if now < self._deadline:
            return
        self.counters["timeout"] += 1
        gaps = self._window.gaps() if self.config.resend_gaps else span(0, 1) + self._window.base
        overdue = self._window.sent_at(gaps) + self._timer.timeout_us <= now
        overdue[0] = True
        self._repeats.extend(gaps[overdue].tolist())
        self._timer.back_off()
        self._arm()

    def next_deadline(self) -> int | None:
        """When `on_timer` has something to do."""
        return None if self._deadline == NEVER else self._deadline

    def poll(self, budget: int) -> Messages:
        """At most `budget` messages to send: repairs first, then new fragments."""
        parts = []
        if self._repeats or self._answers:
            parts.append(self._repairs(budget))
            budget -= len(parts[0])
        window = self._window
        limit = min(window.base + self._congestion.size, window.end)
        count = min(budget, limit - window.following)
        if count > 0:
            idle = not window.in_flight
            parts.append(window.send(count, self._now))
            self.counters["sent"] += count
            if idle:
                self._arm()
        return join(parts, self.config.job.elements)

    def _repairs(self, budget: int) -> Messages:
        repeats = np.unique(np.array(self._repeats[:budget], np.int64))
        self._repeats = self._repeats[budget:]
        again = self._window.repeat(repeats[self._window.wanted(repeats)], self._now)
        room = budget - len(again)
        answers = np.array(self._answers[:room], np.int64)
        self._answers = self._answers[room:]
        answers = answers[self._window.remembered(answers)]
        known, sums, own = self._window.sums(answers)
        own["values"][known] = sums[known]
        own["esa"]["bitmap"][known] = self.config.job.full_mask
        out = join([again, own], self.config.job.elements)
        if not self.config.job.pool:
            out["esa"]["flags"] |= _RESEND
        self.counters["resent"] += len(out)
        return out

    def stuck(self, now: int, older_than_us: int = 0) -> list[Stuck]:
        """Fragments in flight for longer than `older_than_us`, oldest gap first."""
        if not self._window.in_flight:
            return []
        gaps = self._window.gaps()
        ages = now - self._window.sent_at(gaps)
        return [
            Stuck(seq, age, self._seen.get(seq))
            for seq, age in zip(gaps.tolist(), ages.tolist(), strict=True)
            if age >= older_than_us
        ]

    def state(self) -> WorkerState:
        """Hashable copy of the state; times are relative to the last time seen."""
        return (
            self._window.state(self._now),
            self._congestion.state(),
            self._timer.state(),
            None if self._deadline == NEVER else self._deadline - self._now,
            self._beyond,
            tuple(self._repeats),
            tuple(self._answers),
            tuple(sorted(self._seen.items())),
        )

    @classmethod
    def from_state(cls, config: WorkerConfig, state: WorkerState, now: int = 0) -> Worker:
        """A worker that goes on from `state`, as if its last time had been `now`."""
        self = cls(config)
        window, congestion, timer, deadline, self._beyond, repeats, answers, seen = state
        self._now = now
        self._window.restore(window, now)
        self._congestion = CongestionWindow(
            config.job.window, config.initial_window, config.congestion_control, congestion
        )
        self._timer = RetransmissionTimer(config.rto_us, config.rto_max_us, timer)
        self._deadline = int(NEVER) if deadline is None else deadline + now
        self._repeats, self._answers, self._seen = list(repeats), list(answers), dict(seen)
        return self


def _distinct(seqs: Sequences) -> int:
    """Number of different values; most batches are in order."""
    if len(seqs) < 2 or bool((seqs[1:] > seqs[:-1]).all()):
        return len(seqs)
    return len(np.unique(seqs))
