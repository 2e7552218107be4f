# SPDX-License-Identifier: MIT
"""What the switch is measured with: a program, its entries, the frames sent to it.

Every workload sends as many frames as it receives in total, so that it can be
compared with a loop that just forwards.
"""

from __future__ import annotations

import random
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from hosts.wire import esa
from inca.paths import P4_SOURCE

PROGRAMS = Path(__file__).parent / "programs"
PORTS = 4
AGGREGATORS = 8192
"""As in p4src/common/sizes.p4."""
AGGREGATE = "IncaIngress.job_lookup.aggregate"
FRAMES = 4096
"""Length of the repeating sequence of frames, a multiple of PORTS."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A table entry; ``match`` is one exact value, or value and prefix length."""

    table: str
    match: tuple[int, int | None]
    action: str
    params: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Workload:
    """One benchmark case; ports are numbered from 1."""

    name: str
    title: str
    source: Path
    defines: dict[str, str | None] = field(default_factory=dict)
    entries: tuple[Entry, ...] = ()
    groups: tuple[tuple[int, tuple[int, ...]], ...] = ()
    """Multicast groups: id and ports."""
    frames: tuple[tuple[int, bytes], ...] = ()
    """(index of the interface, frame)."""
    probe: bytes = b""
    """A frame that, sent into port 1, comes out of port 2; empty: none does."""


def _ethernet(dst: int, ether_type: int, payload: bytes) -> bytes:
    return dst.to_bytes(6, "big") + b"\x02\0\0\0\0\1" + struct.pack("!H", ether_type) + payload


def _checksum(header: bytes) -> int:
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _ipv4(dst: int, payload: bytes) -> bytes:
    def header(checksum: int) -> bytes:
        length = 20 + len(payload)
        return struct.pack("!BBHHHBBHII", 0x45, 0, length, 0, 0, 64, 17, checksum, 0x0A000001, dst)

    return header(_checksum(header(0))) + payload


def _round_robin(frames: list[bytes]) -> tuple[tuple[int, bytes], ...]:
    """Frames over all ports, in runs of 32 as a host's batches would arrive."""
    return tuple((i // 32 % PORTS, frame) for i, frame in enumerate(frames))


def l2_forward(addresses: int = 64, size: int = 200) -> Workload:
    """Exact match on the destination address."""
    macs = [0x0200_0000_1000 + i for i in range(addresses)]
    entries = tuple(
        Entry("BenchIngress.addresses", (mac, None), "BenchIngress.forward", (i % PORTS + 1,))
        for i, mac in enumerate(macs)
    )
    frames = [_ethernet(macs[i % addresses], 0x0900, bytes(size - 14)) for i in range(FRAMES)]
    return Workload(
        "l2_forward",
        f"L2 forward, {addresses} addresses",
        PROGRAMS / "l2_forward.p4",
        entries=entries,
        frames=_round_robin(frames),
        probe=_ethernet(macs[1], 0x0900, bytes(size - 14)),
    )


def ipv4_lpm(routes: int = 10_000, size: int = 200, seed: int = 1) -> Workload:
    """Longest-prefix match on ``routes`` prefixes of 8 to 32 bits, drawn with ``seed``."""
    rng = random.Random(seed)
    chosen: dict[tuple[int, int], int] = {}
    while len(chosen) < routes:
        length = rng.choice((8, 12, 16, 16, 20, 22, 24, 24, 24, 24, 28, 32))
        prefix = rng.getrandbits(32) >> (32 - length) << (32 - length)
        chosen.setdefault((prefix, length), len(chosen) % PORTS + 1)
    entries = tuple(
        Entry("BenchIngress.routes", match, "BenchIngress.forward", (0x0200_0000_0000 + port, port))
        for match, port in chosen.items()
    )
    keys = list(chosen)
    frames = []
    for _ in range(FRAMES):
        prefix, length = rng.choice(keys)
        address = prefix | rng.getrandbits(32) >> length if length < 32 else prefix
        frames.append(_ethernet(0x0200_0000_00FF, 0x0800, _ipv4(address, bytes(size - 34))))
    to_port_2 = next(
        prefix for (prefix, length), port in chosen.items() if (length, port) == (32, 2)
    )
    return Workload(
        "ipv4_lpm",
        f"IPv4 router, {routes} routes",
        PROGRAMS / "ipv4_lpm.p4",
        entries=entries,
        frames=_round_robin(frames),
        probe=_ethernet(0x0200_0000_00FF, 0x0800, _ipv4(to_port_2, bytes(size - 34))),
    )


def _slot(job: int, seq: int) -> int:
    """The slot that p4src/common/slot.p4 gives a fragment."""
    return zlib.crc32(struct.pack("!HI", job, seq)) % AGGREGATORS


def _distinct_slots(job: int, count: int) -> list[int]:
    """The first ``count`` sequence numbers of a job that do not share a slot."""
    by_slot: dict[int, int] = {}
    seq = 0
    while len(by_slot) < count:
        seq += 1
        by_slot.setdefault(_slot(job, seq), seq)
    return list(by_slot.values())


def _fragment(job: int, seq: int, worker: int, lanes: int) -> bytes:
    message = esa.ESA.pack(
        msg_type=esa.MessageType.GRAD,
        job=job,
        seq=seq,
        bitmap=1 << worker,
        src_worker=worker,
        len=lanes,
    ).tobytes() + struct.pack(f"!{lanes}i", *range(seq, seq + lanes))
    udp = struct.pack("!HHHH", esa.ESA_UDP_PORT, esa.ESA_UDP_PORT, 8 + len(message), 0)
    return _ethernet(0x0200_0000_00FF, 0x0800, _ipv4(0x0A00_0001 + worker, udp + message))


def aggregator(lanes: int) -> Workload:
    """ESA: ``PORTS`` workers; the sum goes to all of them when the last fragment is in.

    No two fragments share a slot, so that as many frames leave as arrive.
    """

    def frames() -> Iterator[tuple[int, bytes]]:
        numbers = _distinct_slots(1, FRAMES // PORTS)
        # Workers send batches of 32 fragments, as agents with a window do.
        for start in range(0, len(numbers), 32):
            for worker in range(PORTS):
                for seq in numbers[start : start + 32]:
                    yield worker, _fragment(1, seq, worker, lanes)

    def job(number: int, workers: int, group: int) -> Entry:
        row = (number, (1 << workers) - 1, 1, 1, group, group, group)
        return Entry("IncaIngress.job_lookup.jobs", (number, None), AGGREGATE, row)

    return Workload(
        f"aggregator_{lanes}",
        f"ESA aggregator, {lanes} lanes",
        P4_SOURCE / "esa.p4",
        defines={"LANES": str(lanes)},
        entries=(job(1, PORTS, 1), job(2, 1, 2)),
        groups=((1, tuple(range(1, PORTS + 1))), (2, (2,))),
        frames=tuple(frames()),
        # A job of one worker: its fragment is complete at once and goes to port 2.
        probe=_fragment(2, 1, 0, lanes),
    )


def all_workloads() -> tuple[Workload, ...]:
    """The cases of ``inca bench``."""
    return (l2_forward(), ipv4_lpm(), aggregator(32), aggregator(64))
