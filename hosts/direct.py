# SPDX-License-Identifier: MIT
"""The same cores over in-process pipelines, in virtual time, without root.

A network of hosts, switches and links as a queue of events. Links lose, duplicate and delay frames
by a seeded generator, so a run is repeated by its seed. Time is in microseconds.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.driver import Core
from hosts.wire.esa import ENCAPSULATION, Messages, message_dtype

Heads: TypeAlias = Callable[[Messages], NDArray[np.uint8]]


class Pipeline(Protocol):
    """What is needed of `softswitch.engine.Pipeline`."""

    def process(self, port: int, data: bytes, now: int = 0) -> list[tuple[int, bytes]]:
        """Frames out for a frame in."""


@dataclass(frozen=True)
class Faults:
    """Probabilities per frame; a reordered frame is late by up to `late_us`."""

    loss: float = 0.0
    duplication: float = 0.0
    reordering: float = 0.0
    late_us: int = 500


@dataclass(frozen=True)
class End:
    """A switch's port, or a host (port 0)."""

    node: str
    port: int = 0


class Process(Protocol):
    """Something on a host that sends and receives whole frames."""

    def receive(self, frames: list[bytes], now: int) -> None:
        """Take frames of the host, its own or not."""

    def on_timer(self, now: int) -> None:
        """Do what is due."""

    def next_deadline(self) -> int | None:
        """When something is due."""

    def send(self, now: int) -> list[bytes]:
        """Frames to send; none: nothing is left."""


@dataclass
class _CoreProcess:
    """A core of fixed-size aggregation messages as a `Process`."""

    core: Core
    heads: Heads
    elements: int

    def receive(self, frames: list[bytes], now: int) -> None:
        dtype = message_dtype(self.elements)
        size = ENCAPSULATION + dtype.itemsize
        whole = [f[ENCAPSULATION:] for f in frames if len(f) == size]
        if whole:
            self.core.on_packets(np.frombuffer(b"".join(whole), dtype), now)

    def on_timer(self, now: int) -> None:
        self.core.on_timer(now)

    def next_deadline(self) -> int | None:
        return self.core.next_deadline()

    def send(self, now: int) -> list[bytes]:
        out = self.core.poll(1024)
        if not len(out):
            return []
        rows = np.empty((len(out), ENCAPSULATION + out.dtype.itemsize), np.uint8)
        rows[:, :ENCAPSULATION] = self.heads(out)
        rows[:, ENCAPSULATION:] = out.view(np.uint8).reshape(len(out), -1)
        return [row.tobytes() for row in rows]


@dataclass
class _Seat:
    process: Process
    alarm: int | None = None


@dataclass(order=True)
class _Event:
    time: int
    number: int
    to: End = field(compare=False)
    frame: bytes | None = field(compare=False)


class DirectNetwork:
    """Switches by name, hosts by name, links between them."""

    def __init__(self, seed: int = 0, delay_us: int = 10) -> None:
        self.now = 0
        self.frames: Counter[tuple[str, str]] = Counter()
        self._random = np.random.default_rng(seed)
        self._delay = delay_us
        self._switches: dict[str, Pipeline] = {}
        self._hosts: dict[str, list[_Seat]] = {}
        self._links: dict[End, tuple[End, Faults]] = {}
        self._events: list[_Event] = []
        self._number = 0

    def add_switch(self, name: str, pipeline: Pipeline) -> None:
        """A switch that runs `pipeline`."""
        self._switches[name] = pipeline

    def add_core(self, host: str, core: Core, heads: Heads, elements: int) -> None:
        """A process on a host; `heads` gives the headers in front of each of its messages.

        All processes of a host see all its frames, as packet sockets do.
        """
        self.add_process(host, _CoreProcess(core, heads, elements))

    def add_process(self, host: str, process: Process) -> None:
        """Any other process on a host."""
        self._hosts.setdefault(host, []).append(_Seat(process))

    def link(self, a: End, b: End, faults: Faults = Faults()) -> None:
        """Connect two ends, in both directions."""
        self._links[a] = (b, faults)
        self._links[b] = (a, faults)

    def wake(self, host: str) -> None:
        """Let a host send what it wants to; needed after an offer from outside."""
        for seat in self._hosts[host]:
            while frames := seat.process.send(self.now):
                for frame in frames:
                    self._transmit(End(host), frame)
            deadline = seat.process.next_deadline()
            if deadline is not None and deadline != seat.alarm:
                seat.alarm = deadline
                self._push(max(deadline, self.now), End(host), None)

    def _push(self, time: int, to: End, frame: bytes | None) -> None:
        self._number += 1
        heapq.heappush(self._events, _Event(time, self._number, to, frame))

    def _transmit(self, source: End, frame: bytes) -> None:
        if source not in self._links:
            self.frames[source.node, "nowhere"] += 1
            return
        to, faults = self._links[source]
        self.frames[source.node, to.node] += 1
        dice = self._random.random(3) if faults != Faults() else np.ones(3)
        if dice[0] < faults.loss:
            return
        for _ in range(2 if dice[1] < faults.duplication else 1):
            late = 0
            if dice[2] < faults.reordering:
                late = int(self._random.integers(faults.late_us + 1))
            self._push(self.now + self._delay + late, to, frame)

    def step(self, patience_us: int) -> None:
        """Go on to the next event, or by `patience_us` if there is none before."""
        limit = self.now + patience_us
        if not self._events or self._events[0].time > limit:
            self.now = limit
            return
        first = heapq.heappop(self._events)
        self.now = first.time
        if first.to.node in self._switches:
            pipeline = self._switches[first.to.node]
            for port, out in pipeline.process(first.to.port, first.frame or b"", self.now):
                self._transmit(End(first.to.node, port), out)
            return
        together = [first]
        while self._events and self._same(self._events[0], first):
            together.append(heapq.heappop(self._events))
        self._arrive(first.to.node, [e.frame for e in together if e.frame is not None])

    def settle(self) -> None:
        """Go on until no frame is on its way; timers may be left."""
        while any(event.frame is not None for event in self._events):
            self.step(0 if self._events[0].time <= self.now else self._events[0].time - self.now)

    def _same(self, event: _Event, first: _Event) -> bool:
        return event.time == first.time and event.to == first.to

    def _arrive(self, name: str, frames: list[bytes]) -> None:
        for seat in self._hosts[name]:
            seat.process.receive(frames, self.now)
            deadline = seat.process.next_deadline()
            if deadline is not None and deadline <= self.now:
                seat.alarm = None
                seat.process.on_timer(self.now)
        self.wake(name)

    def transport(self, host: str) -> DirectTransport:
        """For a `Communicator` on `host`."""
        return DirectTransport(self, host)


class DirectTransport:
    """Advances the whole network while one of its hosts waits."""

    def __init__(self, network: DirectNetwork, host: str) -> None:
        self._network = network
        self._host = host

    def now(self) -> int:
        """Virtual microseconds."""
        return self._network.now

    def step(self, patience_us: int) -> None:
        """See `hosts.driver.Transport.step`."""
        self._network.wake(self._host)
        self._network.step(patience_us)

    def close(self) -> None:
        """Nothing to release."""
