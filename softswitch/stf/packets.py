# SPDX-License-Identifier: MIT
"""Comparing what the switch sent with what a packet test expects."""

from __future__ import annotations

from collections import defaultdict, deque

from softswitch.stf.commands import Expect, StfFailure


class PortsInOrder:
    """The corpus dialect: an `expect` takes the oldest packet of its port at once."""

    def __init__(self) -> None:
        self._out: defaultdict[int, deque[bytes]] = defaultdict(deque)

    def sent_to(self, port: int) -> None:
        """A packet is being injected on `port`."""

    def received(self, port: int, data: bytes) -> None:
        """The switch has sent a packet."""
        self._out[port].append(data)

    def expect(self, expected: Expect) -> None:
        """Take and compare the oldest packet of a port; raise StfFailure."""
        port = expected.port
        if not self._out[port]:
            raise StfFailure(f"no packet on port {port}{self._others()}")
        assert expected.pattern is not None
        data = self._out[port].popleft()
        trouble = difference(data, expected.pattern, exact_length=expected.exact_length)
        if trouble:
            raise StfFailure(f"packet on port {port} {trouble}")

    def expect_none(self) -> None:
        """Demand that no packet is left; raise StfFailure."""
        for number, queue in sorted(self._out.items()):
            if queue:
                more = f" (and {len(queue) - 1} more)" if len(queue) > 1 else ""
                raise StfFailure(
                    f"unexpected packet on port {number}: {_shortened(queue[0].hex())}{more}"
                )

    def end(self) -> None:
        """The end of the test implies `no_packet`."""
        self.expect_none()

    def _others(self) -> str:
        others = [f"port {n}: {_shortened(q[0].hex())}" for n, q in self._out.items() if q]
        return f", but there is one on {', '.join(others)}" if others else ""


class PortsAtEnd:
    """p4c's rule: at the end of the test each port that it mentions must have sent what it expects.

    An `expect` may come before the packet that causes it.  Ports that the test does not mention
    may send anything, and so may a port with an `expect` without data.
    """

    def __init__(self) -> None:
        self._out: defaultdict[int, list[bytes]] = defaultdict(list)
        self._expected: dict[int, list[Expect]] = {}
        self._anything: set[int] = set()

    def sent_to(self, port: int) -> None:
        """A packet is being injected on `port`: the test mentions it."""
        self._expected.setdefault(port, [])

    def received(self, port: int, data: bytes) -> None:
        """The switch has sent a packet."""
        self._out[port].append(data)

    def expect(self, expected: Expect) -> None:
        """Remember what a port must send."""
        listed = self._expected.setdefault(expected.port, [])
        if expected.pattern is None:
            self._anything.add(expected.port)
        else:
            listed.append(expected)

    def expect_none(self) -> None:
        """Is checked at the end, like everything."""

    def end(self) -> None:
        """Compare all ports; raise StfFailure."""
        for port, listed in sorted(self._expected.items()):
            if port in self._anything:
                continue
            packets = self._out[port]
            for data, expected in zip(packets, listed, strict=False):
                assert expected.pattern is not None
                trouble = difference(data, expected.pattern, exact_length=expected.exact_length)
                if trouble:
                    raise StfFailure(f"(expected in line {expected.line}) port {port}: {trouble}")
            if len(packets) != len(listed):
                last = packets[len(listed)].hex() if len(packets) > len(listed) else ""
                unexpected = f": unexpected {_shortened(last)}" if last else ""
                raise StfFailure(
                    f"port {port} sent {len(packets)} packets, expected {len(listed)}{unexpected}"
                )


def difference(data: bytes, pattern: str, *, exact_length: bool) -> str | None:
    """Compare a packet with a pattern of nibbles; None if it matches, else what differs."""
    digits = data.hex()
    for at, (got, want) in enumerate(zip(digits, pattern, strict=False)):
        if want not in ("*", got):
            return (
                f"differs at byte {at // 2}: expected {_shortened(pattern, at)}, "
                f"got {_shortened(digits, at)}"
            )
    if len(digits) < len(pattern) or (exact_length and len(digits) != len(pattern)):
        return (
            f"is {len(digits) / 2:g} bytes, expected {len(pattern) / 2:g}: "
            f"got {_shortened(digits)}, expected {_shortened(pattern)}"
        )
    return None


def _shortened(digits: str, at: int = 0) -> str:
    """At most 64 nibbles, around `at`."""
    start = max(0, at - 32) & ~1
    head = "…" if start else ""
    tail = "…" if len(digits) > start + 64 else ""
    return f"{head}{digits[start : start + 64]}{tail}"
