# SPDX-License-Identifier: MIT
"""Arrows of the slot's state machine: ESA's own, and those it shares with ATP."""

from controller import Downgrade, ResultPath
from controller.aggregation import Event
from hosts.wire.esa import NO_WORKER, Flag, MessageType, Op
from tests.p4src.registry import packet_test
from tests.p4src.scenario_scapy import Agg, Scenario, grad, scenario, without_job

SERVER = ResultPath.SERVER
LOST = Flag.COLLISION | Flag.NOAGG
GONE = Flag.EVICTED | Flag.NOAGG


def result(packet: Agg, **fields: object) -> Agg:
    """The sum that the switch sends itself, made from the packet that completed it."""
    return packet.but(kind=MessageType.PARAM, worker=NO_WORKER).but(**fields)


def param(**fields: object) -> Agg:
    """A sum from the parameter server to all workers."""
    return Agg(kind=MessageType.PARAM, bitmap=0b1111, values=[9], src="ps1", dst="h1").but(**fields)


def remind(**fields: object) -> Agg:
    """The parameter server asks for fragment 1."""
    return Agg(kind=MessageType.REMIND, bitmap=0, src="ps1", dst="h1").but(**fields)


@packet_test("esa", "atp")
def direct_result() -> Scenario:
    s = scenario("Four workers; the last one's packet becomes the result for all.")
    s.job("h1 h2 h3 h4")
    for worker in (2, 0, 3):
        s.send(grad(worker, [worker + 1, -worker, 2**31 - 1 if worker == 0 else 0]))
        s.silence()
    last = grad(1, [2, -1, -5])
    s.send(last)
    total = result(last, bitmap=0b1111, values=[10, -6, 2**31 - 6])
    s.copied(total, "h1", "h2", "h3", "h4", "ps1")
    s.silence()
    s.note("the slot is free again: a late packet takes it")
    s.send(grad(0, [1]))
    s.silence()
    for event, packets in ((Event.ALLOCATE, 2), (Event.MERGE, 2), (Event.EMIT, 1)):
        s.counted(event, packets)
    return s


@packet_test("esa", "atp")
def duplicates_before_completion() -> Scenario:
    s = scenario("A contribution that is already inside is dropped.")
    s.job("h1 h2 h3")
    for worker in (0, 0, 1, 0, 1):
        s.send(grad(worker, [10**worker]))
        s.silence()
    last = grad(2, [100])
    s.send(last)
    s.copied(result(last, bitmap=7, values=[111]), "h1", "h2", "h3", "ps1")
    s.counted(Event.DUPLICATE, 3)
    return s


@packet_test("esa")
def result_through_server() -> Scenario:
    s = scenario("The sum goes to the PS and stays in the slot until the result passes.")
    s.job("h1 h2", result_path=SERVER)
    s.send(grad(0, [1, 2]))
    last = grad(1, [10, 20])
    s.send(last)
    s.routed(last.but(worker=NO_WORKER, bitmap=3, values=[11, 22]))
    s.note("late duplicate: absorbed, since the slot is still held")
    s.send(last)
    s.silence()
    s.counted(Event.DUPLICATE, 1)
    answer = param(bitmap=3, values=[11, 22])
    s.send(answer)
    s.copied(answer, "h1", "h2")
    s.silence()
    s.note("now the slot is free: a late duplicate takes it (a ghost)")
    s.send(last)
    s.silence()
    s.counted(Event.ALLOCATE, 2)
    s.counted(Event.RESULT, 1)
    return s


@packet_test("esa", "atp")
def free_on_complete() -> Scenario:
    s = scenario("With free_on_complete the slot is free as soon as the sum has left.")
    s.job("h1 h2", result_path=SERVER, free_on_complete=True)
    s.send(grad(0, [1]))
    last = grad(1, [10])
    s.send(last)
    s.routed(last.but(worker=NO_WORKER, bitmap=3, values=[11]))
    s.send(grad(0, [1], seq=2))
    s.send(grad(1, [1]))
    s.silence()
    s.counted(Event.ALLOCATE, 3)
    return s


@packet_test("esa", "atp")
def collision_passes_through() -> Scenario:
    s = scenario("Slot held by a fragment of equal priority: on to the PS, marked.", aggregators=1)
    s.job("h1 h2")
    s.send(grad(0, [1]))
    other = grad(1, [7], seq=2)
    s.send(other)
    s.routed(other.but(flags=LOST))
    s.note("the holder is untouched")
    last = grad(1, [10])
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2", "ps1")
    s.counted(Event.PASS_THROUGH, 1)
    return s


