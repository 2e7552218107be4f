# SPDX-License-Identifier: MIT
"""A small reference switch and an adversarial network for the protocol cores.

The switch is the design's pseudo-code on dictionaries, one job set, one rack; the network is a bag
of packets from which the test takes any one at a time, loses it or delivers it twice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.arithmetic import combine
from hosts.aggregation.config import JobConfig, ServerConfig, WorkerConfig
from hosts.aggregation.server import ParameterServer
from hosts.aggregation.worker import Worker
from hosts.wire.esa import NO_WORKER, Flag, MessageType, message_dtype, ver_type

Message = Any  # one row of `message_dtype`, shape (1,)
GRAD, PARAM, REMIND = (
    ver_type(m) for m in (MessageType.GRAD, MessageType.PARAM, MessageType.REMIND)
)


@dataclass
class Switch:
    """`slots` aggregators; priorities compare strictly; losers halve the holder's priority."""

    slots: int
    masks: dict[int, int]
    direct: bool = True
    free_on_complete: bool = True
    downgrade: bool = True
    held: dict[int, Message] = field(default_factory=dict)
    events: Counter[str] = field(default_factory=Counter)

    def index(self, head: Any) -> int:
        return (int(head["job"]) * 7 + int(head["seq"])) % self.slots if self.slots else 0

    def owns(self, m: Message) -> bool:
        slot = self.held.get(self.index(m["esa"][0]))
        return slot is not None and all(slot["esa"][0][k] == m["esa"][0][k] for k in ("job", "seq"))

    def take(self, m: Message) -> list[tuple[str, int, Message]]:
        """Packets out: (role, job, message); role is "ps", "workers" or a rank."""
        head = m["esa"][0]
        job, kind = int(head["job"]), int(head["ver_type"])
        if kind == GRAD:
            return self.gradient(m, head, job)
        if kind == REMIND:
            if head["flags"] & (Flag.PARTIAL | Flag.MISS):
                return [("ps", job, m)]
            if not self.owns(m):
                return [("ps", job, flagged(m, Flag.MISS))]
            slot = self.held.pop(self.index(head))
            slot["esa"]["ver_type"] = REMIND
            return [("ps", job, flagged(slot, Flag.PARTIAL | Flag.NOAGG))]
        if self.owns(m):
            del self.held[self.index(head)]
        to = int(head["src_worker"])
        return [("workers" if to == NO_WORKER else str(to), job, m)]

    def gradient(self, m: Message, head: Any, job: int) -> list[tuple[str, int, Message]]:
        full = self.masks[job]
        if head["flags"] & (Flag.NOAGG | Flag.RESEND):
            return [("ps", job, m)]
        if not self.slots:
            return [("ps", job, m)]
        if head["bitmap"] == full:
            return self.emit(m, job)
        where = self.index(head)
        slot = self.held.get(where)
        if slot is None:
            self.held[where] = m.copy()
            self.events["allocate"] += 1
            return []
        if self.owns(m):
            return self.merge(m, slot, where, full, job)
        if head["prio"] > slot["esa"]["prio"][0]:
            self.events["preempt"] += 1
            self.held[where] = m.copy()
            slot["esa"]["src_worker"] = NO_WORKER
            victim = flagged(slot, Flag.EVICTED | Flag.NOAGG)
            return [("ps", int(slot["esa"]["job"][0]), victim)]
        self.events["pass"] += 1
        if self.downgrade:
            slot["esa"]["prio"] >>= 1
        return [("ps", job, flagged(m, Flag.COLLISION | Flag.NOAGG))]

    def merge(
        self, m: Message, slot: Message, where: int, full: int, job: int
    ) -> list[tuple[str, int, Message]]:
        held, new = slot["esa"], m["esa"]
        if held["bitmap"][0] & new["bitmap"][0]:
            self.events["duplicate"] += 1
            return []
        slot["values"], overflow = combine(held["op"], slot["values"], m["values"])
        held["flags"] |= new["flags"] & np.uint8(Flag.ECN | Flag.OVERFLOW)
        if overflow[0]:
            held["flags"] |= np.uint8(Flag.OVERFLOW)
        held["bitmap"] |= new["bitmap"]
        held["exp"] = max(held["exp"][0], new["exp"][0])
        held["prio"] = max(held["prio"][0], new["prio"][0])
        if held["bitmap"][0] != full:
            return []
        if self.free_on_complete:
            del self.held[where]
        return self.emit(slot.copy(), job)

    def emit(self, m: Message, job: int) -> list[tuple[str, int, Message]]:
        self.events["emit"] += 1
        m["esa"]["src_worker"] = NO_WORKER
        if not self.direct:
            return [("ps", job, m)]
        m["esa"]["ver_type"] = PARAM
        return [("ps", job, m), ("workers", job, m)]


