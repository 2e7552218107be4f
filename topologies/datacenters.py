# SPDX-License-Identifier: MIT
"""Networks between datacenters, in the published format of the LCMP simulations.

Comments start with ``#``.  The first line is ``nodes switches DCIs links``, then come the ids of
the switches inside datacenters, the ids of the DCI switches, and a line ``a b rate delay loss`` per
link.  Hosts have the lowest ids.  A small JSON file names such a file and a scale::

    {"name": "dc8", "datacenters": "lcmp/topology_8dc.txt", "scale": 1000}

`scale` divides all rates, the sizes of flows and what queues may hold; delays stay as they are, so
that times compare with the published ones.  A datacenter becomes one DCI switch and one host,
which stands for all of the datacenter's hosts and has their addresses.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path

from topologies import addresses
from topologies.errors import TopologyError
from topologies.model import Endpoint, Host, Link, LinkModel, Switch, Topology
from topologies.units import parse_delay, parse_rate

HOST_PORT = 1
"""Port of a DCI switch towards its own datacenter; ports to other ones follow."""
QUEUE_PACKETS = 1_000_000
"""The published runs lose nothing to queues."""
PREFIX_LENGTH = 20
"""16 hosts of a datacenter have addresses that differ in 12 bits."""


def host_address(node: int) -> int:
    """The published IPv4 address of a host id."""
    return 0x0B000001 + (node // 256 << 16) + (node % 256 << 8)


@dataclass(frozen=True)
class InterLink:
    """A link between two DCI switches, by their indexes, unscaled."""

    a: int
    b: int
    rate_bps: int
    delay_us: int


@dataclass(frozen=True)
class DataCenters:
    """A network between datacenters; datacenter i of the file is at index i - 1.

    ``dci``: node id of each DCI switch.  ``hosts``: host ids of each datacenter.  ``cut_bps``: the
    narrowest rate between a datacenter's hosts and its DCI switch.  ``nic_bps``: rate of a host.
    """

    name: str
    dci: tuple[int, ...]
    hosts: tuple[tuple[int, ...], ...]
    links: tuple[InterLink, ...]
    cut_bps: int
    nic_bps: int
    scale: float = 1.0

    def datacenter(self, host: int) -> int:
        """Index of the datacenter of a host id.

        Raises:
            KeyError: there is no such host.
        """
        for index, members in enumerate(self.hosts):
            if host in members:
                return index
        raise KeyError(f"no host {host} in {self.name}")

    def prefix(self, index: int) -> int:
        """The address prefix of a datacenter's hosts."""
        return host_address(self.hosts[index][0]) & ~((1 << 32 - PREFIX_LENGTH) - 1)

    def ports(self) -> dict[tuple[int, int], int]:
        """(datacenter, neighbour) -> port: neighbours in the order of their ids."""
        towards: dict[int, list[int]] = {}
        for link in self.links:
            towards.setdefault(link.a, []).append(link.b)
            towards.setdefault(link.b, []).append(link.a)
        return {
            (index, peer): HOST_PORT + 1 + n
            for index, peers in towards.items()
            for n, peer in enumerate(sorted(peers))
        }

    def topology(self) -> Topology:
        """The scaled network: a switch ``s<i>`` and a host ``h<i>`` per datacenter."""
        numbers = range(1, len(self.dci) + 1)
        switches = tuple(Switch(f"s{n}", n, addresses.switch_mac(n)) for n in numbers)
        hosts = tuple(self._host(n) for n in numbers)
        model = self._model(self.cut_bps, 1)
        links = [Link(Endpoint(f"h{n}", 0), Endpoint(f"s{n}", HOST_PORT), model) for n in numbers]
        ports = self.ports()
        for link in self.links:
            a = Endpoint(f"s{link.a + 1}", ports[link.a, link.b])
            b = Endpoint(f"s{link.b + 1}", ports[link.b, link.a])
            links.append(Link(a, b, self._model(link.rate_bps, link.delay_us)))
        return Topology(self.name, hosts, switches, tuple(links))

    def _host(self, number: int) -> Host:
        first = IPv4Address(host_address(self.hosts[number - 1][0]))
        interface = IPv4Interface(f"{first}/{PREFIX_LENGTH}")
        gateway = addresses.gateway_of(interface)
        mac = f"08:00:00:00:{number:02x}:01"
        return Host(f"h{number}", interface, mac, gateway, addresses.switch_mac(number))

    def _model(self, rate_bps: int, delay_us: int) -> LinkModel:
        return LinkModel(round(rate_bps / self.scale), delay_us, QUEUE_PACKETS)


