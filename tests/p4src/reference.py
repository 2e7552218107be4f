# SPDX-License-Identifier: MIT
"""The aggregator as the design's pseudo-code has it (esa.md 1.3), in Python, as an oracle.

One switch, one parameter server per job. Packets are dataclasses, time is an argument.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace

from controller.aggregation import Downgrade, Event
from hosts.wire.esa import NO_WORKER, Flag, MessageType, Op
from tests.p4src.scenario_scapy import Agg

INT_MIN, INT_MAX = -(2**31), 2**31 - 1
STICKY = Flag.ECN | Flag.OVERFLOW


@dataclass(frozen=True)
class Row:
    """What a switch knows of a job."""

    full_mask: int
    direct: bool
    free_on_complete: bool


@dataclass(frozen=True)
class Out:
    """A packet that leaves: to the PS of a job, to the workers, or to both."""

    packet: Agg
    server_of: int | None = None
    workers_of: int | None = None


@dataclass
class Slot:
    """A held slot."""

    packet: Agg
    since: int


@dataclass
class Aggregator:
    """The oracle's state."""

    rows: dict[int, Row]
    aggregators: int
    downgrade: Downgrade
    age_after: int
    expire_after: int
    slots: dict[int, Slot] = field(default_factory=dict)
    events: list[tuple[int, Event]] = field(default_factory=list)

    def process(self, packet: Agg, now: int) -> list[Out]:
        """One packet in."""
        row = self.rows[packet.job]
        at = self.index(packet)
        slot = self.slots.get(at)
        own = slot is not None and key(slot.packet) == key(packet)
        if packet.kind is MessageType.PARAM:
            self.count(packet, Event.RESULT)
            if own and not packet.flags & Flag.MISS:
                del self.slots[at]
            return [Out(packet, workers_of=packet.job)]
        if packet.kind is MessageType.REMIND:
            return [self._remind(packet, at, slot if own else None)]
        if packet.flags & Flag.NOAGG:
            self.count(packet, Event.BYPASS)
            return [Out(packet, server_of=packet.job)]
        if packet.bitmap == 0 or packet.bitmap & ~row.full_mask or packet.len > 32:
            self.count(packet, Event.REJECTED)
            return []
        return self._contribute(packet, slot if own else None, row, now)

    def _contribute(self, packet: Agg, own: Slot | None, row: Row, now: int) -> list[Out]:
        """A valid contribution; `own` is its slot, if it has one."""
        if packet.flags & Flag.RESEND:
            return [self._bypass(packet)]
        if packet.bitmap == row.full_mask:
            self.count(packet, Event.EMIT)
            return [self._emit(packet, row)]
        at = self.index(packet)
        if own is not None:
            return self._merge(packet, at, own, row)
        if at in self.slots:
            return self._collide(packet, at, self.slots[at], now)
        self.count(packet, Event.ALLOCATE)
        self.slots[at] = Slot(packet, now)
        return []

    def _bypass(self, packet: Agg) -> Out:
        self.count(packet, Event.RESEND)
        return Out(packet.but(flags=packet.flags | Flag.NOAGG), server_of=packet.job)

    def index(self, packet: Agg) -> int:
        """Which slot a fragment may have."""
        name = packet.job.to_bytes(2, "big") + packet.seq.to_bytes(4, "big")
        return zlib.crc32(name) % self.aggregators

    def count(self, packet: Agg, event: Event) -> None:
        """A packet's fate."""
        self.events.append((packet.job, event))

    def _remind(self, packet: Agg, at: int, slot: Slot | None) -> Out:
        if slot is None:
            self.count(packet, Event.REMIND_MISS)
            return Out(packet.but(flags=packet.flags | Flag.MISS), server_of=packet.job)
        self.count(packet, Event.REMIND_HIT)
        del self.slots[at]
        held = carried(packet, slot.packet)
        return Out(held.but(flags=held.flags | Flag.PARTIAL | Flag.NOAGG), server_of=packet.job)

    def _merge(self, packet: Agg, at: int, slot: Slot, row: Row) -> list[Out]:
        held = slot.packet
        if held.bitmap & packet.bitmap:
            self.count(packet, Event.DUPLICATE)
            return []
        if held.op != packet.op:
            self.count(packet, Event.REJECTED)
            return []
        merged = added(held, packet)
        self.slots[at] = replace(slot, packet=merged.but(layer=held.layer))
        if merged.bitmap != row.full_mask:
            self.count(packet, Event.MERGE)
            return []
        self.count(packet, Event.EMIT)
        if row.free_on_complete:
            del self.slots[at]
        return [self._emit(merged, row)]

    def _collide(self, packet: Agg, at: int, slot: Slot, now: int) -> list[Out]:
        age = now - slot.since
        weak = self.downgrade is Downgrade.AGE and age > self.age_after
        rank = 0 if weak else slot.packet.prio
        if packet.prio > rank or age > self.expire_after:
            event = Event.PREEMPT if packet.prio > rank else Event.EXPIRE
            return self._displace(packet, slot, event, now)
        prio = slot.packet.prio
        if self.downgrade is Downgrade.HALVE:
            prio >>= 1
        elif self.downgrade is Downgrade.DECREMENT:
            prio = max(0, prio - 1)
        slot.packet = slot.packet.but(prio=prio)
        return self._pass(packet)

    def _displace(self, packet: Agg, slot: Slot, event: Event, now: int) -> list[Out]:
        self.count(packet, event)
        self.slots[self.index(packet)] = Slot(packet, now)
        gone = carried(packet, slot.packet)
        gone = gone.but(flags=gone.flags | Flag.EVICTED | Flag.NOAGG, round=0)
        return [Out(gone, server_of=gone.job)]

    def _pass(self, packet: Agg) -> list[Out]:
        self.count(packet, Event.PASS_THROUGH)
        flags = packet.flags | Flag.COLLISION | Flag.NOAGG
        return [Out(packet.but(flags=flags), server_of=packet.job)]

    def _emit(self, packet: Agg, row: Row) -> Out:
        packet = packet.but(worker=NO_WORKER)
        if packet.bitmap != row.full_mask:
            flags = packet.flags | Flag.PARTIAL | Flag.NOAGG
            return Out(packet.but(flags=flags), server_of=packet.job)
        if not row.direct:
            return Out(packet, server_of=packet.job)
        total = packet.but(kind=MessageType.PARAM, flags=packet.flags & STICKY)
        return Out(total, server_of=packet.job, workers_of=packet.job)


