# SPDX-License-Identifier: MIT
"""The tree of a group: its switches, and who is behind each of their ports.

Only as high as needed: the root is one of the switches nearest to all members' leaves, chosen by
a hash of the group's name; so are the parents where several are equally near.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32

import networkx as nx

from controller.errors import ControllerError
from topologies import Endpoint, Topology


@dataclass(frozen=True)
class GroupNode:
    """One switch of a group's tree.

    Attributes:
        parent: port towards the root; None at the root.
        neighbours: every port of the tree -> the other end.
        behind: the same ports -> ranks that are reached by them.
    """

    switch: str
    parent: int | None
    neighbours: Mapping[int, Endpoint]
    behind: Mapping[int, frozenset[int]]

    def child(self, port: int) -> int:
        """Number of a neighbour: the bit it has in bitmaps."""
        return list(self.neighbours).index(port)

    def towards(self, rank: int) -> int:
        """The port that leads to a rank."""
        return next(port for port, ranks in self.behind.items() if rank in ranks)

    def others(self, port: int | None) -> tuple[int, ...]:
        """All ports but one."""
        return tuple(p for p in self.neighbours if p != port)


@dataclass(frozen=True)
class CollectiveTree:
    """The switches of a group."""

    root: str
    nodes: Mapping[str, GroupNode]

    @property
    def edges(self) -> frozenset[frozenset[str]]:
        """Links between switches, as pairs of names."""
        return frozenset(
            frozenset((node.switch, node.neighbours[node.parent].node))
            for node in self.nodes.values()
            if node.parent is not None
        )


def build_collective_tree(topology: Topology, members: Sequence[str], name: str) -> CollectiveTree:
    """The tree of a group.

    Raises:
        ControllerError: no switch reaches all members.
    """
    graph = nx.Graph()
    graph.add_nodes_from(switch.name for switch in topology.switches)
    for switch in topology.switches:
        for peer in topology.ports(switch.name).values():
            if not topology.is_host(peer.node):
                graph.add_edge(switch.name, peer.node)
    leaves = sorted({topology.attachment(host).node for host in members})
    draw = crc32(name.encode())
    root = _root(graph, leaves, draw)
    distance = nx.single_source_shortest_path_length(graph, root)
    parents: dict[str, int | None] = {root: None}
    for leaf in leaves:
        at = leaf
        while at not in parents:
            nearer = [
                port
                for port, peer in topology.ports(at).items()
                if not topology.is_host(peer.node) and distance[peer.node] < distance[at]
            ]
            port = nearer[draw % len(nearer)]
            parents[at] = port
            at = topology.ports(at)[port].node
    return CollectiveTree(root, _nodes(topology, members, parents))


def _root(graph: nx.Graph, leaves: Sequence[str], draw: int) -> str:
    ways = [nx.single_source_shortest_path_length(graph, leaf) for leaf in leaves]
    common = [switch for switch in graph if all(switch in way for way in ways)]
    if not common:
        raise ControllerError(
            f"no switch reaches all of {', '.join(leaves)}", hint="connect them in the topology"
        )
    cost = {s: (max(way[s] for way in ways), sum(way[s] for way in ways)) for s in common}
    lowest: list[str] = sorted(s for s in common if cost[s] == min(cost.values()))
    return lowest[draw % len(lowest)]


def _nodes(
    topology: Topology, members: Sequence[str], parents: Mapping[str, int | None]
) -> dict[str, GroupNode]:
    everybody = frozenset(range(len(members)))
    below: dict[str, dict[int, frozenset[int]]] = {switch: {} for switch in parents}
    for rank, host in enumerate(members):
        at = topology.attachment(host)
        while True:
            ranks = below[at.node]
            ranks[at.port] = ranks.get(at.port, frozenset()) | {rank}
            up = parents[at.node]
            if up is None:
                break
            at = topology.ports(at.node)[up]
    nodes = {}
    for switch, parent in parents.items():
        behind = below[switch]
        if parent is not None:
            behind[parent] = everybody - frozenset().union(*behind.values())
        ports = topology.ports(switch)
        nodes[switch] = GroupNode(
            switch,
            parent,
            {port: ports[port] for port in sorted(behind)},
            {port: behind[port] for port in sorted(behind)},
        )
    return nodes
