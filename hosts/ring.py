# SPDX-License-Identifier: MIT
"""PACKET_MMAP rings (TPACKET_V2) on one interface, as NumPy arrays.

The kernel and this process share two rings of equal slots (packet(7), and
Documentation/networking/packet_mmap.rst in the kernel tree). A slot's status word says whose it
is, so whole runs of slots are filled and read by array operations, without a loop over packets.
"""

from __future__ import annotations

import ctypes
import mmap
import select
import socket
import struct
from collections import Counter
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hosts.errors import InterfaceError
from hosts.wire.esa import (
    ENCAPSULATION,
    ESA_UDP_PORT,
    Messages,
    frame_dtype,
    message_dtype,
    opaque,
)

# linux/if_packet.h, linux/if_ether.h, asm/socket.h: not in Python's socket module.
_SOL_PACKET, _ETH_P_IP = 263, 0x0800
_PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION, _PACKET_TX_RING = 5, 6, 10, 13
_PACKET_LOSS, _PACKET_QDISC_BYPASS, _PACKET_IGNORE_OUTGOING = 14, 20, 23
_TPACKET_V2 = 1
_SO_ATTACH_FILTER, _SO_SNDBUFFORCE = 26, 32
_STATUS_FREE, _STATUS_READY, _STATUS_SEND = 0, 1, 1
_HEADER_BYTES = 32  # struct tpacket2_hdr; data to send begins behind it
_RX_DATA = 66  # aligned header and address, rounded so that the IP header is aligned
_SEND_BUFFER = 8 << 20


@dataclass(frozen=True)
class RingOptions:
    """Rings on `interface` for messages of `elements` values; slots are powers of two."""

    interface: str
    elements: int = 32
    rx_slots: int = 4096
    tx_slots: int = 1024
    udp_port: int = ESA_UDP_PORT

    @property
    def slot_bytes(self) -> int:
        """The smallest power of two that holds a frame."""
        needed = _RX_DATA + frame_dtype(self.elements).itemsize
        return 1 << (needed - 1).bit_length()


class Ring:
    """Sends and receives ESA messages on one interface. Needs CAP_NET_RAW."""

    def __init__(self, options: RingOptions) -> None:
        self.options = options
        self.counters: Counter[str] = Counter()
        self._message = message_dtype(options.elements)
        self._frame_bytes = ENCAPSULATION + self._message.itemsize
        self._socket = _open(options)
        self._silencer = _silence(options.udp_port)
        rx_bytes = options.rx_slots * options.slot_bytes
        self._map = mmap.mmap(
            self._socket.fileno(), rx_bytes + options.tx_slots * options.slot_bytes
        )
        self._rx = self._view(options.rx_slots, 0, _RX_DATA)
        self._tx = self._view(options.tx_slots, rx_bytes, _HEADER_BYTES)
        self._tx["len"] = self._frame_bytes
        self._rx_head = self._tx_head = 0
        self._poll = select.poll()
        self._poll.register(self._socket, select.POLLIN)

    def _view(self, slots: int, offset: int, data: int) -> NDArray[np.void]:
        layout = np.dtype(
            {
                "names": ["status", "len", "head", "message"],
                "formats": ["u4", "u4", ("u1", (ENCAPSULATION,)), opaque(self._message)],
                "offsets": [0, 4, data, data + ENCAPSULATION],
                "itemsize": self.options.slot_bytes,
            }
        )
        return np.frombuffer(self._map, layout, slots, offset)

    def receive(self, limit: int = 1024) -> Messages:
        """Messages that have arrived, at most `limit`, copied out of the ring."""
        end = min(self._rx_head + limit, self.options.rx_slots)
        ready = _leading(self._rx["status"], self._rx_head, end, _STATUS_READY, _STATUS_READY)
        rows = self._rx[self._rx_head : self._rx_head + ready]
        messages: Messages = np.ascontiguousarray(rows["message"]).view(self._message)
        whole = rows["len"] == self._frame_bytes
        rows["status"] = _STATUS_FREE
        self._rx_head = (self._rx_head + ready) % self.options.rx_slots
        self.counters["rx"] += ready
        if not whole.all():
            self.counters["malformed"] += int(ready - np.count_nonzero(whole))
            messages = messages[whole]
        return messages

    def room(self) -> int:
        """How many messages the next `send` takes (up to the end of the ring)."""
        status = self._tx["status"]
        return _leading(status, self._tx_head, self.options.tx_slots, 0xFFFFFFFF, _STATUS_FREE)

    def send(self, messages: Messages, heads: NDArray[np.uint8]) -> None:
        """Send messages, at most `room()`; `heads` (n or 1, 42): Ethernet, IPv4 and UDP headers."""
        if messages.dtype != self._message:
            raise TypeError("messages in another layout or byte order than the wire's")
        end = self._tx_head + len(messages)
        rows = self._tx[self._tx_head : end]
        rows["head"] = heads
        rows["message"] = np.ascontiguousarray(messages).view(opaque(self._message))
        # The status word hands the slot over, so it comes last.
        rows["status"] = _STATUS_SEND
        self._tx_head = end % self.options.tx_slots
        self.counters["tx"] += len(messages)
        self.flush()

    def flush(self) -> None:
        """Let the kernel send what is in the ring."""
        try:
            self._socket.send(b"", socket.MSG_DONTWAIT)
        except (BlockingIOError, OSError) as error:
            # The frames stay in the ring; the next call sends them.
            self.counters[f"send_{type(error).__name__}"] += 1

    def wait(self, timeout_us: int) -> bool:
        """Sleep until a frame is there or the time is over; says if there is one."""
        return bool(self._poll.poll(max(0, timeout_us) / 1000))

    def dropped(self) -> int:
        """Frames that found the receive ring full since the last call."""
        raw = self._socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8)
        return int(struct.unpack("II", raw)[1])

    def close(self) -> None:
        """Release the sockets; views must not be used afterwards."""
        self._socket.close()
        self._silencer.close()

    def __enter__(self) -> Ring:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


