# SPDX-License-Identifier: MIT
"""Sending flows reliably, like RDMA: paced, cumulative acknowledgements, go back on a loss.

Rate control is simpler than DCQCN, which hardly acts in the published runs: a flow starts at its
host's line rate, halves its rate when it loses a packet, and gains a sixteenth of the line rate per
acknowledgement that brings news.  The line of a host is shared by its flows in turn.

Pure: no socket, no clock.  Times are nanoseconds.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from hosts.multipath.flow_wire import frame_bytes


@dataclass(frozen=True, slots=True)
class SenderConfig:
    """``rto_ns`` must exceed the longest round trip with its queues; it doubles up to eight times
    itself when nothing comes back.
    """

    line_bps: int
    payload: int = 1000
    rto_ns: int = 3_000_000_000
    window: int = 1 << 30
    """Packets in flight at most."""

    def __post_init__(self) -> None:
        if self.line_bps <= 0:
            raise ValueError(f"line rate of {self.line_bps} bit/s: give more than zero")


class FlowSender:
    """One flow: which packet is due, and when."""

    def __init__(self, config: SenderConfig, size: int, start_ns: int) -> None:
        self.config = config
        self.size = size
        self.start_ns = start_ns
        self.count = -(-size // config.payload)
        self.acked = 0
        self.retransmitted = 0
        self.done_ns: int | None = None
        self.recovered_ns: int | None = None
        """When news came after the last loss."""
        self._next = 0
        self._highest = 0
        self._rate = config.line_bps
        self._due = start_ns
        self._alarm: int | None = None
        self._patience = config.rto_ns
        self._recovering = False

    def payload_of(self, number: int) -> int:
        """Payload bytes of a packet; only the last one may be short."""
        return min(self.config.payload, self.size - number * self.config.payload)

    def ready_at(self) -> int | None:
        """When the next packet may go, or None while there is nothing to send."""
        open_window = self._next - self.acked < self.config.window
        return self._due if self._next < self.count and open_window else None

    def take(self, now: int) -> int:
        """The number of the packet that goes now."""
        number = self._next
        self._next += 1
        self.retransmitted += number < self._highest
        self._highest = max(self._highest, self._next)
        bits = 8 * frame_bytes(self.payload_of(number))
        self._due = now + bits * 1_000_000_000 // self._rate
        if self._alarm is None:
            self._alarm = now + self._patience
        return number

    def on_ack(self, received: int, gap: bool, now: int) -> None:
        """The receiver has `received` packets in order; `gap`: and misses the next one."""
        if received > self.acked:
            self.acked = min(received, self.count)
            self._next = max(self._next, self.acked)
            self._patience = self.config.rto_ns
            self._alarm = now + self._patience
            line = self.config.line_bps
            self._rate = min(line, self._rate + line // 16)
            if self._recovering:
                self._recovering, self.recovered_ns = False, now
        if self.acked == self.count:
            self._alarm = None
            if self.done_ns is None:
                self.done_ns = now
        elif gap and received == self.acked:
            self._go_back(now)

    def on_timer(self, now: int) -> None:
        """Nothing came back for too long."""
        if self._alarm is not None and now >= self._alarm:
            self._patience = min(2 * self._patience, 8 * self.config.rto_ns)
            self._alarm = now + self._patience
            self._go_back(now)

    def next_deadline(self) -> int | None:
        """When `on_timer` has something to do."""
        return self._alarm

    def _go_back(self, now: int) -> None:
        self._next = self.acked
        self._rate = max(self._rate // 2, self.config.line_bps // 16)
        self._due = now
        self._recovering = True


class Line:
    """One host's line: its flows take turns, one packet at a time."""

    def __init__(self, line_bps: int) -> None:
        self._bps = line_bps
        self._free_at = 0
        self._turn: deque[FlowSender] = deque()

    def add(self, flow: FlowSender) -> None:
        """A flow that may have something to send, unless it is here already."""
        if flow not in self._turn:
            self._turn.append(flow)

    def poll(self, now: int) -> tuple[FlowSender, int] | None:
        """The packet that starts now: its flow and number."""
        if now < self._free_at:
            return None
        for _ in range(len(self._turn)):
            flow = self._turn.popleft()
            at = flow.ready_at()
            if at is None:
                continue  # comes back by `add`
            self._turn.append(flow)
            if at <= now:
                number = flow.take(now)
                bits = 8 * frame_bytes(flow.payload_of(number))
                self._free_at = now + bits * 1_000_000_000 // self._bps
                return flow, number
        return None

    def next_poll(self) -> int | None:
        """When `poll` may have a packet."""
        times = [at for flow in self._turn if (at := flow.ready_at()) is not None]
        return max(self._free_at, min(times)) if times else None
