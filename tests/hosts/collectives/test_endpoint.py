# SPDX-License-Identifier: MIT
"""One end of a channel, packet by packet."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from hosts.collectives.endpoint import Endpoint, EndpointConfig, Packets, packet_dtype, unwrap

CONFIG = EndpointConfig(elements=2, window=4, rto_us=100)
ECHO = EndpointConfig(elements=2, window=4, rto_us=100, echo=True)


def rows(*values: int) -> Any:
    return np.array([[v, -v] for v in values], np.int32).reshape(-1, 2)


def packets(*psns: int, ack: bool = False) -> Packets:
    batch = np.zeros(len(psns), packet_dtype(2))
    batch["psn"] = psns
    batch["ack"] = ack
    batch["values"] = [[psn, psn] for psn in psns]
    return batch


def psns(batch: Packets) -> list[tuple[int, int]]:
    return [(int(p["ack"]), int(p["psn"])) for p in batch]


def test_window_opens_with_acknowledgements() -> None:
    end = Endpoint(CONFIG)
    end.offer(rows(*range(7)))
    assert psns(end.poll(99, 0)) == [(0, 0), (0, 1), (0, 2), (0, 3)]
    assert end.silent
    end.on_packets(packets(1, ack=True), 10)
    assert psns(end.poll(1, 10)) == [(0, 4)]
    assert psns(end.poll(99, 10)) == [(0, 5)]
    end.on_packets(packets(6, ack=True), 20)
    assert not end.idle, "an ACK of what was never sent means nothing"
    end.on_packets(packets(5, ack=True), 20)
    end.poll(99, 20)
    end.on_packets(packets(6, ack=True), 20)
    assert end.idle
    assert end.next_deadline() is None


def test_in_an_allreduce_the_window_opens_with_results() -> None:
    end = Endpoint(ECHO)
    end.offer(rows(*range(7)))
    end.poll(99, 0)
    end.on_packets(packets(0, 1), 5)
    assert psns(end.poll(99, 5)) == [(1, 1), (0, 4), (0, 5)]
    assert end.collect(2).tolist() == [[0, 0], [1, 1]]


def test_timeout_goes_back_to_the_first_unacknowledged() -> None:
    end = Endpoint(CONFIG)
    end.offer(rows(*range(4)))
    end.poll(99, 0)
    end.on_packets(packets(0, ack=True), 50)
    assert end.next_deadline() == 150
    end.on_timer(149)
    assert end.silent
    end.on_timer(150)
    again = end.poll(99, 150)
    assert psns(again) == [(0, 1), (0, 2), (0, 3)]
    assert again["values"].tolist() == [[1, -1], [2, -2], [3, -3]]
    assert end.resent == 3
    assert end.next_deadline() == 350, "patience doubles without progress"


def test_data_in_order_only_and_duplicates_are_acknowledged_again() -> None:
    end = Endpoint(CONFIG)
    end.on_packets(packets(1, 2), 0)
    assert end.silent, "a gap is silent"
    end.on_packets(packets(0, 1, 3), 0)
    assert psns(end.poll(99, 0)) == [(1, 1)]
    assert end.received == 2
    end.on_packets(packets(0), 0)
    assert psns(end.poll(99, 0)) == [(1, 1)], "else a lost last ACK is asked for for ever"
    assert end.received == 2


@given(st.integers(0, 2**40), st.integers(-(2**22), 2**22))
def test_unwrap(reference: int, offset: int) -> None:
    psn = reference + offset
    assert unwrap(np.array([psn % 2**24], np.uint32), reference).tolist() == [psn]


def test_state_goes_on_where_it_was() -> None:
    end = Endpoint(ECHO)
    end.offer(rows(*range(9)))
    end.poll(99, 0)
    end.on_packets(packets(0, 1), 5)
    state = end.state()
    hash(state)
    copy = Endpoint.from_state(ECHO, state)
    assert copy.state() == state
    for twin in (end, copy):
        twin.on_packets(packets(1, 2), 7)
        twin.on_timer(500)
    assert psns(copy.poll(99, 500)) == psns(end.poll(99, 500))
    assert copy.collect(3).tolist() == end.collect(3).tolist()
    assert copy.state() == end.state() != state
