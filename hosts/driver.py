# SPDX-License-Identifier: MIT
"""Drives one protocol core over a packet ring; the only place that reads the clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from hosts.ring import Ring
from hosts.wire.esa import Messages

_BATCH = 512


class Core(Protocol):
    """What `hosts.aggregation.worker.Worker` and `.server.ParameterServer` have in common."""

    def on_packets(self, batch: Messages, now: int) -> None:
        """Take received messages."""

    def on_timer(self, now: int) -> None:
        """Do what is due."""

    def next_deadline(self) -> int | None:
        """When something is due."""

    def poll(self, budget: int) -> Messages:
        """Messages to send."""


class Transport(Protocol):
    """Makes a core progress; `RingTransport` in real time, `hosts.direct` in virtual time."""

    def now(self) -> int:
        """Microseconds, monotonic."""

    def step(self, patience_us: int) -> None:
        """Move packets; when there are none, wait for one, a timer, or `patience_us`."""

    def close(self) -> None:
        """Release the interface."""


class RingTransport:
    """One core on one ring. `heads` gives the headers in front of each message."""

    def __init__(
        self, ring: Ring, core: Core, heads: Callable[[Messages], NDArray[np.uint8]]
    ) -> None:
        self.ring = ring
        self._core = core
        self._heads = heads

    def now(self) -> int:
        """Microseconds of the monotonic clock."""
        return time.monotonic_ns() // 1000

    def step(self, patience_us: int) -> None:
        """See `Transport.step`."""
        core, ring = self._core, self.ring
        batch = ring.receive(_BATCH)
        now = self.now()
        if len(batch):
            core.on_packets(batch, now)
        deadline = core.next_deadline()
        if deadline is not None and deadline <= now:
            core.on_timer(now)
        room = min(ring.room(), _BATCH)
        out = core.poll(room)
        if len(out):
            ring.send(out, self._heads(out))
        elif not room:
            ring.flush()
        elif not len(batch):
            wait = patience_us
            deadline = core.next_deadline()
            if deadline is not None:
                wait = min(wait, deadline - now)
            ring.wait(wait)

    def close(self) -> None:
        """Release the ring."""
        self.ring.close()
