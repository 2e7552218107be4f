# SPDX-License-Identifier: MIT
import json
from typing import Any

import pytest

import topologies
from topologies import Endpoint, LinkModel, TopologyError, parse


def document(**changes: Any) -> dict[str, Any]:
    base: dict[str, Any] = {
        "hosts": {"h1": {}, "h2": {}},
        "switches": {"s1": {}, "s2": {}},
        "links": [["h1", "s1-p1"], ["h2", "s2-p1"], ["s1-p2", "s2-p2"]],
    }
    return {**base, **changes}


@pytest.mark.parametrize("name", topologies.names())
def test_every_shipped_topology_is_valid_and_connected(name: str) -> None:
    topology = topologies.load(name)
    reached = {topology.hosts[0].name}
    todo = list(reached)
    while todo:
        node = todo.pop()
        peers = {link.peer(node).node for link in topology.links_of(node)}
        todo += peers - reached
        reached |= peers
    assert reached == {n.name for n in (*topology.hosts, *topology.switches)}
    if not name.startswith("dc"):  # networks between datacenters are for multipath
        assert topology.with_role("ps")
        assert topology.with_role("worker")


def test_star4_is_four_workers_one_switch_one_ps() -> None:
    star = topologies.load("star4")
    assert [h.name for h in star.with_role("worker")] == ["h1", "h2", "h3", "h4"]
    assert [h.name for h in star.with_role("ps")] == ["ps"]
    assert [s.name for s in star.switches] == ["s1"]


def test_addresses_are_derived_from_the_switch_and_the_place_on_it() -> None:
    topology = parse(document())
    h2 = topology.host("h2")
    assert (str(h2.interface), h2.mac) == ("10.0.2.1/24", "08:00:00:00:02:01")
    assert (h2.gateway, h2.gateway_mac) == ("10.0.2.254", topology.switch("s2").mac)


def test_tutorials_file_with_positional_latency_and_bandwidth() -> None:
    topology = parse(
        {
            "hosts": {
                "h1": {
                    "ip": "10.0.1.1/24",
                    "mac": "08:00:00:00:01:11",
                    "commands": ["route add default gw 10.0.1.10 dev eth0"],
                },
                "h2": {"ip": "10.0.2.2/24", "mac": "08:00:00:00:02:22"},
            },
            "switches": {"s1": {"runtime_json": "s1-runtime.json"}, "s2": {}},
            "links": [["h1", "s1-p1"], ["s1-p3", "s2-p3", "5ms", 0.5], ["h2", "s2-p1", 2]],
        }
    )
    assert topology.host("h1").commands == ("route add default gw 10.0.1.10 dev eth0",)
    assert topology.links[1].model == LinkModel(delay_us=5000, rate_bps=500_000)
    assert topology.links[2].model == LinkModel(delay_us=2000)


def test_link_options_apply_after_positional_values() -> None:
    options = {"rate": "100Mbit", "queue": 64, "loss": "1%", "duplicate": 0.02, "seed": 7}
    topology = parse(document(links=[["h1", "s1-p1", "200us", options], ["h2", "s1-p2"]]))
    assert topology.links[0].model == LinkModel(
        rate_bps=100_000_000,
        delay_us=200,
        queue_packets=64,
        loss=0.01,
        duplicate=0.02,
        seed=7,
    )
    assert topology.links[1].model == LinkModel()


def test_ports_and_attachment_see_both_ends() -> None:
    topology = parse(document())
    assert topology.ports("s1") == {1: Endpoint("h1", 0), 2: Endpoint("s2", 2)}
    assert topology.attachment("h2") == Endpoint("s2", 1)
    assert [h.name for h in topology.hosts_of("s2")] == ["h2"]


@pytest.mark.parametrize(
    ("changes", "key", "words"),
    [
        ({"links": [["h9", "s1-p1"]]}, "links[0]", "unknown host 'h9'"),
        ({"links": [["h1", "s9-p1"]]}, "links[0]", "unknown switch 's9'"),
        ({"links": [["h1", "s1-p1"], ["h2", "s1-p1"]]}, "links[1]", "s1-p1 is taken by links[0]"),
        ({"links": [["h1", "s1-p1"], ["h1", "s1-p2"]]}, "links[1]", "h1 is taken by links[0]"),
        ({"links": [["h1", "h2"]]}, "links[0]", "needs a switch"),
        ({"links": [["s1-p1", "s1-p2"]]}, "links[0]", "both ends are at s1"),
        ({"links": [["h1", "s1"]]}, "links[0]", "lacks a port"),
        ({"links": [["h1", "s1-p0"]]}, "links[0]", "bad port 0"),
        ({"links": [["h1"]]}, "links[0]", "two ends"),
        ({"links": {"h1": "s1"}}, "links", "expected a list"),
        ({"links": [["h1", "s1-p1"]]}, "hosts.h2", "no link"),
        ({"links": [["h1", "s1-p1", "5 parsec"]]}, "links[0]", "unknown unit 'parsec'"),
        ({"links": [["h1", "s1-p1", {"rate": 0}]]}, "links[0].rate", "more than zero"),
        ({"links": [["h1", "s1-p1", {"loss": 2}]]}, "links[0].loss", "between 0 and 1"),
        ({"links": [["h1", "s1-p1", {"queue": -1}]]}, "links[0].queue", "above zero"),
        ({"links": [["h1", "s1-p1", {"los": 1}]]}, "links[0].los", "did you mean 'loss'"),
        ({"links": [["h1", "s1-p1", 5, {"delay": 5}]]}, "links[0].delay", "given twice"),
        ({"hosts": {"h1": {"ip": "10.0.0.300"}, "h2": {}}}, "hosts.h1.ip", "10.0.0.300"),
        ({"hosts": {"h1": {"mac": "no"}, "h2": {}}}, "hosts.h1.mac", "bad MAC"),
        ({"hosts": {"h1": {"ip": "10.0.2.1"}, "h2": {}}}, "hosts.h2.ip", "taken by hosts.h1"),
        ({"hosts": {"h1": {}, "h2": {}, "s1": {}}}, "hosts.s1", "a switch too"),
        (
            {"hosts": {"h1": {}, "h2": {}, "far-too-long": {}}},
            "hosts.far-too-long",
            "bad node name",
        ),
        ({"switches": {"s1": {"device_id": 2}, "s2": {}}}, "switches.s2.device_id", "taken"),
        ({"swiches": {}}, "swiches", "did you mean 'switches'"),
    ],
)
def test_a_fault_is_one_line_that_names_the_key(
    changes: dict[str, Any], key: str, words: str
) -> None:
    with pytest.raises(TopologyError) as caught:
        parse(document(**changes))
    assert caught.value.key == key
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_error_names_the_file(tmp_path: Any) -> None:
    path = tmp_path / "net.json"
    with pytest.raises(TopologyError, match=r"net\.json: No such file"):
        topologies.load(path)
    path.write_text("{")
    with pytest.raises(TopologyError, match=r"net\.json: not JSON: .*line 1"):
        topologies.load(path)
    path.write_text(json.dumps(document(links=[["h9", "s1-p1"]])))
    with pytest.raises(TopologyError, match=r"net\.json: links\[0\]: unknown host 'h9'"):
        topologies.load(path)


def test_an_unknown_name_suggests_one() -> None:
    with pytest.raises(TopologyError, match="did you mean 'star4'"):
        topologies.load("star5")
