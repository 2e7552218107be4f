# SPDX-License-Identifier: MIT
"""The interval of values that an expression can have."""

from __future__ import annotations

from dataclasses import dataclass

from softswitch.engine.layout import Layout
from softswitch.engine.program import Action, Expr, Field

BOOLEAN_OPS = frozenset(
    ("==", "!=", "<", "<=", ">", ">=", "and", "or", "not", "d2b", "valid", "valid_union")
)
SHIFT_LIMIT = 1 << 15
"""Shifts to the left by more count as this many bits; wider results are refused anyway."""


@dataclass(frozen=True, slots=True)
class Interval:
    """All integers from ``low`` to ``high``."""

    low: int
    high: int


BIT = Interval(0, 1)


def limbs_for(bits: int) -> int:
    """Number of 64-bit words for so many bits."""
    return max(1, (bits + 63) // 64)


def limbs_exact(r: Interval) -> int:
    """Words that hold every value of the interval; two's complement beyond two words."""
    unsigned = max(r.high, 0).bit_length()
    if r.low < 0:
        return limbs_for(max(unsigned, (-r.low - 1).bit_length()) + 1)
    return limbs_for(unsigned) if unsigned <= 128 else limbs_for(unsigned + 1)


def is_bool(e: Expr) -> bool:
    """True for expressions that give a truth value."""
    if e.kind in ("bool", "valid"):
        return True
    if e.kind != "op":
        return False
    if e.value == "?":
        return all(a is not None and is_bool(a) for a in e.args[1:])
    return e.value in BOOLEAN_OPS or e.value == "b2d"


def _bits(r: Interval) -> int:
    return max(max(r.high, 0).bit_length(), (-r.low - 1).bit_length() if r.low < 0 else 0)


class Ranges:
    """Computes intervals, once for each node."""

    def __init__(self, layout: Layout, action: Action | None) -> None:
        self.layout = layout
        self.action = action
        self._memo: dict[int, tuple[Expr, Interval]] = {}

    def of(self, e: Expr) -> Interval:
        """The interval of ``e``."""
        known = self._memo.get(id(e))
        if known is not None:
            return known[1]
        r = self._compute(e)
        self._memo[id(e)] = (e, r)
        return r

    @staticmethod
    def field(f: Field) -> Interval:
        """The interval of a field."""
        if f.signed:
            return Interval(-(1 << max(f.width - 1, 0)), (1 << max(f.width - 1, 0)) - 1)
        return Interval(0, (1 << f.width) - 1)

    @staticmethod
    def bounds_of_cast(e: Expr) -> tuple[int, int]:
        """Limits of two_comp_mod, sat_cast and usat_cast."""
        assert e.args[1] is not None
        assert isinstance(e.args[1].value, int)
        return Ranges.bounds(e.args[1].value, signed=e.value != "usat_cast")

    @staticmethod
    def bounds(width: int, *, signed: bool) -> tuple[int, int]:
        """Least and greatest value of ``width`` bits."""
        if not signed:
            return 0, (1 << width) - 1
        return -(1 << (width - 1)), (1 << (width - 1)) - 1

    def decided(self, op: str, left: Expr, right: Expr) -> bool | None:
        """The result of a comparison when the intervals settle it."""
        a, b = self.of(left), self.of(right)
        if op in (">", "<="):
            a, b = b, a
        if op in ("==", "!="):
            apart = a.high < b.low or b.high < a.low
            return (op == "!=") if apart else None
        if a.high < b.low:
            return op in ("<", ">")
        if a.low >= b.high:
            return op in (">=", "<=")
        return None

    def _compute(self, e: Expr) -> Interval:
        p = self.layout.program
        if is_bool(e):
            return Interval(int(bool(e.value)), int(bool(e.value))) if e.kind == "bool" else BIT
        if e.kind == "const" and isinstance(e.value, int):
            return Interval(e.value, e.value)
        if e.kind == "field":
            header, index = e.value
            return self.field(p.headers[header].type.fields[index])
        if e.kind == "stack_field":
            stack, index = e.value
            return self.field(p.stacks[stack].type.fields[index])
        if e.kind == "union_stack_field":
            name, member, index = e.value
            union = p.unions[p.union_stacks[name].unions[0]]
            return self.field(p.headers[union.members[member][1]].type.fields[index])
        if e.kind == "local" and self.action is not None and isinstance(e.value, int):
            return Interval(0, (1 << self.action.params[e.value].width) - 1)
        if e.kind == "lookahead":
            return Interval(0, (1 << e.value[1]) - 1)
        if e.kind == "register":
            return Interval(0, (1 << p.registers[str(e.value)].width) - 1)
        return self._operation(e) if e.kind == "op" else Interval(0, 0)

    def _operation(self, e: Expr) -> Interval:
        op, args = e.value, [a for a in e.args if a is not None]
        if op in ("two_comp_mod", "sat_cast", "usat_cast"):
            return self._cast(e, self.of(args[0]))
        if op == "?":
            a, b = self.of(args[1]), self.of(args[2])
            return Interval(min(a.low, b.low), max(a.high, b.high))
        if op == "access_field":
            try:
                type_ = self.layout.header_of(args[0]).type
            except ValueError:
                return Interval(0, 0)
            offset = args[1].value
            in_range = isinstance(offset, int) and offset < len(type_.fields)
            return self.field(type_.fields[offset]) if in_range else Interval(0, 0)
        if op in ("last_stack_index", "size_stack"):
            return Interval(-1, 1 << 15)
        a = self.of(args[0])
        if op == "~":
            return Interval(~a.high, ~a.low)
        return self._binary(str(op), a, self.of(args[1]) if len(args) > 1 else BIT)

    def _cast(self, e: Expr, r: Interval) -> Interval:
        low, high = self.bounds_of_cast(e)
        if low <= r.low and r.high <= high:
            return r
        if e.value == "two_comp_mod":
            return Interval(low, high)
        return Interval(min(max(r.low, low), high), max(min(r.high, high), low))

    def _binary(self, op: str, a: Interval, b: Interval) -> Interval:
        if op == "+":
            return Interval(a.low + b.low, a.high + b.high)
        if op == "-":
            return Interval(a.low - b.high, a.high - b.low)
        if op == "*":
            products = [x * y for x in (a.low, a.high) for y in (b.low, b.high)]
            return Interval(min(products), max(products))
        if op == "<<":
            most = min(max(b.high, 0), SHIFT_LIMIT)
            return Interval(min(a.low << most, a.low), max(a.high << most, a.high))
        if op == ">>":
            return Interval(min(a.low, 0), max(a.high, 0))
        if op == "&":
            if a.low >= 0 and b.low >= 0:
                return Interval(0, min(a.high, b.high))
            if a.low >= 0 or b.low >= 0:
                return Interval(0, a.high if a.low >= 0 else b.high)
        bits = max(_bits(a), _bits(b))
        if op in ("&", "|", "^"):
            negative = a.low < 0 or b.low < 0
            return Interval(-(1 << bits) if negative else 0, (1 << bits) - 1)
        if op in ("/", "%"):
            return Interval(-(1 << bits) if a.low < 0 or b.low < 0 else 0, (1 << bits) - 1)
        return BIT
