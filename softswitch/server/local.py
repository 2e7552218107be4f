# SPDX-License-Identifier: MIT
"""A data plane without interfaces: packets come and go by calls, or over gRPC.

It needs no root and no timing: a packet is finished, with all its copies, when `process` returns.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from softswitch.device import DigestMessage, PacketIn, PortEvent

if TYPE_CHECKING:
    from softswitch.engine import Pipeline

MAX_EVENTS = 4096
_E = TypeVar("_E")


class LocalDataPlane:
    """Implements `DataPlane` around `Pipeline.process`."""

    def __init__(self, cpu_port: int | None = None) -> None:
        self._cpu_port = cpu_port
        self._lock = threading.Lock()
        self._pipeline: Pipeline | None = None
        self._start_ns = time.monotonic_ns()
        self._packets: queue.Queue[PacketIn | None] = queue.Queue(MAX_EVENTS)
        self._digests: queue.Queue[DigestMessage | None] = queue.Queue(MAX_EVENTS)
        self._port_events: queue.Queue[PortEvent | None] = queue.Queue(MAX_EVENTS)
        self._down: set[int] = set()
        self.received = self.sent = self.dropped = 0

    def load(self, program: Pipeline | None) -> None:
        """Replace the program."""
        with self._lock:
            self._pipeline = program

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep packets out."""
        with self._lock:
            yield

    def now_us(self) -> int:
        """Microseconds since the switch was made."""
        return (time.monotonic_ns() - self._start_ns) // 1000

    @property
    def ports(self) -> Mapping[int, Any]:
        """Every port number exists."""
        return _ALL_PORTS

    def port_state(self, number: int) -> str:
        """`down` when set so with `set_port`."""
        return "down" if number in self._down else "up"

    def set_port(self, number: int, *, up: bool) -> None:
        """Change the state of a port."""
        (self._down.discard if up else self._down.add)(number)
        self._put(self._port_events, PortEvent(number, up, self.now_us() * 1000))

    def process(self, port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Run a packet; return what left on ports, without the CPU port's packet-ins."""
        with self._lock:
            pipeline = self._pipeline
            if pipeline is None:
                self.dropped += 1
                return []
            now = self.now_us()
            self.received += 1
            sent = pipeline.process(port, data, now)
            digests = pipeline.digests()
        result = []
        for out, packet in sent:
            if out == self._cpu_port:
                self._put(self._packets, PacketIn(packet, now * 1000))
            elif out not in self._down:
                result.append((out, packet))
        for digest in digests:
            data = _packed_digest(pipeline, digest.id, digest.values)
            self._put(self._digests, DigestMessage(digest.id, data, now * 1000))
        self.sent += len(result)
        return result

    def packet_out(self, data: bytes) -> bool:
        """Run a packet of the controller; what leaves is for `on_sent`."""
        assert self._cpu_port is not None
        for port, packet in self.process(self._cpu_port, data):
            self.on_sent(port, packet)
        return True

    def on_sent(self, port: int, data: bytes) -> None:
        """Take a packet that left without a caller waiting for it; replace as needed."""

    def next_packet_in(self, timeout: float | None = None) -> PacketIn | None:
        """Wait for a packet-in."""
        return _get(self._packets, timeout)

    def next_digest(self, timeout: float | None = None) -> DigestMessage | None:
        """Wait for a digest."""
        return _get(self._digests, timeout)

    def next_port_event(self, timeout: float | None = None) -> PortEvent | None:
        """Wait for a port to change."""
        return _get(self._port_events, timeout)

    def start(self) -> None:
        """Nothing to start: packets are processed by their callers."""

    def stop(self) -> None:
        """Let go of the program and end all waits."""
        self.load(None)
        for events in (self._packets, self._digests, self._port_events):
            self._put(events, None)

    def stats(self) -> dict[str, object]:
        """Counters, ready for JSON."""
        return {"received": self.received, "sent": self.sent, "dropped": self.dropped}

    def _put(self, events: queue.Queue[Any], event: Any) -> None:
        try:
            events.put_nowait(event)
        except queue.Full:
            self.dropped += 1


class _AllPorts(Mapping[int, Any]):
    """Contains each port number that a packet can have."""

    def __getitem__(self, number: int) -> None:
        if not 0 <= number < 511:
            raise KeyError(number)

    def __iter__(self) -> Iterator[int]:
        return iter(range(511))

    def __len__(self) -> int:
        return 511


_ALL_PORTS = _AllPorts()


def _packed_digest(pipeline: Pipeline, number: int, values: Sequence[int]) -> bytes:
    """The values of a digest in whole bytes each, as the device gives them."""
    program = pipeline.program
    widths = [program.expr_width(field) for field in program.digests[number].fields]
    return b"".join(v.to_bytes((w + 7) // 8, "big") for v, w in zip(values, widths, strict=True))


def _get(events: queue.Queue[_E], timeout: float | None) -> _E | None:
    try:
        return events.get(timeout=timeout)
    except queue.Empty:
        return None
