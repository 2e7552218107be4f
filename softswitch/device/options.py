# SPDX-License-Identifier: MIT
"""Options of a running switch: the device, its ports, their faults.  All frozen, all checked."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path

from softswitch.device.errors import DeviceError, PortError

MAX_PORT = 510
"""Port numbers are ``bit<9>``; 511 is the drop port of BMv2."""

MAX_PRIORITIES = 8
"""``standard_metadata.priority`` is ``bit<3>``."""

ETHERNET_OVERHEAD = 24
"""Bytes that Ethernet adds on the line: preamble 8, frame check sequence 4, gap 12."""


@dataclass(frozen=True, slots=True)
class FaultSpec:
    """Faults of one direction of a port.

    Packets are numbered from 1 since the faults were set.  A fault hits packet
    ``n`` when ``n`` is in its tuple, or at random with its probability; the
    random choice depends on ``(seed, kind, n)`` only, so the same seed and the
    same packets give the same faults.

    A lost packet suffers nothing else.  A reordered packet is held until
    ``reorder_by`` later packets have passed, or ``reorder_us`` have gone by.
    Corruption flips one bit anywhere in the frame.
    """

    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    lose_packets: tuple[int, ...] = ()
    duplicate_packets: tuple[int, ...] = ()
    reorder_packets: tuple[int, ...] = ()
    corrupt_packets: tuple[int, ...] = ()
    reorder_by: int = 1
    reorder_us: float = 10_000.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("loss", "duplicate", "reorder", "corrupt"):
            value = getattr(self, name)
            if not 0.0 <= value <= 1.0:
                raise DeviceError(f"fault {name}={value}: give a probability from 0 to 1")
        for name in ("lose_packets", "duplicate_packets", "reorder_packets", "corrupt_packets"):
            numbers = getattr(self, name)
            if any(n < 1 for n in numbers):
                raise DeviceError(f"fault {name}={numbers}: packets are numbered from 1")
        if self.reorder_by < 0 or self.reorder_us < 0:
            raise DeviceError("fault reorder_by and reorder_us: give numbers of 0 or more")

    @property
    def active(self) -> bool:
        """True when any packet can be hit."""
        return self != FaultSpec(
            reorder_by=self.reorder_by, reorder_us=self.reorder_us, seed=self.seed
        )


@dataclass(frozen=True, slots=True)
class PortFaults:
    """Faults of a port: ``inbound`` before the switch sees a packet, ``outbound`` after it sent."""

    inbound: FaultSpec = field(default_factory=FaultSpec)
    outbound: FaultSpec = field(default_factory=FaultSpec)


@dataclass(frozen=True, slots=True)
class PortConfig:
    """One port of the switch and the line behind it.

    Without ``rate_bps`` packets leave at once: nothing queues, and
    ``queue_packets`` is without effect.  With it a packet of n bytes occupies
    the line for ``8 * n / rate_bps`` seconds (``8 * (n + 24)`` with
    ``ethernet_overhead``), and up to ``queue_packets`` packets of each priority
    wait.  ``delay_us`` is the propagation delay of the line, one way.

    Packets with ``standard_metadata.priority >= priorities`` are dropped, as in
    BMv2; a larger priority goes first.
    """

    number: int
    interface: str
    rate_bps: int | None = None
    delay_us: float = 0.0
    queue_packets: int = 64
    priorities: int = 1
    ethernet_overhead: bool = False
    enabled: bool = True
    faults: PortFaults = field(default_factory=PortFaults)

    def __post_init__(self) -> None:
        where = f"port {self.number} ({self.interface})"
        if not 0 <= self.number <= MAX_PORT:
            raise PortError(f"{where}: port numbers go from 0 to {MAX_PORT}")
        if self.rate_bps is not None and self.rate_bps < 1:
            raise PortError(f"{where}: rate {self.rate_bps}: give bits per second, 1 or more")
        if self.delay_us < 0:
            raise PortError(f"{where}: delay {self.delay_us}: give microseconds, 0 or more")
        if not 1 <= self.queue_packets < 1 << 24:
            raise PortError(f"{where}: queue of {self.queue_packets}: give 1 packet or more")
        if not 1 <= self.priorities <= MAX_PRIORITIES:
            raise PortError(f"{where}: {self.priorities} priorities: give 1 to {MAX_PRIORITIES}")


CONFIGURABLE = frozenset(f.name for f in fields(PortConfig)) - {"number", "interface"}
"""Names that :meth:`softswitch.device.Device.configure_port` takes."""


@dataclass(frozen=True, slots=True)
class DeviceOptions:
    """Options of the switch as a whole.

    ``cpu_port``: packets sent there become packet-ins, packet-outs come from there.
    ``pcap_dir``: capture what each port receives and sends to
    ``<interface>_in.pcap`` and ``<interface>_out.pcap`` there.
    ``busy_poll_us``: look for packets that long before sleeping (0: sleep at once).
    ``coalesce_us``: after a busy spell let packets gather that long before the
    next look; more packets per wake-up, more latency.
    ``event_limit``: packet-ins, digests and port events each wait in a queue of that length.
    ``log_messages``: hand what the program says by ``log_msg`` to ``Device.next_log``.
    ``rx_frames``: length of a port's receive ring (0: 4 MiB worth of frames).
    ``qdisc_bypass``: send past the traffic control layer; then tcpdump on the
    switch's own interface does not see what the switch sends.
    """

    cpu_port: int | None = None
    pcap_dir: Path | None = None
    busy_poll_us: int = 0
    coalesce_us: int = 0
    event_limit: int = 4096
    log_messages: bool = False
    rx_frames: int = 0
    qdisc_bypass: bool = False

    def __post_init__(self) -> None:
        if self.cpu_port is not None and not 1 <= self.cpu_port <= MAX_PORT:
            raise DeviceError(f"cpu port {self.cpu_port}: give a port from 1 to {MAX_PORT}")
        if self.event_limit < 1 or min(self.busy_poll_us, self.coalesce_us, self.rx_frames) < 0:
            raise DeviceError("device options: event_limit must be positive, times not negative")
