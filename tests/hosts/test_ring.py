# SPDX-License-Identifier: MIT
"""The packet ring over a real veth pair."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack

import numpy as np
import pytest

from hosts.addresses import Addressing, HostAddress
from hosts.errors import InterfaceError
from hosts.ring import Ring, RingOptions
from hosts.wire.esa import ESA_UDP_PORT, NO_WORKER, Messages, message_dtype

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: a veth pair and packet sockets"),
]

A, B = f"ihr{os.getpid()}a", f"ihr{os.getpid()}b"
SECOND = 1_000_000


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@pytest.fixture
def rings() -> Iterator[tuple[Ring, Ring]]:
    with ExitStack() as undo:
        ip("link", "add", A, "type", "veth", "peer", "name", B)
        undo.callback(ip, "link", "del", A)
        for end in (A, B):
            with open(f"/proc/sys/net/ipv6/conf/{end}/disable_ipv6", "w") as knob:
                knob.write("1")
            ip("link", "set", end, "up")
        a = undo.enter_context(Ring(RingOptions(A, rx_slots=64, tx_slots=64)))
        b = undo.enter_context(Ring(RingOptions(B, rx_slots=64, tx_slots=64)))
        yield a, b


def heads(udp_port: int = ESA_UDP_PORT, elements: int = 32) -> np.ndarray:  # type: ignore[type-arg]
    own = HostAddress("02:00:00:00:00:01", "10.0.0.1", "02:00:00:00:00:02")
    found = Addressing(own, "10.0.0.2", (), elements, 7).worker_heads().copy()
    found[0, 36:38] = divmod(udp_port, 256)
    return found


def numbered(first: int, count: int) -> Messages:
    rows = np.zeros(count, message_dtype())
    rows["esa"]["seq"] = np.arange(first, first + count)
    rows["values"] = np.arange(first, first + count)[:, None] - 2**30
    return rows


def receive(ring: Ring, count: int) -> Messages:
    parts: list[Messages] = []
    while sum(map(len, parts)) < count:
        assert ring.wait(5 * SECOND), f"{sum(map(len, parts))} of {count} frames after 5 s"
        parts.append(ring.receive())
    return np.concatenate(parts)


def test_frames_arrive_in_order_over_many_laps(rings: tuple[Ring, Ring]) -> None:
    a, b = rings
    sent = 0
    while sent < 1000:
        count = min(37, a.room())
        out = numbered(sent, count)
        a.send(out, heads())
        got = receive(b, count)
        assert got["esa"]["seq"].tolist() == out["esa"]["seq"].tolist()
        assert got["values"].tolist() == out["values"].tolist()
        sent += count
    assert a.receive().tolist() == []
    assert b.dropped() == 0


def test_other_traffic_is_filtered_and_other_lengths_are_counted(rings: tuple[Ring, Ring]) -> None:
    a, b = rings
    a.send(numbered(1, 1), heads(udp_port=4791))
    raw = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    with raw:
        raw.bind((A, 0))
        frame = heads().tobytes() + b"too short"
        raw.send(frame)
        raw.send(b"\xff" * 12 + b"\x08\x06" + bytes(46))
    a.send(numbered(2, 1), heads())
    got: list[int] = []
    while not got:
        assert b.wait(5 * SECOND)
        got = b.receive()["esa"]["seq"].tolist()
    assert got == [2]
    assert b.counters == {"rx": 2, "malformed": 1}


def test_a_full_ring_drops_and_says_so(rings: tuple[Ring, Ring]) -> None:
    a, b = rings
    for first in range(0, 128, 32):
        a.send(numbered(first, 32), heads())
    assert len(receive(b, 64)) == 64
    assert b.dropped() == 64
    a.send(numbered(500, 1), heads())
    assert receive(b, 1)["esa"]["seq"].tolist() == [500]


def test_wait_returns_when_nothing_comes(rings: tuple[Ring, Ring]) -> None:
    assert rings[1].wait(1000) is False


def test_the_wrong_byte_order_is_refused(rings: tuple[Ring, Ring]) -> None:
    native = numbered(1, 2).astype(message_dtype().newbyteorder("<"))
    with pytest.raises(TypeError, match="byte order"):
        rings[0].send(native, heads())


def test_a_missing_interface_is_named() -> None:
    with pytest.raises(InterfaceError, match="interface nowhere0: No such device"):
        Ring(RingOptions("nowhere0"))


def test_a_server_addresses_workers_by_rank() -> None:
    own = HostAddress("02:00:00:00:00:01", "10.0.0.9", "02:00:00:00:00:02")
    rows = np.zeros(3, message_dtype())
    rows["esa"]["src_worker"] = [1, 0, NO_WORKER]
    ips = ("10.0.0.1", "10.0.0.2")
    found = Addressing(own, "10.0.0.3", ips, 32, 7).server_heads(rows)
    assert found[:, 33].tolist() == [2, 1, 3]
