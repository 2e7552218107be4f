# SPDX-License-Identifier: MIT
"""Two levels: what a rack switch and the switch next to the parameter server do."""

import topologies
from controller import JobBook, ResultPath
from controller.aggregation import Event
from hosts.wire.esa import NO_WORKER, Flag, MessageType
from tests.p4src.esa_scenarios import param, remind
from tests.p4src.registry import packet_test
from tests.p4src.scenario_scapy import Scenario, grad

HELD = Flag.PARTIAL | Flag.NOAGG


def on(switch: str, title: str, workers: str = "h1 h2 h5 h6", **options: object) -> Scenario:
    """A job over two racks, seen from one switch."""
    s = Scenario(title, JobBook(topologies.load("two-rack")), switch)
    s.job(workers, "ps", **options)
    return s


@packet_test("esa", "atp")
def rack_adds_its_own_workers() -> Scenario:
    s = on("s1", "A rack sends its sum on and waits for the result with the slot held.")
    s.send(grad(0, [1], dst="ps"))
    last = grad(1, [10], dst="ps")
    s.send(last)
    s.routed(last.but(worker=NO_WORKER, bitmap=0b0011, values=[11]))
    s.note("bits of the other rack's workers are none of its business")
    s.send(grad(0, [1], bitmap=0b0100, dst="ps"))
    s.silence()
    s.counted(Event.REJECTED, 1)
    s.note("the result, from the switch above")
    answer = param(src="h6", dst="h1", values=[1111])
    s.send(answer, port=5)
    s.copied(answer, "h1", "h2")
    s.send(grad(0, [1], dst="ps"))
    s.silence()
    s.counted(Event.ALLOCATE, 2)
    return s


@packet_test("esa", "atp")
def root_adds_racks() -> Scenario:
    s = on("s3", "The switch before the PS completes on the full mask of the job.")
    one = grad(0, [11], bitmap=0b0011, worker=NO_WORKER, dst="ps")
    s.send(one)
    s.note("a duplicate of a whole rack")
    s.send(one)
    s.silence()
    two = grad(4, [1100], bitmap=0b1100, worker=NO_WORKER, dst="ps")
    s.send(two)
    total = two.but(kind=MessageType.PARAM, bitmap=0b1111, values=[1111])
    for switch, port_host in (("s1", "h1"), ("s2", "h5")):
        assert port_host
        s.copied_to_switch(total, switch)
    s.copied(total, "ps")
    s.counted(Event.DUPLICATE, 1)
    return s


@packet_test("esa", "atp")
def remind_visits_every_switch() -> Scenario:
    s = on("s3", "Each switch answers for itself and passes the question down.")
    one = grad(0, [11], bitmap=0b0011, worker=NO_WORKER, dst="ps", prio=4)
    s.send(one)
    question = remind(src="ps", dst="h1")
    s.send(question)
    s.copied(question.but(bitmap=0b0011, values=[11], prio=4, flags=HELD), "ps")
    passed = question.but(bitmap=0b0011, values=[11], prio=4)
    s.copied_to_switch(passed, "s1")
    s.copied_to_switch(passed, "s2")
    s.note("an answer from below passes upwards")
    answer = remind(src="ps", dst="ps", bitmap=0b0100, values=[5], flags=HELD)
    s.send(answer, port=2)
    s.routed(answer)
    miss = remind(src="ps", dst="ps", flags=Flag.MISS)
    s.send(miss, port=1)
    s.routed(miss)
    return s


@packet_test("esa", "atp")
def remind_in_the_rack() -> Scenario:
    s = on("s2", "A rack asked from above answers to the PS.")
    s.send(grad(4, [7], bitmap=0b0100, worker=2, dst="ps"))
    question = remind(src="ps", dst="h1")
    s.send(question, port=5)
    mac = s.book.routes.next_hop("s2", "ps").mac
    held = question.but(bitmap=0b0100, values=[7], worker=NO_WORKER, flags=HELD, dst="ps")
    s.at(5, s._frame(held, mac))
    return s


@packet_test("esa", "atp")
def job_in_one_rack() -> Scenario:
    s = on(
        "s1",
        "All workers in one rack: the rack sends the result, a copy climbs to the PS.",
        workers="h1 h2",
    )
    s.send(grad(0, [1], dst="ps"))
    last = grad(1, [10], dst="ps")
    s.send(last)
    total = last.but(kind=MessageType.PARAM, worker=NO_WORKER, bitmap=3, values=[11])
    s.copied(total, "h1", "h2")
    mac = s.book.routes.next_hop("s1", "ps").mac
    s.at(5, s._frame(total.but(worker=0xFE), mac))
    return s


@packet_test("esa", "atp")
def relay_above_the_only_rack() -> Scenario:
    s = on("s3", "A switch with nothing to add up relays both ways.", workers="h1 h2")
    up = grad(0, [1], dst="ps")
    s.send(up)
    s.routed(up)
    s.note("the PS's copy of a result does not turn round")
    copy = param(src="h2", dst="ps", worker=0xFE)
    s.send(copy, port=1)
    s.routed(copy)
    answer = param(src="ps", dst="h1")
    s.send(answer)
    s.copied_to_switch(answer, "s1")
    question = remind(src="ps", dst="h1")
    s.send(question)
    s.copied_to_switch(question, "s1")
    s.silence()
    return s


@packet_test("esa", "atp")
def root_through_server() -> Scenario:
    s = on("s3", "Result path through the PS, two levels.", result_path=ResultPath.SERVER)
    one = grad(0, [11], bitmap=0b0011, worker=NO_WORKER, dst="ps")
    two = grad(4, [1100], bitmap=0b1100, worker=NO_WORKER, dst="ps")
    s.send(one)
    s.send(two)
    s.routed(two.but(bitmap=0b1111, values=[1111]))
    answer = param(src="ps", dst="h1")
    s.send(answer)
    s.copied_to_switch(answer, "s1")
    s.copied_to_switch(answer, "s2")
    s.send(one)
    s.silence()
    s.counted(Event.ALLOCATE, 2)
    return s
