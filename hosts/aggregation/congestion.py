# SPDX-License-Identifier: MIT
"""Congestion control after ATP: slow start, then one fragment per window; halve on ECN or loss.

The round-trip time is no signal here: it contains the other workers' delay.
"""

from __future__ import annotations

from typing import TypeAlias

CongestionState: TypeAlias = tuple[int, int, int, int]


class CongestionWindow:
    """How many fragments may be in flight; integer arithmetic, 1 .. `limit`.

    With `adaptive=False` the window stays at `limit`.
    """

    def __init__(
        self, limit: int, initial: int, adaptive: bool, state: CongestionState | None = None
    ) -> None:
        self._limit = limit
        self._adaptive = adaptive
        start = min(initial, limit) if adaptive else limit
        self.size, self._threshold, self._credit, self._recover = state or (start, limit, 0, 0)

    def on_results(self, count: int, congested: bool, base: int, following: int) -> None:
        """`count` results arrived; `congested`: one of them echoed ECN."""
        if not self._adaptive:
            return
        if congested:
            self._halve(base, following)
        elif self.size < self._threshold:
            self.size = min(self.size + count, self._threshold, self._limit)
        else:
            self._credit += count
            while self._credit >= self.size and self.size < self._limit:
                self._credit -= self.size
                self.size += 1

    def on_loss(self, base: int, following: int) -> None:
        """Results beyond a gap say that a fragment was lost."""
        if self._adaptive:
            self._halve(base, following)

    def _halve(self, base: int, following: int) -> None:
        """At most once per window: not before everything in flight now has been received."""
        if base < self._recover:
            return
        self.size = self._threshold = max(1, self.size // 2)
        self._credit = 0
        self._recover = following

    def state(self) -> CongestionState:
        """Hashable copy of the state."""
        return (self.size, self._threshold, self._credit, self._recover)
