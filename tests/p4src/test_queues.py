# SPDX-License-Identifier: MIT
"""Congestion marks, with queues in virtual time."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from controller.inprocess import install
from hosts.wire.esa import ENCAPSULATION, Flag
from softswitch.device import PortConfig
from softswitch.device.sim import SimDevice
from tests.p4src.conftest import Loaded
from tests.p4src.scenario_scapy import grad, scenario


@pytest.mark.parametrize(("threshold", "marked"), [(0, 0), (1, 8), (4, 5), (100, 0)])
def test_long_queues_mark_packets(
    load: Callable[[str], Loaded], threshold: int, marked: int
) -> None:
    s = scenario("", aggregators=0, ecn_threshold=threshold)
    s.job("h1 h2")
    pipeline = load("esa").fresh()
    install(pipeline, s.book.states()["s1"])
    with SimDevice() as device:
        device.load(pipeline)
        for port in range(1, 6):
            device.add_port(PortConfig(port, f"p{port}", rate_bps=1_000_000))
        for seq in range(1, 11):
            device.receive(1, s.frame(grad(0, seq=seq)), 1000)
        device.run()
        frames = [frame for frame in device.frames() if frame.port == 5]
    flags = [Flag(frame.data[ENCAPSULATION + 1]) for frame in frames]
    assert len(flags) == 10
    assert sum(Flag.ECN in f for f in flags) == marked
