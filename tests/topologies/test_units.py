# SPDX-License-Identifier: MIT
import pytest

from topologies.units import format_delay, format_rate, parse_delay, parse_probability, parse_rate


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (100, 10**8),
        ("100Mbit", 10**8),
        ("2.5Gbps", 25 * 10**8),
        ("64 kbit/s", 64_000),
        (0.5, 500_000),
    ],
)
def test_rates_are_bits_per_second(text: object, expected: int) -> None:
    assert parse_rate(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [(5, 5000), ("5ms", 5000), ("200us", 200), ("1.5 s", 1_500_000), ("0ms", 0)],
)
def test_delays_are_microseconds(text: object, expected: int) -> None:
    assert parse_delay(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("1%", 0.01), (0.5, 0.5), ("0", 0.0), (1, 1.0)])
def test_probabilities(text: object, expected: float) -> None:
    assert parse_probability(text) == expected


@pytest.mark.parametrize("bad", ["", "fast", "-5", "5 parsec", True, None, "1 2"])
def test_what_is_no_quantity_is_refused(bad: object) -> None:
    for parse in (parse_rate, parse_delay):
        with pytest.raises(ValueError, match="bad "):
            parse(bad)


@pytest.mark.parametrize("bad", ["", "often", -0.1, "101%", True, None, "nan"])
def test_what_is_no_probability_is_refused(bad: object) -> None:
    with pytest.raises(ValueError, match="bad probability"):
        parse_probability(bad)


def test_formats_read_back() -> None:
    for rate in (800.0, 64e3, 1e8, 2.5e9):
        assert parse_rate(format_rate(rate)) == rate
    for delay in (20, 5000, 1_500_000):
        assert parse_delay(format_delay(delay)) == delay
