# SPDX-License-Identifier: MIT
"""A compiled P4 program between ports with queues: what it sees of them, in virtual time."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from softswitch.device import PortConfig, SimDevice
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4

PROGRAM = Path(__file__).parent / "programs" / "queue_report.p4"
FIELDS = struct.Struct("!HBBIIIIHIHI")
US = 1000


class Report(NamedTuple):
    enq_timestamp: int
    enq_qdepth: int
    deq_timedelta: int
    deq_qdepth: int
    ingress_time: int
    egress_time: int


def frame(port: int, priority: int = 0, clones: int = 0, size: int = 100) -> bytes:
    head = FIELDS.pack(port, priority, clones, *[0] * 8)
    return head.ljust(size, b"\0")


def report(data: bytes) -> Report:
    values = FIELDS.unpack(data[: FIELDS.size])
    return Report(*values[3:7], values[7] << 32 | values[8], values[9] << 32 | values[10])


@pytest.fixture(scope="module")
def config() -> dict[str, object]:
    return dict(compile_p4(PROGRAM).bmv2_json)


@pytest.fixture
def pipeline(config: dict[str, object]) -> Pipeline:
    return Pipeline.load(config)


@pytest.fixture
def sim(pipeline: Pipeline) -> Iterator[SimDevice]:
    with SimDevice() as made:
        made.add_port(PortConfig(1, "in"))
        made.add_port(PortConfig(2, "out", rate_bps=8_000_000, priorities=8, queue_packets=3))
        made.load(pipeline)
        yield made


def test_the_program_sees_the_queue(sim: SimDevice):
    for _ in range(4):
        sim.receive(1, frame(2), 50 * US)  # 100 us each; the first leaves at once
    sim.run()
    assert [report(f.data) for f in sim.frames()] == [
        Report(50, 0, 0, 0, 50, 50),
        Report(50, 0, 100, 2, 50, 150),
        Report(50, 1, 200, 1, 50, 250),
        Report(50, 2, 300, 0, 50, 350),
    ]


def test_without_a_rate_the_queue_is_empty(sim: SimDevice):
    sim.configure_port(2, rate_bps=None)
    sim.receive(1, frame(2), 7 * US)
    assert [report(f.data) for f in sim.frames()] == [Report(7, 0, 0, 0, 7, 7)]


def test_priorities_reach_the_queues(sim: SimDevice):
    for priority in (0, 0, 7, 3):
        sim.receive(1, frame(2, priority), 0)
    sim.run()
    assert [f.data[2] for f in sim.frames()] == [0, 7, 3, 0]


def test_clones_queue_where_their_session_says(sim: SimDevice, pipeline: Pipeline):
    pipeline.pre.set_clone_session(5, [(2, 0), (2, 0)])
    sim.receive(1, frame(1, clones=1), 0)
    sim.run()
    frames = sim.frames()
    assert sorted((f.port, f.when_ns) for f in frames) == [(1, 0), (2, 100 * US), (2, 200 * US)]


def test_waiting_packets_survive_writes_and_die_with_the_program(
    sim: SimDevice, config: dict[str, object], pipeline: Pipeline
):
    for _ in range(4):
        sim.receive(1, frame(2), 0)
    pipeline.pre.set_clone_session(6, [(1, 0)])
    sim.advance(100 * US)
    assert sim.queue_depth(2) == 2
    sim.load(Pipeline.load(config))
    pipeline.close()
    sim.receive(1, frame(2), 150 * US)
    sim.run()
    assert sim.counters(2)["drop_tx_swap"] == 2
    assert [f.when_ns for f in sim.frames()] == [100 * US, 200 * US, 300 * US]
