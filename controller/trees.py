# SPDX-License-Identifier: MIT
"""The aggregation tree of a job: which switch adds up what, and where copies go.

The parameter server is the root. Each switch on the way of some worker is a node; one with at
least two children that carry workers adds their contributions up, the others relay. (Section
1.10 of the design: worker bits are global to the job, each switch has its own mask.)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controller.errors import ControllerError
from controller.routing import Hop, Routes


@dataclass(frozen=True)
class Child:
    """What hangs below a switch at one port."""

    port: int
    node: str
    """A worker's host name, or a switch."""
    is_host: bool
    mask: int
    """Bits of the workers behind it."""


@dataclass(frozen=True)
class TreeNode:
    """One switch of a job's tree."""

    switch: str
    up: Hop
    """The step towards the parameter server."""
    children: tuple[Child, ...]
    aggregates: bool

    @property
    def mask(self) -> int:
        """Bits of the workers below this switch."""
        return sum(child.mask for child in self.children)


@dataclass(frozen=True)
class AggregationTree:
    """The switches of a job, keyed by name; `root` is the one that sees every worker first.

    The root is the aggregating switch nearest to the workers whose mask is the whole job. Result
    packets that need not pass the parameter server leave from it.
    """

    nodes: Mapping[str, TreeNode]
    root: str

    def aggregates_below(self, switch: str) -> bool:
        """Whether a switch, or one below it, holds slots."""
        node = self.nodes[switch]
        return node.aggregates or any(
            self.aggregates_below(child.node) for child in node.children if not child.is_host
        )


def build_tree(routes: Routes, ranks: Mapping[str, int], server: str) -> AggregationTree:
    """The tree of a job.

    Args:
        routes: the network's routes; the tree follows those to the server.
        ranks: worker host -> bit number.
        server: host of the parameter server.

    Raises:
        ControllerError: no worker.
    """
    if not ranks:
        raise ControllerError("a job needs at least one worker")
    behind: dict[str, dict[int, Child]] = {}
    up: dict[str, Hop] = {}
    for host, rank in ranks.items():
        attachment = routes.topology.attachment(host)
        switch, port, node, is_host = attachment.node, attachment.port, host, True
        while True:
            up[switch] = routes.next_hop(switch, server)
            below = behind.setdefault(switch, {})
            mask = below[port].mask if port in below else 0
            below[port] = Child(port, node, is_host, mask | 1 << rank)
            if up[switch].peer.node == server:
                break
            node, is_host = switch, False
            switch, port = up[switch].peer.node, up[switch].peer.port
    full = sum(1 << rank for rank in ranks.values())
    nodes = {
        switch: TreeNode(
            switch, up[switch], tuple(below[port] for port in sorted(below)), len(below) > 1
        )
        for switch, below in behind.items()
    }
    return _with_root(nodes, full, server)


def _with_root(nodes: dict[str, TreeNode], full: int, server: str) -> AggregationTree:
    roots = [n for n in nodes.values() if n.aggregates and n.mask == full]
    if roots:
        return AggregationTree(nodes, roots[0].switch)
    # A job of one worker has nothing to add, but its result still comes from the last switch.
    last = next(n for n in nodes.values() if n.up.peer.node == server)
    nodes[last.switch] = TreeNode(last.switch, last.up, last.children, True)
    return AggregationTree(nodes, last.switch)
