# SPDX-License-Identifier: GPL-2.0-only
"""Packet tests as Python: steps that are written out as an STF file.

The switch's tables come from the controller's own `JobBook`, frames from the Scapy layers, so the
STF files, which any STF runner can execute, need nobody to count bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

import topologies
from controller.aggregation import EVENTS, AggregatorConfig, Event, JobPlan
from controller.desired import SwitchState
from controller.inprocess import stf_tables
from controller.jobs import JobBook, JobGrant, JobRequest
from hosts.wire.esa import ESA_UDP_PORT, NO_WORKER, Flag, MessageType, Op
from hosts.wire.esa_scapy import ESA, ESAValues
from topologies import Topology

LANES = 32
CPU_PORT = 510
NO_FLAG = Flag(0)


def star(workers: int, servers: int = 1) -> Topology:
    """h1..hN at ports 1..N of s1, then ps1..psM."""
    names = [f"h{i}" for i in range(1, workers + 1)] + [f"ps{i}" for i in range(1, servers + 1)]
    return topologies.parse(
        {
            "hosts": {name: {} for name in names},
            "switches": {"s1": {}},
            "links": [[name, f"s1-p{port}"] for port, name in enumerate(names, 1)],
        },
        name=f"star{workers}",
    )


@dataclass(frozen=True)
class Agg:
    """An aggregation packet, before it gets addresses."""

    job: int = 1
    seq: int = 1
    bitmap: int = 1
    values: Sequence[int] = ()
    kind: MessageType = MessageType.GRAD
    flags: Flag = NO_FLAG
    prio: int = 1
    exp: int = 0
    worker: int = NO_WORKER
    op: int = Op.SUM
    iter: int = 0
    layer: int = 0
    round: int = 0
    len: int = LANES
    ver: int = 1
    src: str = ""
    dst: str = ""
    ttl: int = 64

    def but(self, **changes: object) -> Agg:
        """The same with other fields."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def payload(self) -> ESA:
        """Header and values."""
        padded = [*self.values, *[0] * (LANES - len(self.values))]
        header = ESA(
            ver=self.ver,
            msg_type=self.kind,
            flags=int(self.flags),
            job=self.job,
            seq=self.seq,
            bitmap=self.bitmap,
            prio=self.prio,
            exp=self.exp,
            src_worker=self.worker,
            op=self.op,
            iter=self.iter,
            layer=self.layer,
            round=self.round,
            len=self.len,
        )
        return header / ESAValues(values=padded)


def grad(rank: int, values: Sequence[int] = (), **fields: object) -> Agg:
    """A worker's contribution to fragment 1 of job 1, unless said otherwise."""
    return (
        Agg(bitmap=1 << rank, worker=rank, values=values)
        .but(src=f"h{rank + 1}", dst="ps1")
        .but(**fields)
    )


@dataclass
class Scenario:
    """Steps of one packet test on one switch."""

    title: str
    book: JobBook
    switch: str = "s1"
    overrides: SwitchState | None = None
    lines: list[str] = field(default_factory=list)

    def job(self, workers: str, server: str = "ps1", **options: object) -> JobGrant:
        """Let a job in before the tables are written."""
        name = f"job{len(self.book.grants) + 1}"
        return self.book.admit(
            JobRequest(name, tuple(workers.split()), server, **options)  # type: ignore[arg-type]
        )

    def note(self, text: str) -> None:
        """A comment in the STF file."""
        self.lines.append(f"# {text}")

    def send(self, packet: Agg, port: int | None = None) -> None:
        """Inject a packet as its source host sends it."""
        at = self._port(packet.src) if port is None else port
        self.raw(at, self._frame(packet, "as sent"))

    def raw(self, port: int, frame: bytes) -> None:
        """Inject any bytes."""
        self.lines.append(f"packet {port} {frame.hex()}")

    def routed(self, packet: Agg) -> None:
        """Expect a packet on its way by IPv4 routing."""
        hop = self.book.routes.next_hop(self.switch, packet.dst)
        self._expect(hop.port, self._frame(packet.but(ttl=packet.ttl - 1), hop.mac))

    def copied(self, packet: Agg, *receivers: str) -> None:
        """Expect multicast copies of a packet at hosts."""
        for host in receivers:
            mac = self.book.topology.host(host).mac
            self._expect(self._port(host), self._frame(packet.but(dst=host), mac))

    def copied_to_switch(self, packet: Agg, switch: str) -> None:
        """Expect a multicast copy at a neighbouring switch."""
        port = next(
            p for p, end in self.book.topology.ports(self.switch).items() if end.node == switch
        )
        self._expect(port, self._frame(packet, self.book.topology.switch(switch).mac))

    def at(self, port: int, frame: bytes) -> None:
        """Expect any bytes."""
        self._expect(port, frame)

    def silence(self) -> None:
        """Expect nothing more on any port."""
        self.lines.append("no_packet")

    def counted(self, event: Event, packets: int, index: int = 1) -> None:
        """Expect a job's counter."""
        self.lines.append(f"counter_check {EVENTS} {index * 16 + event} packets == {packets}")

    def text(self) -> str:
        """The STF file."""
        state = self.book.states()[self.switch]
        head = [
            "# SPDX-License-Identifier: MIT",
            f"# {self.title}",
            "# Written by `python -m tests.p4src.generate`.",
        ]
        return "\n".join([*head, *stf_tables(self.overrides or state), *self.lines, ""])

    def frame(self, packet: Agg) -> bytes:
        """The bytes of a packet as its source sends it."""
        return self._frame(packet, "as sent")

    def _port(self, host: str) -> int:
        attachment = self.book.topology.attachment(host)
        if attachment.node == self.switch:
            return attachment.port
        return self.book.routes.next_hop(self.switch, host).port

    def _frame(self, packet: Agg, receiver_mac: str) -> bytes:
        topology = self.book.topology
        own = topology.switch(self.switch).mac
        source, target = topology.host(packet.src), topology.host(packet.dst)
        ether = (
            Ether(src=source.mac, dst=own)
            if receiver_mac == "as sent"
            else Ether(src=own, dst=receiver_mac)
        )
        ip = IP(src=source.ip, dst=target.ip, ttl=packet.ttl, flags="DF", id=0)
        udp = UDP(sport=ESA_UDP_PORT, dport=ESA_UDP_PORT, chksum=0)
        return bytes(ether / ip / udp / packet.payload())

    def _expect(self, port: int, frame: bytes) -> None:
        self.lines.append(f"expect {port} {frame.hex()}$")


def scenario(title: str, workers: int = 4, servers: int = 1, **config: object) -> Scenario:
    """A scenario on a star; options are those of `AggregatorConfig`."""
    settings = AggregatorConfig(**config)  # type: ignore[arg-type]
    return Scenario(title, JobBook(star(workers, servers), settings))


def without_job(state: SwitchState, plan: JobPlan) -> SwitchState:
    """A state in which a job's PS route is gone, as after its removal in mid-flight."""
    rows = {
        key: action
        for key, action in state.rows.items()
        if not (key.table.endswith("ps_route") and key.match == (("hdr.agg.job", plan.job),))
    }
    return SwitchState(rows, state.defaults, state.groups)
