# SPDX-License-Identifier: MIT
"""Choosing a next hop for a new flow: ECMP, UCMP and LCMP over the same candidates and hash."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from hosts.multipath.cost import MAX_COST, CostModel

MAX_CANDIDATES = 8
COST_THRESHOLD = 204
DEAD_COST = MAX_COST + 1
"""The cost of a candidate whose port is down: above every live one."""


class Policy(enum.IntEnum):
    """How candidates are kept; the numbers are the published ROUTING_MODE, then our own."""

    ECMP = 0
    UCMP = 1
    """Candidates of the maximum rate only, as the published baseline does."""
    LCMP = 2
    WCMP = 3
    """Truly weighted: candidates in proportion to their rates."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A next hop: egress port, installed path score, rate class (UCMP, WCMP), state now."""

    port: int
    path_cost: int
    weight: int = 1
    """Relative rate, at least 1."""
    congestion: int = 0
    live: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """What was chosen and why: costs in candidate order, the kept candidates in rank order."""

    port: int | None
    costs: tuple[int, ...]
    kept: tuple[int, ...]


def decide(
    policy: Policy,
    candidates: Sequence[Candidate],
    flow_hash: int,
    model: CostModel | None = None,
    *,
    threshold: int = COST_THRESHOLD,
) -> Decision:
    """Choose among at most :data:`MAX_CANDIDATES` candidates; dead ones are never chosen.

    Raises ValueError for more candidates than the switch holds.
    """
    if len(candidates) > MAX_CANDIDATES:
        raise ValueError(
            f"{len(candidates)} candidates, but a switch holds at most {MAX_CANDIDATES}"
        )
    model = model or CostModel()
    costs = tuple(
        model.total_cost(c.path_cost, c.congestion) if c.live else DEAD_COST for c in candidates
    )
    kept = _kept(policy, candidates, costs, threshold)
    if not kept:
        return Decision(None, costs, ())
    if policy is Policy.WCMP:
        buckets = [i for i in kept for _ in range(candidates[i].weight)]
        return Decision(candidates[buckets[flow_hash % len(buckets)]].port, costs, kept)
    return Decision(candidates[kept[flow_hash % len(kept)]].port, costs, kept)


def _kept(
    policy: Policy, candidates: Sequence[Candidate], costs: Sequence[int], threshold: int
) -> tuple[int, ...]:
    alive = [i for i, c in enumerate(candidates) if c.live]
    if policy in (Policy.ECMP, Policy.WCMP):
        return tuple(alive)
    if policy is Policy.UCMP:
        best = max((candidates[i].weight for i in alive), default=0)
        return tuple(i for i in alive if candidates[i].weight == best)
    ranked = sorted(alive, key=lambda i: (costs[i], i))
    keep = len(candidates) // 2
    if keep < 2:
        keep = len(candidates)
    cheap = tuple(i for i in ranked[:keep] if costs[i] < threshold)
    return cheap or tuple(ranked)
