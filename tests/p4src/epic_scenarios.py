# SPDX-License-Identifier: MIT
"""EPIC in Mode II: one scenario per arrow of its state machines."""

from __future__ import annotations

from controller.collective_rows import ChannelEvent as Event
from controller.groups import GroupRequest
from hosts.collectives.description import Channel, Primitive
from hosts.wire.esa import Op
from tests.p4src.epic_scapy import (
    SUM,
    WRONG_GROUP,
    EpicScenario,
    ack,
    data,
    leaf,
    single_switch,
)
from tests.p4src.registry import packet_test

TO_H1 = Channel(Primitive.REDUCE, Op.SUM, 0)
FROM_H1 = Channel(Primitive.BROADCAST, Op.SUM, 0)
LAST = (1 << 24) - 1
SLOTS = 8  # twice the window of these scenarios


def complete(s: EpicScenario, psn: int, *values: int) -> None:
    """All three members of a star contribute to a PSN."""
    for peer, value in zip(("h1", "h2", "h3"), values, strict=True):
        s.send(data(peer, psn, value))
    s.expect(data("", psn, sum(values)), "h1", "h2", "h3")


@packet_test("epic_translated")
def first_middle_and_last_contribution() -> EpicScenario:
    s = single_switch("Contributions are held until the last one, whose sum goes to everybody.")
    for peer, value in (("h1", 1), ("h2", 20)):
        s.send(data(peer, 0, value, -value))
        s.silence()
    s.send(data("h3", 0, 300, -300, icrc=0xABCDEF01))
    s.note("the ICRC is not touched")
    s.expect(data("", 0, 321, -321, icrc=0xABCDEF01), "h1", "h2", "h3")
    s.silence()
    for event in (Event.ALLOCATE, Event.MERGE, Event.COMPLETE):
        s.counted(event, 1)
    return s


@packet_test("epic_translated")
def duplicate_before_and_after_completion() -> EpicScenario:
    s = single_switch("A duplicate counts once; after completion it is answered to its sender.")
    for packet in (data("h1", 0, 1), data("h1", 0, 1), data("h2", 0, 20), data("h1", 0, 1)):
        s.send(packet)
    s.silence()
    s.send(data("h3", 0, 300))
    s.expect(data("", 0, 321), "h1", "h2", "h3")
    s.note("h2 has lost the result")
    s.send(data("h2", 0, 20))
    s.expect(data("h2", 0, 321))
    s.silence()
    s.counted(Event.DUPLICATE, 2)
    s.counted(Event.REPLAY, 1)
    return s


@packet_test("epic_translated")
def lost_result_while_others_go_on() -> EpicScenario:
    s = single_switch("The next window does not touch the slots of the one before.")
    complete(s, 0, 1, 2, 3)
    complete(s, 4, 10, 20, 30)
    s.note("h3 sees neither; the published model has erased slot 0 by now")
    s.send(data("h3", 0, 3))
    s.expect(data("h3", 0, 6))
    s.send(data("h3", 4, 30))
    s.expect(data("h3", 4, 60))
    s.silence()
    return s


@packet_test("epic_translated")
def older_than_the_slot() -> EpicScenario:
    s = single_switch("A newer PSN resets the slot, an older one never touches it.")
    complete(s, 1, 1, 2, 3)
    s.send(data("h1", 1 + SLOTS, 100))
    s.send(data("h2", 1, 2))
    s.silence()
    s.send(data("h2", 1 + SLOTS, 200))
    s.send(data("h3", 1 + SLOTS, 300))
    s.expect(data("", 1 + SLOTS, 600), "h1", "h2", "h3")
    s.counted(Event.STALE, 1)
    return s


@packet_test("epic_translated")
def wrap_of_sequence_numbers() -> EpicScenario:
    s = single_switch("Behind 2^24 - 1 comes 0, which is newer.")
    for psn in (LAST - 1, LAST, 0, 1):
        complete(s, psn, psn % 7, 10, 100)
    reused = (LAST + SLOTS) % (1 << 24)
    complete(s, reused, 5, 6, 7)
    s.send(data("h1", LAST, 1))
    s.silence()
    s.counted(Event.STALE, 1)
    return s


