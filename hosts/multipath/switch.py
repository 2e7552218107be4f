# SPDX-License-Identifier: MIT
"""One switch of LCMP as integers: route, flow cache, signals with their age, decision.

The oracle of `p4src/lcmp.p4`: the same packets at the same times leave by the same ports.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from hosts.multipath.cost import CostModel, PortSignal
from hosts.multipath.decision import COST_THRESHOLD, Candidate, Decision, Policy, decide
from hosts.multipath.murmur import ecmp_hash

FLOW_SLOTS = 65536
"""Slots of the flow cache, as in `p4src/lcmp/sizes.p4`."""


@dataclass(frozen=True, slots=True)
class FlowKey:
    """The 5-tuple of a flow."""

    source: int
    destination: int
    sport: int
    dport: int
    protocol: int = 17

    def cache_key(self, parity: bool) -> int:
        """What the cache compares: the whole tuple, or the published lossy 32-bit id."""
        if parity:
            low = self.destination ^ self.sport ^ self.dport
            return (self.source << 16 | low) & 0xFFFFFFFF
        high = self.source << 40 | self.destination << 8 | self.protocol
        return high << 32 | self.sport << 16 | self.dport

    def slot(self, parity: bool) -> int:
        """The one slot of the cache where the flow may be."""
        return zlib.crc32(self.cache_key(parity).to_bytes(13, "big")) % FLOW_SLOTS

    def hash(self, seed: int) -> int:
        """The hash that chooses among the kept candidates."""
        return ecmp_hash(self.source, self.destination, self.sport, self.dport, seed)


@dataclass(frozen=True, slots=True)
class SwitchConfig:
    """What holds for a whole switch; times in microseconds.

    ``parity`` keeps the published lossy flow key.  A flow idle for longer than ``idle_after_us``
    is forgotten; a signal older than ``stale_after_us`` counts as zero, since nothing left the
    port for so long that its queue is empty.
    """

    policy: Policy = Policy.LCMP
    parity: bool = False
    seed: int = 0
    model: CostModel = field(default_factory=CostModel)
    threshold: int = COST_THRESHOLD
    idle_after_us: int = 2_000_000
    stale_after_us: int = 100_000
    sample_every_us: int = 1000


@dataclass(slots=True)
class _Entry:
    key: int
    port: int
    seen: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to a packet: its port, and the decision when one was made.

    ``stored``: the decision is pinned.  Otherwise the slot belongs to another live flow (or the
    policy is ECMP), and each packet is decided anew.
    """

    port: int | None
    decision: Decision | None = None
    stored: bool = False


@dataclass(slots=True)
class SwitchModel:
    """A switch in operation; ``routes`` are candidates by destination address."""

    config: SwitchConfig
    routes: dict[int, tuple[Candidate, ...]]
    dead_ports: set[int] = field(default_factory=set)
    congestion: dict[int, tuple[int, int]] = field(default_factory=dict)
    """Port -> score, when it was taken."""
    _cache: dict[int, _Entry] = field(default_factory=dict)
    _signals: dict[int, PortSignal] = field(default_factory=dict)

    def forward(self, flow: FlowKey, now: int) -> Outcome:
        """A packet of ``flow`` arrives."""
        candidates = self.routes.get(flow.destination, ())
        if not candidates:
            return Outcome(None)
        if self.config.policy is Policy.ECMP:
            decision = self._decide(flow, candidates, now, stateless=False)
            return Outcome(decision.port, decision)
        slot, key = flow.slot(self.config.parity), flow.cache_key(self.config.parity)
        entry = self._cache.get(slot)
        expired = entry is None or now - entry.seen > self.config.idle_after_us
        usable_ports = {c.port for c in candidates} - self.dead_ports
        if entry and entry.key == key and not expired and entry.port in usable_ports:
            entry.seen = now
            return Outcome(entry.port)
        usable = entry is None or entry.key == key or expired
        decision = self._decide(flow, candidates, now, stateless=not usable)
        if usable and decision.port is not None:
            self._cache[slot] = _Entry(key, decision.port, now)
        return Outcome(decision.port, decision, usable and decision.port is not None)

    def leave(self, port: int, queued: int, drained_per_sample: int, now: int) -> None:
        """A packet leaves by ``port`` behind ``queued`` others: the sampler may look."""
        _, taken = self.congestion.get(port, (0, 0))
        if taken and now - taken < self.config.sample_every_us:
            return
        signal = self._signals.setdefault(port, PortSignal())
        self.congestion[port] = signal.sample(queued, self.config.model, drained_per_sample), now

    def _decide(
        self, flow: FlowKey, candidates: tuple[Candidate, ...], now: int, *, stateless: bool
    ) -> Decision:
        config = self.config
        state = [
            replace(
                candidate,
                congestion=0 if stateless else self._score(candidate.port, now),
                live=candidate.port not in self.dead_ports,
            )
            for candidate in candidates
        ]
        return decide(
            config.policy, state, flow.hash(config.seed), config.model, threshold=config.threshold
        )

    def _score(self, port: int, now: int) -> int:
        score, taken = self.congestion.get(port, (0, 0))
        return 0 if now - taken > self.config.stale_after_us else score