@packet_test("esa")
def eviction_chain_of_three_jobs() -> Scenario:
    s = scenario(
        "Each job displaces the one before; partial sums go to their own PSs.",
        servers=3,
        aggregators=1,
    )
    for number in (1, 2, 3):
        s.job("h1 h2 h3", server=f"ps{number}")
    first = grad(0, [1, 1], prio=10, exp=130, iter=3, layer=7, len=2)
    s.send(first)
    s.send(grad(1, [4, 4], prio=12, exp=131, iter=3, layer=7, len=2))
    s.silence()
    second = grad(2, [100], job=2, prio=20, op=Op.MAX, dst="ps2", iter=1, layer=1, len=9)
    s.send(second)
    s.routed(
        second.but(
            job=1,
            bitmap=0b011,
            values=[5, 5],
            prio=12,
            exp=131,
            op=Op.SUM,
            iter=3,
            layer=7,
            len=2,
            worker=NO_WORKER,
            flags=GONE,
            dst="ps1",
        )
    )
    third = grad(0, [-3], job=3, seq=9, prio=30, dst="ps3")
    s.send(third)
    s.routed(
        third.but(
            job=2,
            seq=1,
            bitmap=0b100,
            values=[100],
            prio=20,
            op=Op.MAX,
            iter=1,
            layer=1,
            len=9,
            worker=NO_WORKER,
            flags=GONE,
            dst="ps2",
        )
    )
    for worker in (1, 2):
        last = grad(worker, [-3], job=3, seq=9, prio=1, dst="ps3")
        s.send(last)
    s.copied(result(last, bitmap=7, values=[-9], prio=30), "h1", "h2", "h3", "ps3")
    s.counted(Event.PREEMPT, 1, index=2)
    s.counted(Event.PREEMPT, 1, index=3)
    return s


@packet_test("esa")
def same_job_preempts_by_priority_only() -> Scenario:
    s = scenario(
        "A later fragment of the same job displaces an earlier one only by priority.", aggregators=1
    )
    s.job("h1 h2")
    s.send(grad(0, [1], seq=5, prio=7))
    later = grad(0, [2], seq=6, prio=7)
    s.send(later)
    s.routed(later.but(flags=LOST))
    above = grad(0, [2], seq=6, prio=8)
    s.send(above)
    s.routed(above.but(seq=5, values=[1], prio=7, worker=NO_WORKER, flags=GONE))
    return s


@packet_test("esa")
def priorities_0_and_255() -> Scenario:
    s = scenario("0 never displaces, anybody displaces 0, nobody displaces 255.", aggregators=1)
    s.job("h1 h2")
    s.send(grad(0, [1], seq=1, prio=0))
    zero = grad(0, [2], seq=2, prio=0)
    s.send(zero)
    s.routed(zero.but(flags=LOST))
    one = grad(0, [3], seq=3, prio=1)
    s.send(one)
    s.routed(one.but(seq=1, values=[1], prio=0, worker=NO_WORKER, flags=GONE))
    top = grad(0, [4], seq=4, prio=255)
    s.send(top)
    s.routed(top.but(seq=3, values=[3], prio=1, worker=NO_WORKER, flags=GONE))
    again = grad(1, [5], seq=5, prio=255)
    s.send(again)
    s.routed(again.but(flags=LOST))
    return s


@packet_test("esa")
def downgrade_halve() -> Scenario:
    s = scenario(
        "Each failed attempt halves the holder's priority; a merge restores it.",
        aggregators=1,
        downgrade=Downgrade.HALVE,
    )
    s.job("h1 h2 h3")
    s.send(grad(0, [1], prio=8))
    rival = grad(0, [2], seq=2, prio=3)
    s.note("8 -> 4")
    s.send(rival)
    s.routed(rival.but(flags=LOST))
    s.note("a merge brings 8 back")
    s.send(grad(1, [1], prio=8))
    s.silence()
    for _ in range(2):
        s.send(rival)
        s.routed(rival.but(flags=LOST))
    s.note("8 -> 4 -> 2 < 3")
    s.send(rival)
    s.routed(rival.but(seq=1, bitmap=3, values=[2], prio=2, worker=NO_WORKER, flags=GONE))
    s.counted(Event.PASS_THROUGH, 3)
    return s