@packet_test("epic_translated")
def operations_by_channel() -> EpicScenario:
    s = single_switch("Maximum and minimum are signed; sums saturate.")
    top, bottom = 2**31 - 1, -(2**31)
    rows = {"h1": [5, -5, top, bottom], "h2": [-7, 3, 1, -1], "h3": [0, 0, 1, 0]}
    wanted = {
        Op.SUM: [-2, -2, top, bottom],
        Op.MAX: [5, 3, top, 0],
        Op.MIN: [-7, -5, 1, bottom],
    }
    for op, values in wanted.items():
        channel = Channel(Primitive.ALLREDUCE, op)
        for peer, row in rows.items():
            s.send(data(peer, 0, *row, channel=channel))
        s.expect(data("", 0, *values, channel=channel), "h1", "h2", "h3")
        s.silence()
    return s


@packet_test("epic_translated")
def acks_of_an_allreduce_are_reflected() -> EpicScenario:
    s = single_switch("A host's ACK of the result comes back as the ACK of its request.")
    complete(s, 0, 1, 2, 3)
    s.send(ack("h2", 0))
    s.expect(ack("h2", 0))
    s.note("lost on its way: the host asks again, and gets the result and then its ACK")
    s.send(data("h2", 0, 2))
    s.expect(data("h2", 0, 6))
    s.send(ack("h2", 0))
    s.expect(ack("h2", 0))
    s.silence()
    s.counted(Event.REFLECT, 2)
    return s


@packet_test("epic_translated")
def reduce_leaves_one_rank_out() -> EpicScenario:
    s = single_switch("The sum of the others goes to the root, whose ACK goes to all of them.")
    for peer, value in (("h3", 30), ("h2", 2)):
        s.send(data(peer, 0, value, channel=TO_H1))
    s.expect(data("h1", 0, 32, channel=TO_H1))
    s.note("lost: any contributor's repetition sends it again")
    s.send(data("h3", 0, 30, channel=TO_H1))
    s.expect(data("h1", 0, 32, channel=TO_H1))
    s.send(ack("h1", 0, channel=TO_H1))
    s.expect(ack("", 0, channel=TO_H1), "h2", "h3")
    s.note("the root has nothing to contribute, others have nothing to acknowledge")
    s.send(data("h1", 0, 1, channel=TO_H1))
    s.send(ack("h2", 0, channel=TO_H1))
    s.silence()
    s.counted(Event.ACK_COPY, 1, TO_H1)
    s.counted(Event.REJECTED, 2, TO_H1)
    return s


@packet_test("epic_translated")
def broadcast_acks_are_the_minimum() -> EpicScenario:
    s = single_switch("The source hears what all receivers have.", 4)
    for psn in range(3):
        s.send(data("h1", psn, psn, channel=FROM_H1))
        s.expect(data("", psn, psn, channel=FROM_H1), "h2", "h3", "h4")
    s.note("h4 has acknowledged nothing")
    s.send(ack("h2", 2, channel=FROM_H1))
    s.send(ack("h3", 0, channel=FROM_H1))
    s.silence()
    for peer, psn in (("h4", 1), ("h3", 1), ("h4", 2), ("h3", 2)):
        s.send(ack(peer, psn, channel=FROM_H1))
        if peer == "h4" and psn == 1:
            s.expect(ack("h1", 0, channel=FROM_H1))
        if peer == "h3":
            s.expect(ack("h1", psn, channel=FROM_H1))
        s.silence()
    s.note("the ACK to the source was lost: a repeated one repeats the minimum, not itself")
    s.send(ack("h2", 1, channel=FROM_H1))
    s.expect(ack("h1", 2, channel=FROM_H1))
    s.silence()
    s.counted(Event.ACK_MINIMUM, 4, FROM_H1)
    s.counted(Event.ACK_HELD, 3, FROM_H1)
    return s


@packet_test("epic_translated")
def broadcast_acks_wrap() -> EpicScenario:
    s = single_switch("The minimum of ACKs on both sides of 2^24 - 1 is the one before.")
    s.send(ack("h2", 0, channel=FROM_H1))
    s.silence()
    s.send(ack("h3", LAST, channel=FROM_H1))
    s.expect(ack("h1", LAST, channel=FROM_H1))
    s.send(ack("h3", 1, channel=FROM_H1))
    s.expect(ack("h1", 0, channel=FROM_H1))
    s.silence()
    return s


