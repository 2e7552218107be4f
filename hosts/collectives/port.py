# SPDX-License-Identifier: MIT
"""The connections of one host: frames to packets of endpoints and back."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address

import numpy as np

from hosts.collectives.endpoint import Endpoint, Packets, packet_dtype
from hosts.wire.internet import AETH, BTH, ETHERNET, IPV4, ROCE_UDP_PORT, UDP
from hosts.wire.roce import ACK_FRAME, HEAD, Frames, Opcode, data_dtype, ip_checksum

_BATCH = 512
_ACK_SYNDROME = 0x1F


@dataclass(frozen=True)
class Address:
    """One side of a connection, as people write addresses."""

    mac: str
    ip: str
    qp: int


class Connection:
    """An endpoint with addresses; makes its frames from a template of each kind."""

    def __init__(self, endpoint: Endpoint, own: Address, peer: Address) -> None:
        self.endpoint = endpoint
        self.own = own
        self._data = _template(data_dtype(endpoint.config.elements), Opcode.SEND_ONLY, own, peer)
        self._ack = _template(ACK_FRAME, Opcode.ACK, own, peer)

    def send(self, now: int) -> list[bytes]:
        """Frames of everything that may be sent now."""
        if self.endpoint.silent:
            return []
        packets = self.endpoint.poll(_BATCH, now)
        acks = packets[packets["ack"] != 0]
        data = packets[packets["ack"] == 0]
        frames = np.repeat(self._data, len(data))
        frames["bth"]["sequence"] |= data["psn"]
        frames["values"] = data["values"]
        answers = np.repeat(self._ack, len(acks))
        answers["bth"]["sequence"] |= acks["psn"]
        answers["aeth"]["syndrome_msn"] = _ACK_SYNDROME << 24 | (acks["psn"] + 1) & 0xFFFFFF
        return [row.tobytes() for row in answers] + [row.tobytes() for row in frames]


class CollectivePort:
    """All connections of a host, found by their own QP number."""

    def __init__(self, ip: str, elements: int) -> None:
        self._ip = int(IPv4Address(ip))
        self._elements = elements
        self._connections: dict[int, Connection] = {}

    def add(self, connection: Connection) -> None:
        """A further connection."""
        self._connections[connection.own.qp] = connection

    def receive(self, frames: list[bytes], now: int) -> None:
        """Give frames to the endpoints they are for; others are left alone."""
        data_size = data_dtype(self._elements).itemsize
        by_size: dict[int, list[bytes]] = {data_size: [], ACK_FRAME.itemsize: []}
        for frame in frames:
            by_size.get(len(frame), []).append(frame)
        for size, group in by_size.items():
            if group:
                is_ack = size == ACK_FRAME.itemsize
                dtype = ACK_FRAME if is_ack else data_dtype(self._elements)
                self._take(np.frombuffer(b"".join(group), dtype), is_ack, now)

    def on_timer(self, now: int) -> None:
        """Do what is due."""
        for connection in self._connections.values():
            connection.endpoint.on_timer(now)

    def next_deadline(self) -> int | None:
        """The first of the endpoints' deadlines."""
        deadlines = (c.endpoint.next_deadline() for c in self._connections.values())
        return min((d for d in deadlines if d is not None), default=None)

    def send(self, now: int) -> list[bytes]:
        """Frames to send; none: nothing is left."""
        return [f for c in self._connections.values() for f in c.send(now)]

    def _take(self, frames: Frames, is_ack: bool, now: int) -> None:
        opcode = Opcode.ACK if is_ack else Opcode.SEND_ONLY
        ours = (
            (frames["udp"]["dst_port"] == ROCE_UDP_PORT)
            & (frames["ipv4"]["dst_addr"] == self._ip)
            & (frames["bth"]["opcode"] == opcode)
        )
        if is_ack:
            ours &= AETH.get(frames["aeth"], "syndrome") >> 5 == 0
        frames = frames[ours]
        qps = BTH.get(frames["bth"], "dest_qp")
        for qp in np.unique(qps).tolist():
            if qp in self._connections:
                mine = frames[qps == qp]
                packets = self._packets(mine, is_ack)
                self._connections[qp].endpoint.on_packets(packets, now)

    def _packets(self, frames: Frames, is_ack: bool) -> Packets:
        packets = np.zeros(len(frames), packet_dtype(self._elements))
        packets["ack"] = is_ack
        packets["psn"] = BTH.get(frames["bth"], "psn")
        if not is_ack:
            packets["values"] = frames["values"]
        return packets


def _template(dtype: np.dtype[np.void], opcode: Opcode, own: Address, peer: Address) -> Frames:
    """One frame, shape (1,), with PSN 0."""
    rows = np.zeros(1, dtype)
    length = dtype.itemsize - ETHERNET.size
    rows["ethernet"] = ETHERNET.pack(dst_addr=_mac(peer.mac), src_addr=_mac(own.mac))
    addresses = {"src_addr": int(IPv4Address(own.ip)), "dst_addr": int(IPv4Address(peer.ip))}
    plain = IPV4.pack(total_len=length, **addresses)
    checksum = ip_checksum(plain.tobytes())
    rows["ipv4"] = IPV4.pack(total_len=length, hdr_checksum=checksum, **addresses)
    rows["udp"] = UDP.pack(
        src_port=ROCE_UDP_PORT, dst_port=ROCE_UDP_PORT, length=length - IPV4.size
    )
    ack_req = int(opcode is Opcode.SEND_ONLY)
    rows["bth"] = BTH.pack(opcode=int(opcode), dest_qp=peer.qp, ack_req=ack_req)
    assert rows.dtype.itemsize >= HEAD.itemsize
    return rows


def _mac(text: str) -> int:
    return int(text.replace(":", ""), 16)
