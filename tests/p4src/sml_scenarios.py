# SPDX-License-Identifier: MIT
"""SwitchML's two sets of slots, with and without the round number."""

from __future__ import annotations

from collections.abc import Sequence

import topologies
from controller import JobBook
from controller.aggregation import Event
from hosts.wire.esa import NO_WORKER, Flag, MessageType, Op
from tests.p4src.registry import packet_test
from tests.p4src.scenario_scapy import CPU_PORT, Agg, Scenario, grad, scenario

POOL = 2


def sml(rank: int, round_: int, values: Sequence[int] = (), **fields: object) -> Agg:
    """A contribution to the fragment of a round that uses the pool's slot 1."""
    seq = 1 + (round_ - 1) * POOL
    return grad(rank, values, kind=MessageType.SML, seq=seq, round=round_).but(**fields)


def result(packet: Agg, **fields: object) -> Agg:
    """The sum that goes to all workers."""
    return packet.but(kind=MessageType.PARAM, worker=NO_WORKER).but(**fields)


def replay(packet: Agg, host: str, **fields: object) -> Agg:
    """The sum once more, to the worker that asked for it."""
    return packet.but(kind=MessageType.PARAM, dst=host).but(**fields)


def pooled(title: str, workers: str = "h1 h2", **options: object) -> Scenario:
    """A star with one job that owns a pool."""
    s = scenario(title)
    s.job(workers, pool_slots=POOL, **options)
    return s


@packet_test("switchml")
def rounds_alternate_between_sets() -> Scenario:
    s = pooled("Each round starts anew in the other set.", "h1 h2 h3")
    for round_ in (1, 2, 3, 4):
        for rank in (1, 2):
            s.send(sml(rank, round_, [round_ * 10**rank], exp=round_))
            s.silence()
        last = sml(0, round_, [round_], exp=0)
        s.send(last)
        total = result(last, bitmap=7, values=[111 * round_], exp=round_)
        s.copied(total, "h1", "h2", "h3")
        s.silence()
    s.counted(Event.ALLOCATE, 4)
    s.counted(Event.EMIT, 4)
    return s


@packet_test("switchml")
def duplicates_and_replays() -> Scenario:
    s = pooled("A duplicate is dropped while others are missing, and answered afterwards.")
    mine = sml(0, 1, [1])
    s.send(mine)
    s.send(mine)
    s.silence()
    last = sml(1, 1, [10])
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2")
    for packet, host in ((mine, "h1"), (last, "h2")):
        s.send(packet)
        s.routed(replay(packet, host, bitmap=3, values=[11]))
    s.note("a straggler is answered from the old set while the next round runs")
    s.send(sml(1, 2, [5]))
    s.send(mine)
    s.routed(replay(mine, "h1", bitmap=3, values=[11]))
    s.counted(Event.DUPLICATE, 1)
    s.counted(Event.REPLAY, 3)
    return s


def _late_duplicate(with_round: bool) -> Scenario:
    title = "A duplicate of round 1 arrives during round 3, which uses the same slot: "
    title += "dropped." if with_round else "as published it is counted, and the sum is wrong."
    s = pooled(title, with_round=with_round)
    for round_ in (1, 2):
        s.send(sml(0, round_, [round_]))
        last = sml(1, round_, [10 * round_])
        s.send(last)
        s.copied(result(last, bitmap=3, values=[11 * round_]), "h1", "h2")
    s.send(sml(1, 3, [30]))
    late = sml(0, 1, [1])
    s.send(late)
    return s


@packet_test("switchml")
def late_duplicate_is_stale() -> Scenario:
    s = _late_duplicate(with_round=True)
    s.silence()
    last = sml(0, 3, [3])
    s.send(last)
    s.copied(result(last, bitmap=3, values=[33]), "h1", "h2")
    s.counted(Event.STALE, 1)
    return s


@packet_test("switchml")
def late_duplicate_as_published() -> Scenario:
    s = _late_duplicate(with_round=False)
    wrong = result(sml(0, 1, [1]), bitmap=3, values=[31])
    s.copied(wrong, "h1", "h2")
    return s


@packet_test("switchml")
def as_published_in_order() -> Scenario:
    s = pooled("Without round numbers, in order and without loss: correct.", with_round=False)
    for round_ in (1, 2, 3):
        mine = sml(0, round_, [round_])
        s.send(mine)
        s.send(mine)
        s.silence()
        last = sml(1, round_, [10 * round_])
        s.send(last)
        s.copied(result(last, bitmap=3, values=[11 * round_]), "h1", "h2")
        s.send(last)
        s.routed(replay(last, "h2", bitmap=3, values=[11 * round_]))
    return s


@packet_test("switchml")
def round_number_wraps() -> Scenario:
    s = pooled("Rounds compare as serial numbers: 1 follows 65535.")
    for round_ in (0xFFFF, 1):
        s.send(sml(0, round_, [round_], seq=1))
        last = sml(1, round_, [1], seq=1)
        s.send(last)
        s.copied(result(last, bitmap=3, values=[round_ + 1]), "h1", "h2")
    s.send(sml(0, 0xFFFF, [7], seq=1))
    s.silence()
    s.counted(Event.STALE, 1)
    return s


