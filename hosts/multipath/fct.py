# SPDX-License-Identifier: MIT
"""Flow completion times: the ideal, the slowdown, and percentiles overall and per size bin."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

PAYLOAD, HEADER = 1000, 48
"""Bytes of payload and of headers per packet in the published runs."""


def wire_bytes(size: int) -> int:
    """Bytes on the wire of a flow of ``size`` payload bytes."""
    return size + HEADER * -(-size // PAYLOAD)


def ideal_fct(
    size: int, one_way_s: float, bottleneck_bps: float, hop_rates: Sequence[float]
) -> float:
    """Seconds that a lone flow takes: round trip, one packet's serialisation per hop, its bytes."""
    serialised = sum(PAYLOAD * 8 / rate for rate in hop_rates)
    return 2 * one_way_s + serialised + wire_bytes(size) * 8 / bottleneck_bps


def slowdown(fct: float, ideal: float) -> float:
    """Completion time as a multiple of the ideal, at least 1."""
    return max(1.0, fct / ideal)


@dataclass(frozen=True, slots=True)
class Percentiles:
    """Slowdowns of a set of flows; ``largest`` is the biggest flow's size in bytes."""

    flows: int
    largest: int
    mean: float
    p50: float
    p95: float
    p99: float


def percentiles(sizes: Sequence[int], slowdowns: Sequence[float]) -> Percentiles:
    """Percentiles by rank: the element at ``int(fraction * n)`` of the sorted slowdowns."""
    if not sizes:
        raise ValueError("no flows to take percentiles of")
    ordered = np.sort(np.asarray(slowdowns, dtype=np.float64))
    rank = [float(ordered[int(f * len(ordered))]) for f in (0.5, 0.95, 0.99)]
    return Percentiles(len(ordered), int(max(sizes)), float(ordered.mean()), *rank)


def by_size(sizes: Sequence[int], slowdowns: Sequence[float], bins: int = 20) -> list[Percentiles]:
    """Percentiles of bins of equal count, from small flows to large ones."""
    order = sorted(range(len(sizes)), key=lambda i: (sizes[i], slowdowns[i]))
    edges = [len(order) * b // bins for b in range(bins + 1)]
    return [
        percentiles([sizes[i] for i in order[a:b]], [slowdowns[i] for i in order[a:b]])
        for a, b in itertools.pairwise(edges)
        if a < b
    ]
