# SPDX-License-Identifier: MIT
"""One end of a channel: window, acknowledgement, repetition. Sans I/O.

The same machine serves all primitives, in all modes. It sends what is offered with consecutive
PSNs and repeats from the first unacknowledged one on a timeout (go-back-N). It takes data in order
only, acknowledges cumulatively, and acknowledges again what it has already: without that a lost
last ACK would be asked for for ever. In an all-reduce the result of a PSN carries the same PSN and
answers the request; a rank sends p only after it has the result of p - W, on which the switches'
slots rely.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.wire.roce import PSN_BITS

Packets: TypeAlias = NDArray[np.void]
Rows: TypeAlias = NDArray[np.int32]
_MODULUS = 1 << PSN_BITS
_MAX_BACKOFF = 8


@cache
def packet_dtype(elements: int) -> np.dtype[np.void]:
    """Dtype of a packet: `ack` (0: data), 24-bit `psn`, `values` (of data)."""
    return np.dtype([("ack", "u1"), ("psn", "u4"), ("values", "i4", (elements,))])


def unwrap(wire: NDArray[np.integer[Any]], reference: int) -> NDArray[np.int64]:
    """The full PSNs nearest to `reference` whose low 24 bits are `wire` (RFC 1982)."""
    distance = (wire.astype(np.int64) - reference) % _MODULUS
    return np.where(distance < _MODULUS // 2, distance, distance - _MODULUS) + reference


@dataclass(frozen=True)
class EndpointConfig:
    """How one end behaves.

    Attributes:
        elements: int32 per packet.
        window: packets under way, W.
        rto_us: patience before a repetition; doubles up to eightfold without progress.
        start_psn: number of the first packet in both directions.
        echo: each packet is answered by a result of the same PSN (all-reduce).
    """

    elements: int
    window: int
    rto_us: int
    start_psn: int = 0
    echo: bool = False


class Endpoint:
    """State of one end. PSNs inside are not wrapped: base <= next <= end."""

    def __init__(self, config: EndpointConfig) -> None:
        self.config = config
        self.base = self.next = self.end = self.expected = config.start_psn
        self.sent = self.resent = 0
        self._highest = config.start_psn
        self._ack_due = False
        self._deadline: int | None = None
        self._backoff = 1
        self._outgoing: Rows = self._rows(0)  # rows base .. end - 1
        self._inbox: list[Rows] = []

    @property
    def idle(self) -> bool:
        """Everything offered has been acknowledged."""
        return self.base == self.end

    @property
    def received(self) -> int:
        """Rows that wait to be collected."""
        return sum(map(len, self._inbox))

    @property
    def progress(self) -> int:
        """Grows with every packet that was of use."""
        return self.base + self.expected

    def offer(self, rows: Rows) -> None:
        """Send rows, shape (n, elements)."""
        self._outgoing = np.concatenate([self._outgoing, rows])
        self.end += len(rows)

    def collect(self, count: int) -> Rows:
        """The next `count` received rows; they must be there."""
        rows = np.concatenate([self._rows(0), *self._inbox])
        self._inbox = [rows[count:]] if len(rows) > count else []
        return rows[:count]

    def on_packets(self, batch: Packets, now: int) -> None:
        """Take packets of this connection, shape (n,), in the order of their arrival."""
        acks = batch["psn"][batch["ack"] != 0]
        if len(acks):
            self._acknowledged(int(unwrap(acks, self.base).max()) + 1, now)
        data = batch[batch["ack"] == 0]
        if len(data):
            self._deliver(data, now)

    def on_timer(self, now: int) -> None:
        """Repeat from the first packet without an answer, if it is due."""
        if self._deadline is None or now < self._deadline:
            return
        self.next = self.base
        self._backoff = min(2 * self._backoff, _MAX_BACKOFF)
        self._deadline = now + self.config.rto_us * self._backoff

    def next_deadline(self) -> int | None:
        """When `on_timer` is wanted."""
        return self._deadline

    @property
    def _limit(self) -> int:
        """First PSN that may not be sent yet."""
        answered = self.expected if self.config.echo else self.base
        return min(self.end, answered + self.config.window)

    @property
    def silent(self) -> bool:
        """`poll` would give nothing."""
        return not self._ack_due and self.next >= self._limit

    def poll(self, budget: int, now: int) -> Packets:
        """Up to `budget` packets to send: an ACK that is due, then data inside the window."""
        until = min(self._limit, self.next + budget - self._ack_due)
        count = max(until - self.next, 0)
        packets = np.zeros(self._ack_due + count, packet_dtype(self.config.elements))
        if self._ack_due:
            packets[0]["ack"] = 1
            packets[0]["psn"] = (self.expected - 1) % _MODULUS
        if count:
            first = self.next - self.base
            data = packets[len(packets) - count :]
            data["psn"] = np.arange(self.next, until) % _MODULUS
            data["values"] = self._outgoing[first : first + count]
            self.resent += max(min(until, self._highest) - self.next, 0)
            self.sent += count
            self.next = until
            self._highest = max(self._highest, until)
            if self._deadline is None:
                self._deadline = now + self.config.rto_us * self._backoff
        self._ack_due = False
        return packets

    def _acknowledged(self, psn: int, now: int) -> None:
        """All below `psn` has arrived; more than was ever sent is nobody's honest ACK."""
        if not self.base < psn <= self._highest:
            return
        self._outgoing = self._outgoing[psn - self.base :]
        self.base = psn
        self.next = max(self.next, psn)
        self._backoff = 1
        self._deadline = None if self.base == self._highest else now + self.config.rto_us

    def _deliver(self, data: Packets, now: int) -> None:
        keep = []
        for position, psn in enumerate(unwrap(data["psn"], self.expected).tolist()):
            if psn == self.expected:
                keep.append(position)
                self.expected += 1
            # A gap is silent: no NAK in Mode II.
            self._ack_due = self._ack_due or psn < self.expected
        if keep:
            self._inbox.append(data["values"][keep])
            if self.config.echo:
                self._acknowledged(min(self.expected, self._highest), now)

    def _rows(self, count: int) -> Rows:
        return np.zeros((count, self.config.elements), np.int32)

    def state(self) -> tuple[object, ...]:
        """All of it as a hashable value; see `from_state`."""
        inbox = np.concatenate([self._rows(0), *self._inbox])
        numbers = (self.base, self.next, self.end, self.expected, self._highest)
        timer = (self._ack_due, self._deadline, self._backoff, self.sent, self.resent)
        return (*numbers, *timer, self._outgoing.tobytes(), inbox.tobytes())

    @classmethod
    def from_state(cls, config: EndpointConfig, state: tuple[Any, ...]) -> Endpoint:
        """An end that goes on from `state()`."""
        end = cls(config)
        end.base, end.next, end.end, end.expected, end._highest = state[:5]
        end._ack_due, end._deadline, end._backoff, end.sent, end.resent = state[5:10]
        shape = (-1, config.elements)
        end._outgoing = np.frombuffer(state[10], np.int32).reshape(shape)
        end._inbox = [np.frombuffer(state[11], np.int32).reshape(shape)] if state[11] else []
        return end
