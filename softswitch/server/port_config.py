# SPDX-License-Identifier: MIT
"""`--port-config PORT:key=value,...`: the model of one port as text.

rate=10M            bits per second, with k, M or G
delay=50us          ns, us, ms or s; a plain number is microseconds
queue=64            packets of each priority
priorities=8        queues
overhead=1          count Ethernet's preamble, checksum and gap as well
loss=0.01           also duplicate, reorder, corrupt: probabilities, on what the port sends
lose_packets=1+5+9  exact packets instead; also duplicate_, reorder_, corrupt_packets
in_loss=0.01        the same for what the port receives
reorder_by=3        packets that overtake a reordered one; reorder_delay=10ms: how long at most
seed=1              of the random faults
"""

from __future__ import annotations

import re
from collections.abc import Callable

_RATE = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9}
_TIME_US = {"": 1.0, "ns": 1e-3, "us": 1.0, "ms": 1e3, "s": 1e6}
_SCALED = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-zA-Z]*)")


class PortConfigError(Exception):
    """A port model that makes no sense; the text is one line."""


def parse_port_config(text: str) -> tuple[int, dict[str, object]]:
    """Port number and values, named as in `PortConfig` and `FaultSpec` (`in_` for inbound)."""
    number, colon, rest = text.partition(":")
    if not colon or not number.isdecimal():
        raise PortConfigError(f"--port-config {text}: expected PORT:key=value,...")
    values: dict[str, object] = {}
    for item in filter(None, rest.split(",")):
        key, equal, value = item.partition("=")
        name = key.strip()
        inbound = name.startswith("in_") and name[3:] in _FAULTS
        parse = _FAULTS.get(name[3:] if inbound else name) or _MODEL.get(name)
        if parse is None:
            known = ", ".join([*_MODEL, *_FAULTS])
            raise PortConfigError(f"--port-config {text}: unknown key {name!r}; known: {known}")
        try:
            if not equal:
                raise ValueError("it has no value")
            field, result = parse(value.strip())
        except ValueError as error:
            raise PortConfigError(f"--port-config {text}: {name}: {error}") from None
        values[_field(name, field, inbound)] = result
    return int(number), values


def _field(name: str, field: str, inbound: bool) -> str:
    plain = name[3:] if inbound else name
    return f"{'in_' if inbound else ''}{field or plain}"


_Parse = Callable[[str], tuple[str, object]]


def _scaled(text: str, units: dict[str, float] | dict[str, int], what: str) -> float:
    match = _SCALED.fullmatch(text)
    if match is None or match[2] not in units:
        raise ValueError(f"{text!r} is not {what} ({', '.join(u for u in units if u)})")
    return float(match[1]) * units[match[2]]


def _rate(text: str) -> tuple[str, object]:
    return "rate_bps", round(_scaled(text.removesuffix("bps"), _RATE, "a rate"))


def _time(field: str) -> _Parse:
    return lambda text: (field, _scaled(text, _TIME_US, "a time"))


def _whole(field: str) -> _Parse:
    def parse(text: str) -> tuple[str, object]:
        if not text.isdecimal():
            raise ValueError(f"{text!r} is not a whole number")
        return field, int(text)

    return parse


def _flag(field: str) -> _Parse:
    def parse(text: str) -> tuple[str, object]:
        if text not in ("0", "1"):
            raise ValueError(f"{text!r} is neither 0 nor 1")
        return field, text == "1"

    return parse


def _probability(text: str) -> tuple[str, object]:
    percent = text.endswith("%")
    value = float(text.removesuffix("%")) / (100 if percent else 1)
    if not 0 <= value <= 1:
        raise ValueError(f"{text!r} is not a probability")
    return "", value


def _numbers(text: str) -> tuple[str, object]:
    parts = text.split("+")
    if not all(p.isdecimal() for p in parts):
        raise ValueError(f"{text!r} is not a list like 1+5+9")
    return "", tuple(int(p) for p in parts)


_MODEL: dict[str, _Parse] = {
    "rate": _rate,
    "delay": _time("delay_us"),
    "queue": _whole("queue_packets"),
    "priorities": _whole("priorities"),
    "overhead": _flag("ethernet_overhead"),
}
_FAULTS: dict[str, _Parse] = {
    "loss": _probability,
    "duplicate": _probability,
    "reorder": _probability,
    "corrupt": _probability,
    "lose_packets": _numbers,
    "duplicate_packets": _numbers,
    "reorder_packets": _numbers,
    "corrupt_packets": _numbers,
    "reorder_by": _whole(""),
    "reorder_delay": _time("reorder_us"),
    "seed": _whole(""),
}
