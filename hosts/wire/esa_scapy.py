# SPDX-License-Identifier: GPL-2.0-only
"""Scapy layers derived from the header tables. Importing this module imports Scapy."""

from __future__ import annotations

import struct
from typing import Any

from scapy.fields import (
    BitEnumField,
    BitField,
    ByteEnumField,
    ByteField,
    FieldListField,
    FlagsField,
    IntField,
    ShortField,
    SignedIntField,
)
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet, Raw, bind_layers

from hosts.wire.esa import ESA as ESA_HEADER
from hosts.wire.esa import ESA_UDP_PORT
from hosts.wire.fields import Field, Header
from hosts.wire.internet import AETH as AETH_HEADER
from hosts.wire.internet import BTH as BTH_HEADER
from hosts.wire.internet import ROCE_UDP_PORT

_PLAIN = {8: ByteField, 16: ShortField, 32: IntField}


def _scapy_field(field: Field) -> Any:
    if field.flags:
        return FlagsField(field.name, field.default, field.bits, list(reversed(field.flags)))
    if field.values:
        names = {code: name for name, code in field.values.items()}
        if field.bits == 8:
            return ByteEnumField(field.name, field.default, names)
        return BitEnumField(field.name, field.default, field.bits, names)
    if field.word or field.bits not in _PLAIN:
        return BitField(field.name, field.default, field.bits)
    return _PLAIN[field.bits](field.name, field.default)


def scapy_fields(header: Header) -> list[Any]:
    """The `fields_desc` of a Scapy layer with the same fields, defaults and order."""
    return [_scapy_field(f) for f in header]


class ESA(Packet):
    """Aggregation header; what follows is an `ESAValues`."""

    name = "ESA"
    fields_desc = scapy_fields(ESA_HEADER)

    def mysummary(self) -> str:
        """One line for `inca sniff`."""
        flags = f" [{self.flags}]" if self.flags else ""
        who = "" if self.src_worker == 255 else f" worker {self.src_worker}"
        kind = self.get_field("msg_type").i2repr(self, self.msg_type)
        return (
            f"{kind}{flags} job {self.job} seq {self.seq} bitmap {self.bitmap:#x}"
            f"{who} prio {self.prio}"
        )

    def guess_payload_class(self, payload: bytes) -> type[Packet]:
        """Whole 32-bit words are values; anything else stays raw."""
        return Raw if len(payload) % 4 else ESAValues


class ESAValues(Packet):
    """The fragment: big-endian int32 to the end of the packet."""

    name = "ESA values"
    fields_desc = [FieldListField("values", [], SignedIntField("", 0))]  # noqa: RUF012


class BTH(Packet):
    """InfiniBand base transport header, as RoCEv2 carries it over UDP port 4791."""

    name = "BTH"
    fields_desc = scapy_fields(BTH_HEADER)


class AETH(Packet):
    """InfiniBand ACK extended transport header."""

    name = "AETH"
    fields_desc = scapy_fields(AETH_HEADER)


bind_layers(UDP, ESA, dport=ESA_UDP_PORT)
bind_layers(UDP, BTH, dport=ROCE_UDP_PORT)
bind_layers(BTH, AETH, opcode=0x11)


def template(
    *, src_mac: str, dst_mac: str, src_ip: str, dst_ip: str, elements: int, udp_source: int
) -> bytes:
    """One complete ESA frame of zeros, checksums filled in, for the ring to copy and patch.

    The UDP checksum is 0 (not computed, RFC 768): values change on every hop.
    """
    frame = (
        Ether(src=src_mac, dst=dst_mac)
        / IP(src=src_ip, dst=dst_ip, flags="DF", id=0)
        / UDP(sport=udp_source, dport=ESA_UDP_PORT, chksum=0)
        / ESA(len=elements)
        / Raw(struct.pack(f"!{elements}i", *[0] * elements))
    )
    return bytes(frame)
