# SPDX-License-Identifier: MIT
from hosts.aggregation.rtt import RetransmissionTimer


def test_the_floor_holds_until_round_trips_are_longer() -> None:
    timer = RetransmissionTimer(100, 10_000)
    assert timer.timeout_us == 100
    timer.sample(30)
    assert timer.timeout_us == 100
    for _ in range(1000):
        timer.sample(400)
    assert 700 <= timer.timeout_us <= 800


def test_waiting_for_somebody_elses_repair_does_not_raise_the_timeout() -> None:
    """With a mean and a variance (RFC 6298) each repair slowed the next one, up to the ceiling."""
    timer = RetransmissionTimer(100_000, 2_000_000)
    for _ in range(50):
        for rtt_us in (5_000, 12_000, 5_000, timer.timeout_us):
            timer.sample(rtt_us)
    assert timer.timeout_us == 100_000


def test_backoff_doubles_up_to_the_ceiling_and_progress_forgets_it() -> None:
    timer = RetransmissionTimer(100, 1000)
    seen = []
    for _ in range(6):
        seen.append(timer.timeout_us)
        timer.back_off()
    assert seen == [100, 200, 400, 800, 1000, 1000]
    timer.progress()
    assert timer.timeout_us == 100


def test_the_state_goes_on_where_it_was() -> None:
    timer = RetransmissionTimer(1, 1000)
    timer.sample(70)
    timer.back_off()
    again = RetransmissionTimer(1, 1000, timer.state())
    assert again.timeout_us == timer.timeout_us == 280
