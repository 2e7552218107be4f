# SPDX-License-Identifier: MIT
"""Flow sender and sink over a line that loses, delays and reorders."""

from __future__ import annotations

import heapq

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hosts.multipath.flow_sender import FlowSender, Line, SenderConfig
from hosts.multipath.flow_sink import FlowSink
from hosts.multipath.flow_wire import Kind, Message, frame_bytes, pack, unpack
from hosts.multipath.switch import FlowKey

CONFIG = SenderConfig(line_bps=100_000_000, rto_ns=50_000_000)


def transfer(size: int, losses: set[int], late: set[int], limit: int = 100_000) -> FlowSender:
    """Frames numbered in the `losses` are lost, those in `late` overtaken; both directions."""
    flow, sink, line = FlowSender(CONFIG, size, 0), FlowSink(), Line(CONFIG.line_bps)
    line.add(flow)
    events: list[tuple[int, int, Message]] = []
    now = sent = 0

    def send(message: Message) -> None:
        nonlocal sent
        sent += 1
        if sent not in losses:
            heapq.heappush(events, (now + (9 if sent in late else 5) * 1_000_000, sent, message))

    for _ in range(limit):
        while (out := line.poll(now)) is not None:
            send(Message(Kind.DATA, out[1], flow.count))
        if flow.done_ns is not None and not events:
            assert sink.received == flow.count
            return flow
        times = [t for t in (line.next_poll(), flow.next_deadline()) if t is not None]
        times += [events[0][0]] if events else []
        assert times, "the flow is stuck"
        assert min(times) >= now
        now = min(times)
        while events and events[0][0] <= now:
            message = heapq.heappop(events)[2]
            if message.kind is Kind.DATA:
                send(sink.on_data(message))
            else:
                flow.on_ack(message.number, message.gap, now)
        flow.on_timer(now)
        line.add(flow)
    raise AssertionError("the flow does not end")


numbers = st.sets(st.integers(1, 120), max_size=40)


@settings(max_examples=300, deadline=None)
@given(size=st.integers(1, 40_000), losses=numbers, late=numbers)
def test_every_flow_completes(size: int, losses: set[int], late: set[int]) -> None:
    transfer(size, losses, late)


def test_a_lone_flow_takes_its_round_trip_and_its_bytes() -> None:
    flow = transfer(10_500, set(), set())
    assert flow.retransmitted == 0
    # The last of eleven packets starts when ten full ones have gone.
    assert flow.done_ns == 10 * 1048 * 8 * 10 + 2 * 5_000_000


def test_a_gap_is_mended_within_a_round_trip_and_a_tail_by_the_timer() -> None:
    gap = transfer(50_000, {10}, set())
    assert gap.done_ns is not None
    assert gap.done_ns < CONFIG.rto_ns
    assert gap.retransmitted > 0
    tail = transfer(1000, {1}, set())
    assert tail.done_ns == CONFIG.rto_ns + 10_000_000


def test_flows_of_a_host_take_turns() -> None:
    line = Line(CONFIG.line_bps)
    flows = [FlowSender(CONFIG, 5000, 0) for _ in range(3)]
    for flow in flows:
        line.add(flow)
    now, order = 0, []
    while (at := line.next_poll()) is not None:
        assert at >= now
        now = at
        out = line.poll(now)
        assert out is not None
        order.append(flows.index(out[0]))
    assert order == [0, 1, 2] * 5


@given(
    st.integers(0, 2**32 - 1), st.integers(0, 65535), st.integers(0, 2**32 - 1), st.booleans(),
    st.integers(1, 1000),
)  # fmt: skip
def test_frames_carry_what_was_packed(
    address: int, port: int, number: int, gap: bool, payload: int
) -> None:
    flow = FlowKey(address, address ^ 0xFFFF, port, 100)
    message = Message(Kind.ACK, number, 7, gap)
    frame = pack(flow, message, frame_bytes(payload), bytes(12))
    assert len(frame) == max(60, payload + 48)
    assert unpack(frame) == (flow, message)


def test_other_frames_are_not_ours() -> None:
    frame = pack(FlowKey(1, 2, 3, 4), Message(Kind.DATA, 0, 1), 60, bytes(12))
    broken = [(12, b"\x86\xdd"), (23, b"\x06"), (42, b"\0\0"), (44, b"\x09")]
    others = [frame[:at] + part + frame[at + len(part) :] for at, part in broken]
    for other in (b"", frame[:50], *others):
        assert unpack(other) is None


def test_a_rate_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="line rate of 0"):
        SenderConfig(line_bps=0)
