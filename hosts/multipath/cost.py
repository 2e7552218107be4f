# SPDX-License-Identifier: MIT
"""The 8-bit costs of LCMP in integer arithmetic, as published in code, with its quirks as switches.

Static: first-hop (or path) delay and rate give a path score.  Congestion: queue level, its trend
and its duration give a congestion score.  Both are fused by weighted means with shifts; larger is
worse.  ``parity`` reproduces the authors' behaviour, ``corrected`` what the idea asks for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

LEVEL = tuple(255 * (i + 1) // 10 for i in range(10))
MAX_COST = 255
HIGH_WATER, LOW_WATER = 204, 102
"""Queue levels above and below which congestion lasts longer or heals."""

Mode = Literal["parity", "corrected"]


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights and shifts; each group of weights sums to 2 to the power of its shift."""

    delay: int = 3
    bandwidth: int = 1
    static_shift: int = 2
    queue: int = 2
    trend: int = 1
    duration: int = 1
    congestion_shift: int = 2
    alpha: int = 3
    beta: int = 1
    total_shift: int = 2


@dataclass(frozen=True, slots=True)
class CostModel:
    """Scales of the costs.

    ``delay_shift``: 2**shift milliseconds are full scale (5 in the code, 9 fits the published
    8-DC results).  ``buffer_bytes``: what a queue level of 255 means.  ``wrap_thresholds``: the
    code's thresholds are computed in 32 bits and wrap, so only three levels ever occur.
    """

    weights: Weights = Weights()
    delay_shift: int = 9
    max_rate_gbps: int = 400
    buffer_bytes: int = 5_000_000_000
    wrap_thresholds: bool = False

    @classmethod
    def of(cls, mode: Mode, *, delay_shift: int = 9, buffer_bytes: int | None = None) -> CostModel:
        """The model of a mode; ``buffer_bytes`` scales the queue levels of an emulated network."""
        size = buffer_bytes or (5_000_000_000 if mode == "parity" else 400_000_000)
        return cls(delay_shift=delay_shift, buffer_bytes=size, wrap_thresholds=mode == "parity")

    def delay_cost(self, delay_ms: int) -> int:
        """Cost of a one-way delay in whole milliseconds."""
        return MAX_COST if delay_ms > 1 << self.delay_shift else delay_ms * 255 >> self.delay_shift

    def bandwidth_cost(self, rate_gbps: float) -> int:
        """Cost of a rate: ten classes of equal width up to ``max_rate_gbps``."""
        width = self.max_rate_gbps / 10
        for i in range(9, -1, -1):
            if rate_gbps >= width * (i + 1):
                return MAX_COST - LEVEL[i]
        return MAX_COST

    def static_cost(self, delay_ms: int, rate_gbps: float) -> int:
        """The path score that the controller installs."""
        w = self.weights
        cost = w.delay * self.delay_cost(delay_ms) + w.bandwidth * self.bandwidth_cost(rate_gbps)
        return min(cost >> w.static_shift, MAX_COST)

    def queue_thresholds(self) -> tuple[int, ...]:
        """Bytes from which each queue level holds."""
        exact = (self.buffer_bytes * i // 10 for i in range(10))
        return tuple(t & 0xFFFFFFFF if self.wrap_thresholds else t for t in exact)

    def queue_level(self, queued_bytes: int) -> int:
        """Level of a queue, 0 when empty."""
        if queued_bytes == 0:
            return 0
        thresholds = self.queue_thresholds()
        for i in range(9, -1, -1):
            if queued_bytes >= thresholds[i]:
                return LEVEL[i]
        return 0

    @staticmethod
    def trend_level(trend: int, drained_per_sample: int) -> int:
        """Level of a queue's growth per sample against the bytes that the port drains in it."""
        if trend <= 0:
            return 0
        for i in range(9, -1, -1):
            if trend * 10 >= drained_per_sample * (i + 1):
                return LEVEL[i]
        return 0

    def congestion_cost(self, queue_level: int, trend_level: int, duration: int) -> int:
        """The congestion score of a port; ``duration`` is the sampler's counter."""
        w = self.weights
        penalty = min(duration >> 2, MAX_COST)
        cost = w.queue * queue_level + w.trend * trend_level + w.duration * penalty
        return min(cost >> w.congestion_shift, MAX_COST)

    def total_cost(self, static: int, congestion: int) -> int:
        """Path score and congestion score fused."""
        w = self.weights
        return min(w.alpha * static + w.beta * congestion >> w.total_shift, MAX_COST)


@dataclass(slots=True)
class PortSignal:
    """One port's congestion state, updated per sample (design reference 2.2, 8.1)."""

    queued: int = 0
    trend: int = 0
    duration: int = 0
    max_duration: int = 1023

    def sample(self, queued: int, model: CostModel, drained_per_sample: int) -> int:
        """Take a sample of the queue (bytes) and return the congestion score."""
        delta = queued - self.queued
        # arithmetic shifts, as int32 in the switch
        self.trend = self.trend - (self.trend >> 3) + (delta >> 3)
        self.queued = queued
        level = model.queue_level(queued)
        if level >= HIGH_WATER:
            self.duration = min(self.duration + 1, self.max_duration)
        elif level <= LOW_WATER:
            self.duration = max(self.duration - 1, 0)
        growth = model.trend_level(self.trend, drained_per_sample)
        return model.congestion_cost(level, growth, self.duration)
