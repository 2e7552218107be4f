# SPDX-License-Identifier: MIT
"""Building expressions: constants are folded, and results are brought back to their width.

BMv2 computes with integers of any size, so each operator that can leave the range of its type
is followed by ``& mask`` (unsigned), ``two_comp_mod`` (signed) or a saturating cast.
"""

from __future__ import annotations

from softswitch.frontend.lower.ir import Const, Expr, Op, Valid

TRUE = Const(1, False, True, 1)
FALSE = Const(1, False, True, 0)


def mask(width: int) -> int:
    """``width`` one bits."""
    return (1 << width) - 1


def wrap_value(value: int, width: int, signed: bool) -> int:
    """``value`` modulo 2**width, in the range of the type."""
    value &= mask(width)
    if signed and width and value >> (width - 1):
        value -= 1 << width
    return value


def number(value: int, width: int, signed: bool = False) -> Const:
    """A constant of ``bit<width>`` or ``int<width>``."""
    return Const(width, signed, False, wrap_value(value, width, signed))


def boolean(value: bool) -> Const:
    """A truth value."""
    return TRUE if value else FALSE


def _wrap(raw: Expr, width: int, signed: bool) -> Expr:
    bound = Const(max(width, 8), False, False, width if signed else mask(width))
    return Op(width, signed, False, "two_comp_mod" if signed else "&", (raw, bound))


def _saturate(value: int, width: int, signed: bool) -> int:
    low, high = (-(1 << (width - 1)), mask(width - 1)) if signed else (0, mask(width))
    return min(max(value, low), high)


def _compute(op: str, left: int, right: int) -> int:
    match op:
        case "+":
            return left + right
        case "-":
            return left - right
        case "*":
            return left * right
        case "&":
            return left & right
        case "|":
            return left | right
        case "^":
            return left ^ right
        case "<<":
            return left << min(right, 4096)
        case ">>":
            return left >> right
    raise AssertionError(op)


_COMPARE = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def _neutral(op: str, left: Expr, right: Expr) -> Expr | None:
    """The operand that ``op`` leaves unchanged, if the other is its neutral element."""
    if isinstance(right, Const):
        full = wrap_value(-1, left.width, left.signed)
        if right.value == 0 and op in ("+", "-", "|", "^", "<<", ">>", "|+|", "|-|"):
            return left
        if (right.value == 1 and op == "*") or (right.value == full and op == "&"):
            return left
    if isinstance(left, Const):
        full = wrap_value(-1, right.width, right.signed)
        if left.value == 0 and op in ("+", "|", "^", "|+|"):
            return right
        if (left.value == 1 and op == "*") or (left.value == full and op == "&"):
            return right
    return None


def arithmetic(op: str, left: Expr, right: Expr) -> Expr:
    """``+ - * |+| |-| & | ^ << >>``; the result has the type of ``left``."""
    width, signed = left.width, left.signed
    raw_op = {"|+|": "+", "|-|": "-"}.get(op, op)
    if isinstance(left, Const) and isinstance(right, Const):
        value = _compute(raw_op, left.value, right.value)
        if op in ("|+|", "|-|"):
            value = _saturate(value, width, signed)
        return number(value, width, signed)
    same = _neutral(op, left, right)
    if same is not None:
        return same
    if isinstance(right, Const):
        if op in ("<<", ">>") and right.value >= width and not (signed and op == ">>"):
            return number(0, width, signed)
        if op in ("&", "*") and right.value == 0:
            return number(0, width, signed)
        if op == "-" and not signed:
            op, raw_op, right = "+", "+", number(-right.value, width)
    raw = Op(width, signed, False, raw_op, (left, right))
    if op in ("|+|", "|-|"):
        bound = Const(8, False, False, width)
        return Op(width, signed, False, "sat_cast" if signed else "usat_cast", (raw, bound))
    if op in ("&", "|", "^") or (op == ">>" and not signed):
        return raw
    return _wrap(raw, width, signed)


def divide(op: str, left: Expr, divisor: int) -> Expr | None:
    """``/`` or ``%`` by a constant power of two; None if it is none."""
    if divisor <= 0 or divisor & (divisor - 1) or left.signed:
        return None
    if op == "%":
        return arithmetic("&", left, number(divisor - 1, left.width))
    return arithmetic(">>", left, number(divisor.bit_length() - 1, left.width))


def negate(operand: Expr) -> Expr:
    """``-operand``."""
    return arithmetic("-", number(0, operand.width, operand.signed), operand)


def complement(operand: Expr) -> Expr:
    """``~operand``."""
    if isinstance(operand, Const):
        return number(~operand.value, operand.width, operand.signed)
    raw = Op(operand.width, operand.signed, False, "~", (operand,))
    return _wrap(raw, operand.width, operand.signed)