@packet_test("switchml")
def slots_of_a_pool() -> Scenario:
    s = pooled("Neighbouring fragments use different slots; pools of jobs are disjoint.")
    s.job("h1 h2", pool_slots=POOL)
    packets = [(job, seq) for job in (1, 2) for seq in (1, 2)]
    for job, seq in packets:
        s.send(sml(0, 1, [job * 10 + seq], job=job, seq=seq))
    s.silence()
    for job, seq in packets:
        last = sml(1, 1, [100], job=job, seq=seq)
        s.send(last)
        s.copied(result(last, bitmap=3, values=[100 + job * 10 + seq]), "h1", "h2")
    return s


@packet_test("switchml")
def slot_of_a_former_job() -> Scenario:
    s = scenario("A slot remembers its job: a new job starts anew in it.")
    former = s.job("h1 h2", pool_slots=POOL)
    s.note("as if job 1 had used the pool before: both jobs own the same slots")
    s.send(sml(0, 1, [99]))
    s.silence()
    states = s.book.states()
    s.book.remove("job1")
    s.book.admit(_again(former.name))
    both = s.book.states()["s1"].rows | states["s1"].rows
    s.overrides = type(states["s1"])(
        both, states["s1"].defaults, states["s1"].groups | s.book.states()["s1"].groups
    )
    s.send(sml(1, 1, [1], job=2))
    s.silence()
    last = sml(0, 1, [2], job=2)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[3]), "h1", "h2")
    return s


def _again(name: str):  # type: ignore[no-untyped-def]
    from controller import JobRequest

    return JobRequest(name, ("h1", "h2"), "ps1", pool_slots=POOL)


@packet_test("switchml")
def malformed_is_rejected() -> Scenario:
    s = pooled("Packets that must not reach a slot are dropped and counted.")
    good = sml(0, 1, [1])
    for bad in (good.but(len=33), good.but(bitmap=0), good.but(bitmap=4), good.but(ver=3)):
        s.send(bad)
    s.raw(1, s.frame(good)[:-1])
    s.note("another operation than the slot's")
    s.send(good)
    s.send(sml(1, 1, [1], op=Op.MAX))
    s.silence()
    s.counted(Event.REJECTED, 6)
    return s


@packet_test("switchml")
def job_without_a_pool() -> Scenario:
    s = scenario("A job of another system has no pool here.")
    s.job("h1 h2")
    s.overrides = type(s.book.states()["s1"])(
        {k: v for k, v in s.book.states()["s1"].rows.items() if "ps_route" not in k.table},
        s.book.states()["s1"].defaults,
        s.book.states()["s1"].groups,
    )
    s.send(sml(0, 1, [1]))
    s.silence()
    s.counted(Event.REJECTED, 1)
    s.note("gradients meant for a PS are only routed")
    packet = grad(0, [1])
    s.send(packet)
    s.routed(packet)
    return s


def rack(switch: str, title: str) -> Scenario:
    """A job over two racks, seen from one switch."""
    s = Scenario(title, JobBook(topologies.load("two-rack")), switch)
    s.job("h1 h2 h5 h6", "ps", pool_slots=POOL)
    return s


@packet_test("switchml")
def rack_forwards_its_sum() -> Scenario:
    s = rack("s1", "A rack sends its sum up, again when a straggler repeats, and results down.")
    mine = sml(0, 1, [1], dst="ps")
    s.send(mine)
    last = sml(1, 1, [10], dst="ps")
    s.send(last)
    s.routed(last.but(bitmap=3, values=[11]))
    s.send(mine)
    s.routed(mine.but(bitmap=3, values=[11]))
    answer = result(last, bitmap=15, values=[1111], src="h5", dst="h1")
    s.send(answer, port=5)
    s.copied(answer, "h1", "h2")
    one = answer.but(worker=0)
    s.send(one, port=5)
    s.routed(one)
    return s


@packet_test("switchml")
def root_answers_a_rack() -> Scenario:
    s = rack("s3", "The root adds racks; a repeated rack sum is answered to its worker alone.")
    one = sml(0, 1, [11], bitmap=3, dst="ps")
    two = sml(1, 1, [1100], bitmap=12, worker=3, src="h6", dst="ps")
    s.send(one)
    s.send(one)
    s.silence()
    s.send(two)
    total = result(two, bitmap=15, values=[1111])
    s.copied_to_switch(total, "s1")
    s.copied_to_switch(total, "s2")
    s.send(one)
    s.routed(replay(one, "h1", bitmap=15, values=[1111]))
    return s


@packet_test("switchml")
def peek_shows_a_set() -> Scenario:
    s = pooled("PEEK shows job, round (in seq) and workers of a slot.")
    s.send(sml(0, 1, [6], seq=2, exp=9))
    look = Agg(kind=MessageType.PEEK, job=0, seq=0, bitmap=0, prio=0, src="h1", dst="h1")
    half = 4096
    look = look.but(round=half)
    s.send(look)
    shown = look.but(job=1, seq=1, bitmap=1, exp=9, values=[6])
    s.at(1, s.frame(shown))
    s.send(look.but(round=half - 5, bitmap=0xFF))
    s.at(1, s.frame(look.but(round=half - 5, bitmap=0x20)))
    flush = look.but(kind=MessageType.FLUSH)
    s.raw(CPU_PORT, bytes(2) + s.frame(flush))
    out = (CPU_PORT << 7).to_bytes(2, "big")
    s.at(CPU_PORT, out + s.frame(shown.but(kind=MessageType.FLUSH)))
    s.send(look.but(round=8192))
    s.at(1, s.frame(look.but(round=8192, flags=Flag.MISS)))
    s.silence()
    return s
