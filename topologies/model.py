# SPDX-License-Identifier: MIT
"""What a network is, as frozen values: nothing here touches the machine."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Interface
from pathlib import Path

FAULTS = ("loss", "duplicate", "reorder", "corrupt")
"""What a link may do to a packet; each is a field of `LinkModel`."""


@dataclass(frozen=True)
class LinkModel:
    """How a link behaves; both directions alike.

    The switch port at the sending end applies rate, delay and queue; a switch
    port at either end applies the faults of both directions.
    """

    rate_bps: int | None = None
    """Bits per second; None: as fast as the machine."""
    delay_us: int = 0
    """Propagation delay, microseconds."""
    queue_packets: int | None = None
    """Depth of the queue in packets; None: the target's default."""
    loss: float = 0.0
    duplicate: float = 0.0
    reorder: float = 0.0
    corrupt: float = 0.0
    """Probabilities per packet and direction."""
    seed: int | None = None
    """Seed of the faults; None: derived from the run's seed and the link's index."""

    @property
    def faulty(self) -> bool:
        """Whether any fault has a probability above zero."""
        return any(getattr(self, fault) for fault in FAULTS)


@dataclass(frozen=True)
class Host:
    """A host: one namespace with one interface, ``eth0``."""

    name: str
    interface: IPv4Interface
    mac: str
    gateway: str
    """IP address of the default gateway, on the host's switch."""
    gateway_mac: str
    role: str = ""
    """What an experiment uses the host for, for example ``worker`` or ``ps``."""
    commands: tuple[str, ...] = ()
    """Shell commands to run in the host once it is up."""

    @property
    def ip(self) -> str:
        """The address without its prefix length."""
        return str(self.interface.ip)


@dataclass(frozen=True)
class Switch:
    """A switch; ports are numbered from 1."""

    name: str
    device_id: int
    mac: str
    """The router's address: what hosts' default gateway resolves to."""
    cpu_port: int | None = None
    priority_queues: int = 1
    program: Path | None = None
    runtime_json: Path | None = None


@dataclass(frozen=True)
class Endpoint:
    """One end of a link: a node and a port number (0 for a host)."""

    node: str
    port: int

    def __str__(self) -> str:
        return f"{self.node}-p{self.port}" if self.port else self.node


@dataclass(frozen=True)
class Link:
    """A link between two nodes, at least one of them a switch."""

    a: Endpoint
    b: Endpoint
    model: LinkModel = LinkModel()

    @property
    def name(self) -> str:
        """For records and tables, for example ``h1 - s1-p1``."""
        return f"{self.a} - {self.b}"

    def end(self, node: str) -> Endpoint:
        """This link's end at a node."""
        return self.a if self.a.node == node else self.b

    def peer(self, node: str) -> Endpoint:
        """The end that is not at a node."""
        return self.b if self.a.node == node else self.a


@dataclass(frozen=True)
class Topology:
    """A network: hosts, switches and links, in the order of the file."""

    name: str
    hosts: tuple[Host, ...]
    switches: tuple[Switch, ...]
    links: tuple[Link, ...]
    source: Path | None = field(default=None, compare=False)

    def host(self, name: str) -> Host:
        """The host of that name.

        Raises:
            KeyError: there is none.
        """
        for host in self.hosts:
            if host.name == name:
                return host
        raise KeyError(f"no host {name!r} in topology {self.name}")

    def switch(self, name: str) -> Switch:
        """The switch of that name.

        Raises:
            KeyError: there is none.
        """
        for switch in self.switches:
            if switch.name == name:
                return switch
        raise KeyError(f"no switch {name!r} in topology {self.name}")

    def is_host(self, name: str) -> bool:
        """Whether a node is a host."""
        return any(h.name == name for h in self.hosts)

    def with_role(self, role: str) -> tuple[Host, ...]:
        """The hosts of one role, in the order of the file."""
        return tuple(h for h in self.hosts if h.role == role)

    def links_of(self, node: str) -> Iterator[Link]:
        """The links that end at a node, in the order of the file."""
        return (link for link in self.links if node in (link.a.node, link.b.node))

    def ports(self, switch: str) -> dict[int, Endpoint]:
        """Port number of a switch -> the end at the other side of its link."""
        links = self.links_of(switch)
        by_port = {link.end(switch).port: link.peer(switch) for link in links}
        return dict(sorted(by_port.items()))

    def attachment(self, host: str) -> Endpoint:
        """The switch port that a host is connected to."""
        return next(self.links_of(host)).peer(host)

    def hosts_of(self, switch: str) -> tuple[Host, ...]:
        """The hosts connected to a switch, in the order of the file."""
        return tuple(h for h in self.hosts if self.attachment(h.name).node == switch)
