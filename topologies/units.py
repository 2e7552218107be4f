# SPDX-License-Identifier: MIT
"""Quantities as people write them in topology files and on command lines."""

from __future__ import annotations

import re

_RATE_UNITS = {"": 1e6, "bit": 1.0, "kbit": 1e3, "mbit": 1e6, "gbit": 1e9}
_TIME_UNITS = {"": 1e3, "us": 1.0, "ms": 1e3, "s": 1e6}
_NUMBER = re.compile(r"\s*([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([A-Za-z/]*)\s*")


def _quantity(value: object, units: dict[str, float], what: str, example: str) -> float:
    match = None if isinstance(value, bool) else _NUMBER.fullmatch(str(value))
    if match is None:
        raise ValueError(f"bad {what} {value!r}: write for example {example}")
    unit = match[2].lower().removesuffix("/s")
    unit = unit[:-3] + "bit" if unit.endswith("bps") else unit
    if unit not in units:
        known = ", ".join(name for name in units if name)
        raise ValueError(f"bad {what} {value!r}: unknown unit {match[2]!r} (known: {known})")
    return float(match[1]) * units[unit]


def parse_rate(value: object) -> int:
    """Bits per second; a bare number is Mbit/s, as in p4lang/tutorials.

    Raises:
        ValueError: not a rate, or zero.
    """
    rate = round(_quantity(value, _RATE_UNITS, "rate", '"100Mbit" or 100'))
    if rate <= 0:
        raise ValueError(
            f"bad rate {value!r}: it must be more than zero; leave it out for no limit"
        )
    return rate


def parse_delay(value: object) -> int:
    """Microseconds; a bare number is milliseconds, as in p4lang/tutorials.

    Raises:
        ValueError: not a time.
    """
    return round(_quantity(value, _TIME_UNITS, "delay", '"5ms", "200us" or 5'))


def parse_probability(value: object) -> float:
    """A probability between 0 and 1, as a number or a percentage such as ``"1%"``.

    Raises:
        ValueError: not a number, or out of range.
    """
    try:
        if isinstance(value, bool):
            raise ValueError
        text = str(value).strip()
        number = float(text[:-1]) / 100 if text.endswith("%") else float(text)
    except ValueError:
        raise ValueError(f'bad probability {value!r}: write for example 0.01 or "1%"') from None
    if not 0 <= number <= 1:
        raise ValueError(f"bad probability {value!r}: it must lie between 0 and 1")
    return number


def format_rate(bits_per_second: float) -> str:
    """A rate as people read it, for example ``100 Mbit/s``."""
    for limit, unit in ((1e9, "Gbit/s"), (1e6, "Mbit/s"), (1e3, "kbit/s")):
        if bits_per_second >= limit:
            return f"{bits_per_second / limit:.3g} {unit}"
    return f"{bits_per_second:.3g} bit/s"


def format_delay(microseconds: float) -> str:
    """A time as people read it, for example ``5 ms``."""
    if microseconds >= 1e6:
        return f"{microseconds / 1e6:.3g} s"
    if microseconds >= 1e3:
        return f"{microseconds / 1e3:.3g} ms"
    return f"{microseconds:.3g} us"