@packet_test("esa")
def downgrade_decrement() -> Scenario:
    s = scenario(
        "Each failed attempt takes one from the holder's priority, down to 0.",
        aggregators=1,
        downgrade=Downgrade.DECREMENT,
    )
    s.job("h1 h2")
    s.send(grad(0, [1], prio=1))
    s.note("0 never wins, but it wears down; at 0 the priority stays")
    zero = grad(0, [2], seq=2, prio=0)
    for _ in range(3):
        s.send(zero)
        s.routed(zero.but(flags=LOST))
    one = grad(0, [3], seq=3, prio=1)
    s.send(one)
    s.routed(one.but(seq=1, values=[1], prio=0, worker=NO_WORKER, flags=GONE))
    return s


@packet_test("esa")
def resend_bypasses() -> Scenario:
    s = scenario("A repeated fragment goes to the PS and touches no slot.")
    s.job("h1 h2")
    s.send(grad(0, [1]))
    again = grad(1, [10], flags=Flag.RESEND)
    s.send(again)
    s.routed(again.but(flags=Flag.RESEND | Flag.NOAGG))
    s.note("the slot still waits for worker 1")
    last = grad(1, [10])
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2", "ps1")
    s.counted(Event.RESEND, 1)
    return s


@packet_test("esa")
def resend_of_an_evicted_worker() -> Scenario:
    s = scenario(
        "After an eviction the worker repeats: no second contribution in the slot.", aggregators=1
    )
    s.job("h1 h2")
    s.send(grad(0, [1], seq=1, prio=1))
    winner = grad(0, [2], seq=2, prio=9)
    s.send(winner)
    s.routed(winner.but(seq=1, values=[1], prio=1, worker=NO_WORKER, flags=GONE))
    again = grad(0, [1], seq=1, prio=200, flags=Flag.RESEND)
    s.send(again)
    s.routed(again.but(flags=Flag.RESEND | Flag.NOAGG))
    last = grad(1, [2], seq=2, prio=1)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[4], prio=9), "h1", "h2", "ps1")
    return s


@packet_test("esa", "atp")
def remind_fetches_the_partial() -> Scenario:
    s = scenario("REMIND takes what the slot holds to the PS and frees it.")
    s.job("h1 h2 h3")
    s.send(grad(0, [1], prio=5, exp=140, len=3, iter=2, layer=4))
    s.send(grad(2, [100], prio=4, exp=129, len=3, iter=2, layer=4))
    s.send(remind())
    held = remind(
        bitmap=0b101,
        values=[101],
        prio=5,
        exp=140,
        len=3,
        iter=2,
        layer=4,
        flags=Flag.PARTIAL | Flag.NOAGG,
    )
    s.copied(held, "ps1")
    s.note("a second one finds an empty slot")
    s.send(remind())
    s.copied(remind(flags=Flag.MISS), "ps1")
    s.counted(Event.REMIND_HIT, 1)
    s.counted(Event.REMIND_MISS, 1)
    return s


@packet_test("esa", "atp")
def remind_to_a_slot_of_another() -> Scenario:
    s = scenario("REMIND leaves another fragment's slot alone.", aggregators=1)
    s.job("h1 h2")
    s.send(grad(0, [1], seq=2))
    s.send(remind(seq=1))
    s.copied(remind(seq=1, flags=Flag.MISS), "ps1")
    last = grad(1, [10], seq=2)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2", "ps1")
    return s


@packet_test("esa", "atp")
def results_from_the_server() -> Scenario:
    s = scenario(
        "PARAM: to all or to one; frees its own slot; a solicitation frees nothing.", aggregators=1
    )
    s.job("h1 h2")
    s.send(grad(0, [1]))
    ask = param(bitmap=0, values=[], flags=Flag.MISS)
    s.send(ask)
    s.copied(ask, "h1", "h2")
    s.note("PARAM of another fragment")
    s.send(param(seq=2))
    s.copied(param(seq=2), "h1", "h2")
    s.note("the slot is still held")
    other = grad(0, [1], seq=3)
    s.send(other)
    s.routed(other.but(flags=LOST))
    s.note("to one worker: routed by address, frees as well")
    one = param(worker=1, dst="h2")
    s.send(one)
    s.routed(one)
    s.send(other)
    s.silence()
    s.counted(Event.ALLOCATE, 2)
    s.counted(Event.RESULT, 3)
    return s


