# SPDX-License-Identifier: MIT
"""veth pairs for tests: the switch gets one end, the test reads and writes the other."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

ETH_P_ALL = 3


def ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True, text=True)


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    """Wait until ``condition`` holds; False when it did not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.002)
    return True


class Wire:
    """One veth pair: ``switch`` is the name of the switch's end."""

    def __init__(self, index: int) -> None:
        self.switch = f"dvs{os.getpid() % 100000}.{index}"
        self.peer = f"dvp{os.getpid() % 100000}.{index}"
        self._socket: socket.socket | None = None
        self.create()

    def create(self) -> None:
        ip("link", "add", self.switch, "type", "veth", "peer", "name", self.peer)
        for name in (self.switch, self.peer):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            ip("link", "set", name, "up")

    def delete(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        subprocess.run(["ip", "link", "del", self.switch], check=False, capture_output=True)

    @property
    def socket(self) -> socket.socket:
        """A raw socket on the test's end."""
        if self._socket is None:
            # Protocol 0 until it is bound: else it would first hear all interfaces.
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
            self._socket.bind((self.peer, ETH_P_ALL))
            self._socket.setsockopt(263, 23, 1)  # SOL_PACKET, PACKET_IGNORE_OUTGOING
            self._socket.settimeout(5)
        return self._socket

    def send(self, data: bytes) -> None:
        self.socket.send(data)

    def receive(self) -> bytes:
        return self.socket.recv(65536)

    def nothing(self) -> bool:
        """True when no frame waits; call it when none is on its way any more."""
        self.socket.setblocking(False)
        try:
            self.socket.recv(65536)
        except BlockingIOError:
            return True
        finally:
            self.socket.settimeout(5)
        return False
