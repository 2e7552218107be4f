# SPDX-License-Identifier: MIT
"""Tables against a plain Python model: every kind of key, any order of writes."""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softswitch.engine import (
    ActionError,
    EngineError,
    Exact,
    ExistsError,
    FullError,
    InvalidError,
    Lpm,
    Match,
    NotFoundError,
    Optional,
    Pipeline,
    Range,
    Ternary,
)

from .programs import match_program

MISS = 0xFFFF
KINDS: dict[str, tuple[str, list[tuple[str, int]]]] = {
    "exact": ("exact", [("exact", 6), ("exact", 3)]),
    "exact_wide": ("exact", [("exact", 128), ("exact", 5), ("exact", 200)]),
    "lpm": ("lpm", [("lpm", 8)]),
    "lpm_exact": ("lpm", [("exact", 2), ("lpm", 6)]),
    "lpm_wide": ("lpm", [("lpm", 128)]),
    "ternary": ("ternary", [("ternary", 5), ("ternary", 3)]),
    "ternary_lpm": ("ternary", [("ternary", 3), ("lpm", 4), ("exact", 1)]),
    "range": ("range", [("range", 6), ("ternary", 2)]),
    "two_ranges": ("range", [("range", 4), ("range", 64), ("exact", 2)]),
}


@cache
def pipeline(kind: str) -> Pipeline:
    match_type, keys = KINDS[kind]
    return Pipeline.load(match_program(keys, match_type))


def matches(m: Match, value: int, width: int) -> bool:
    """What a match means, from its definition."""
    if isinstance(m, Exact):
        return value == m.value
    if isinstance(m, Lpm):
        return value >> (width - m.prefix_len) == m.value >> (width - m.prefix_len)
    if isinstance(m, Ternary):
        return value & m.mask == m.value & m.mask
    if isinstance(m, Range):
        return m.low <= value <= m.high
    return m.value is None or m.value == value


class Model:
    """A list of entries, searched from one end to the other."""

    def __init__(self, keys: list[tuple[str, int]], by_prefix: bool) -> None:
        self.keys, self.by_prefix = keys, by_prefix
        self.entries: list[tuple[tuple[Match, ...], int, int]] = []

    def rank(self, match: tuple[Match, ...], priority: int) -> int:
        return (
            sum(m.prefix_len for m in match if isinstance(m, Lpm)) if self.by_prefix else priority
        )

    def lookup(self, values: list[int]) -> int:
        best: tuple[int, int] | None = None
        for match, priority, result in self.entries:
            if all(matches(m, v, w) for m, v, (_, w) in zip(match, values, self.keys, strict=True)):
                rank = self.rank(match, priority)
                if best is None or rank > best[0]:
                    best = (rank, result)
        return MISS if best is None else best[1]


def draw_value(r: random.Random, width: int) -> int:
    """Few different values, so that entries and packets meet."""
    if width <= 8 or r.random() < 0.2:
        return r.getrandbits(width)
    return r.choice([0, 1, 1 << (width - 1), (1 << width) - 1, 0x55 << (width - 8)])


def draw_match(r: random.Random, kind: str, width: int) -> Match:
    value = draw_value(r, width)
    if kind == "exact":
        return Exact(value)
    if kind == "lpm":
        n = r.randint(0, width)
        return Lpm(value >> (width - n) << (width - n), n)
    if kind == "range":
        other = draw_value(r, width)
        return Range(min(value, other), max(value, other))
    mask = draw_value(r, width)
    return Ternary(value & mask, mask)


