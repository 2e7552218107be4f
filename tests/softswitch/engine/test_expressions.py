# SPDX-License-Identifier: MIT
"""Random expressions: the generated C against Python's integers, which never overflow."""

from __future__ import annotations

import operator
import random
from collections.abc import Callable
from typing import Any

import pytest

from softswitch.engine import Pipeline

from .programs import Json, action, assign, const, document, field, fixed_table, op

WIDTHS = [1, 3, 7, 8, 9, 16, 31, 32, 33, 48, 63, 64, 65, 100, 127, 128, 129, 192, 200, 256]
SIGNED = [2, 7, 8, 32, 33, 64, 65, 128, 150]
COMPARISONS = [
    *(("==", operator.eq), ("!=", operator.ne), ("<", operator.lt)),
    *(("<=", operator.le), (">", operator.gt), (">=", operator.ge)),
]
ARITHMETIC = [
    *(("+", operator.add), ("-", operator.sub), ("*", operator.mul)),
    *(("&", operator.and_), ("|", operator.or_), ("^", operator.xor)),
]
Env = dict[str, int]
Eval = Callable[[Env], int]


def sign(value: int, width: int) -> int:
    value &= (1 << width) - 1
    return value - (1 << width) if value >> (width - 1) else value


INPUTS = [(f"u{w}", w, False) for w in WIDTHS] + [(f"s{w}", w, True) for w in SIGNED]


class Trees:
    """Makes pairs of (BMv2 expression, what it means)."""

    def __init__(self, seed: int) -> None:
        self.r = random.Random(seed)

    def leaf(self) -> tuple[Json, Eval]:
        if self.r.random() < 0.25:
            c = self.r.choice([*range(-5, 5), 0xFF, 1 << 31, 1 << 63, (1 << 64) - 1, 1 << 100])
            return const(c), lambda env: c
        name, width, is_signed = self.r.choice(INPUTS)
        if is_signed:
            return field("h", name), lambda env: sign(env[name], width)
        return field("h", name), lambda env: env[name]

    def boolean(self, depth: int) -> tuple[Json, Callable[[Env], bool]]:
        choice = self.r.random()
        if depth > 0 and choice < 0.3:
            (a, fa), (b, fb) = self.boolean(depth - 1), self.boolean(depth - 1)
            if self.r.random() < 0.3:
                return op("not", None, a), lambda env: not fa(env)
            if self.r.random() < 0.5:
                return op("and", a, b), lambda env: fa(env) and fb(env)
            return op("or", a, b), lambda env: fa(env) or fb(env)
        name, f = self.r.choice(COMPARISONS)
        (x, fx), (y, fy) = self.number(depth - 1), self.number(depth - 1)
        return op(name, x, y), lambda env: bool(f(fx(env), fy(env)))

    def number(self, depth: int) -> tuple[Json, Eval]:
        if depth <= 0:
            return self.leaf()
        simple = [self._arith, self._arith, self._arith, self._mask, self._invert, self._choose]
        rest = [self._shl, self._shr, self._wrap, self._clamp, self._b2d, self._div]
        return self.r.choice(simple + rest)(depth)

    def _arith(self, depth: int) -> tuple[Json, Eval]:
        name, f = self.r.choice(ARITHMETIC)
        (a, fa), (b, fb) = self.number(depth - 1), self.number(depth - 1)
        return op(name, a, b), lambda env: f(fa(env), fb(env))

    def _mask(self, depth: int) -> tuple[Json, Eval]:
        m = (1 << self.r.choice(WIDTHS)) - 1
        a, fa = self.number(depth - 1)
        return op("&", a, const(m)), lambda env: fa(env) & m

    def _shl(self, depth: int) -> tuple[Json, Eval]:
        m = (1 << self.r.choice(WIDTHS)) - 1
        a, fa = self.number(depth - 1)
        if self.r.random() < 0.5:
            n = self.r.choice([0, 1, 7, 31, 63, 64, 65, 130])
            return op("&", op("<<", a, const(n)), const(m)), lambda env: fa(env) << n & m
        name = self.r.choice(["u7", "u8", "u9"])
        shifted = op("<<", a, field("h", name))
        return op("&", shifted, const(m)), lambda env: fa(env) << env[name] & m

    def _shr(self, depth: int) -> tuple[Json, Eval]:
        a, fa = self.number(depth - 1)
        if self.r.random() < 0.5:
            n = self.r.choice([0, 1, 7, 31, 63, 64, 65, 130])
            return op(">>", a, const(n)), lambda env: fa(env) >> n
        name = self.r.choice(["u3", "u7", "u8", "u64"])
        return op(">>", a, field("h", name)), lambda env: fa(env) >> min(env[name], 5000)

    def _invert(self, depth: int) -> tuple[Json, Eval]:
        a, fa = self.number(depth - 1)
        return op("~", None, a), lambda env: ~fa(env)

    def _wrap(self, depth: int) -> tuple[Json, Eval]:
        a, fa = self.number(depth - 1)
        w = self.r.choice(SIGNED)
        return op("two_comp_mod", a, const(w)), lambda env: sign(fa(env), w)

    def _clamp(self, depth: int) -> tuple[Json, Eval]:
        a, fa = self.number(depth - 1)
        w = self.r.choice(SIGNED)
        if self.r.random() < 0.5:
            return op("usat_cast", a, const(w)), lambda env: max(0, min(fa(env), (1 << w) - 1))
        top = 1 << (w - 1)
        return op("sat_cast", a, const(w)), lambda env: max(-top, min(fa(env), top - 1))

    def _choose(self, depth: int) -> tuple[Json, Eval]:
        c, fc = self.boolean(depth - 1)
        (a, fa), (b, fb) = self.number(depth - 1), self.number(depth - 1)
        return op("?", a, b, c), lambda env: fa(env) if fc(env) else fb(env)

    def _b2d(self, depth: int) -> tuple[Json, Eval]:
        c, fc = self.boolean(depth - 1)
        return op("b2d", None, c), lambda env: int(fc(env))

    def _div(self, depth: int) -> tuple[Json, Eval]:
        m = (1 << self.r.choice([8, 64, 128, 192])) - 1
        (a, fa), (b, fb) = self.number(depth - 1), self.leaf()
        name = self.r.choice(["/", "%"])
        divisor = op("&", b, const(m))

        def value(env: Env) -> int:
            y = fb(env) & m
            return (
                0
                if y == 0
                else fa(env) % (1 << 200) // y
                if name == "/"
                else fa(env) % (1 << 200) % y
            )

        return op(name, op("&", a, const((1 << 200) - 1)), divisor), value


