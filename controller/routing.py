# SPDX-License-Identifier: MIT
"""Ways through a network: a next hop for each switch and destination host.

Ways to one host form a tree, since each switch has one next hop and comes nearer by it; the tree
of a job is the part of its parameter server's tree that its workers use.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

import networkx as nx

from controller.desired import SwitchState, row
from controller.errors import ControllerError
from topologies import Endpoint, Host, Topology

IPV4_LPM = "IncaIngress.ipv4_forward.ipv4_lpm"


def mac_value(mac: str) -> int:
    """``"08:00:00:00:01:00"`` as an int."""
    return int(mac.replace(":", ""), 16)


def ip_value(ip: str) -> int:
    """``"10.0.1.1"`` as an int."""
    return int(IPv4Address(ip))


@dataclass(frozen=True)
class Hop:
    """The next step of a way."""

    port: int
    """Port of the switch that the packet leaves by."""
    peer: Endpoint
    """Where it arrives."""
    mac: str
    """Address of that neighbour."""


class Routes:
    """Next hops of a topology, computed once.

    Where several neighbours are equally near, the hosts are spread over them in the order of the
    topology file.

    Raises:
        ControllerError: a host cannot be reached from some switch.
    """

    def __init__(self, topology: Topology) -> None:
        self.topology = topology
        self._switches = nx.Graph()
        self._switches.add_nodes_from(s.name for s in topology.switches)
        for link in topology.links:
            if not topology.is_host(link.a.node) and not topology.is_host(link.b.node):
                self._switches.add_edge(link.a.node, link.b.node)
        self._hops = {
            host.name: self._towards(host, index) for index, host in enumerate(topology.hosts)
        }

    def next_hop(self, switch: str, host: str) -> Hop:
        """The step from a switch towards a host."""
        return self._hops[host][switch]

    def table(self, switch: str) -> SwitchState:
        """The forwarding rows of one switch: a /32 for each host."""
        return SwitchState(
            rows=dict(
                row(
                    IPV4_LPM,
                    [("hdr.ipv4.dst_addr", (ip_value(host.ip), 32))],
                    "IncaIngress.ipv4_forward.route",
                    dst_addr=mac_value(self.next_hop(switch, host.name).mac),
                    port=self.next_hop(switch, host.name).port,
                )
                for host in self.topology.hosts
            )
        )

    def _towards(self, host: Host, index: int) -> dict[str, Hop]:
        attachment = self.topology.attachment(host.name)
        distance = nx.single_source_shortest_path_length(self._switches, attachment.node)
        hops = {
            attachment.node: Hop(attachment.port, Endpoint(host.name, 0), host.mac),
        }
        for switch in self.topology.switches:
            if switch.name == attachment.node:
                continue
            if switch.name not in distance:
                raise ControllerError(
                    f"no way to host {host.name}",
                    where=switch.name,
                    hint="connect the switches in the topology file",
                )
            nearer = [
                Hop(port, peer, self.topology.switch(peer.node).mac)
                for port, peer in self.topology.ports(switch.name).items()
                if distance.get(peer.node, distance[switch.name]) < distance[switch.name]
            ]
            hops[switch.name] = nearer[index % len(nearer)]
        return hops