@packet_test("esa", "atp")
def late_packet_after_completion() -> Scenario:
    s = scenario(
        "A late duplicate becomes a ghost, which REMIND or the next result removes.", aggregators=1
    )
    s.job("h1 h2")
    s.send(grad(0, [1]))
    last = grad(1, [10])
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2", "ps1")
    s.send(grad(0, [1]))
    s.silence()
    s.send(remind())
    s.copied(remind(bitmap=1, values=[1], flags=Flag.PARTIAL | Flag.NOAGG), "ps1")
    s.send(grad(0, [5], seq=2))
    s.silence()
    s.counted(Event.ALLOCATE, 3)
    return s


@packet_test("esa")
def evicted_fragment_of_a_removed_job() -> Scenario:
    s = scenario("Nobody waits for the partial sum of a removed job: it is dropped.", aggregators=1)
    gone = s.job("h1 h2")
    s.job("h1 h2")
    s.overrides = without_job(s.book.states()["s1"], gone.plan)
    s.send(grad(0, [1], job=1, prio=1))
    s.send(grad(0, [2], job=2, prio=2))
    s.silence()
    last = grad(1, [2], job=2, prio=2)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[4]), "h1", "h2", "ps1")
    return s


@packet_test("esa", "atp")
def sequence_wrap() -> Scenario:
    s = scenario("The last sequence number and the first after the wrap are two fragments.")
    s.job("h1 h2")
    for seq in (0xFFFFFFFF, 1):
        s.send(grad(0, [1], seq=seq))
    s.silence()
    for seq in (0xFFFFFFFF, 1):
        last = grad(1, [seq & 0xFF], seq=seq)
        s.send(last)
        s.copied(result(last, bitmap=3, values=[1 + (seq & 0xFF)]), "h1", "h2", "ps1")
    return s


@packet_test("esa", "atp")
def one_worker() -> Scenario:
    s = scenario("A full mask of one bit: complete at once, whatever a slot holds.", aggregators=1)
    s.job("h1")
    s.job("h2 h3")
    s.job("h1", result_path=SERVER)
    s.send(grad(1, [5], job=2, bitmap=1, worker=0))
    only = grad(0, [7], prio=255)
    s.send(only)
    s.copied(result(only), "h1", "ps1")
    to_server = grad(0, [7], job=3, prio=255)
    s.send(to_server)
    s.routed(to_server.but(worker=NO_WORKER))
    s.note("job 2's holder is still there")
    last = grad(2, [6], job=2, bitmap=2, worker=1)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h2", "h3", "ps1")
    s.counted(Event.EMIT, 1, index=1)
    return s


@packet_test("esa", "atp")
def thirty_two_workers() -> Scenario:
    s = scenario("A full mask of 32 bits.", workers=32)
    hosts = [f"h{i}" for i in range(1, 33)]
    s.job(" ".join(hosts))
    for worker in range(31, 0, -1):
        s.send(grad(worker, [1 << (worker % 31), worker]))
    s.silence()
    last = grad(0, [0, 0])
    s.send(last)
    total = sum(1 << (w % 31) for w in range(1, 32))
    s.copied(result(last, bitmap=2**32 - 1, values=[total, 496]), *hosts, "ps1")
    s.counted(Event.MERGE, 30)
    return s


@packet_test("esa", "atp")
def without_aggregators() -> Scenario:
    s = scenario("No aggregators in use: everything goes to the PS.", aggregators=0)
    s.job("h1 h2")
    for worker in (0, 1):
        packet = grad(worker, [worker])
        s.send(packet)
        s.routed(packet)
    s.send(remind())
    s.copied(remind(flags=Flag.MISS), "ps1")
    s.counted(Event.FORWARD, 2)
    return s


@packet_test("esa", "atp")
def noagg_is_left_alone() -> Scenario:
    s = scenario("A packet marked NOAGG by an earlier switch passes.")
    s.job("h1 h2")
    for flags in (LOST, GONE, Flag.RESEND | Flag.NOAGG):
        packet = grad(0, [1], flags=flags)
        s.send(packet)
        s.routed(packet)
    s.counted(Event.BYPASS, 3)
    return s
