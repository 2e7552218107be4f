# SPDX-License-Identifier: GPL-2.0-only
"""Packet tests of the EPIC programs: RoCEv2 packets at one switch of a group's tree.

As in `scenario_scapy`, tables come from the controller's own `GroupBook` and frames from Scapy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Raw

import topologies
from controller.groups import GroupBook, GroupRequest
from hosts.collectives.description import Channel, Primitive, host_qp, switch_qp
from hosts.wire.esa import Op
from hosts.wire.esa_scapy import AETH, BTH, ESAValues
from hosts.wire.internet import ROCE_UDP_PORT
from tests.p4src.scenario_scapy import star, stf_tables
from topologies import Topology

LANES = 32
EVENTS = "IncaIngress.channel_events.events"
SUM = Channel(Primitive.ALLREDUCE)
WRONG_GROUP = Channel(Primitive.REDUCE, Op.SUM, 99)


@dataclass(frozen=True)
class Roce:
    """A packet of a channel. `peer` is the neighbour that it comes from, or goes to."""

    peer: str
    psn: int = 0
    values: Sequence[int] = ()
    channel: Channel = SUM
    ack: bool = False
    syndrome: int = 0x1F
    opcode: int | None = None
    icrc: int = 0

    def but(self, **changes: object) -> Roce:
        """The same with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]


def data(peer: str, psn: int, *values: int, **fields: object) -> Roce:
    """A contribution, sum or copy."""
    return Roce(peer, psn, values).but(**fields)


def ack(peer: str, psn: int, **fields: object) -> Roce:
    """All up to this PSN has arrived."""
    return Roce(peer, psn, ack=True).but(**fields)


@dataclass
class EpicScenario:
    """Steps of one packet test on one switch."""

    title: str
    book: GroupBook
    switch: str = "s1"
    lines: list[str] = field(default_factory=list)

    @property
    def topology(self) -> Topology:
        """The network around the switch."""
        return self.book.topology

    def note(self, text: str) -> None:
        """A comment in the STF file."""
        self.lines.append(f"# {text}")

    def send(self, packet: Roce, epoch: int = 1) -> None:
        """Inject a packet as its neighbour sends it."""
        self.raw(self._port(packet.peer), self.frame(packet, epoch))

    def raw(self, port: int, frame: bytes) -> None:
        """Inject any bytes."""
        self.lines.append(f"packet {port} {frame.hex()}")

    def expect(self, packet: Roce, *peers: str) -> None:
        """Expect a packet at a neighbour, or copies at several."""
        for peer in peers or (packet.peer,):
            frame = self._frame(packet.but(peer=peer), 1, outward=True)
            self.lines.append(f"expect {self._port(peer)} {frame.hex()}$")

    def silence(self) -> None:
        """Expect nothing more on any port."""
        self.lines.append("no_packet")

    def counted(self, event: int, packets: int, channel: Channel | None = SUM) -> None:
        """Expect a channel's counter; None: that of packets without one."""
        index = 0 if channel is None else self._number(channel)
        self.lines.append(f"counter_check {EVENTS} {index * 16 + event} packets == {packets}")

    def frame(self, packet: Roce, epoch: int = 1) -> bytes:
        """The bytes of a packet as its neighbour sends it."""
        return self._frame(packet, epoch, outward=False)

    def text(self) -> str:
        """The STF file."""
        head = [
            "# SPDX-License-Identifier: MIT",
            f"# {self.title}",
            "# Written by `python -m tests.p4src.generate`.",
        ]
        tables = stf_tables(self.book.states()[self.switch])
        return "\n".join([*head, *tables, *self.lines, ""])

    def _port(self, peer: str) -> int:
        ports = self.topology.ports(self.switch).items()
        return next(port for port, end in ports if end.node == peer)

    def _number(self, channel: Channel) -> int:
        group = self.book.grants["a"].description
        if channel == WRONG_GROUP:
            return group.first_channel + 1000
        return group.first_channel + group.channels.index(channel)

    def _frame(self, packet: Roce, epoch: int, outward: bool) -> bytes:
        own = self.topology.switch(self.switch)
        number = self._number(packet.channel)
        if self.topology.is_host(packet.peer):
            host = self.topology.host(packet.peer)
            here, there = (own.mac, host.gateway), (host.mac, host.ip)
            out_qp = host_qp(epoch, number)
        else:
            peer = self.topology.switch(packet.peer)
            here = (own.mac, f"169.254.0.{own.device_id}")
            there = (peer.mac, f"169.254.0.{peer.device_id}")
            out_qp = switch_qp(epoch, number)
        if outward:
            return self._bytes(packet, here, there, out_qp)
        return self._bytes(packet, there, here, switch_qp(epoch, number))

    def _bytes(
        self, packet: Roce, source: tuple[str, str], target: tuple[str, str], qp: int
    ) -> bytes:
        ether = Ether(src=source[0], dst=target[0])
        ip = IP(src=source[1], dst=target[1], flags="DF", id=0)
        udp = UDP(sport=ROCE_UDP_PORT, dport=ROCE_UDP_PORT, chksum=0)
        opcode = packet.opcode if packet.opcode is not None else 0x11 if packet.ack else 0x04
        bth = BTH(opcode=opcode, dest_qp=qp, psn=packet.psn, ack_req=not packet.ack)
        icrc = Raw(packet.icrc.to_bytes(4, "big"))
        if packet.ack:
            aeth = AETH(syndrome=packet.syndrome, msn=(packet.psn + 1) % (1 << 24))
            return bytes(ether / ip / udp / bth / aeth / icrc)
        padded = [*packet.values, *[0] * (LANES - len(packet.values))]
        return bytes(ether / ip / udp / bth / ESAValues(values=padded) / icrc)


def single_switch(title: str, members: int = 3, window: int = 4) -> EpicScenario:
    """All members at one switch, which is the root."""
    book = GroupBook(star(members))
    book.create(GroupRequest("a", tuple(f"h{i}" for i in range(1, members + 1)), window))
    return EpicScenario(title, book)


def leaf(title: str, switch: str = "s1") -> EpicScenario:
    """h1 and h2 below s1, h3 and h4 below s2, s3 above both."""
    links = [["h1", "s1-p1"], ["h2", "s1-p2"], ["h3", "s2-p1"], ["h4", "s2-p2"]]
    topology = topologies.parse(
        {
            "hosts": {f"h{i}": {} for i in range(1, 5)},
            "switches": {"s1": {}, "s2": {}, "s3": {}},
            "links": [*links, ["s1-p3", "s3-p1"], ["s2-p3", "s3-p2"]],
        },
        name="two-tier",
    )
    book = GroupBook(topology)
    book.create(GroupRequest("a", ("h1", "h2", "h3", "h4"), 4))
    return EpicScenario(title, book, switch)
