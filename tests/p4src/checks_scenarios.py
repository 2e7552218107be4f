# SPDX-License-Identifier: GPL-2.0-only
"""Forwarding, checks on packets, operations on lanes, and looking at slots."""

import zlib

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

from controller.aggregation import Event
from hosts.wire.esa import NO_WORKER, Flag, MessageType, Op
from tests.p4src.esa_scenarios import result
from tests.p4src.registry import packet_test
from tests.p4src.scenario_scapy import CPU_PORT, Agg, Scenario, grad, scenario

PROGRAMS = ("esa", "atp", "switchml")
INT_MAX, INT_MIN = 2**31 - 1, -(2**31)


@packet_test(*PROGRAMS)
def ipv4_forwarding() -> Scenario:
    s = scenario("Ordinary traffic is routed; what cannot be routed is dropped.")
    h1, h2 = (s.book.topology.host(name) for name in ("h1", "h2"))
    own = s.book.topology.switch("s1").mac
    inside = UDP(sport=1, dport=2) / Raw(b"hello")
    ether = Ether(src=h1.mac, dst=own)
    for payload in (inside, ICMP() / Raw(b"ping"), UDP(dport=0xE5A1) / Raw(b"not ours")):
        s.raw(1, bytes(ether / IP(src=h1.ip, dst=h2.ip, ttl=9) / payload))
        s.at(2, bytes(Ether(src=own, dst=h2.mac) / IP(src=h1.ip, dst=h2.ip, ttl=8) / payload))
    s.note("unknown destination, expiring, wrong checksum, IPv6, ARP, cut short")
    s.raw(1, bytes(ether / IP(src=h1.ip, dst="10.9.9.9") / inside))
    s.raw(1, bytes(ether / IP(src=h1.ip, dst=h2.ip, ttl=1) / inside))
    s.raw(1, bytes(ether / IP(src=h1.ip, dst=h2.ip, chksum=0x1234) / inside))
    s.raw(1, bytes(ether / IPv6() / inside))
    s.raw(1, bytes(ether / ARP()))
    s.raw(1, bytes(ether / IP(src=h1.ip, dst=h2.ip) / inside)[:30])
    s.silence()
    s.note("a later fragment has no UDP header to look at")
    later = IP(src=h1.ip, dst=h2.ip, frag=3, proto=17) / Raw(b"\xe5\xa0" * 20)
    s.raw(1, bytes(ether / later))
    later.ttl = 63
    s.at(2, bytes(Ether(src=own, dst=h2.mac) / later))
    return s


@packet_test("esa", "atp")
def malformed_is_rejected_and_counted() -> Scenario:
    s = scenario("Packets that must not reach a slot are dropped and counted.")
    s.job("h1 h2")
    good = grad(0, [1])
    for bad in (
        good.but(len=33),
        good.but(len=0xFFFF),
        good.but(bitmap=0),
        good.but(bitmap=0b100),
        good.but(bitmap=0b101),
        good.but(ver=2),
        good.but(ver=0),
        Agg(kind=MessageType.FLUSH, src="h1", dst="ps1"),
    ):
        s.send(bad)
    s.silence()
    s.note("truncated in the values, and in the header")
    s.raw(1, s.frame(good)[:-1])
    s.raw(1, s.frame(good)[:-128])
    s.raw(1, s.frame(good)[:60])
    s.silence()
    s.counted(Event.REJECTED, 10)
    s.note("cut before the job could be read: counted for nobody")
    s.counted(Event.REJECTED, 1, index=0)
    s.note("one value fewer than the maximum is fine")
    s.send(good.but(len=32))
    last = grad(1, [2], len=32)
    s.send(last)
    s.copied(result(last, bitmap=3, values=[3]), "h1", "h2", "ps1")
    return s


@packet_test("esa", "atp")
def unknown_job_is_only_routed() -> Scenario:
    s = scenario("A job that this switch does not know passes unchanged.")
    s.job("h1 h2")
    for job in (2, 0xFFFF):
        for kind in (MessageType.GRAD, MessageType.PARAM, MessageType.REMIND, MessageType.SML):
            packet = grad(0, [1], job=job, kind=kind)
            s.send(packet)
            s.routed(packet)
    s.counted(Event.FORWARD, 8, index=0)
    return s


@packet_test("esa", "atp")
def operations() -> Scenario:
    s = scenario("OR, MAX and MIN, and a contribution whose operation differs.")
    s.job("h1 h2")
    cases = (
        (Op.OR, [0b1100, -1, 0], [0b1010, 0, 0], [0b1110, -1, 0]),
        (Op.MAX, [5, -7, INT_MIN], [-5, -6, INT_MAX], [5, -6, INT_MAX]),
        (Op.MIN, [5, -7, INT_MIN], [-5, -6, INT_MAX], [-5, -7, INT_MIN]),
    )
    for seq, (op, mine, yours, both) in enumerate(cases, 1):
        s.send(grad(0, mine, seq=seq, op=op))
        last = grad(1, yours, seq=seq, op=op)
        s.send(last)
        s.copied(result(last, bitmap=3, values=both), "h1", "h2", "ps1")
    s.send(grad(0, [1], seq=9, op=Op.SUM))
    s.send(grad(1, [1], seq=9, op=Op.MAX))
    s.silence()
    s.counted(Event.REJECTED, 1)
    return s


