# SPDX-License-Identifier: MIT
"""Drives a group over a packet socket, in real time. Needs root, in the host's namespace."""

from __future__ import annotations

import select
import socket
import time

from hosts.direct import Process
from hosts.errors import InterfaceError
from hosts.wire.internet import ETHERTYPE_IPV4

_BATCH = 256
_LARGEST = 65536


class FrameTransport:
    """One process on one interface; a `hosts.driver.Transport`.

    Frames that do not fit into the socket's buffer wait until it has room.
    """

    def __init__(self, interface: str, process: Process) -> None:
        # Bound to one EtherType, a packet socket does not see what this host sends.
        try:
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((interface, ETHERTYPE_IPV4))
        except OSError as error:
            raise InterfaceError(
                f"{interface}: {error.strerror}: run as root on the host"
            ) from error
        self._socket.setblocking(False)
        self._process = process
        self._waiting: list[bytes] = []

    def now(self) -> int:
        """Microseconds of the monotonic clock."""
        return time.monotonic_ns() // 1000

    def step(self, patience_us: int) -> None:
        """See `hosts.driver.Transport.step`."""
        frames = self._receive()
        now = self.now()
        if frames:
            self._process.receive(frames, now)
        deadline = self._process.next_deadline()
        if deadline is not None and deadline <= now:
            self._process.on_timer(now)
        if not self._waiting:
            self._waiting = self._process.send(now)
        self._send()
        if not frames:
            deadline = self._process.next_deadline()
            wait = patience_us if deadline is None else min(patience_us, max(deadline - now, 0))
            writers = [self._socket] if self._waiting else []
            select.select([self._socket], writers, [], wait / 1e6)

    def close(self) -> None:
        """Release the socket."""
        self._socket.close()

    def _receive(self) -> list[bytes]:
        frames: list[bytes] = []
        try:
            while len(frames) < _BATCH:
                frames.append(self._socket.recv(_LARGEST))
        except BlockingIOError:
            pass
        return frames

    def _send(self) -> None:
        for position, frame in enumerate(self._waiting):
            try:
                self._socket.send(frame)
            except BlockingIOError:
                self._waiting = self._waiting[position:]
                return
        self._waiting = []
