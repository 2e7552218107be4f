# SPDX-License-Identifier: MIT
"""A private network: a namespace for this process and its children, and veth pairs in it."""

from __future__ import annotations

import ctypes
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

CLONE_NEWNET = 0x4000_0000


class BenchError(Exception):
    """A benchmark cannot run; the text is one line."""


@dataclass(frozen=True, slots=True)
class Link:
    """A veth pair: ``switch`` is the switch's end, ``load`` the load generator's."""

    switch: str
    load: str


def enter() -> None:
    """Move this process into a new network namespace; call it before any thread starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        reason = os.strerror(ctypes.get_errno())
        raise BenchError(f"network namespace: {reason}; run as root")
    _ip("link", "set", "lo", "up")


def make_links(count: int) -> tuple[Link, ...]:
    """``count`` veth pairs, up, silent (no IPv6)."""
    links = tuple(Link(f"sw{i}", f"ld{i}") for i in range(count))
    for link in links:
        _ip("link", "add", link.switch, "type", "veth", "peer", "name", link.load)
        for name in (link.switch, link.load):
            Path(f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6").write_text("1")
            _ip("link", "set", name, "up")
    return links


def received(interfaces: tuple[str, ...]) -> int:
    """Frames that all of ``interfaces`` have received so far."""
    total = 0
    # Not /sys: that shows the namespace in which it was mounted.
    for line in Path("/proc/net/dev").read_text().splitlines():
        name, _, numbers = line.partition(":")
        if name.strip() in interfaces:
            total += int(numbers.split()[1])
    return total


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BenchError("ip: not found; install it with: apt install iproute2") from None
    if done.returncode != 0:
        raise BenchError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
