# SPDX-License-Identifier: MIT
import pytest

import topologies
from controller import ControllerError, Routes, build_tree
from topologies import Topology


def ranks(topology: Topology) -> dict[str, int]:
    return {host.name: i for i, host in enumerate(topology.with_role("worker"))}


@pytest.mark.parametrize("name", topologies.names())
def test_routes_of_a_host_form_a_tree(name: str) -> None:
    topology = topologies.load(name)
    routes = Routes(topology)
    for host in topology.hosts:
        for switch in topology.switches:
            at, steps = switch.name, 0
            while at != host.name:
                at = routes.next_hop(at, host.name).peer.node
                steps += 1
                assert steps <= len(topology.switches)


def test_equal_ways_are_spread_over_hosts() -> None:
    routes = Routes(topologies.load("leaf-spine"))
    assert {routes.next_hop("s1", host).peer.node for host in ("h3", "h4")} == {"s4", "s5"}


def test_star() -> None:
    topology = topologies.load("star4")
    tree = build_tree(Routes(topology), ranks(topology), "ps")
    assert tree.root == "s1"
    node = tree.nodes["s1"]
    assert node.mask == 0b1111
    assert node.up.peer.node == "ps"
    assert [child.node for child in node.children] == ["h1", "h2", "h3", "h4"]


def test_two_racks_split_the_mask() -> None:
    topology = topologies.load("two-rack")
    tree = build_tree(Routes(topology), ranks(topology), "ps")
    assert {name: node.mask for name, node in tree.nodes.items()} == {
        "s1": 0x0F,
        "s2": 0xF0,
        "s3": 0xFF,
    }
    assert tree.root == "s3"
    assert all(not child.is_host for child in tree.nodes["s3"].children)


def test_leaf_spine_adds_up_in_the_spine_as_well() -> None:
    topology = topologies.load("leaf-spine")
    tree = build_tree(Routes(topology), ranks(topology), "ps")
    spine = tree.nodes["s3"].children[-1].node
    assert tree.nodes[spine].mask == 0b1111
    assert tree.nodes[spine].aggregates
    assert tree.nodes["s3"].mask == 0b111111


def test_job_within_one_rack_is_added_up_there() -> None:
    topology = topologies.load("two-rack")
    tree = build_tree(Routes(topology), {"h1": 0, "h2": 1}, "ps")
    assert tree.root == "s1"
    assert not tree.nodes["s3"].aggregates
    assert tree.aggregates_below("s3")


def test_one_worker_still_has_a_root() -> None:
    topology = topologies.load("two-rack")
    tree = build_tree(Routes(topology), {"h1": 0}, "ps")
    assert tree.root == "s3"


def test_no_worker_is_refused() -> None:
    with pytest.raises(ControllerError, match="at least one worker"):
        build_tree(Routes(topologies.load("star4")), {}, "ps")


def test_unreachable_host_is_named() -> None:
    topology = topologies.parse(
        {
            "hosts": {"h1": {}, "h2": {}},
            "switches": {"s1": {}, "s2": {}},
            "links": [["h1", "s1-p1"], ["h2", "s2-p1"]],
        },
        name="split",
    )
    with pytest.raises(ControllerError, match="s2: no way to host h1"):
        Routes(topology)