def flagged(m: Message, flags: int) -> Message:
    out = m.copy()
    out["esa"]["flags"] |= np.uint8(flags)
    return out


@dataclass
class System:
    """Jobs, their workers and servers, one switch, and the packets in flight."""

    jobs: tuple[JobConfig, ...]
    switch: Switch
    worker_options: dict[str, Any] = field(default_factory=dict)
    server_options: dict[str, Any] = field(default_factory=dict)
    now: int = 0

    def __post_init__(self) -> None:
        self.flying: list[tuple[str, Message]] = []
        self.workers = {
            (j.job, r): Worker(WorkerConfig(j, r, **self.worker_options))
            for j in self.jobs
            for r in range(j.workers)
        }
        self.servers = {
            j.job: ParameterServer(ServerConfig(j, **self.server_options)) for j in self.jobs
        }
        self.offered: dict[tuple[int, int], list[NDArray[np.int32]]] = {
            key: [] for key in self.workers
        }
        self.results: dict[tuple[int, int], list[NDArray[np.int32]]] = {
            key: [] for key in self.workers
        }

    def offer(self, job: int, rank: int, values: NDArray[np.int32], **options: Any) -> None:
        self.workers[job, rank].offer(values, **options)
        self.offered[job, rank].append(values)

    def pump(self, budget: int = 64) -> None:
        """Put on the way whatever the cores want to send."""
        for core in (*self.workers.values(), *self.servers.values()):
            out = core.poll(budget)
            assert out.dtype == message_dtype(out["values"].shape[1]), "not the wire's layout"
            self.flying.extend(("switch", out[i : i + 1].copy()) for i in range(len(out)))

    def deliver(self, index: int, keep: bool = False) -> None:
        where, m = self.flying[index] if keep else self.flying.pop(index)
        if where == "switch":
            for role, job, out in self.switch.take(m.copy()):
                if role == "ps":
                    self.flying.append((f"ps {job}", out.copy()))
                elif role == "workers":
                    ranks = [r for j, r in self.workers if j == job]
                    self.flying.extend((f"{job} {r}", out.copy()) for r in ranks)
                else:
                    self.flying.append((f"{job} {role}", out.copy()))
        elif where.startswith("ps "):
            self.servers[int(where[3:])].on_packets(m, self.now)
        else:
            job, rank = map(int, where.split())
            self.workers[job, rank].on_packets(m, self.now)
            self.results[job, rank].append(self.workers[job, rank].collect())
        self.pump()

    def fire(self, key: Any) -> None:
        """Let one core's timer run out, early or not: time jumps to its deadline."""
        core = self.servers[key] if isinstance(key, int) else self.workers[key]
        deadline = core.next_deadline()
        if deadline is not None:
            self.now = max(self.now, deadline)
            core.on_timer(self.now)
            self.pump()

    @property
    def idle(self) -> bool:
        return all(w.idle for w in self.workers.values())

    def finish(self, patience: int = 5000) -> None:
        """Deliver everything in order; when nothing is in flight, the next timer runs out."""
        self.pump()
        for _ in range(patience):
            if self.flying:
                self.deliver(0)
            elif self.idle:
                return
            else:
                cores: list[Any] = [*self.servers, *self.workers]
                due = [
                    (d, i)
                    for i, k in enumerate(cores)
                    if (d := self.core(k).next_deadline()) is not None
                ]
                assert due, f"stuck without a timer: {self.describe()}"
                self.fire(cores[min(due)[1]])
        raise AssertionError(f"no end in sight: {self.describe()}")

    def core(self, key: Any) -> Any:
        return self.servers[key] if isinstance(key, int) else self.workers[key]

    def describe(self) -> str:
        stuck = {k: w.stuck(self.now) for k, w in self.workers.items() if not w.idle}
        waiting = {k: s.incomplete() for k, s in self.servers.items()}
        return f"workers {stuck} servers {waiting} events {dict(self.switch.events)}"

    def check(self, function: Any = np.add) -> None:
        """Every worker's results so far are exactly those of the contributions."""
        for job in self.jobs:
            parts = [np.concatenate(self.offered[job.job, r]) for r in range(job.workers)]
            expected = function.reduce([p.astype(np.int64) for p in parts])
            for rank in range(job.workers):
                got = self.results[job.job, rank]
                have = np.concatenate(got) if got else expected[:0]
                assert have.tolist() == expected[: len(have)].tolist(), (job.job, rank)