@packet_test("esa", "atp")
def saturation_sets_overflow() -> Scenario:
    s = scenario("Sums saturate at the ends of int32; OVERFLOW stays with the values.")
    s.job("h1 h2 h3")
    s.send(grad(0, [INT_MAX, INT_MIN, INT_MAX]))
    s.send(grad(1, [1, -1, INT_MIN]))
    last = grad(2, [0, 0, 1])
    s.send(last)
    s.copied(
        result(last, bitmap=7, values=[INT_MAX, INT_MIN, 0], flags=Flag.OVERFLOW),
        "h1",
        "h2",
        "h3",
        "ps1",
    )
    s.note("a sum that stays inside has no flag")
    for worker in (0, 1):
        s.send(grad(worker, [INT_MAX // 2, INT_MIN // 2], seq=2))
    last = grad(2, [1, 0], seq=2)
    s.send(last)
    s.copied(result(last, bitmap=7, values=[INT_MAX, INT_MIN]), "h1", "h2", "h3", "ps1")
    return s


@packet_test("esa", "atp")
def exponent_and_marks_are_kept() -> Scenario:
    s = scenario("The largest exponent, and ECN and OVERFLOW of any contribution.")
    s.job("h1 h2 h3")
    s.send(grad(0, [1], exp=120, flags=Flag.ECN, prio=3))
    s.send(grad(1, [1], exp=140, flags=Flag.OVERFLOW, prio=9))
    last = grad(2, [1], exp=130, prio=4)
    s.send(last)
    s.copied(
        result(last, bitmap=7, values=[3], exp=140, prio=9, flags=Flag.ECN | Flag.OVERFLOW),
        "h1",
        "h2",
        "h3",
        "ps1",
    )
    s.note("the next owner of the slot starts without them")
    for worker in (0, 1):
        s.send(grad(worker, [1], exp=100))
    last = grad(2, [1], exp=90)
    s.send(last)
    s.copied(result(last, bitmap=7, values=[3], exp=100), "h1", "h2", "h3", "ps1")
    return s


@packet_test("esa", "atp")
def peek_and_flush() -> Scenario:
    s = scenario("The controller sees a slot, and frees it; hosts may only look.", aggregators=1)
    s.job("h1 h2")
    s.send(grad(0, [6, 7], prio=3, exp=4, len=2))
    look = Agg(kind=MessageType.PEEK, job=0, seq=0, bitmap=0, prio=0, round=0, src="h1", dst="h1")
    shown = s.frame(
        look.but(
            job=1,
            seq=1,
            bitmap=1,
            values=[6, 7],
            prio=3,
            exp=4,
            len=2,
            worker=NO_WORKER,
        )
    )
    age = 14 + 20 + 8 + 16  # offset of iter and layer, which tell the age
    pattern = shown[:age].hex() + "*" * 8 + shown[age + 4 :].hex()
    s.raw(1, s.frame(look))
    s.lines.append(f"expect 1 {pattern}$")
    in_header, out_header = bytes(2), (CPU_PORT << 7).to_bytes(2, "big").hex()
    s.raw(CPU_PORT, in_header + s.frame(look))
    s.lines.append(f"expect {CPU_PORT} {out_header}{pattern}$")
    flush = look.but(kind=MessageType.FLUSH)
    flushed = s.frame(flush)[:43].hex() + pattern[86:]
    s.raw(CPU_PORT, in_header + s.frame(flush))
    s.lines.append(f"expect {CPU_PORT} {out_header}{flushed}$")
    s.note("free now; and there is no slot 1")
    s.raw(CPU_PORT, in_header + s.frame(look))
    empty = s.frame(look.but(values=[6, 7], prio=3, exp=4, len=2, worker=NO_WORKER))
    s.lines.append(
        f"expect {CPU_PORT} {out_header}{empty[:age].hex()}{'*' * 8}{empty[age + 4 :].hex()}$"
    )
    beyond = look.but(round=1)
    s.raw(CPU_PORT, in_header + s.frame(beyond))
    s.at(CPU_PORT, bytes.fromhex(out_header) + s.frame(beyond.but(flags=Flag.MISS)))
    s.silence()
    return s


@packet_test("esa", "atp")
def survey_of_32_slots() -> Scenario:
    s = scenario("A PEEK with a bitmap is answered with the slots that are held.")
    s.job("h1 h2")
    slots = sorted({_slot(seq): seq for seq in range(1, 4000)}.items())[:40]
    for _, seq in slots[::3]:
        s.send(grad(0, [1], seq=seq))
    held = {slot for slot, _ in slots[::3]}
    look = Agg(kind=MessageType.PEEK, job=0, seq=0, prio=0, src="h1", dst="h1")
    for first, asked in ((0, 2**32 - 1), (3, 2**32 - 1), (3, 0x0000FFF0), (8191, 2**32 - 1)):
        bits = sum(1 << i for i in range(32) if asked >> i & 1 and first + i in held)
        question = look.but(round=first, bitmap=asked)
        s.send(question)
        s.at(1, s.frame(question.but(bitmap=bits)))
    return s


def _slot(seq: int) -> int:
    """Where the default number of aggregators puts a fragment of job 1."""
    return zlib.crc32((1).to_bytes(2, "big") + seq.to_bytes(4, "big")) % 8192


@packet_test(*PROGRAMS)
def packet_out_to_a_port() -> Scenario:
    s = scenario("A packet-out that names a port leaves there as it is.")
    frame = bytes(Ether() / Raw(b"anything at all"))
    s.raw(CPU_PORT, (3 << 7).to_bytes(2, "big") + frame)
    s.at(3, frame)
    return s
