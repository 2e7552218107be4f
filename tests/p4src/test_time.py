# SPDX-License-Identifier: MIT
"""What depends on the clock or on queues, which packet tests cannot say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller import Downgrade
from controller.inprocess import install
from controller.inspection import answer, question
from hosts.wire.esa import ENCAPSULATION, Flag
from softswitch.engine import Pipeline
from tests.p4src.conftest import Loaded
from tests.p4src.scenario_scapy import CPU_PORT, LANES, Agg, Scenario, grad, scenario

FLAGS = ENCAPSULATION + 1
SEQ = ENCAPSULATION + 4
Load = Callable[[str], Loaded]


class Clocked:
    """One switch at times of the test's choosing, with one slot."""

    def __init__(self, loaded: Loaded, workers: str = "h1 h2", **config: object) -> None:
        self.scenario: Scenario = scenario("", **{"aggregators": 1, **config})
        self.scenario.job(workers)
        self.pipeline: Pipeline = loaded.fresh()
        install(self.pipeline, self.scenario.book.states()["s1"])

    def send(self, packet: Agg, now: int) -> list[tuple[int, int, Flag]]:
        """Port, fragment and flags of what comes out."""
        out = self.pipeline.process(1, self.scenario.frame(packet), now)
        return [
            (port, int.from_bytes(data[SEQ : SEQ + 4], "big"), Flag(data[FLAGS]))
            for port, data in out
        ]


@pytest.mark.parametrize("program", ["esa", "atp"])
def test_expired_holder_gives_way(load: Load, program: str) -> None:
    switch = Clocked(load(program), expire_after_us=1000)
    assert switch.send(grad(0, seq=1, prio=200), 5000) == []
    lost = [(5, 2, Flag.COLLISION | Flag.NOAGG)]
    assert switch.send(grad(0, seq=2, prio=1), 6000) == lost
    gone = [(5, 1, Flag.EVICTED | Flag.NOAGG)]
    assert switch.send(grad(0, seq=2, prio=1), 6001) == gone
    assert switch.send(grad(0, seq=3, prio=1), 6002) == [(5, 3, Flag.COLLISION | Flag.NOAGG)]


def test_merges_do_not_prolong_the_hold(load: Load) -> None:
    switch = Clocked(load("esa"), workers="h1 h2 h3", expire_after_us=1000)
    assert switch.send(grad(0, seq=1), 0) == []
    assert switch.send(grad(1, seq=1), 900) == []
    assert switch.send(grad(0, seq=2), 1001) == [(5, 1, Flag.EVICTED | Flag.NOAGG)]


def test_age_makes_old_holders_weak(load: Load) -> None:
    switch = Clocked(load("esa"), downgrade=Downgrade.AGE, age_after_us=1000)
    assert switch.send(grad(0, seq=1, prio=200), 0) == []
    assert switch.send(grad(0, seq=2, prio=1), 1000) == [(5, 2, Flag.COLLISION | Flag.NOAGG)]
    assert switch.send(grad(0, seq=2, prio=0), 1001) == [(5, 2, Flag.COLLISION | Flag.NOAGG)]
    assert switch.send(grad(0, seq=2, prio=1), 1001) == [(5, 1, Flag.EVICTED | Flag.NOAGG)]


def test_peek_tells_the_age(load: Load) -> None:
    switch = Clocked(load("esa"))
    switch.send(grad(0, seq=7), 1_000_000)
    for now, age in ((1_000_042, 42), (1_000_000 + 2**32 + 5, 2**32 - 1)):
        ((port, data),) = switch.pipeline.process(CPU_PORT, bytes(2) + question(0, LANES), now)
        assert port == CPU_PORT
        view = answer(data[2:])
        assert view is not None
        assert (view.seq, view.age_us) == (7, age)


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=260), port=st.integers(0, 510), at=st.integers(0, 260))
def test_damaged_packets_never_confuse_the_switch(
    load: Load, data: bytes, port: int, at: int
) -> None:
    switch = Clocked(load("esa"))
    good = switch.scenario.frame(grad(0, [1]))
    damaged = good[:at] + data + good[at + len(data) :]
    for frame in (data, damaged, damaged[: len(damaged) // 2]):
        switch.pipeline.process(port, frame, 1)
    # Whatever that did to the one slot, a flush makes it work as ever.
    switch.pipeline.process(CPU_PORT, bytes(2) + question(0, LANES, flush=True), 2)
    assert switch.send(grad(0, [1], seq=9), 3) == []
    ports = [out[0] for out in switch.send(grad(1, [1], seq=9), 4)]
    assert sorted(ports) == [1, 2, 5]