def packet(keys: list[tuple[str, int]], values: list[int]) -> bytes:
    bits, width = 0, 0
    for value, (_, w) in zip(values, keys, strict=True):
        bits, width = bits << w | value, width + w
    pad = -width % 8
    return (bits << pad).to_bytes((width + pad) // 8, "big") + b"\0\0"


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_any_writes_look_up_like_the_model(kind: str, seed: int) -> None:
    match_type, keys = KINDS[kind]
    p, r = pipeline(kind), random.Random(seed)
    table = p.tables["t"]
    table.clear()
    model = Model(keys, match_type in ("lpm", "exact"))
    handles: dict[tuple[tuple[Match, ...], int], int] = {}
    for step in range(40):
        if handles and r.random() < 0.25:
            key = r.choice(list(handles))
            table.delete(handles.pop(key))
            model.entries = [e for e in model.entries if (e[0], e[1]) != key]
        elif handles and r.random() < 0.15:
            key = r.choice(list(handles))
            table.modify(handles[key], "set", [1000 + step])
            model.entries = [
                (m, p_, 1000 + step if (m, p_) == key else v) for m, p_, v in model.entries
            ]
        else:
            match = tuple(draw_match(r, k, w) for k, w in keys)
            # priorities are distinct: equal ones are not defined by P4Runtime
            priority = step + 1 if table.needs_priority and r.random() < 0.8 else 0
            taken = any(e[1] == priority for e in model.entries) and table.needs_priority
            if (match, priority) in handles:
                with pytest.raises(ExistsError):
                    table.insert(match, "set", [step], priority)
            elif not taken:
                handles[match, priority] = table.insert(match, "set", [step], priority)
                model.entries.append((match, priority, step))
        for _ in range(4):
            values = [draw_value(r, w) for _, w in keys]
            [(_, out)] = p.process(0, packet(keys, values))
            assert int.from_bytes(out[-2:], "big") == model.lookup(values)
    read = {(e.match, e.priority): e.params for e in table.entries()}
    assert read == {(m, prio): (v,) for m, prio, v in model.entries}
    assert len(table) == len(handles)
    assert all(table.find(m, prio) == h for (m, prio), h in handles.items())


def test_many_lpm_routes() -> None:
    p = Pipeline.load(match_program([("lpm", 32)], "lpm", size=20000))
    r, table, routes = random.Random(1), p.tables["t"], {}
    while len(routes) < 10000:
        n = r.choice([8, 12, 16, 20, 22, 24, 24, 24, 28, 32])
        routes[r.getrandbits(n) << (32 - n), n] = len(routes) % 60000
    for (value, n), v in routes.items():
        table.insert([Lpm(value, n)], "set", [v])
    for _ in range(2000):
        ip = r.getrandbits(32)
        want = MISS
        for n in range(33):
            want = routes.get((ip >> (32 - n) << (32 - n), n), want)
        [(_, out)] = p.process(0, ip.to_bytes(4, "big") + b"\0\0")
        assert int.from_bytes(out[4:6], "big") == want


def test_full_table_and_room_after_delete() -> None:
    p = Pipeline.load(match_program([("exact", 16)], "exact", size=3))
    t = p.tables["t"]
    handles = [t.insert([Exact(i)], "set", [i]) for i in range(3)]
    with pytest.raises(FullError, match="t: full"):
        t.insert([Exact(9)], "set", [9])
    t.delete(handles[1])
    with pytest.raises(NotFoundError):
        t.delete(handles[1])
    again = t.insert([Exact(9)], "set", [9])
    assert again not in handles, "handles are not used twice"
    assert sorted(e.match[0].value for e in t.entries() if isinstance(e.match[0], Exact)) == [
        0,
        2,
        9,
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_insert_many_is_insert_for_each(kind: str) -> None:
    match_type, keys = KINDS[kind]
    one, many = (Pipeline.load(match_program(keys, match_type, size=20)) for _ in range(2))
    r, a, b = random.Random(kind), one.tables["t"], many.tables["t"]
    action = a.codec.names["set"]
    entries, expected = [], []
    for step in range(60):
        match = [draw_match(r, k, w) for k, w in keys]
        priority = r.randint(0, 3) if a.needs_priority else 0
        key, arg = a.pack(match)
        number = r.choice([action] * 8 + [99])
        data = r.choice([step.to_bytes(2, "big")] * 8 + [b"", b"123"])
        entries.append((key, arg or key, priority, number, data))
        try:
            expected.append(a.insert_packed(*entries[-1][:2], number, data, priority))
        except EngineError as error:
            expected.append((type(error), str(error)))
    done = b.insert_many(entries)
    assert [h if isinstance(h, int) else (type(h), str(h)) for h in done] == expected
    assert {type(h) for h in done} >= {int, ActionError, InvalidError}
    assert list(a.entries()) == list(b.entries())


def test_insert_many_checks_the_size_of_keys() -> None:
    table = Pipeline.load(match_program([("exact", 16)], "exact")).tables["t"]
    with pytest.raises(InvalidError, match="t: a key has not 2 bytes"):
        table.insert_many([(b"\0", b"\0", 0, table.codec.names["set"], b"\0\0")])
    assert len(table) == 0


@pytest.mark.parametrize(
    ("write", "error", "text"),
    [
        (lambda t: t.insert([Exact(64), Exact(0)], "set", [1]), InvalidError, "out of range"),
        (lambda t: t.insert([Exact(1)], "set", [1]), InvalidError, "2 fields, got 1"),
        (lambda t: t.insert([Exact(1), Exact(1)], "nope", [1]), ActionError, "no action 'nope'"),
        (lambda t: t.insert([Exact(1), Exact(1)], "set", []), InvalidError, "takes 1 parameters"),
        (lambda t: t.insert([Exact(1), Exact(1)], "set", [1 << 16]), InvalidError, "parameter v"),
        (lambda t: t.insert([Exact(-1), Exact(1)], "set", [1]), InvalidError, "does not fit"),
        (lambda t: t.insert([Ternary(1, 1), Exact(1)], "set", [1]), InvalidError, "k0"),
        (lambda t: t.insert([Optional(1), Exact(1)], "set", [1]), InvalidError, "k0"),
        (lambda t: t.modify(12345, "set", [1]), NotFoundError, "not found"),
        (lambda t: t.counter(-1), NotFoundError, "not found"),
    ],
)
def test_refused_writes_change_nothing(
    write: Callable[..., object], error: type, text: str
) -> None:
    t = pipeline("exact").tables["t"]
    t.clear()
    with pytest.raises(error, match=text):
        write(t)
    assert list(t.entries()) == []


def test_range_must_not_be_empty() -> None:
    t = pipeline("range").tables["t"]
    with pytest.raises(InvalidError):
        t.insert([Range(5, 4), Ternary(0, 0)], "set", [1], 1)


def test_direct_counters_and_last_hit() -> None:
    p = Pipeline.load(match_program([("exact", 8)], "exact"))
    t = p.tables["t"]
    a, b = t.insert([Exact(1)], "set", [1]), t.insert([Exact(2)], "set", [2])
    t.set_timeout(a, 500, 7)
    p.process(0, b"\x01\0\0abc", 40)
    p.process(0, b"\x01\0\0", 90)
    p.process(0, b"\x03\0\0", 91)
    assert (t.counter(a), t.counter(b)) == ((2, 9), (0, 0))
    assert t.last_hit(a) == (500, 90)
    t.set_counter(a, 5, 6)
    assert t.counter(a) == (5, 6)


def test_default_action() -> None:
    p = Pipeline.load(match_program([("exact", 8)], "exact"))
    t = p.tables["t"]
    assert t.default() == ("miss", ())
    t.set_default("set", [7])
    assert p.process(0, b"\x01\0\0") == [(0, b"\x01\0\x07")]
    assert t.default() == ("set", (7,))
    t.reset_default()
    assert p.process(0, b"\x01\0\0") == [(0, b"\x01\xff\xff")]
