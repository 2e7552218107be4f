# SPDX-License-Identifier: MIT
"""Random well-typed P4 expressions over fields, or over constants of the same values."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

KINDS = {
    "u1": ("bit", 1),
    "u8": ("bit", 8),
    "u16": ("bit", 16),
    "u64": ("bit", 64),
    "u70": ("bit", 70),
    "s8": ("int", 8),
    "s33": ("int", 33),
}
FIELDS = {"a": "u8", "b": "u16", "c": "s8", "d": "u64", "e": "s33", "f": "u70", "g": "u1"}
_ARITHMETIC = ("+", "-", "*", "&", "|", "^", "|+|", "|-|")


def type_name(kind: str) -> str:
    """``bit<8>`` for ``u8``."""
    return "{}<{}>".format(*KINDS[kind])


def field_values(rng: random.Random) -> dict[str, int]:
    """Unsigned bit patterns for all fields, with the extreme ones often."""
    values = {}
    for name, kind in FIELDS.items():
        width = KINDS[kind][1]
        extremes = [0, (1 << width) - 1, 1 << (width - 1), rng.getrandbits(width)]
        values[name] = rng.choice(extremes)
    return values


@dataclass
class Writer:
    """Writes expressions; the same seed gives the same one for another ``name`` of fields."""

    rng: random.Random
    name: Callable[[str], str]

    def literal(self, kind: str) -> str:
        word, width = KINDS[kind]
        top = 1 << width
        value = self.rng.choice([0, 1, top - 1, top >> 1, self.rng.getrandbits(width)]) % top
        if word == "bit":
            return f"{width}w{value}"
        return f"(({type_name(kind)}) ({value - top if value >= top >> 1 else value}))"

    def value(self, kind: str, depth: int) -> str:
        """An expression of ``kind``."""
        rng = self.rng
        word, width = KINDS[kind]
        if depth <= 0 or rng.random() < 0.15:
            field = next(f for f, k in FIELDS.items() if k == kind)
            return self.name(field) if rng.random() < 0.75 else self.literal(kind)
        match rng.randrange(11):
            case 0:
                shift = self.value("u8", depth - 1)
                return f"({self.value(kind, depth - 1)} {rng.choice(['<<', '>>'])} {shift})"
            case 1:
                return f"({rng.choice('-~')}{self.value(kind, depth - 1)})"
            case 2:
                then, otherwise = self.value(kind, depth - 1), self.value(kind, depth - 1)
                return f"({self.truth(depth - 1)} ? {then} : {otherwise})"
            case 3:
                return self._cast(kind, depth)
            case 4 if word == "bit":
                wide = rng.choice([k for k, (_, w) in KINDS.items() if w >= width])
                low = rng.randrange(KINDS[wide][1] - width + 1)
                return f"{self.value(wide, depth - 1)}[{low + width - 1}:{low}]"
            case 5 if kind == "u16":
                return f"({self.value('u8', depth - 1)} ++ {self.value('s8', depth - 1)})"
            case 6 if word == "bit" and width > 1:
                divisor = f"{width}w{1 << rng.randrange(width)}"
                return f"({self.value(kind, depth - 1)} {rng.choice('/%')} {divisor})"
        op = rng.choice(_ARITHMETIC)
        return f"({self.value(kind, depth - 1)} {op} {self.value(kind, depth - 1)})"

    def _cast(self, kind: str, depth: int) -> str:
        source = self.rng.choice(list(KINDS))
        inner = self.value(source, depth - 1)
        if KINDS[source][0] != KINDS[kind][0]:  # first the sign, then the width
            inner = f"(({KINDS[kind][0]}<{KINDS[source][1]}>) {inner})"
        return f"(({type_name(kind)}) {inner})"

    def truth(self, depth: int) -> str:
        """A boolean expression."""
        rng = self.rng
        if depth <= 0 or rng.random() < 0.5:
            kind = rng.choice(list(KINDS))
            op = rng.choice(["==", "!=", "<", "<=", ">", ">="])
            return f"({self.value(kind, depth - 1)} {op} {self.value(kind, depth - 1)})"
        if rng.random() < 0.3:
            return f"(!{self.truth(depth - 1)})"
        return f"({self.truth(depth - 1)} {rng.choice(['&&', '||'])} {self.truth(depth - 1)})"