class AtpAggregator(Aggregator):
    """First come, first served; a repeated fragment takes its slot along (esa.md 2.3)."""

    def _contribute(self, packet: Agg, own: Slot | None, row: Row, now: int) -> list[Out]:
        again = packet.flags & Flag.RESEND
        if packet.bitmap == row.full_mask:
            self.count(packet, Event.EMIT)
            return [self._emit(packet, row)]
        if own is None and again:
            return [self._bypass(packet)]
        if own is None or own.packet.op != packet.op:
            return super()._contribute(packet.but(flags=packet.flags & ~again), own, row, now)
        held = own.packet
        repeated = held.bitmap & packet.bitmap
        if again:
            del self.slots[self.index(packet)]
        if repeated and (again or held.bitmap == row.full_mask):
            self.count(packet, Event.REPLAY)
            return [self._emit(carried(packet, held), row)]
        if again:
            self.count(packet, Event.EMIT)
            return [self._emit(added(held, packet), row)]
        return super()._contribute(packet, own, row, now)

    def _merge(self, packet: Agg, at: int, slot: Slot, row: Row) -> list[Out]:
        if slot.packet.op != packet.op:  # looked at before the bitmap
            self.count(packet, Event.REJECTED)
            return []
        return super()._merge(packet, at, slot, row)

    def _collide(self, packet: Agg, at: int, slot: Slot, now: int) -> list[Out]:
        if now - slot.since > self.expire_after:
            return self._displace(packet, slot, Event.EXPIRE, now)
        return self._pass(packet)


def added(held: Agg, packet: Agg) -> Agg:
    """The packet, with what the slot holds added to it."""
    values, overflow = combine(Op(packet.op), held.values, packet.values)
    return packet.but(
        values=values,
        bitmap=held.bitmap | packet.bitmap,
        prio=max(held.prio, packet.prio),
        exp=max(held.exp, packet.exp),
        flags=packet.flags | (held.flags & STICKY) | (Flag.OVERFLOW if overflow else Flag(0)),
    )


def key(packet: Agg) -> tuple[int, int]:
    """What identifies a fragment."""
    return packet.job, packet.seq


def carried(packet: Agg, held: Agg) -> Agg:
    """The packet, carrying what the slot held."""
    return packet.but(
        job=held.job,
        seq=held.seq,
        bitmap=held.bitmap,
        values=held.values,
        prio=held.prio,
        exp=held.exp,
        op=held.op,
        len=held.len,
        iter=held.iter,
        layer=held.layer,
        worker=NO_WORKER,
        flags=held.flags & STICKY,
    )


def combine(op: Op, a: tuple[int, ...], b: tuple[int, ...]) -> tuple[tuple[int, ...], bool]:
    """Element by element; whether a sum left int32."""
    if op is not Op.SUM:
        function = {Op.OR: int.__or__, Op.MAX: max, Op.MIN: min}[op]
        return tuple(function(x, y) for x, y in zip(a, b, strict=True)), False
    exact = [x + y for x, y in zip(a, b, strict=True)]
    clipped = tuple(min(max(v, INT_MIN), INT_MAX) for v in exact)
    return clipped, list(clipped) != exact
