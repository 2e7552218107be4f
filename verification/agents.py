# SPDX-License-Identifier: MIT
"""Host agents as nodes: the protocol cores of ``hosts.aggregation``, without their clocks.

All times are zero, so a timer that is armed has run out; when it fires is the environment's
choice.  That covers every order of timeouts and deliveries that real clocks could produce.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hosts.aggregation.config import JobConfig, ServerConfig, WorkerConfig
from hosts.aggregation.sequence import unwrap
from hosts.aggregation.server import ParameterServer
from hosts.aggregation.worker import Worker
from hosts.wire.esa import ESA, NO_WORKER, Flag, MessageType, message_dtype, ver_type
from topologies import Host
from verification.frames import (
    ELEMENTS,
    Frames,
    complete,
    contribution,
    describe_message,
    rename_messages,
    rename_values,
)
from verification.model import Event, Fault, Packet, Permutation, State, Status, Step

START = Event("start")
TIMEOUT = Event("timeout", Fault.TIMEOUT)
CRASH = Event("crash and restart", Fault.CRASH)
_ALL = 1 << 16


@dataclass(frozen=True, slots=True)
class JobModel:
    """One job of a system: its configuration, hosts, and how many fragments it sums up."""

    config: JobConfig
    workers: tuple[Host, ...]
    server: Host
    fragments: int
    priority: Callable[[int], int] = lambda seq: 1

    def seqs(self) -> range:
        """The fragments' sequence numbers."""
        return range(self.config.first_seq, self.config.first_seq + self.fragments)


