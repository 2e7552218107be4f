# SPDX-License-Identifier: MIT
"""Workers, server and reference switch together under an adversarial network."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from numpy.typing import NDArray

from hosts.aggregation.config import JobConfig
from hosts.wire.esa import Op
from tests.hosts.aggregation.reference import Switch, System

ELEMENTS = 2


def gradient(job: int, rank: int, first: int, count: int) -> NDArray[np.int32]:
    """Contributions from which a wrong sum can be told: each one is a power of a base."""
    seqs = np.arange(first, first + count)[:, None]
    return (1000 * job + 7 * seqs * 5**rank + np.arange(ELEMENTS)).astype(np.int32)


def build(jobs: int, workers: int, window: int, first_seq: int = 1, **switch: Any) -> System:
    configs = tuple(
        JobConfig(j, workers, window=window, elements=ELEMENTS, first_seq=first_seq)
        for j in range(1, jobs + 1)
    )
    masks = {c.job: c.full_mask for c in configs}
    return System(configs, Switch(masks=masks, **switch))


def offer_all(system: System, count: int) -> None:
    for job, rank in system.workers:
        first = 1 + sum(len(v) for v in system.offered[job, rank])
        system.offer(job, rank, gradient(job, rank, first, count), priority=1 + job * 3)


SWITCHES = st.fixed_dictionaries(
    {
        "slots": st.integers(0, 3),
        "direct": st.booleans(),
        "free_on_complete": st.booleans(),
        "downgrade": st.booleans(),
    }
)


@pytest.mark.parametrize("slots", [0, 1, 64])
@pytest.mark.parametrize("direct", [False, True])
def test_a_quiet_network_needs_no_repair(slots: int, direct: bool) -> None:
    system = build(2, 3, window=4, slots=slots, direct=direct)
    offer_all(system, 10)
    system.finish()
    system.check()
    assert sum(w.counters["resent"] for w in system.workers.values()) == 0
    if slots == 64:
        assert all(s.counters["collision"] == 0 for s in system.servers.values())


def test_iterations_continue_the_numbering() -> None:
    system = build(1, 2, window=4, slots=2)
    for _ in range(3):
        offer_all(system, 5)
        system.finish()
    system.check()
    assert all(w.received == 16 for w in system.workers.values())


def test_the_sequence_wraps() -> None:
    system = build(1, 2, window=4, slots=3, first_seq=2**32 - 5)
    offer_all(system, 40)
    system.finish()
    system.check()
    assert all(len(np.concatenate(r)) == 40 for r in system.results.values())


def test_thirty_two_workers_and_one() -> None:
    for workers in (1, 32):
        system = build(1, workers, window=2, slots=1)
        for job, rank in system.workers:
            system.offer(job, rank, np.full((3, ELEMENTS), rank + 1, np.int32))
        system.finish(20_000)
        system.check()


@pytest.mark.parametrize(
    ("op", "function"), [(Op.OR, np.bitwise_or), (Op.MAX, np.maximum), (Op.MIN, np.minimum)]
)
@pytest.mark.parametrize("slots", [0, 1, 8])
def test_operations(op: Op, function: Any, slots: int) -> None:
    system = build(1, 3, window=4, slots=slots)
    for job, rank in system.workers:
        values = np.array([[rank - 1, 1 << rank], [-5 * rank, rank]], np.int32)
        system.offer(job, rank, values, op=op)
    system.finish()
    system.check(function)


def test_overflow_saturates_and_is_reported() -> None:
    for slots in (0, 4):
        system = build(1, 2, window=2, slots=slots)
        for job, rank in system.workers:
            system.offer(job, rank, np.array([[2**31 - 1, 1]], np.int32))
        system.finish()
        for key, worker in system.workers.items():
            assert worker.counters["overflow"] == 1
            assert np.concatenate(system.results[key]).tolist() == [[2**31 - 1, 2]]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    switch=SWITCHES,
    jobs=st.integers(1, 2),
    workers=st.integers(1, 3),
    window=st.integers(1, 3),
    seed=st.integers(0, 2**32 - 1),
    congestion=st.booleans(),
    first=st.sampled_from([1, 2**32 - 2]),
)
def test_random_schedules_end_with_exact_sums(
    switch: dict[str, Any],
    jobs: int,
    workers: int,
    window: int,
    seed: int,
    congestion: bool,
    first: int,
) -> None:
    """Any order, losses, duplicates, spurious timers; then a fair network to the end."""
    system = build(jobs, workers, window, first_seq=first, **switch)
    system.worker_options["congestion_control"] = congestion
    system.__post_init__()
    random = np.random.default_rng(seed)
    offer_all(system, 6)
    system.pump()
    for _ in range(150):
        dice = random.random()
        if system.flying and dice < 0.9:
            index = int(random.integers(len(system.flying)))
            if dice < 0.08:
                system.flying.pop(index)
            else:
                system.deliver(index, keep=dice < 0.16)
        else:
            cores: list[Any] = [*system.workers, *system.servers]
            system.fire(cores[random.integers(len(cores))])
        system.check()
    system.finish()
    system.check()


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), switch=SWITCHES)
def test_a_restored_core_behaves_as_the_original(seed: int, switch: dict[str, Any]) -> None:
    """At every step each core is replaced by its exported state's copy."""
    system = build(1, 2, 2, **switch)
    random = np.random.default_rng(seed)
    offer_all(system, 4)
    system.pump()
    for _ in range(60):
        for key, worker in system.workers.items():
            state = worker.state()
            hash(state)
            copy = type(worker).from_state(worker.config, state, system.now)
            assert copy.state() == state
            system.workers[key] = copy
        for job, server in system.servers.items():
            twin = type(server).from_state(server.config, server.state(), system.now)
            assert twin.state() == server.state()
            hash(twin.state())
            system.servers[job] = twin
        if system.flying and random.random() < 0.8:
            index = int(random.integers(len(system.flying)))
            system.deliver(index, keep=random.random() < 0.2)
        else:
            system.fire([*system.workers, *system.servers][random.integers(3)])
    system.finish()
    system.check()


