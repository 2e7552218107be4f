# SPDX-License-Identifier: MIT
"""Where ATP differs: nobody is displaced, a repeated fragment takes its slot's content along."""

from controller import ResultPath
from controller.aggregation import Event
from hosts.wire.esa import NO_WORKER, Flag
from tests.p4src.esa_scenarios import LOST, result
from tests.p4src.registry import packet_test
from tests.p4src.scenario_scapy import Scenario, grad, scenario

TAKEN = Flag.RESEND | Flag.PARTIAL | Flag.NOAGG


@packet_test("atp")
def first_come_first_served() -> Scenario:
    s = scenario("The highest priority displaces nobody.", aggregators=1)
    s.job("h1 h2")
    s.send(grad(0, [1], prio=0))
    rival = grad(0, [2], seq=2, prio=255)
    s.send(rival)
    s.routed(rival.but(flags=LOST))
    last = grad(1, [10], prio=1)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[11]), "h1", "h2", "ps1")
    return s


@packet_test("atp")
def resend_takes_the_slot_along() -> Scenario:
    s = scenario("A repeated fragment merges, leaves with the partial sum and frees the slot.")
    s.job("h1 h2 h3")
    s.send(grad(0, [1]))
    again = grad(1, [10], flags=Flag.RESEND)
    s.send(again)
    s.routed(again.but(worker=NO_WORKER, bitmap=0b011, values=[11], flags=TAKEN))
    s.note("nothing is left")
    s.send(again)
    s.routed(again.but(flags=Flag.RESEND | Flag.NOAGG))
    s.counted(Event.EMIT, 1)
    s.counted(Event.RESEND, 1)
    return s


@packet_test("atp")
def resend_of_a_contribution_inside() -> Scenario:
    s = scenario("A repeated fragment that is already inside carries the stored sum away.")
    s.job("h1 h2 h3")
    s.send(grad(0, [1]))
    s.send(grad(1, [10]))
    again = grad(0, [1], flags=Flag.RESEND)
    s.send(again)
    s.routed(
        again.but(worker=NO_WORKER, bitmap=0b011, values=[11], flags=Flag.PARTIAL | Flag.NOAGG)
    )
    s.send(grad(2, [100]))
    s.silence()
    s.counted(Event.REPLAY, 1)
    s.counted(Event.ALLOCATE, 2)
    return s


@packet_test("atp")
def resend_completes() -> Scenario:
    s = scenario("The missing contribution comes as a repeated one: the sum is complete.")
    s.job("h1 h2")
    s.send(grad(0, [1]))
    again = grad(1, [10], flags=Flag.RESEND)
    s.send(again)
    s.copied(result(again, bitmap=3, values=[11], flags=Flag(0)), "h1", "h2", "ps1")
    return s


@packet_test("atp")
def duplicate_of_a_complete_slot() -> Scenario:
    s = scenario("A duplicate that finds its slot complete brings the stored sum again.")
    s.job("h1 h2", result_path=ResultPath.SERVER)
    s.send(grad(0, [1]))
    last = grad(1, [10])
    s.send(last)
    s.routed(last.but(worker=NO_WORKER, bitmap=3, values=[11]))
    late = grad(0, [1])
    s.send(late)
    s.routed(late.but(worker=NO_WORKER, bitmap=3, values=[11]))
    s.counted(Event.REPLAY, 1)
    return s
