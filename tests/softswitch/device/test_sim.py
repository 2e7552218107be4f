# SPDX-License-Identifier: MIT
"""Queues, rates, delays and faults in virtual time."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from steered import Steered, packet, tagged

from softswitch.device import FaultSpec, Frame, PortConfig, PortFaults, SimDevice

MBIT = 1_000_000
US = 1_000


def switch(*ports: PortConfig) -> tuple[SimDevice, Steered]:
    sim, program = SimDevice(cpu_port=50), Steered()
    for config in (PortConfig(0, "in0"), *ports):
        sim.add_port(config)
    sim.load(program)
    return sim, program


def tags(frames: list[Frame]) -> list[int]:
    return [frame.data[4] for frame in frames]


def test_without_a_rate_packets_leave_at_once():
    sim, program = switch(PortConfig(1, "out"))
    sim.receive(0, packet(1), 5 * US)
    assert sim.frames() == [Frame(1, packet(1), 5 * US)]
    assert sim.deadline() is None
    assert program.alive() == 0


def test_a_rate_spaces_packets_by_their_bytes():
    sim, _ = switch(PortConfig(1, "out", rate_bps=8 * MBIT))  # 1 us per byte
    for tag in range(3):
        sim.receive(0, tagged(1, tag, size=100), 0)
    sim.run()
    frames = sim.frames()
    assert [f.when_ns for f in frames] == [100 * US, 200 * US, 300 * US]
    assert tags(frames) == [0, 1, 2]


def test_ethernet_overhead_is_charged_when_asked_for():
    sim, _ = switch(PortConfig(1, "out", rate_bps=8 * MBIT, ethernet_overhead=True))
    sim.receive(0, packet(1, size=100), 0)
    sim.run()
    assert [f.when_ns for f in sim.frames()] == [124 * US]


def test_rate_is_exact_over_long_runs():
    sim, _ = switch(PortConfig(1, "out", rate_bps=7 * MBIT, queue_packets=5000))
    for _ in range(5000):
        sim.receive(0, packet(1, size=61), 0)
    sim.run()
    exact = 5000 * 61 * 8 * 10**9 / (7 * MBIT)
    assert abs(sim.frames()[-1].when_ns - exact) <= 1


def test_queue_metadata_and_full_queue():
    sim, program = switch(PortConfig(1, "out", rate_bps=8 * MBIT, queue_packets=4))
    sim.receive(0, packet(1, size=100), 0)
    sim.advance(0)  # the first one is on the line now and no longer in the queue
    for _ in range(6):
        sim.receive(0, packet(1, size=100), 10 * US)
    assert sim.queue_depth(1) == 4
    assert sim.counters(1)["drop_tx_queue_full"] == 2
    sim.run()
    frames = sim.frames()
    assert [f.data[5] for f in frames] == [0, 0, 1, 2, 3]  # enq_qdepth: before joining
    assert [f.data[6] for f in frames] == [0, 3, 2, 1, 0]  # deq_qdepth: left behind
    waited = [int.from_bytes(f.data[7:11], "big") for f in frames]
    assert waited == [0, 90, 190, 290, 390]
    assert program.alive() == 0


def test_larger_priority_first_and_depth_per_priority():
    sim, _ = switch(PortConfig(1, "out", rate_bps=8 * MBIT, queue_packets=2, priorities=3))
    for tag, priority in enumerate([0, 0, 0, 1, 2, 2, 2]):
        sim.receive(0, tagged(1, tag, priority=priority), 0)
    sim.run()  # packet 0 found the line free
    assert tags(sim.frames()) == [0, 4, 5, 3, 1, 2]
    assert sim.counters(1)["drop_tx_queue_full"] == 1


def test_a_late_caller_does_not_let_urgent_packets_overtake_in_hindsight():
    sim, _ = switch(PortConfig(1, "out", rate_bps=8 * MBIT, priorities=2))
    sim.receive(0, tagged(1, 0, size=100), 0)
    sim.receive(0, tagged(1, 1, size=100), 1 * US)
    sim.receive(0, tagged(1, 2, size=100, priority=1), 150 * US)  # line became free at 100
    sim.run()
    assert tags(sim.frames()) == [0, 1, 2]


@pytest.mark.parametrize("rate", [None, 8 * MBIT])
def test_priority_out_of_range_is_dropped_as_in_bmv2(rate):
    sim, program = switch(PortConfig(1, "out", rate_bps=rate))
    sim.receive(0, packet(1, priority=1), 0)
    sim.run()
    assert sim.frames() == []
    assert sim.counters(1)["drop_tx_priority"] == 1
    assert program.alive() == 0


def test_delay_adds_to_serialisation_and_keeps_order_when_shortened():
    sim, _ = switch(PortConfig(1, "out", rate_bps=8 * MBIT, delay_us=500))
    sim.receive(0, tagged(1, 0, size=100), 0)
    sim.advance(10 * US)
    sim.configure_port(1, delay_us=0)
    sim.receive(0, tagged(1, 1, size=100), 20 * US)
    sim.run()
    frames = sim.frames()
    assert tags(frames) == [0, 1]
    assert [f.when_ns for f in frames] == [600 * US, 600 * US]


def test_rate_removed_at_run_time_frees_the_queue():
    sim, _ = switch(PortConfig(1, "out", rate_bps=1000))
    for tag in range(3):
        sim.receive(0, tagged(1, tag), 0)
    sim.configure_port(1, rate_bps=None)
    sim.run()
    assert tags(sim.frames()) == [0, 1, 2]


def test_multicast_egress_drop_and_unknown_port():
    sim, program = switch(PortConfig(1, "out"))
    sim.receive(0, packet(1, copies=3), 0)
    sim.receive(0, packet(1, mode=1), 0)
    sim.receive(0, packet(9), 0)
    sim.receive(0, packet(255), 0)
    assert len(sim.frames()) == 3
    assert sim.counters(1)["egress_consumed"] == 1
    assert sim.counters(0)["program_consumed"] == 1
    assert program.alive() == 0


def test_cpu_port_and_digest():
    sim, _ = switch()
    sim.packet_out(packet(50, mode=2), 0)
    assert [f.port for f in sim.frames()] == [50]
    assert [(d.digest_id, d.data) for d in sim.digests()] == [(7, bytes([50, 0, 1, 2]))]


def test_swap_of_the_program_drops_and_counts_what_waits():
    sim, program = switch(PortConfig(1, "out", rate_bps=1000))
    for _ in range(4):  # the first one is on the line
        sim.receive(0, packet(1), 0)
    sim.load(Steered())
    assert sim.counters(1)["drop_tx_swap"] == 3
    assert program.alive() == 0
    assert sim.queue_depth(1) == 0


def test_cut_line_loses_what_is_on_it():
    sim, _ = switch(PortConfig(1, "out", delay_us=100))
    sim.receive(0, packet(1), 0)
    sim.set_carrier(1, False)
    sim.receive(0, packet(1), 1)
    sim.run()
    assert sim.frames() == []
    assert sim.counters(1)["drop_tx_down"] == 2


def faulty(
    spec: FaultSpec, count: int = 10, *, inbound: bool = False
) -> tuple[SimDevice, list[Frame]]:
    faults = PortFaults(inbound=spec) if inbound else PortFaults(outbound=spec)
    sim, _ = switch(PortConfig(1, "out", faults=faults), PortConfig(2, "other"))
    for tag in range(1, count + 1):
        frame = tagged(2 if inbound else 1, tag % 256)
        sim.receive(1 if inbound else 0, frame, tag * US)
    sim.run()
    return sim, sim.frames()


@pytest.mark.parametrize("inbound", [False, True])
def test_listed_faults_hit_exactly_those_packets(inbound):
    spec = FaultSpec(lose_packets=(3, 1), duplicate_packets=(5,), reorder_packets=(7,))
    sim, frames = faulty(spec, inbound=inbound)
    assert tags(frames) == [2, 4, 5, 5, 6, 8, 7, 9, 10]
    counters, way = sim.counters(1), "rx" if inbound else "tx"
    assert counters[f"drop_{way}_loss"] == 2
    assert counters[f"{way}_duplicated"] == counters[f"{way}_reordered"] == 1


def test_corruption_flips_one_bit():
    _, frames = faulty(FaultSpec(corrupt_packets=(2,)), count=3)
    wrong = [
        bin(int.from_bytes(f.data, "big") ^ int.from_bytes(tagged(1, tag), "big")).count("1")
        for tag, f in enumerate(frames, 1)
    ]
    assert wrong == [0, 1, 0]


def test_reordering_by_time_only():
    spec = FaultSpec(reorder_packets=(1,), reorder_by=0, reorder_us=2.5)
    _, frames = faulty(spec, count=5)
    assert tags(frames) == [2, 3, 1, 4, 5]


def test_a_held_packet_is_not_held_for_ever():
    _, frames = faulty(FaultSpec(reorder_packets=(2,), reorder_by=100, reorder_us=50), count=2)
    assert [(f.data[4], f.when_ns) for f in frames] == [(1, 1 * US), (2, 52 * US)]


@given(seed=st.integers(0, 2**64 - 1))
def test_same_seed_same_faults(seed):
    spec = FaultSpec(loss=0.2, duplicate=0.1, reorder=0.1, corrupt=0.1, seed=seed)
    assert faulty(spec, 60)[1] == faulty(spec, 60)[1]


def test_probability_is_met_and_kinds_are_independent():
    sim, frames = faulty(FaultSpec(loss=0.1, seed=1), 4000)
    assert 330 < sim.counters(1)["drop_tx_loss"] < 470
    both, _ = faulty(FaultSpec(loss=0.1, corrupt=0.5, seed=1), 4000)
    assert both.counters(1)["drop_tx_loss"] == sim.counters(1)["drop_tx_loss"]
    assert len(frames) == 4000 - sim.counters(1)["drop_tx_loss"]


def test_capture_is_readable_and_lies_inside_the_faults(tmp_path: Path):
    sim, _ = switch(PortConfig(1, "out", faults=PortFaults(outbound=FaultSpec(loss=1.0))))
    sim.capture(0, tmp_path)
    sim.capture(1, tmp_path)
    sim.receive(0, packet(1, size=77), 0)
    assert sim.frames() == []
    sim.close()
    for name in ("in0_in", "out_out"):
        raw = (tmp_path / f"{name}.pcap").read_bytes()
        assert raw[:4] == bytes.fromhex("4d3cb2a1")
        assert raw[24 + 16 :] == packet(1, size=77)