def read_datacenters(path: Path, name: str, scale: float = 1.0) -> DataCenters:
    """Read a file of the published format.

    Raises:
        TopologyError: no such file, or naming the line at fault.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TopologyError(
            error.strerror or str(error), source=path, hint="check the path"
        ) from None
    if scale <= 0:
        raise TopologyError(f"scale {scale:g}", source=path, hint="give a number above zero")
    lines = [
        (number, fields)
        for number, line in enumerate(text.splitlines(), 1)
        if (fields := line.split("#", 1)[0].split())
    ]
    return _Reader(path, name, scale).read(lines)


class _Reader:
    def __init__(self, path: Path, name: str, scale: float) -> None:
        self.path, self.name, self.scale = path, name, scale

    def fail(self, number: int, message: str, hint: str) -> TopologyError:
        return TopologyError(message, source=self.path, key=f"line {number}", hint=hint)

    def read(self, lines: list[tuple[int, list[str]]]) -> DataCenters:
        if len(lines) < 3:
            raise TopologyError("too short", source=self.path, hint="see topologies/datacenters.py")
        nodes, inside, dcis, count = self.integers(lines[0], 4)
        switches = self.integers(lines[1], inside)
        dci = self.integers(lines[2], dcis)
        links = [self.link(number, fields, nodes) for number, fields in lines[3:]]
        if len(links) != count:
            raise self.fail(
                lines[0][0], f"{count} links declared, {len(links)} found", "correct the number"
            )
        return self.assemble(set(switches), dci, links)

    def integers(self, line: tuple[int, list[str]], count: int) -> list[int]:
        number, fields = line
        try:
            values = [int(field) for field in fields]
        except ValueError:
            values = []
        if len(values) != count:
            raise self.fail(number, f"expected {count} node ids or counts", "correct the line")
        return values

    def link(self, number: int, fields: list[str], nodes: int) -> tuple[int, int, int, int]:
        try:
            a, b = int(fields[0]), int(fields[1])
            rate, delay = parse_rate(fields[2]), parse_delay(fields[3])
        except (ValueError, IndexError) as error:
            raise self.fail(number, str(error), "write 'a b rate delay loss'") from None
        for node in (a, b):
            if not 0 <= node < nodes:
                raise self.fail(number, f"unknown node {node}", f"ids go from 0 to {nodes - 1}")
        return a, b, rate, delay

    def assemble(
        self, inside: set[int], dci: list[int], links: list[tuple[int, int, int, int]]
    ) -> DataCenters:
        index = {node: i for i, node in enumerate(dci)}
        home = self.homes(index, links)
        members = tuple(
            tuple(sorted(n for n, i in home.items() if i == where and n not in inside))
            for where in range(len(dci))
        )
        if not all(members):
            empty = members.index(())
            raise TopologyError(
                f"DCI switch {dci[empty]} has no hosts", source=self.path, hint="connect some"
            )
        nics = [rate for a, b, rate, _ in links if not {a, b} <= inside | set(dci)]
        # A leaf's uplinks, a spine's uplinks: the narrower tier limits the datacenter.
        uplinks = self.tiers(inside, index, home, links)
        return DataCenters(
            self.name,
            tuple(dci),
            members,
            tuple(
                InterLink(min(index[a], index[b]), max(index[a], index[b]), rate, delay)
                for a, b, rate, delay in links
                if a in index and b in index
            ),
            min(uplinks, default=sum(nics) // len(dci)),
            min(nics),
            self.scale,
        )

    @staticmethod
    def homes(index: dict[int, int], links: Iterable[tuple[int, int, int, int]]) -> dict[int, int]:
        """Datacenter of each node but the DCI switches: the DCI that it reaches without others."""
        peers: dict[int, set[int]] = {}
        for a, b, _, _ in links:
            peers.setdefault(a, set()).add(b)
            peers.setdefault(b, set()).add(a)
        home: dict[int, int] = {}
        for node, where in index.items():
            todo = [node]
            while todo:
                for peer in peers.get(todo.pop(), ()):
                    if peer not in index and peer not in home:
                        home[peer] = where
                        todo.append(peer)
        return home

    @staticmethod
    def tiers(
        inside: set[int],
        index: dict[int, int],
        home: dict[int, int],
        links: list[tuple[int, int, int, int]],
    ) -> list[int]:
        """Rates of each datacenter's links between its switches, and from those to its DCI."""
        sums: dict[tuple[int, bool], int] = {}
        for a, b, rate, _ in links:
            outer = a in index or b in index
            if (a in inside or b in inside) and {a, b} <= inside | index.keys():
                where = home[a if a in home else b], outer
                sums[where] = sums.get(where, 0) + rate
        return list(sums.values())
