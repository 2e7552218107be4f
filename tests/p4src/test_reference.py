# SPDX-License-Identifier: MIT
"""The compiled programs against the oracle, on thousands of random packets."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest

from controller import Downgrade, ResultPath
from controller.aggregation import EVENTS, Event
from controller.inprocess import install
from hosts.wire.esa import ENCAPSULATION, ESA, NO_WORKER, Flag, MessageType, Op, message_dtype
from tests.p4src.conftest import Loaded
from tests.p4src.reference import INT_MAX, INT_MIN, Aggregator, AtpAggregator, Out, Row
from tests.p4src.scenario_scapy import LANES, Agg, Scenario, scenario

JOBS = 3
WORKERS = 3
AGGREGATORS = 2
PACKETS = 500


def random_packet(dice: random.Random) -> Agg:
    """Mostly contributions to few fragments, so that everything meets everything."""
    rank = dice.randrange(WORKERS)
    extreme = [0, 1, -1, 7, INT_MAX, INT_MIN, dice.randint(INT_MIN, INT_MAX)]
    packet = Agg(
        job=dice.randint(1, JOBS),
        seq=dice.randint(1, 3),
        bitmap=1 << rank if dice.random() < 0.95 else dice.randrange(16),
        values=tuple(dice.choice(extreme) for _ in range(LANES)),
        prio=dice.choice([0, 1, 2, 3, 200, 255]),
        exp=dice.randrange(256),
        worker=rank,
        op=Op.SUM if dice.random() < 0.9 else dice.choice(list(Op)),
        iter=dice.randrange(1 << 16),
        layer=dice.randrange(1 << 16),
        len=dice.choice([1, LANES, LANES, LANES, LANES + 1]) if dice.random() < 0.1 else LANES,
        src=f"h{rank + 1}",
        dst="",
    )
    fate = dice.random()
    if fate < 0.12:
        packet = packet.but(flags=Flag.RESEND)
    elif fate < 0.15:
        packet = packet.but(flags=Flag.COLLISION | Flag.NOAGG)
    elif fate < 0.19:
        packet = packet.but(flags=Flag.ECN)
    elif fate < 0.26:
        packet = packet.but(kind=MessageType.REMIND, worker=NO_WORKER, flags=Flag(0))
    elif fate < 0.33:
        flags = Flag.MISS if dice.random() < 0.3 else Flag(0)
        packet = packet.but(kind=MessageType.PARAM, worker=NO_WORKER, flags=flags)
    return packet.but(dst=f"ps{packet.job}")


def body(packet: Agg) -> bytes:
    """Header and values; Scapy would take most of the time of this test."""
    row = np.zeros((), message_dtype(LANES))
    named = {
        "ver_type": packet.ver << 4 | packet.kind,
        "src_worker": packet.worker,
    }
    row["esa"] = tuple(
        named[name] if name in named else int(getattr(packet, name)) for name in ESA.dtype.names
    )
    row["values"] = packet.values
    return row.tobytes()


class Bench:
    """The program and the oracle side by side."""

    def __init__(
        self,
        loaded: Loaded,
        oracle: type[Aggregator],
        path: ResultPath,
        free: bool,
        downgrade: Downgrade,
    ) -> None:
        times = {"age_after_us": 40, "expire_after_us": 90}
        self.scenario: Scenario = scenario(
            "", WORKERS, JOBS, aggregators=AGGREGATORS, downgrade=downgrade, **times
        )
        workers = " ".join(f"h{i + 1}" for i in range(WORKERS))
        for job in range(1, JOBS + 1):
            self.scenario.job(workers, f"ps{job}", result_path=path, free_on_complete=free)
        self.pipeline = loaded.fresh()
        install(self.pipeline, self.scenario.book.states()["s1"])
        self.heads: dict[tuple[str, str], bytes] = {}
        direct = path is ResultPath.DIRECT
        row = Row((1 << WORKERS) - 1, direct, free or direct)
        rows = dict.fromkeys(range(1, JOBS + 1), row)
        self.oracle = oracle(rows, AGGREGATORS, downgrade, 40, 90)

    def expected(self, outs: list[Out]) -> list[tuple[int, bytes]]:
        frames = []
        for out in outs:
            data = body(out.packet)
            if out.workers_of is not None:
                frames += [(port, data) for port in range(1, WORKERS + 1)]
            if out.server_of is not None:
                frames.append((WORKERS + out.server_of, data))
        return sorted(frames)

    def step(self, packet: Agg, now: int) -> None:
        port = int(packet.src[1:])
        way = packet.src, packet.dst
        if way not in self.heads:
            self.heads[way] = self.scenario.frame(packet)[:ENCAPSULATION]
        sent = self.pipeline.process(port, self.heads[way] + body(packet), now)
        got = sorted((out, data[ENCAPSULATION:]) for out, data in sent)
        wanted = self.expected(self.oracle.process(packet, now))
        assert got == wanted, f"at {now} us: {packet}"


POLICIES = [("esa", Aggregator, downgrade) for downgrade in Downgrade]
POLICIES.append(("atp", AtpAggregator, Downgrade.NONE))


@pytest.mark.parametrize("path", ResultPath)
@pytest.mark.parametrize("free", [False, True])
@pytest.mark.parametrize(("program", "oracle", "downgrade"), POLICIES)
def test_program_does_what_the_design_says(
    load: Callable[[str], Loaded],
    program: str,
    oracle: type[Aggregator],
    path: ResultPath,
    free: bool,
    downgrade: Downgrade,
) -> None:
    dice = random.Random(f"{program} {path} {free} {downgrade}")
    bench = Bench(load(program), oracle, path, free, downgrade)
    now = 0
    for _ in range(PACKETS * (2 if program == "esa" else 3)):
        now += dice.choice([0, 1, 10, 30])
        bench.step(random_packet(dice), now)
    seen = Counter(bench.oracle.events)
    counters = bench.pipeline.counters[EVENTS]
    for job in range(1, JOBS + 1):
        for event in Event:
            assert counters[job * 16 + event][0] == seen[job, event], (job, event)
    # The schedule has been everywhere, or this test would prove little.
    happened = {event for _, event in seen}
    never = {Event.FORWARD, Event.STALE}
    never |= {Event.PREEMPT} if program == "atp" else {Event.REPLAY}
    if downgrade is Downgrade.AGE:
        never |= {Event.EXPIRE}  # an old holder nearly always gives way to priority before
    assert happened >= set(Event) - never
