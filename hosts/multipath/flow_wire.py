# SPDX-License-Identifier: MIT
"""Frames of the flow generator: Ethernet, IPv4, UDP, then twelve bytes and padding.

=======  =====  ==========================================================
offset   bytes  field
=======  =====  ==========================================================
0        2      magic, 0x4C43
2        1      kind: 1 data, 2 acknowledgement
3        1      flags: 1 the receiver misses a packet (negative acknowledgement)
4        4      data: number of the packet, from 0; ack: packets received in order
8        4      packets of the flow
=======  =====  ==========================================================

A data frame of n payload bytes has n + 48 bytes, as in the published runs (at least 60): the
twelve bytes count as payload, whose content nobody reads.
"""

from __future__ import annotations

import enum
import struct
from dataclasses import dataclass

from hosts.multipath.switch import FlowKey

MAGIC = 0x4C43
HEADERS, MIN_FRAME = 42, 60
WIRE_HEADER = 48
"""Bytes of headers per packet in the published runs."""
_MESSAGE = struct.Struct("!HBBII")
_IPV4 = struct.Struct("!BBHHHBBHII")
_UDP = struct.Struct("!HHHH")


class Kind(enum.IntEnum):
    """What a message is."""

    DATA = 1
    ACK = 2


@dataclass(frozen=True, slots=True)
class Message:
    """The twelve bytes."""

    kind: Kind
    number: int
    count: int
    gap: bool = False


def frame_bytes(payload: int) -> int:
    """Length of the frame of a payload."""
    return max(payload + WIRE_HEADER, MIN_FRAME)


def pack(flow: FlowKey, message: Message, size: int, macs: bytes) -> bytes:
    """The frame of a message; ``size`` in bytes, ``macs`` destination and source."""
    total = size - 14
    words = (flow.source >> 16) + (flow.source & 0xFFFF)
    words += (flow.destination >> 16) + (flow.destination & 0xFFFF)
    words += 0x4500 + total + (64 << 8 | flow.protocol)
    while words >> 16:
        words = (words & 0xFFFF) + (words >> 16)
    ip = _IPV4.pack(
        *(0x45, 0, total, 0, 0, 64, flow.protocol, ~words & 0xFFFF),
        *(flow.source, flow.destination),
    )
    # No UDP checksum: the content is padding.
    udp = _UDP.pack(flow.sport, flow.dport, total - 20, 0)
    body = _MESSAGE.pack(MAGIC, message.kind, message.gap, message.number, message.count)
    return (macs + b"\x08\x00" + ip + udp + body).ljust(size, b"\0")


def unpack(frame: bytes) -> tuple[FlowKey, Message] | None:
    """Flow and message of a frame; None if it is another protocol's."""
    if len(frame) < HEADERS + _MESSAGE.size or frame[12:15] != b"\x08\x00\x45":
        return None
    magic, kind, flags, number, count = _MESSAGE.unpack_from(frame, HEADERS)
    if magic != MAGIC or kind not in (Kind.DATA, Kind.ACK) or frame[23] != 17:
        return None
    source, destination, sport, dport = struct.unpack_from("!IIHH", frame, 26)
    flow = FlowKey(source, destination, sport, dport)
    return flow, Message(Kind(kind), number, count, bool(flags & 1))
