# SPDX-License-Identifier: MIT
"""`p4src/lcmp.p4` against the integer model, decision by decision, and the published vectors."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import multipath_rows as rows
from controller.desired import SwitchState
from controller.errors import ControllerError
from controller.inprocess import install
from hosts.multipath.cost import CostModel, PortSignal, Weights
from hosts.multipath.decision import MAX_CANDIDATES, Candidate, Policy
from hosts.multipath.switch import FLOW_SLOTS, FlowKey, SwitchConfig
from softswitch.device import PortConfig
from softswitch.device.sim import SimDevice
from tests.p4src.conftest import Loaded
from tests.p4src.lcmp_switch import CONGESTION, SAMPLED, Pair, frame

Load = Callable[[str], Loaded]
ROOT = Path(__file__).parents[2]
TO = 0x0A000801
NOW = 10_000_000

flows = st.builds(
    FlowKey,
    source=st.integers(1, 2**32 - 1),
    destination=st.just(TO),
    sport=st.integers(0, 65535),
    dport=st.integers(0, 65535),
    protocol=st.sampled_from([6, 17]),
)
weights = st.builds(
    Weights, alpha=st.integers(0, 8), beta=st.integers(0, 8), total_shift=st.integers(0, 4)
)
configs = st.builds(
    SwitchConfig,
    policy=st.sampled_from(Policy),
    parity=st.booleans(),
    seed=st.integers(0, 2**32 - 1),
    model=st.builds(CostModel, weights=weights),
    threshold=st.integers(0, 256),
    idle_after_us=st.integers(0, 5000),
    stale_after_us=st.integers(0, 5000),
)
# Few values, so that ties are common.
scores = st.one_of(st.sampled_from([0, 100, 255]), st.integers(0, 255))
routes = st.lists(
    st.tuples(scores, st.integers(1, 4), scores, st.integers(-2, 2), st.booleans()),
    min_size=1,
    max_size=MAX_CANDIDATES,
)


@settings(max_examples=1000, deadline=None)
@given(config=configs, state=routes, offset=st.integers(0, 50), several=st.lists(flows, max_size=4))
def test_decisions_are_those_of_the_model(
    load: Load,
    config: SwitchConfig,
    state: list[tuple[int, int, int, int, bool]],
    offset: int,
    several: list[FlowKey],
) -> None:
    candidates = tuple(Candidate(offset + i, s[0], s[1]) for i, s in enumerate(state))
    dead = {offset + i for i, s in enumerate(state) if not s[4]}
    pair = Pair(load("lcmp"), config, {TO: candidates}, dead)
    for i, (_, _, congestion, around, _) in enumerate(state):
        pair.set_congestion(offset + i, congestion, NOW - max(0, config.stale_after_us + around))
    for flow in several:
        pair.packet(flow, NOW)


steps = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 900), st.sets(st.integers(1, 4)), st.integers(0, 3))
)


@settings(max_examples=300, deadline=None)
@given(config=configs, history=steps)
def test_histories_are_those_of_the_model(
    load: Load, config: SwitchConfig, history: list[tuple[int, int, set[int], int]]
) -> None:
    """Flows come, go idle and come back while ports fail and congestion moves.

    The six flows differ in bits that the published key loses.
    """
    candidates = tuple(Candidate(port, 40 * port, port) for port in range(1, 5))
    pair = Pair(load("lcmp"), config, {TO: candidates})
    now = NOW
    for who, pause, dead, event in history:
        now += pause
        if event == 1:
            pair.set_dead(dead)
        elif event == 2:
            pair.set_congestion(1 + who % 4, 255, now)
        pair.packet(FlowKey(0x0B000001 + (who << 16), TO, 10000 + who % 2, 100), now)


def test_golden_vectors(load: Load) -> None:
    with (ROOT / "tests/data/lcmp/ecmp_hash_golden_vectors.csv").open() as text:
        vectors = list(csv.DictReader(text))
    assert len(vectors) == 120
    for v in vectors:
        hops = [int(x) for x in v["candidate_list(order as in routing_table.csv)"].split(";")]
        flow = FlowKey(int(v["sip_hex"], 16), int(v["dip_hex"], 16), int(v["sport"]),
                       int(v["dport"]))  # fmt: skip
        candidates = tuple(Candidate(i, 0) for i in range(len(hops)))
        config = SwitchConfig(policy=Policy.ECMP, parity=True, seed=int(v["seed(node id)"]))
        port = Pair(load("lcmp"), config, {flow.destination: candidates}).packet(flow, NOW)
        assert port is not None
        assert hops[port] == int(v["chosen_next_hop"])


def two_paths(load: Load, **config: object) -> Pair:
    candidates = (Candidate(1, 10), Candidate(2, 10))
    return Pair(load("lcmp"), SwitchConfig(**config), {TO: candidates})  # type: ignore[arg-type]


def test_a_flow_stays_while_its_port_lives_and_moves_when_it_dies(load: Load) -> None:
    pair, flow = two_paths(load), FlowKey(7, TO, 1, 2)
    first = pair.packet(flow, NOW)
    assert first in (1, 2)
    for port in (1, 2):
        pair.set_congestion(port, 255 if port == first else 0, NOW)
    assert pair.packet(flow, NOW + 5) == first
    pair.set_dead({first})
    assert pair.packet(flow, NOW + 6) == 3 - first
    pair.set_dead(set())
    assert pair.packet(flow, NOW + 7) == 3 - first  # pinned to where it moved
    pair.set_dead({1, 2})
    assert pair.packet(flow, NOW + 8) is None


def test_a_flow_leaves_a_port_that_the_route_no_longer_names(load: Load) -> None:
    """Else it would go to a switch that sends it back here."""
    pair, flow = two_paths(load), FlowKey(7, TO, 1, 2)
    first = pair.packet(flow, NOW)
    assert first in (1, 2)
    pair.set_route(TO, (Candidate(3 - first, 10),))
    assert pair.packet(flow, NOW + 1) == 3 - first


def collision(parity: bool) -> tuple[FlowKey, FlowKey]:
    """Two flows of one slot, found by search."""
    first = FlowKey(1, TO, 0, 0)
    wanted = first.slot(parity)
    for n in range(1 << 22):
        other = FlowKey(2, TO, n & 0xFFFF, n >> 16)
        if other.slot(parity) == wanted:
            return first, other
    raise AssertionError("no collision found")


def test_no_live_flow_is_evicted(load: Load) -> None:
    pair = two_paths(load, idle_after_us=1000)
    first, other = collision(parity=False)
    assert pair.model.forward(first, 0).stored
    pair = two_paths(load, idle_after_us=1000)
    pair.packet(first, NOW)
    keys = pair.pipeline.registers["LcmpIngress.flow_cache.flow_key"]
    slot = first.slot(False)
    assert keys[slot] == first.cache_key(False)
    pair.packet(other, NOW + 1000)
    assert keys[slot] == first.cache_key(False)
    pair.packet(other, NOW + 1001)  # the first one is idle now
    assert keys[slot] == other.cache_key(False)


def test_parity_confuses_flows_that_differ_in_what_its_key_loses(load: Load) -> None:
    a, b = (FlowKey(source << 16 | 5, TO, 9, 9) for source in (0x0B00, 0x0B01))
    assert a.cache_key(True) == b.cache_key(True)
    for parity in (True, False):
        pair = two_paths(load, parity=parity)
        pair.packet(a, NOW)
        pair.packet(b, NOW + 1)
        keys = pair.pipeline.registers["LcmpIngress.flow_cache.flow_key"].read_all()
        assert sum(map(bool, keys)) == (1 if parity else 2)


def test_packets_without_ports_are_flows_by_their_addresses(load: Load) -> None:
    pair = two_paths(load)
    icmp = FlowKey(7, TO, 0x0800, 0x1234, protocol=1)
    out = pair.pipeline.process(60, frame(icmp), NOW)
    expected = pair.model.forward(FlowKey(7, TO, 0, 0, protocol=1), NOW).port
    assert [port for port, _ in out] == [expected]


@pytest.mark.parametrize("ttl", [0, 1])
def test_expired_and_unknown_packets_are_dropped(load: Load, ttl: int) -> None:
    pair = two_paths(load)
    assert pair.pipeline.process(60, frame(FlowKey(7, TO, 1, 2), ttl=ttl), NOW) == []
    assert pair.pipeline.process(60, frame(FlowKey(7, TO + 1, 1, 2)), NOW) == []
    assert pair.pipeline.process(60, frame(FlowKey(7, TO, 1, 2)), NOW) != []


@settings(max_examples=60, deadline=None)
@given(
    bursts=st.lists(st.tuples(st.integers(0, 30), st.integers(0, 25_000)), min_size=1, max_size=25),
    every=st.sampled_from([100, 1000, 5000]),
    drain=st.integers(1, 30),
    wrapped=st.booleans(),
)
def test_signals_are_those_of_the_model(
    load: Load, bursts: list[tuple[int, int]], every: int, drain: int, wrapped: bool
) -> None:
    """Bursts queue at a port in virtual time.

    The depth that a packet leaves behind follows from the arrivals and the line rate.
    """
    model = CostModel(buffer_bytes=20, wrap_thresholds=wrapped)
    config = SwitchConfig(model=model, sample_every_us=every)
    pipeline = load("lcmp").fresh()
    table = dict(
        [
            rows.remote(TO, 32, [Candidate(1, 0)]),
            rows.profile(1, every_us=every, drained=drain, model=model),
        ]
    )
    install(pipeline, SwitchState(rows=table) | rows.settings(config))
    size, rate = 125, 1_000_000  # a packet takes 1 ms
    signal, taken, waiting = PortSignal(), 0, 0
    expected: tuple[int, int] = (0, 0)
    with SimDevice() as device:
        device.load(pipeline)
        device.add_port(PortConfig(1, "p1", rate_bps=rate, queue_packets=1000))
        device.add_port(PortConfig(60, "p60"))
        now = 1_000_000  # us
        idle_at = 0
        leaving: list[tuple[int, int]] = []
        arrivals: list[int] = []
        for count, pause in bursts:
            for _ in range(count):
                device.receive(60, frame(FlowKey(7, TO, 1, 2), size=size), now * 1000)
                start = max(now, idle_at)
                idle_at = start + 1000
                arrivals.append(now)
                leaving.append((start, len(arrivals)))
            now += pause
        device.run()
    for start, number in leaving:  # what arrived by then and has not left
        waiting = sum(at < start for at in arrivals[number:])
        if not taken or start - taken >= every:
            expected = (signal.sample(waiting, model, drain), start)
            taken = start
    registers = pipeline.registers
    assert (registers[CONGESTION][1], registers[SAMPLED][1]) == expected
    assert registers["LcmpEgress.signals.port_trend"][1] == signal.trend & 0xFFFFFFFF
    assert registers["LcmpEgress.signals.port_duration"][1] == signal.duration
    assert registers["LcmpEgress.signals.port_queue"][1] == signal.queued


def test_more_candidates_than_the_switch_holds_are_one_clear_line() -> None:
    nine = [Candidate(port, 0) for port in range(9)]
    with pytest.raises(ControllerError, match="dci1: 9 candidate next hops, but a switch holds 8"):
        rows.remote(TO, 32, nine, "dci1")
    with pytest.raises(ControllerError, match="unreachable destination"):
        rows.remote(TO, 32, [], "dci1")


def test_sizes() -> None:
    text = (ROOT / "p4src/lcmp/sizes.p4").read_text()
    sizes = {name: int(value) for name, value in re.findall(r"#define (\w+) (\d+)", text)}
    assert sizes["FLOW_SLOTS"] == FLOW_SLOTS
    assert sizes["PORTS"] == rows.PORTS