class AdversarialNetwork(RuleBasedStateMachine):
    """Hypothesis chooses every step, so a failure shrinks to a short schedule."""

    @initialize(
        switch=SWITCHES, jobs=st.integers(1, 2), workers=st.integers(1, 3), window=st.integers(1, 2)
    )
    def start(self, switch: dict[str, Any], jobs: int, workers: int, window: int) -> None:
        self.system = build(jobs, workers, window, **switch)
        self.faults = 0

    @rule(count=st.integers(1, 3))
    def offer(self, count: int) -> None:
        offer_all(self.system, count)
        self.system.pump()

    @precondition(lambda self: self.system.flying)
    @rule(data=st.data())
    def deliver(self, data: st.DataObject) -> None:
        self.system.deliver(data.draw(st.integers(0, len(self.system.flying) - 1)))

    @precondition(lambda self: self.system.flying)
    @rule(data=st.data())
    def deliver_and_keep(self, data: st.DataObject) -> None:
        self.system.deliver(data.draw(st.integers(0, len(self.system.flying) - 1)), keep=True)

    @precondition(lambda self: self.system.flying)
    @rule(data=st.data())
    def lose(self, data: st.DataObject) -> None:
        self.system.flying.pop(data.draw(st.integers(0, len(self.system.flying) - 1)))

    @rule(data=st.data())
    def fire(self, data: st.DataObject) -> None:
        cores: list[Any] = [*self.system.workers, *self.system.servers]
        self.system.fire(data.draw(st.sampled_from(cores)))

    @invariant()
    def sums_are_exact(self) -> None:
        if hasattr(self, "system") and self.system.offered[1, 0]:
            self.system.check()

    def teardown(self) -> None:
        if hasattr(self, "system") and self.system.offered[1, 0]:
            self.system.finish(20_000)
            self.system.check()


TestAdversarialNetwork = AdversarialNetwork.TestCase
TestAdversarialNetwork.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck)
)