def _leading(column: NDArray[Any], start: int, end: int, mask: int, wanted: int) -> int:
    """How many entries from `start` on equal `wanted` under `mask`; looks in growing steps."""
    position, step = start, 64
    while position < end:
        chunk = column[position : min(position + step, end)] & np.uint32(mask)
        matches = chunk == wanted
        if not matches.all():
            return position - start + int(matches.argmin())
        position += len(chunk)
        step *= 4
    return end - start


def _open(options: RingOptions) -> socket.socket:
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    except PermissionError as error:
        raise InterfaceError(
            f"packet socket on {options.interface}: no permission; run as root"
        ) from error
    try:
        sock.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
        sock.setsockopt(_SOL_PACKET, _PACKET_IGNORE_OUTGOING, 1)
        sock.setsockopt(_SOL_PACKET, _PACKET_QDISC_BYPASS, 1)
        sock.setsockopt(_SOL_PACKET, _PACKET_LOSS, 1)
        sock.setsockopt(socket.SOL_SOCKET, _SO_SNDBUFFORCE, _SEND_BUFFER)
        _attach(sock, _udp_filter(options.udp_port))
        for name, slots in (
            (_PACKET_RX_RING, options.rx_slots),
            (_PACKET_TX_RING, options.tx_slots),
        ):
            block = max(mmap.PAGESIZE, options.slot_bytes)
            blocks = slots * options.slot_bytes // block
            request = struct.pack("IIII", block, blocks, options.slot_bytes, slots)
            sock.setsockopt(_SOL_PACKET, name, request)
        sock.bind((options.interface, _ETH_P_IP))
    except OSError as error:
        sock.close()
        raise InterfaceError(
            f"interface {options.interface}: {error.strerror}; see `ip link` in this namespace"
        ) from error
    return sock


def _silence(port: int) -> socket.socket:
    """A UDP socket that takes nothing, so that the kernel answers no frame with an ICMP error."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    _attach(sock, [(0x06, 0, 0, 0)])
    sock.bind(("", port))
    return sock


def _udp_filter(port: int) -> list[tuple[int, int, int, int]]:
    """Classic BPF: IPv4, UDP, first fragment, destination port (bpf(4))."""
    return [
        (0x28, 0, 0, 12),  # ldh [12]                ethertype
        (0x15, 0, 8, _ETH_P_IP),
        (0x30, 0, 0, 23),  # ldb [23]                protocol
        (0x15, 0, 6, socket.IPPROTO_UDP),
        (0x28, 0, 0, 20),  # ldh [20]                fragment offset
        (0x45, 4, 0, 0x1FFF),
        (0xB1, 0, 0, 14),  # ldxb 4*([14]&0xf)       header length
        (0x48, 0, 0, 16),  # ldh [x+16]              destination port
        (0x15, 0, 1, port),
        (0x06, 0, 0, 0xFFFF),
        (0x06, 0, 0, 0),
    ]


def _attach(sock: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))
    request = struct.pack("HL", len(program), ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, request)
