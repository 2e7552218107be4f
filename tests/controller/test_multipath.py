# SPDX-License-Identifier: MIT
"""Candidates and scores of the networks between datacenters, against published routing tables."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

import topologies
from controller import multipath_rows as rows
from controller.errors import ControllerError
from controller.multipath import MultipathOptions, Ways, delay_shift, options_for, states
from hosts.multipath.decision import Policy

DATA = Path(__file__).parents[1] / "data/lcmp"


def published(number: int) -> dict[tuple[int, int], list[int]]:
    """(switch, destination datacenter) -> next hops, between DCI switches; all from 0."""
    network = topologies.load_datacenters(f"dc{number}")
    index = {node: i for i, node in enumerate(network.dci)}
    found = {}
    with gzip.open(DATA / f"routing_table_{number}DC.csv.gz", "rt") as text:
        for row in csv.DictReader(text):
            source, host = int(row["src_id"]), int(row["dst_id"])
            hops = [int(hop) for hop in row["next_hop_id"].split(";")]
            if source in index and hops[0] in index:
                found[index[source], network.datacenter(host)] = [index[hop] for hop in hops]
    return found


@pytest.mark.parametrize("number", [8, 13])
def test_candidates_and_their_order_are_the_published_ones(number: int) -> None:
    ways = Ways(topologies.load_datacenters(f"dc{number}"))
    table = published(number)
    assert len(table) == number * (number - 1)
    for (source, destination), hops in table.items():
        assert [w.next_hop for w in ways.candidates(source, destination)] == hops


def test_ways_of_the_13_datacenters() -> None:
    """Delays and rates of section 4.3 of the design reference, DC3 to DC13."""
    ways = Ways(topologies.load_datacenters("dc13")).candidates(2, 12)
    assert {w.next_hop + 1: (w.delay_us // 1000, w.rate_bps // 10**9) for w in ways} == {
        7: (26, 200),
        5: (16, 200),
        6: (4, 100),
        2: (4, 40),
    }


def test_full_scale_of_delays() -> None:
    assert delay_shift(topologies.load_datacenters("dc8")) == 9
    assert delay_shift(topologies.load_datacenters("dc13")) == 5


@pytest.mark.parametrize("name", ["dc8", "dc13"])
@pytest.mark.parametrize("k", [1, 3, 8])
def test_first_hops_never_lead_back(name: str, k: int) -> None:
    network = topologies.load_datacenters(name)
    ways = Ways(network)
    count = len(network.dci)
    for destination in range(count):
        for source in range(count):
            seen, todo = set(), [source]
            while todo:  # whatever each switch chooses, nobody comes back
                node = todo.pop()
                if node == destination:
                    continue
                hops = [w.next_hop for w in ways.candidates(node, destination, k)]
                assert 1 <= len(hops) <= k
                assert source not in hops
                todo += [hop for hop in hops if hop not in seen]
                seen.update(hops)


def published_scores() -> dict[int, int]:
    """First hop -> static score of DC1's links at a full scale of 512 ms."""
    with (DATA / "static_cost_table_8DC.csv").open() as text:
        return {
            int(row["transit_DC"]): int(row["C_static(w_dl=3,w_bw=1,>>2)"])
            for row in csv.DictReader(text)
            if row["topology"].startswith("T_A") and row["MAX_DELAY_SHIFT"] == "9"
        }


@pytest.mark.parametrize("parity", [True, False])
def test_scores_of_both_modes(parity: bool) -> None:
    network = topologies.load_datacenters("dc8")
    options = options_for(network, Policy.LCMP, parity=parity)
    state = states(network, options)["s1"]
    args = dict(state.rows[rows.remote_key(network.prefix(7), 20)].args)
    # DC7 .. DC2: 25, 25, 100, 100, 200, 200 Gbit/s
    assert [args[f"weight_{i}"] for i in range(6)] == [1, 1, 4, 4, 8, 8]
    scores = {dc: args[f"path_{i}"] for i, dc in enumerate((7, 6, 5, 4, 3, 2))}
    if parity:
        assert scores == published_scores()
    else:  # twice the delay: 100 ms at 25G make (3 * (100 * 255 >> 9) + 255) >> 2
        assert scores[7] == 100
        assert all(scores[dc] > score for dc, score in published_scores().items())


def test_a_dead_link_leaves_masks_and_routes() -> None:
    network = topologies.load_datacenters("dc8")
    options = options_for(network, Policy.LCMP, parity=False)
    after = states(network, options, [(3, 0)])
    port = network.ports()[0, 3]
    mask = dict(after["s1"].defaults[rows.CONFIG].args)["live_mask"]
    assert mask == rows.ALL_LIVE & ~(1 << port)
    # DC8 does not send to DC1 by DC4 any more, although its own link there is up.
    back = dict(after["s8"].rows[rows.remote_key(network.prefix(0), 20)].args)
    assert back["candidates"] == 5
    assert network.ports()[7, 3] not in [back[f"port_{i}"] for i in range(5)]


def test_an_unreachable_datacenter_is_one_clear_line() -> None:
    network = topologies.load_datacenters("dc13")
    with pytest.raises(ControllerError, match="s1: unreachable destination: datacenter 13"):
        states(network, MultipathOptions(), [(11, 12)])
