# SPDX-License-Identifier: MIT
"""Retransmission timeout: smoothed round-trip time with exponential backoff (RFC 6298)."""

from __future__ import annotations

from typing import TypeAlias

RttState: TypeAlias = tuple[int, int, int]


class RetransmissionTimer:
    """How long to wait before a fragment is sent again; integers, microseconds."""

    def __init__(self, floor_us: int, ceiling_us: int, state: RttState = (-1, 0, 0)) -> None:
        self._floor = floor_us
        self._ceiling = ceiling_us
        self._smoothed, self._variation, self._backoff = state

    def sample(self, rtt_us: int) -> None:
        """Learn from a fragment that was sent once (Karn's rule is the caller's)."""
        if self._smoothed < 0:
            self._smoothed, self._variation = rtt_us, rtt_us // 2
            return
        self._variation += (abs(self._smoothed - rtt_us) - self._variation) // 4
        self._smoothed += (rtt_us - self._smoothed) // 8

    @property
    def timeout_us(self) -> int:
        """Current timeout, backoff included."""
        base = max(self._floor, self._smoothed + 4 * self._variation)
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
        return (self._smoothed, self._variation, self._backoff)
