# SPDX-License-Identifier: MIT
"""Known defects of published designs, each as a short schedule that must end well here."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from hosts.aggregation.config import ConfigError, JobConfig, ServerConfig, WorkerConfig
from hosts.aggregation.server import ParameterServer
from hosts.aggregation.worker import Worker
from hosts.wire.esa import (
    ESA,
    NO_WORKER,
    Flag,
    Messages,
    MessageType,
    join,
    message_dtype,
    ver_type,
)
from tests.hosts.aggregation.reference import Switch, System

JOB = JobConfig(1, 3, window=4, elements=2)


def message(kind: MessageType = MessageType.GRAD, value: int = 0, **fields: Any) -> Messages:
    """One message of job 1; a single worker's bit makes it that worker's."""
    bitmap = fields.get("bitmap", 0)
    sender = bitmap.bit_length() - 1 if bitmap.bit_count() == 1 else NO_WORKER
    rows = np.zeros(1, message_dtype(2))
    given = {"job": 1, "src_worker": sender, "len": 2, **fields}
    rows["esa"] = ESA.pack(msg_type=kind, **given)
    rows["values"] = value
    return rows


def feed(core: Any, *messages: Messages, now: int = 0) -> None:
    for m in messages:
        core.on_packets(m, now)


def one_job(slots: int = 4, **switch: Any) -> System:
    return System((JOB,), Switch(slots, {1: JOB.full_mask}, **switch))


def offer(system: System, count: int) -> None:
    for job, rank in system.workers:
        system.offer(job, rank, np.full((count, 2), 10**rank, np.int32))
    system.pump()


def test_a_late_fragment_never_becomes_a_new_one() -> None:
    """ATP: a late request after completion starts a sum that nobody completes."""
    server = ParameterServer(ServerConfig(JOB))
    feed(server, message(seq=1, bitmap=7, value=111), message(seq=20, bitmap=7, value=5))
    server.poll(10)
    feed(server, message(seq=1, bitmap=1, value=1, flags=Flag.EVICTED, src_worker=NO_WORKER))
    assert server.counters["stale"] == 1
    feed(server, message(seq=20, bitmap=1, value=1, flags=Flag.EVICTED, src_worker=NO_WORKER))
    assert server.incomplete() == []
    assert server.next_deadline() is None
    assert len(server.poll(10)) == 0


def test_a_ghost_in_a_slot_stops_nobody() -> None:
    system = one_job(slots=1, free_on_complete=True)
    offer(system, 1)
    late = next(m.copy() for to, m in system.flying if to == "switch")
    system.finish()
    system.flying.append(("switch", late))
    system.deliver(0)
    assert len(system.switch.held) == 1
    for _ in range(3):
        offer(system, 4)
        system.finish()
    system.check()


def test_keys_are_never_used_twice() -> None:
    """ATP: the sequence restarts with each tensor, and the switch cannot tell them apart."""
    system = one_job()
    keys = []
    for _ in range(4):
        offer(system, 3)
        keys += [int(m["esa"]["seq"][0]) for to, m in system.flying if m["esa"]["bitmap"][0] == 1]
        system.finish()
    assert keys == list(range(1, 13))


def test_a_duplicate_is_not_added_twice() -> None:
    """A v1model port of ATP computes the new bits before it has loaded the bitmap."""
    server = ParameterServer(ServerConfig(JOB))
    a, b, c = (message(seq=1, bitmap=1 << r, value=10**r) for r in range(3))
    feed(server, join([a, a, b], 2))
    feed(server, b, a, message(seq=1, bitmap=3, value=11, flags=Flag.PARTIAL))
    assert server.counters["duplicate"] == 4
    feed(server, c)
    (result,) = server.poll(10)
    assert result["values"].tolist() == [111, 111]


def test_of_two_overlapping_partials_the_larger_stays() -> None:
    server = ParameterServer(ServerConfig(JOB))
    feed(server, message(seq=1, bitmap=0b001, value=1))
    feed(server, message(seq=2, bitmap=0b011, value=11), message(seq=2, bitmap=0b110, value=110))
    assert server.counters["conflict"] == 1
    assert [(i.seq, i.bitmap) for i in server.incomplete()] == [(1, 1), (2, 0b011)]
    small = JobConfig(1, 4, window=4, elements=2)
    server = ParameterServer(ServerConfig(small))
    feed(server, message(seq=1, bitmap=0b0011, value=11), message(seq=1, bitmap=0b1110, value=1110))
    assert [(i.bitmap, i.missing) for i in server.incomplete()] == [(0b1110, (0,))]
    feed(server, message(seq=1, bitmap=1, value=1))
    assert server.poll(1)["values"][0].tolist() == [1111, 1111]


def test_the_reminder_comes_again_with_backoff() -> None:
    """A one-shot reminder misses the second partial that an eviction leaves behind."""
    config = ServerConfig(JOB, remind_us=100, remind_max_us=350, solicit_after=3)
    server = ParameterServer(config)
    feed(server, message(seq=5, bitmap=1, value=1))
    times = []
    for _ in range(5):
        deadline = server.next_deadline()
        assert deadline is not None
        times.append(deadline)
        server.on_timer(deadline - 1)
        assert len(server.poll(10)) == 0
        server.on_timer(deadline)
        kinds = server.poll(10)["esa"]["ver_type"].tolist()
        wanted = [ver_type(MessageType.REMIND), ver_type(MessageType.PARAM)]
        assert kinds == (wanted if len(times) >= 3 else wanted[:1])
    assert np.diff([0, *times]).tolist() == [100, 200, 350, 350, 350]


def test_a_sum_that_server_and_one_worker_lost_is_found() -> None:
    """The switch sends the sum itself and forgets it; only the other workers still know it."""
    system = one_job(direct=True, free_on_complete=True)
    offer(system, 1)
    for _ in range(3):
        system.deliver(0)
    lost = [i for i, (to, _) in enumerate(system.flying) if to in ("ps 1", "1 2")]
    for index in reversed(lost):
        system.flying.pop(index)
    assert len(lost) == 2
    system.finish()
    system.check()
    assert system.workers[1, 2].idle
    assert system.servers[1].counters["solicited"] >= 1


def test_the_server_still_has_what_a_straggler_lacks() -> None:
    """Retention: completing s + W - 1 does not prove that everybody received s."""
    server = ParameterServer(ServerConfig(JOB))
    for seq in range(1, 2 * JOB.window + 1):
        feed(server, message(seq=seq, bitmap=7, value=seq))
    server.poll(100)
    feed(server, message(seq=1, bitmap=4, value=4, flags=Flag.RESEND))
    (answer,) = server.poll(10)
    assert (answer["esa"]["seq"], answer["esa"]["src_worker"]) == (1, 2)
    assert answer["values"].tolist() == [1, 1]


def test_an_incomplete_result_is_refused() -> None:
    worker = Worker(WorkerConfig(JOB, 0))
    worker.offer(np.ones((1, 2), np.int32))
    worker.poll(10)
    feed(worker, message(MessageType.PARAM, seq=1, bitmap=3, value=11))
    assert worker.received == 1
    feed(worker, message(MessageType.PARAM, seq=1, bitmap=7, value=111))
    assert worker.collect().tolist() == [[111, 111]]


def test_three_results_beyond_a_gap_repeat_it_once() -> None:
    worker = Worker(WorkerConfig(JOB, 1))
    worker.offer(np.ones((4, 2), np.int32))
    worker.poll(10)
    for seq in (2, 3):
        feed(worker, message(MessageType.PARAM, seq=seq, bitmap=7))
        assert len(worker.poll(10)) == 0
    feed(worker, message(MessageType.PARAM, seq=4, bitmap=7))
    (again,) = worker.poll(10)
    assert (again["esa"]["seq"], again["esa"]["flags"]) == (1, Flag.RESEND)
    feed(worker, message(MessageType.PARAM, seq=4, bitmap=7))
    assert len(worker.poll(10)) == 0


def test_the_timeout_backs_off_and_repeats_only_gaps() -> None:
    worker = Worker(WorkerConfig(JOB, 0, rto_us=1000, rto_max_us=3000))
    worker.offer(np.ones((4, 2), np.int32))
    worker.poll(10)
    feed(worker, message(MessageType.PARAM, seq=3, bitmap=7), now=10)
    seen = []
    for _ in range(4):
        deadline = worker.next_deadline()
        assert deadline is not None
        worker.on_timer(deadline)
        out = worker.poll(10)
        seen.append((deadline, out["esa"]["seq"].tolist()))
    assert [s for _, s in seen] == [[1, 2]] + [[1, 2]] * 3
    assert np.diff([d for d, _ in seen]).tolist() == [2000, 3000, 3000]


def test_ecn_and_loss_halve_the_window_once() -> None:
    job = JobConfig(1, 1, window=64, elements=2)
    worker = Worker(WorkerConfig(job, 0, congestion_control=True, initial_window=16))
    worker.offer(np.ones((400, 2), np.int32))
    assert len(worker.poll(100)) == 16
    ecn = Flag.ECN
    feed(worker, message(MessageType.PARAM, seq=1, bitmap=1, flags=ecn))
    feed(worker, message(MessageType.PARAM, seq=2, bitmap=1, flags=ecn))
    assert len(worker.poll(100)) == 0
    for seq in range(3, 17):
        feed(worker, message(MessageType.PARAM, seq=seq, bitmap=1))
    # 8 after one halving, and 14 results are one window's increase.
    assert len(worker.poll(100)) == 9


def test_malformed_messages_touch_nothing() -> None:
    server = ParameterServer(ServerConfig(JOB))
    feed(
        server,
        message(seq=1, bitmap=0),
        message(seq=1, bitmap=8),
        message(seq=1, bitmap=1, len=3),
        message(seq=1, bitmap=1, job=2),
        message(MessageType.PEEK, seq=1, bitmap=1),
    )
    assert server.counters["rejected"] == 5
    assert server.incomplete() == []


@pytest.mark.parametrize(
    ("options", "text"),
    [({"job": 0}, "job 0"), ({"workers": 33}, "33 workers"), ({"window": 0}, "window 0")],
)
def test_options_out_of_range(options: dict[str, int], text: str) -> None:
    with pytest.raises(ConfigError, match=text):
        JobConfig(**{"job": 1, "workers": 2, **options})


def test_a_ghost_of_a_fragment_that_all_have_is_given_up() -> None:
    """Found by the model checker: the server lost its copy of a sum, a late duplicate made it ask
    for that sum, and the workers had forgotten it: it asked for ever."""
    config = JobConfig(1, 2, window=1, elements=2)
    server = ParameterServer(ServerConfig(config, remind_us=0, remind_max_us=0))
    feed(server, message(seq=2, bitmap=1, flags=Flag.COLLISION))
    assert server.incomplete()
    worker = Worker(WorkerConfig(config, 1))
    worker.offer(np.zeros((3, 2), np.int32))
    for seq in (1, 2, 3):
        worker.poll(10)
        feed(worker, message(MessageType.PARAM, seq=seq, bitmap=3))
    feed(worker, message(MessageType.PARAM, seq=2, bitmap=1, flags=Flag.MISS))
    answer = worker.poll(10)
    assert answer["esa"]["seq"].tolist() == [3]
    feed(server, answer)
    assert not server.incomplete()
    feed(server, message(seq=2, bitmap=1, flags=Flag.COLLISION))
    assert not server.incomplete()
