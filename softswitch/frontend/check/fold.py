# SPDX-License-Identifier: MIT
"""Compile-time arithmetic (specification 8.6 to 8.8): two's complement and unbounded integers."""

from __future__ import annotations

from softswitch.frontend import types as ty

MAX_BITS = 1 << 13  # of constants of type int: more than any field can hold


class FoldError(Exception):
    """An operation without a value; ``kind`` as in `Diagnostic`."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def wrap(value: int, kind: ty.Type) -> int:
    """``value`` truncated to ``kind``; serializable enums and newtypes as what is below."""
    kind = ty.strip(kind)
    if isinstance(kind, ty.Bit):
        return value & ((1 << kind.width) - 1)
    if isinstance(kind, ty.Int):
        value &= (1 << kind.width) - 1
        return value - (1 << kind.width) if value >> (kind.width - 1) else value
    if value.bit_length() > MAX_BITS:
        raise FoldError("overlimit", f"constant of more than {MAX_BITS} bits")
    return value


def limits(kind: ty.Bit | ty.Int) -> tuple[int, int]:
    """Smallest and largest value of the type."""
    if isinstance(kind, ty.Bit):
        return 0, (1 << kind.width) - 1
    return -(1 << (kind.width - 1)), (1 << (kind.width - 1)) - 1


def unary(op: str, value: int, kind: ty.Type) -> int:
    """``- + ~`` of a constant of type ``kind``."""
    if op == "-":
        return wrap(-value, kind)
    return wrap(~value, kind) if op == "~" else value


def arithmetic(op: str, left: int, right: int, kind: ty.Type) -> int:
    """A binary operator whose operands and result have type ``kind``."""
    if op in ("|+|", "|-|"):
        assert isinstance(kind, (ty.Bit, ty.Int))
        low, high = limits(kind)
        return min(max(left + right if op == "|+|" else left - right, low), high)
    if op in ("/", "%"):
        if right == 0:
            raise FoldError("invalid", "Division by zero")
        if left < 0 or right < 0:
            raise FoldError("invalid", "not defined on negative numbers")
        return left // right if op == "/" else left % right
    results = {"+": left + right, "-": left - right, "&": left & right, "|": left | right}
    if op in results:
        return wrap(results[op], kind)
    if op == "*":
        return wrap(left * right, kind)
    return wrap(left ^ right, kind)


def compare(op: str, left: int, right: int) -> bool:
    """``< <= > >=`` of constants."""
    if op == "<":
        return left < right
    if op == "<=":
        return left <= right
    return left > right if op == ">" else left >= right


def shift(op: str, value: int, amount: int, kind: ty.Type) -> int:
    """``<<`` and ``>>``; the sign is kept for signed types."""
    if amount < 0:
        raise FoldError("invalid", "Shifts with negative amounts are not permitted")
    base = ty.strip(kind)
    if isinstance(base, (ty.Bit, ty.Int)):
        amount = min(amount, base.width)
    elif amount > MAX_BITS:
        raise FoldError("invalid", f"Shift amount limited to {MAX_BITS}")
    return wrap(value << amount if op == "<<" else value >> amount, kind)


def width_of(kind: ty.Type) -> int:
    """Width of a bit, int or varbit type."""
    kind = ty.strip(kind)
    assert isinstance(kind, (ty.Bit, ty.Int, ty.Varbit))
    return kind.width


def concat(left: int, left_type: ty.Type, right: int, right_type: ty.Type) -> int:
    """The bits of ``left ++ right``, unsigned."""
    mask = (1 << width_of(right_type)) - 1
    head = left & ((1 << width_of(left_type)) - 1)
    return head << width_of(right_type) | (right & mask)