def header_bytes(values: list[tuple[int, int]]) -> bytes:
    total, bits = 0, 0
    for value, width in values:
        bits, total = bits << width | value & ((1 << width) - 1), total + width
    assert total % 8 == 0
    return bits.to_bytes(total // 8, "big")


def program(seed: int, count: int) -> tuple[Json, list[tuple[str, int, Eval]], int]:
    trees = Trees(seed)
    outputs: list[tuple[str, int, Eval]] = []
    body = []
    out_fields: list[list[Any]] = []
    for i in range(count):
        width = trees.r.choice(WIDTHS)
        name = f"o{i}"
        out_fields.append([name, width, trees.r.random() < 0.3 and width > 1])
        tree, value = trees.number(trees.r.randint(1, 4))
        body.append(assign(field("h", name), tree))
        outputs.append((name, width, value))
    used = sum(w for _, w, _ in INPUTS) + sum(w for _, w, _ in outputs)
    pad = -used % 8
    fields = [[n, w, s] for n, w, s in INPUTS] + out_fields + ([["pad", pad, False]] if pad else [])
    return document(fields, [action(0, *body)], [fixed_table("t", 0, None)]), outputs, pad


@pytest.mark.parametrize("seed", range(8))
def test_random_expressions(seed: int) -> None:
    doc, outputs, pad = program(seed, 25)
    p = Pipeline.load(doc)
    r = random.Random(seed)
    for _ in range(40):
        env = {}
        for name, width, _ in INPUTS:
            edge = r.choice([0, 1, (1 << width) - 1, 1 << (width - 1), (1 << (width - 1)) - 1])
            env[name] = edge & ((1 << width) - 1) if r.random() < 0.4 else r.getrandbits(width)
        given = [(env[n], w) for n, w, _ in INPUTS]
        padding = [(0, pad)] if pad else []
        [(_, out)] = p.process(
            0, header_bytes([*given, *((0, w) for _, w, _ in outputs), *padding])
        )
        want = header_bytes([*given, *((f(env), w) for _, w, f in outputs), *padding])
        assert out == want, f"seed {seed}"
