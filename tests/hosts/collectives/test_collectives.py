# SPDX-License-Identifier: MIT
"""All collectives over the compiled program, in virtual time, against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from controller.groups import Admission
from hosts.direct import Faults
from hosts.errors import CollectiveTimeout, NonFiniteError
from hosts.quantise import BlockFloat
from tests.hosts.collectives.simulation import GroupSystem

STAR = ("star4", [["h1", "h2", "h3", "h4"]])
TWO_TIER = ("leaf-spine", [["h1", "h3", "h2", "h5"]])
ROUGH = Faults(loss=0.01, duplication=0.01, reordering=0.02)
PLACES = [STAR, TWO_TIER]


def parts(size: int, shape: Any, seed: int = 0) -> list[Any]:
    random = np.random.default_rng(seed)
    return [random.integers(-(2**20), 2**20, shape, dtype=np.int32) for _ in range(size)]


def check_all(system: GroupSystem, length: int, seed: int = 0) -> None:
    """All six collectives, exactly."""
    size = len(system.groups[0])
    own = parts(size, length, seed)
    total = np.sum(own, axis=0)
    for op, function in (("sum", np.add), ("max", np.maximum), ("min", np.minimum)):
        wanted = function.reduce(own)
        for got in system.call(lambda g, op=op: g.iallreduce(own[g.rank], op)):
            assert got.tolist() == wanted.tolist()
    for root in range(size):
        got = system.call(lambda g, root=root: g.ireduce(own[g.rank], root))
        assert got[root].tolist() == total.tolist()
        assert [g is None for g in got] == [rank != root for rank in range(size)]
        for got in system.call(lambda g, root=root: g.ibroadcast(own[g.rank], root)):
            assert got.tolist() == own[root].tolist()
    for got in system.call(lambda g: g.iallgather(own[g.rank])):
        assert got.tolist() == np.stack(own).tolist()
    wide = parts(size, (size, length), seed + 1)
    got = system.call(lambda g: g.ireduce_scatter(wide[g.rank]))
    assert np.stack(got).tolist() == np.sum(wide, axis=0).tolist()
    assert system.call(lambda g: g.ibarrier()) is not None


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p[0])
@pytest.mark.parametrize("length", [1, 150])
def test_all_collectives_on_clean_links(place: Any, length: int) -> None:
    system = GroupSystem(*place)
    check_all(system, length)
    assert all(g.resent == 0 for g in system.groups[0])
    assert all(set(g.stats) == {"in_network"} for g in system.groups[0])


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p[0])
@pytest.mark.parametrize("seed", [1, 2])
def test_all_collectives_on_faulty_links(place: Any, seed: int) -> None:
    system = GroupSystem(*place, faults=ROUGH, seed=seed)
    check_all(system, 80, seed)
    assert sum(g.resent for g in system.groups[0]) > 0


@pytest.mark.parametrize("window", [1, 4])
def test_small_windows_on_bad_links(window: int) -> None:
    bad = Faults(loss=0.05, duplication=0.05, reordering=0.05, late_us=3000)
    check_all(GroupSystem(*TWO_TIER, faults=bad, seed=window, window=window), 40)


@pytest.mark.parametrize("start", [2**24 - 1, 2**24 - 3, 2**23 - 2, 2**24 - 20])
def test_sequence_numbers_wrap(start: int) -> None:
    check_all(GroupSystem(*TWO_TIER, faults=ROUGH, start_psn=start), 60)


@pytest.mark.parametrize("faults", [Faults(), ROUGH])
def test_without_room_the_ring_does_it(faults: Faults) -> None:
    system = GroupSystem(*TWO_TIER, admission=Admission.NONE, faults=faults)
    assert system.grants[0].description.number == 0
    check_all(system, 50)
    assert all(set(g.stats) == {"ring"} for g in system.groups[0])


@pytest.mark.parametrize("admission", [Admission.SPATIAL, Admission.NONE])
@pytest.mark.parametrize("members", [["h1"], ["h1", "h2"], ["h2", "h3", "h1"]])
def test_other_sizes(members: list[str], admission: Admission) -> None:
    check_all(GroupSystem("star4", [members], admission=admission), 9)


@pytest.mark.parametrize("admission", [Admission.SPATIAL, Admission.NONE])
def test_float_sums_keep_their_bound_and_agree_bit_for_bit(admission: Admission) -> None:
    system = GroupSystem(*STAR, faults=ROUGH, admission=admission)
    random = np.random.default_rng(5)
    scale = 10.0 ** random.integers(-9, 9, 100)
    own = [(random.normal(size=100) * scale).astype(np.float32) for _ in range(4)]
    exact = np.sum(np.stack(own).astype(np.float64), axis=0)
    blocks = BlockFloat(4, 4)
    exponents = np.max([blocks.exponents(x.reshape(25, 4)) for x in own], axis=0)
    bound = np.repeat(blocks.error_bound(exponents), 4)
    slack = np.abs(exact) * np.finfo(np.float32).eps
    results = system.call(lambda g: g.iallreduce(own[g.rank]))
    assert len({r.tobytes() for r in results}) == 1
    assert (np.abs(results[0] - exact) <= bound + slack).all()
    (at_root,) = [r for r in system.call(lambda g: g.ireduce(own[g.rank], 2)) if r is not None]
    assert (np.abs(at_root - exact) <= bound + slack).all()
    square = np.stack(own).reshape(4, 4, 25)
    got = system.call(lambda g: g.ireduce_scatter(square[g.rank]))
    assert np.allclose(np.stack(got), square.sum(axis=0), rtol=1e-5, atol=np.max(scale) * 1e-6)
    for op, function in (("max", np.maximum), ("min", np.minimum)):
        for got in system.call(lambda g, op=op: g.iallreduce(own[g.rank], op)):
            assert got.tobytes() == function.reduce(own).tobytes()


def test_any_dtype_is_broadcast_and_gathered() -> None:
    system = GroupSystem(*STAR)
    own = [np.arange(7, dtype=np.uint8) * (rank + 1) for rank in range(4)]
    for got in system.call(lambda g: g.ibroadcast(own[g.rank], 3)):
        assert got.tolist() == own[3].tolist()
    doubles = [np.array([[np.pi * rank, -0.0]]) for rank in range(4)]
    for got in system.call(lambda g: g.iallgather(doubles[g.rank])):
        assert got.tobytes() == np.stack(doubles).tobytes()


def test_several_handles_are_open_and_end_in_order() -> None:
    system = GroupSystem(*TWO_TIER, faults=ROUGH)
    own = parts(4, 33)
    handles = [
        (g.iallreduce(own[g.rank]), g.ibroadcast(own[g.rank], 1), g.iallreduce(own[g.rank], "max"))
        for g in system.groups[0]
    ]
    system.wake()
    for first, second, third in handles:
        assert third.wait().tolist() == np.max(own, axis=0).tolist()
        assert first.done
        assert first.wait().tolist() == np.sum(own, axis=0).tolist()
        assert second.wait().tolist() == own[1].tolist()


def test_two_groups_share_switches_and_links() -> None:
    system = GroupSystem("leaf-spine", [["h1", "h3", "h5"], ["h2", "h1", "h4", "h6"]], faults=ROUGH)
    first, second = parts(3, 99, 1), parts(4, 77, 2)
    handles = [g.iallreduce(first[g.rank]) for g in system.groups[0]]
    handles += [g.iallreduce(second[g.rank]) for g in system.groups[1]]
    system.wake()
    for number, handle in enumerate(handles):
        wanted = np.sum(first if number < 3 else second, axis=0)
        assert handle.wait().tolist() == wanted.tolist()


def test_a_successor_on_the_same_slots_is_not_disturbed() -> None:
    system = GroupSystem(*TWO_TIER)
    system.call(lambda g: g.iallreduce(np.full(200, 9, np.int32)))
    system.call(lambda g: g.ibroadcast(np.full(200, 9, np.int32), 0))
    slots, old = system.grants[0].slots, system.groups[0]
    for stale in old[:2]:
        stale.iallreduce(np.full(40, 77, np.int32))  # never ends: the others have left
    system.replace_group(TWO_TIER[1][0])
    assert system.grants[0].slots == slots
    check_all(system, 40)
    of_no_channel = system.pipelines["s1"].counters["IncaIngress.channel_events.events"][0]
    assert of_no_channel[0] >= 8, "the destroyed group has kept on sending"


def test_a_missing_member_is_a_typed_error_for_all_others() -> None:
    system = GroupSystem(*STAR, deadline_us=200_000)
    for group in system.groups[0][:3]:
        with pytest.raises(CollectiveTimeout, match=f"allreduce at rank {group.rank}"):
            group.allreduce(np.ones(5, np.int32))


def test_not_a_number_is_an_error_everywhere() -> None:
    system = GroupSystem(*STAR)
    own = [np.array([1.0, np.nan if rank == 2 else 0.0], np.float32) for rank in range(4)]
    handles = [g.iallreduce(own[g.rank]) for g in system.groups[0]]
    system.wake()
    for handle in handles:
        with pytest.raises(NonFiniteError):
            handle.wait()


def test_wrong_calls_are_refused() -> None:
    (group, *_) = GroupSystem(*STAR).groups[0]
    with pytest.raises(ValueError, match="operation 'prod': give one of"):
        group.iallreduce(np.ones(1, np.int32), "prod")
    with pytest.raises(ValueError, match="root 4: the group has ranks 0 to 3"):
        group.ibroadcast(np.ones(1), 4)
    with pytest.raises(ValueError, match="first axis must be 4 long"):
        group.ireduce_scatter(np.ones(3, np.int32))
    with pytest.raises(ValueError, match="on float64"):
        group.iallreduce(np.ones(1), "max")
    with pytest.raises(ValueError, match="dtype complex128"):
        group.iallreduce(np.ones(1, complex))


def test_every_host_sends_and_receives_one_copy() -> None:
    system = GroupSystem(*TWO_TIER)
    rows = 50
    system.call(lambda g: g.iallreduce(np.ones(4 * rows, np.int32)))
    system.network.settle()
    frames = system.network.frames
    for host, leaf in (("h1", "s1"), ("h3", "s2"), ("h2", "s1"), ("h5", "s3")):
        # Data up and down; ACKs are cumulative, at most one per result each way.
        assert rows <= frames[host, leaf] <= 2 * rows
        assert rows <= frames[leaf, host] <= 2 * rows