def compare(op: str, left: Expr, right: Expr) -> Expr:
    """``== != < <= > >=`` of scalars of one type."""
    if isinstance(left, Const) and isinstance(right, Const):
        return boolean(_COMPARE[op](left.value, right.value))
    if left.boolean and op in ("==", "!="):
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Const):
                return other if bool(one.value) == (op == "==") else invert(other)
    return Op(1, False, True, op, (left, right))


def invert(operand: Expr) -> Expr:
    """``!operand``."""
    if isinstance(operand, Const):
        return boolean(not operand.value)
    if isinstance(operand, Op):
        opposite = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}
        if operand.op == "not":
            return operand.args[0]
        if operand.op in opposite:
            return Op(1, False, True, opposite[operand.op], operand.args)
    return Op(1, False, True, "not", (operand,))


def both(left: Expr, right: Expr) -> Expr:
    """``left && right`` of operands without side effects."""
    if isinstance(left, Const):
        return right if left.value else FALSE
    if isinstance(right, Const):
        return left if right.value else FALSE
    return Op(1, False, True, "and", (left, right))


def either(left: Expr, right: Expr) -> Expr:
    """``left || right`` of operands without side effects."""
    if isinstance(left, Const):
        return TRUE if left.value else right
    if isinstance(right, Const):
        return TRUE if right.value else left
    return Op(1, False, True, "or", (left, right))


def choose(condition: Expr, then: Expr, otherwise: Expr) -> Expr:
    """``condition ? then : otherwise`` of operands without side effects."""
    if isinstance(condition, Const):
        return then if condition.value else otherwise
    if then == otherwise:
        return then
    if then.boolean:
        return either(both(condition, then), both(invert(condition), otherwise))
    return Op(then.width, then.signed, False, "?", (condition, then, otherwise))


def retype(operand: Expr, width: int, signed: bool) -> Expr:
    """The same integer as a value of a type that contains it."""
    if (operand.width, operand.signed) == (width, signed):
        return operand
    if isinstance(operand, Const):
        return Const(width, signed, False, operand.value)
    if isinstance(operand, Op) and operand.op == "":
        operand = operand.args[0]
    return Op(width, signed, False, "", (operand,))


def cast(operand: Expr, width: int, signed: bool, to_bool: bool = False) -> Expr:
    """Explicit casts between ``bit``, ``int`` and ``bool``."""
    if to_bool:
        if operand.boolean:
            return operand
        return compare("!=", operand, number(0, operand.width, operand.signed))
    if operand.boolean:
        if isinstance(operand, Const):
            return number(operand.value, width, signed)
        return choose(operand, number(1, width, signed), number(0, width, signed))
    if isinstance(operand, Const):
        return number(operand.value, width, signed)
    if operand.signed == signed and width >= operand.width:
        return retype(operand, width, signed)
    if signed and not operand.signed and width > operand.width:
        return retype(operand, width, signed)
    return _wrap(operand, width, signed)


def slice_of(operand: Expr, high: int, low: int) -> Expr:
    """``operand[high:low]``."""
    width = high - low + 1
    if isinstance(operand, Const):
        return number(operand.value >> low, width)
    if (low, width, operand.signed) == (0, operand.width, False):
        return operand
    shifted: Expr = operand
    if low:
        amount = number(low, operand.width if low <= mask(operand.width) else 32)
        shifted = Op(operand.width, operand.signed, False, ">>", (operand, amount))
        if not operand.signed and high == operand.width - 1:
            return Op(width, False, False, "", (shifted,))
    return _wrap(shifted, width, False)


def with_slice(whole: Expr, high: int, low: int, part: Expr) -> Expr:
    """``whole`` with its bits ``high:low`` replaced by ``part``."""
    width = whole.width
    hole = mask(width) ^ (mask(high - low + 1) << low)
    kept = arithmetic("&", whole, number(hole, width))
    moved: Expr
    if isinstance(part, Const):
        moved = number(part.value << low, width)
    else:
        moved = retype(cast(part, part.width, False), width, False)
        if low:
            moved = Op(width, False, False, "<<", (moved, number(low, max(32, width))))
    return arithmetic("|", kept, moved)


def concat(left: Expr, right: Expr) -> Expr:
    """``left ++ right``; the result has the sign of ``left``."""
    width = left.width + right.width
    if isinstance(left, Const) and isinstance(right, Const):
        value = (left.value << right.width) | (right.value & mask(right.width))
        return number(value, width, left.signed)
    low = retype(cast(right, right.width, False), width, False)
    high = retype(cast(left, left.width, False), width, False)
    if isinstance(high, Const):
        moved: Expr = number(high.value << right.width, width)
    else:
        moved = Op(width, False, False, "<<", (high, number(right.width, 32)))
    joined = low if moved == number(0, width) else arithmetic("|", moved, low)
    return cast(joined, width, left.signed)


def valid(header: str) -> Expr:
    """``header.isValid()``."""
    return Valid(1, False, True, header)
