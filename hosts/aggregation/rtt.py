# SPDX-License-Identifier: MIT
"""Retransmission timeout: twice the shortest recent round trip, with exponential backoff.

Not RFC 6298: a sum arrives when the slowest worker has sent, so round trips contain the time that
others wait for repairs. With a mean and a variance, each repair would raise the timeout of the
next one, up to the ceiling. The shortest recent round trip has no such feedback.
"""

from __future__ import annotations

from typing import TypeAlias

RttState: TypeAlias = tuple[int, int]

_RISE = 32  # an estimate that is too short rises by 1/32 of the difference with each sample
_MARGIN = 2


class RetransmissionTimer:
    """How long to wait before a fragment is sent again; integers, microseconds."""

    def __init__(self, floor_us: int, ceiling_us: int, state: RttState = (-1, 0)) -> None:
        self._floor = floor_us
        self._ceiling = ceiling_us
        self._shortest, self._backoff = state

    def sample(self, rtt_us: int) -> None:
        """Learn from a fragment that was sent once (Karn's rule is the caller's)."""
        if self._shortest < 0 or rtt_us < self._shortest:
            self._shortest = rtt_us
        else:
            self._shortest += (rtt_us - self._shortest) // _RISE

    @property
    def timeout_us(self) -> int:
        """Current timeout, backoff included."""
        base = max(self._floor, _MARGIN * self._shortest)
        return min(base << self._backoff, self._ceiling)

    def back_off(self) -> None:
        """Double the timeout after it ran out."""
        if self.timeout_us < self._ceiling:
            self._backoff += 1

    def progress(self) -> None:
        """Forget the backoff."""
        self._backoff = 0

    def state(self) -> RttState:
        """Hashable copy of the state."""
        return (self._shortest, self._backoff)