class WorkerNode:
    """One worker; safe when each sum that it delivers is the sum of all contributions."""

    def __init__(self, job: JobModel, rank: int, frames: Frames) -> None:
        self.job, self.rank, self.frames = job, rank, frames
        self.name = job.workers[rank].name
        self.config = WorkerConfig(job.config, rank, rto_us=0, rto_max_us=0)
        self._initial = ("off",)

    def initial(self) -> State:
        """Not started."""
        return self._initial

    def status(self, state: State) -> Status:
        """Done when all sums have arrived."""
        if state == self._initial:
            return Status.IDLE
        done = self._load(state).idle
        return Status.DONE | Status.IDLE if done else Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """Start, and the retransmission timer while something is in flight."""
        if state == self._initial:
            return (START,)
        return () if self._load(state).next_deadline() is None else (TIMEOUT,)

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Start with all fragments on offer, or let the timer run out."""
        if event == START:
            worker = Worker(self.config)
            for seq in self.job.seqs():
                worker.offer(
                    contribution(self.job.config.job, self.rank, seq)[np.newaxis],
                    priority=self.job.priority(seq),
                )
        else:
            worker = self._load(state)
            worker.on_timer(0)
        return (self._step(worker),)

    def deliver(self, state: State, port: int, packet: Packet) -> Sequence[Step]:
        """Take one frame."""
        assert isinstance(packet, bytes)
        if state == self._initial:  # a sum for a worker that has not begun: nobody listens
            return (Step(state),)
        worker = self._load(state)
        before = worker.received
        worker.on_packets(self.frames.read(packet), 0)
        wrong, job = None, self.job.config
        for seq, values in enumerate(worker.collect(), before):
            if not np.array_equal(values, complete(job.job, job.workers, seq)):
                wrong = f"{self.name} is given a wrong sum of fragment {seq}"
        return (self._step(worker, wrong),)

    def ignores(self, state: State, port: int, packet: Packet) -> bool:
        """Sums that it has."""
        if state == self._initial:
            return False
        head = self.frames.read(packet)["esa"]
        received = self._load(state).received
        sums = (head["ver_type"] == ver_type(MessageType.PARAM)) & (head["flags"] & Flag.MISS == 0)
        return bool(sums.all() and (unwrap(head["seq"], received) < received).all())

    def passes(self, port: int, packet: Packet) -> None:
        """Hosts forward nothing."""

    def rename(self, state: State, perm: Permutation) -> State:
        """The same progress at another worker."""
        if state == self._initial:
            return state
        assert isinstance(state, tuple)
        window, congestion, timer, deadline, beyond, repeats, answers, seen = state
        place, known, sums, sent, ages, repeated, waiting, ready = window
        renamed = (
            place,
            known,
            _renamed_sums(sums, perm),
            _renamed_messages(sent, perm),
            ages,
            repeated,
            _renamed_messages(waiting, perm),
            _renamed_sums(ready, perm),
        )
        return (renamed, congestion, timer, deadline, beyond, repeats, answers, seen)

    def describe(self, state: State) -> str:
        """Progress in one line."""
        if state == self._initial:
            return "not started"
        worker = self._load(state)
        missing = [s.seq for s in worker.stuck(0)]
        return f"received all below {worker.received}" + (f", waits for {missing}" * bool(missing))

    def _load(self, state: State) -> Worker:
        assert isinstance(state, tuple)
        return Worker.from_state(self.config, state, 0)

    def _step(self, worker: Worker, violation: str | None = None) -> Step:
        messages = worker.poll(_ALL)
        frames = self.frames.build(messages, self.job.workers[self.rank], self.job.server)
        return Step(self._forgetful(worker.state()), tuple((0, f) for f in frames), violation)

    def _forgetful(self, state: Any) -> State:
        """Without what no later packet depends on, so that states that behave alike are one.

        Round-trip times and their samples: all times are zero.  What the server said that it has
        seen: for people.  Results beyond a gap, when the window is too small for them to matter.
        """
        window, congestion, _, deadline, beyond, repeats, answers, _ = state
        place, known, sums, sent, ages, repeated, waiting, ready = window
        if self.job.config.window <= self.config.beyond:
            beyond = 0
        fresh = Worker(self.config).state()
        kept = (place, known, sums, sent, ages, bytes(len(repeated)), waiting, ready)
        return (kept, congestion, fresh[2], deadline, beyond, repeats, answers, ())


class ServerNode:
    """The parameter server of one job."""

    def __init__(self, job: JobModel, frames: Frames) -> None:
        self.job, self.frames, self.name = job, frames, job.server.name
        self.config = ServerConfig(job.config, remind_us=0, remind_max_us=0)
        self._initial = ParameterServer(self.config).state()

    def initial(self) -> State:
        """Empty."""
        return self._initial

    def status(self, state: State) -> Status:
        """Done and idle while no fragment is incomplete."""
        held = self._load(state).incomplete()
        return Status.BUSY if held else Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """The reminder, and a crash when anything would be lost by it."""
        crash = (CRASH,) if state != self._initial else ()
        return crash if self._load(state).next_deadline() is None else (TIMEOUT, *crash)

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Let the reminder's timer run out, or start again with nothing."""
        if event == CRASH:
            return (Step(self._initial),)
        server = self._load(state)
        server.on_timer(0)
        return (self._step(server),)

    def deliver(self, state: State, port: int, packet: Packet) -> Sequence[Step]:
        """Take one frame."""
        assert isinstance(packet, bytes)
        server = self._load(state)
        server.on_packets(self.frames.read(packet), 0)
        return (self._step(server),)

    def ignores(self, state: State, port: int, packet: Packet) -> bool:
        """What is about fragments that are finished, unless somebody asks for their sum."""
        head = self.frames.read(packet)["esa"][0]
        kind, flags = int(head["ver_type"]), int(head["flags"])
        if kind == ver_type(MessageType.REMIND) and flags & Flag.MISS:
            return True
        known, settled = self._load(state).finished(int(head["seq"]))
        asks = kind == ver_type(MessageType.GRAD) and head["src_worker"] != NO_WORKER
        return not asks if known else settled

    def passes(self, port: int, packet: Packet) -> None:
        """Hosts forward nothing."""

    def rename(self, state: State, perm: Permutation) -> State:
        """The workers renamed in all partial sums."""
        assert isinstance(state, tuple)
        (place, seqs, bitmap, head, sums, deadlines, attempts), replies = state
        rows = np.zeros(len(seqs), message_dtype(ELEMENTS))
        rows["esa"] = np.frombuffer(head, rows["esa"].dtype)
        rows["values"] = np.frombuffer(sums, np.int32).reshape(-1, ELEMENTS)
        stored = np.frombuffer(bitmap, np.uint32)
        rename_messages(rows, perm)
        header = rows["esa"].tobytes()
        rows["esa"]["bitmap"] = stored
        rename_messages(rows, perm)
        stored = rows["esa"]["bitmap"].astype(np.uint32)
        values = _renamed_sums(sums, perm)
        renamed = tuple(
            (kind, flags, s, tuple(perm[w] if w != NO_WORKER else w for w in to))
            for kind, flags, s, to in replies
        )
        return (
            (place, seqs, stored.tobytes(), header, values, deadlines, attempts),
            renamed,
        )

    def describe(self, state: State) -> str:
        """What is incomplete."""
        lacking = [f"{i.seq} lacks {list(i.missing)}" for i in self._load(state).incomplete()]
        return "; ".join(lacking) or "nothing incomplete"

    def _load(self, state: State) -> ParameterServer:
        assert isinstance(state, tuple)
        return ParameterServer.from_state(self.config, state, 0)

    def _step(self, server: ParameterServer) -> Step:
        messages = server.poll(_ALL)
        sends = []
        for row in messages[:, np.newaxis]:
            to = int(row["esa"]["src_worker"][0])
            target = self.job.workers[0 if to == NO_WORKER else to]
            sends += [(0, frame) for frame in self.frames.build(row, self.job.server, target)]
        return Step(self._forgetful(server.state()), tuple(sends))

    def _forgetful(self, state: Any) -> State:
        """Without what never matters.

        That is whose packet came first, its type and bitmap (the fragment's own is kept), and
        attempts beyond `solicit_after` or for what is finished.
        """
        (place, seqs, bitmap, head, *rest, attempts), replies = state
        finished = np.frombuffer(bitmap, np.uint32) == self.job.config.full_mask
        rows = np.frombuffer(head, ESA.dtype).copy()
        rows["src_worker"] = NO_WORKER
        rows["bitmap"] = rows["ver_type"] = 0
        counts = np.minimum(np.frombuffer(attempts, np.int64), self.config.solicit_after)
        counts[finished] = 0
        return ((place, seqs, bitmap, rows.tobytes(), *rest, counts.tobytes()), replies)


def _renamed_sums(data: bytes, perm: Permutation) -> bytes:
    values = np.frombuffer(data, np.int32)
    return rename_values(values, perm).view(">i4").astype(np.int32).tobytes()


def _renamed_messages(data: bytes, perm: Permutation) -> bytes:
    rows: NDArray[np.void] = np.frombuffer(data, message_dtype(ELEMENTS)).copy()
    rename_messages(rows, perm)
    return rows.tobytes()


__all__ = ["JobModel", "MessageType", "ServerNode", "WorkerNode", "describe_message"]
