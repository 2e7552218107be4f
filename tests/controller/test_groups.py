# SPDX-License-Identifier: MIT
"""Groups as desired state: trees, segments, refusals, and that destroying leaves nothing."""

from __future__ import annotations

import random

import pytest

import topologies
from controller.collective_tree import build_collective_tree
from controller.desired import difference
from controller.errors import GroupRejectedError
from controller.groups import Admission, Capability, GroupBook, GroupRequest
from controller.segments import Segments

LEAF_SPINE = topologies.load("leaf-spine")


def test_segments_are_aligned_first_fit_and_merge() -> None:
    segments = Segments(64)
    assert [segments.allocate(n) for n in (3, 16, 1, 8)] == [0, 16, 4, 8]
    segments.release(4, 1)
    segments.release(0, 3)
    assert segments.free_ranges == ((0, 8), (32, 64))
    assert segments.allocate(32) == 32
    assert segments.allocate(16) is None
    with pytest.raises(ValueError, match="are not taken"):
        segments.release(0, 8)


def test_random_segments_never_overlap_and_all_come_back() -> None:
    rng = random.Random(7)
    segments = Segments(256)
    taken: list[tuple[int, int]] = []
    for _ in range(500):
        count = rng.randint(1, 40)
        base = segments.allocate(count)
        if base is not None and rng.random() < 0.6:
            assert all(base + count <= b or b + c <= base for b, c in taken)
            taken.append((base, count))
        elif base is not None:
            segments.release(base, count)
        if taken and rng.random() < 0.5:
            segments.release(*taken.pop(rng.randrange(len(taken))))
    for base, count in taken:
        segments.release(base, count)
    assert segments.free_ranges == ((0, 256),)


def test_a_tree_is_only_as_high_as_needed() -> None:
    assert set(build_collective_tree(LEAF_SPINE, ["h1", "h2"], "a").nodes) == {"s1"}
    roots = set()
    for name in "abcdefgh":
        tree = build_collective_tree(LEAF_SPINE, ["h1", "h3", "h2"], name)
        assert set(tree.nodes) == {"s1", "s2", tree.root}
        roots.add(tree.root)
        for node in tree.nodes.values():
            assert frozenset().union(*node.behind.values()) == {0, 1, 2}
            assert sum(map(len, node.behind.values())) == 3
    assert roots == {"s4", "s5"}, "the hash spreads roots over the spines"


def test_create_and_destroy_leave_no_trace() -> None:
    book = GroupBook(LEAF_SPINE)
    book.create(GroupRequest("stays", ("h1", "h4")))
    before = book.states()
    rng = random.Random(3)
    for round_ in range(200):
        members = tuple(rng.sample([f"h{i}" for i in range(1, 7)], rng.randint(1, 6)))
        grant = book.create(GroupRequest("a", members, 1 << rng.randint(0, 4)))
        assert grant.description.epoch == round_ + 2
        assert len(members) == 1 or grant.description.number == 2
        book.destroy("a")
    after = book.states()
    assert all(not len(difference(after[s], before[s])) for s in before)
    assert after == before


def test_slots_of_groups_do_not_overlap() -> None:
    book = GroupBook(LEAF_SPINE)
    grants = [book.create(GroupRequest(n, ("h1", "h2", "h3"))) for n in "abcde"]
    bases = [grant.slots["s1"] for grant in grants]
    assert bases == [0, 256, 512, 768, 1024]
    assert len({g.description.first_channel for g in grants}) == 5


@pytest.mark.parametrize(
    ("capability", "reason"),
    [
        (Capability(slots=128), "has no 256 free slots in a row"),
        (Capability(ack_rows=2), "has no 3 free ACK rows"),
        (Capability(fan_in=2), "has more than 2 neighbours"),
    ],
)
def test_what_does_not_fit_gets_number_zero(capability: Capability, reason: str) -> None:
    book = GroupBook(LEAF_SPINE, capability)
    before = book.states()
    grant = book.create(GroupRequest("a", ("h1", "h2", "h3")))
    assert grant.description.number == 0
    assert reason in grant.description.reason
    assert book.states() == before
    book.destroy("a")


def test_admission() -> None:
    book = GroupBook(LEAF_SPINE, admission=Admission.EDGE_DISJOINT)
    numbers = []
    for name in "abcdefgh":
        grant = book.create(GroupRequest(name, ("h1", "h3")))
        numbers.append(grant.description.number)
        if not grant.description.number:
            assert "belongs to another group" in grant.description.reason
    assert sorted(n for n in numbers if n) == [1, 2], "one per spine"
    book = GroupBook(LEAF_SPINE, groups_per_switch=1)
    assert book.create(GroupRequest("a", ("h1", "h3"))).description.number == 1
    refused = book.create(GroupRequest("b", ("h2", "h1")))
    assert refused.description.reason == "switch s1 serves 1 groups already"
    book.destroy("a")
    assert book.create(GroupRequest("c", ("h2", "h1"))).description.number == 1


@pytest.mark.parametrize(
    ("request_", "text"),
    [
        (GroupRequest("a", ("h1", "h9")), "no host h9 in topology"),
        (GroupRequest("a", ()), "at least one member"),
        (GroupRequest("a", ("h1", "h1")), "member twice"),
        (GroupRequest("a", ("h1", "h2"), 3), "window 3: give a power of two"),
    ],
)
def test_wrong_requests(request_: GroupRequest, text: str) -> None:
    with pytest.raises(GroupRejectedError, match=text):
        GroupBook(LEAF_SPINE).create(request_)
    with pytest.raises(GroupRejectedError, match="no such group"):
        GroupBook(LEAF_SPINE).destroy("a")