@packet_test("epic_translated")
def wrong_group_and_wrong_epoch() -> EpicScenario:
    s = single_switch("Packets of no group, of another epoch or of another port are dropped.", 4)
    s.send(data("h1", 0, 1, channel=WRONG_GROUP))
    s.send(data("h1", 0, 1), epoch=2)
    s.send(ack("h1", 0), epoch=2)
    s.silence()
    s.counted(Event.FORWARD, 3, None)
    s.counted(Event.ALLOCATE, 0)
    return s


@packet_test("epic_translated")
def malformed_packets() -> EpicScenario:
    s = single_switch("Truncated packets, NAKs and other opcodes do nothing.")
    whole = s.frame(data("h1", 0, 1))
    s.raw(1, whole[: 14 + 20 + 8 + 11])
    s.raw(1, whole[: 14 + 20 + 8 + 12 + 127])
    s.raw(1, whole[: 14 + 20 + 8])
    s.send(ack("h1", 0, syndrome=0x60))
    s.send(data("h1", 0, 1, opcode=0x0A))
    longer = bytes(4) + s.frame(data("h1", 0, 1))
    s.raw(1, longer)
    s.silence()
    s.counted(Event.REJECTED, 2, None)
    s.counted(Event.REJECTED, 3)
    s.counted(Event.ALLOCATE, 0)
    return s


@packet_test("epic_translated")
def leaf_passes_sums_up_and_results_down() -> EpicScenario:
    s = leaf("A switch that is not the root sends its sum up, and copies the result.")
    up = "s3"
    s.send(data("h1", 0, 1))
    s.silence()
    s.send(data("h2", 0, 2))
    s.expect(data(up, 0, 3))
    s.note("lost above: a repetition sends it once more")
    s.send(data("h1", 0, 1))
    s.expect(data(up, 0, 3))
    s.send(data(up, 0, 10))
    s.expect(data("", 0, 10), "h1", "h2")
    s.note("nothing is acknowledged to the root, which keeps no account of it")
    s.send(ack(up, 0))
    s.silence()
    s.counted(Event.RESULT, 1)
    s.counted(Event.REPLAY, 1)
    return s


@packet_test("epic_translated")
def root_adds_its_leaves() -> EpicScenario:
    s = leaf("The root adds what its leaves have added; a leaf that asks again gets the result.")
    s.switch = "s3"
    s.send(data("s1", 0, 3))
    s.send(data("s2", 0, 7))
    s.expect(data("", 0, 10), "s1", "s2")
    s.send(data("s2", 0, 7))
    s.expect(data("s2", 0, 10))
    s.send(ack("s2", 0))
    s.silence()
    return s


@packet_test("epic_translated")
def leaf_of_reduce_and_broadcast() -> EpicScenario:
    s = leaf("The tree is turned towards the root rank: on its leaf the parent is a child.")
    s.send(data("h2", 0, 2, channel=TO_H1))
    s.send(data("s3", 0, 40, channel=TO_H1))
    s.expect(data("h1", 0, 42, channel=TO_H1))
    s.send(ack("h1", 0, channel=TO_H1))
    s.expect(ack("", 0, channel=TO_H1), "h2", "s3")
    s.send(data("h1", 0, 9, channel=FROM_H1))
    s.expect(data("", 0, 9, channel=FROM_H1), "h2", "s3")
    s.send(ack("s3", 0, channel=FROM_H1))
    s.silence()
    s.send(ack("h2", 0, channel=FROM_H1))
    s.expect(ack("h1", 0, channel=FROM_H1))
    s.silence()
    return s


@packet_test("epic_translated")
def groups_do_not_touch_each_other() -> EpicScenario:
    s = single_switch("The same PSN of another group has its own slot.")
    s.book.create(GroupRequest("b", ("h2", "h3"), 4))
    s.send(data("h1", 0, 1))
    s.send(data("h2", 0, 2))
    s.silence()
    s.send(data("h3", 0, 4))
    s.expect(data("", 0, 7), "h1", "h2", "h3")
    s.counted(Event.COMPLETE, 1, SUM)
    return s
