# SPDX-License-Identifier: MIT
"""Unary and binary operators (specification 8.5 to 8.10)."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import coerce, fold
from softswitch.frontend.check.session import Scope, text, type_error
from softswitch.frontend.diagnostics import error

_LOGICAL = ("&&", "||")
_EQUALITY = ("==", "!=")
_ORDER = ("<", "<=", ">", ">=")
_SHIFTS = ("<<", ">>")
_SATURATING = ("|+|", "|-|")
_BITWISE = ("&", "|", "^")
_FIXED = (ty.Bit, ty.Int)


def check_unary(scope: Scope, node: ast.Unary) -> ast.Expression:
    """Checks an operator whose operand is checked."""
    operand = node.operand
    if node.op == "!":
        if not isinstance(operand.type, ty.Bool):
            raise _bad(node, f"Cannot apply ! to value '{text(operand)}' of type {operand.type}")
        node.type = ty.BOOL
        node.const = None if operand.const is None else not operand.const
        return node
    operand = _enum_to_number(scope, operand)
    allowed = _FIXED if node.op == "~" else (*_FIXED, ty.InfInt)
    if not isinstance(operand.type, allowed):
        raise _bad(node, f"Cannot apply {node.op} to '{text(operand)}' of type {operand.type}")
    node.operand, node.type = operand, operand.type
    if operand.const is not None:
        value, kind = operand.const, operand.type
        assert isinstance(value, int)
        node.const = _folded(node, lambda: fold.unary(node.op, value, kind))
    return node


def check_binary(scope: Scope, node: ast.Binary) -> ast.Expression:
    """Checks an operator whose operands are checked."""
    if node.op in _LOGICAL:
        return _logical(node)
    if node.op in _EQUALITY:
        return _equality(scope, node)
    node.left = _enum_to_number(scope, node.left)
    node.right = _enum_to_number(scope, node.right)
    if node.op in _SHIFTS:
        return _shift(scope, node)
    if node.op == "++":
        return _concat(node)
    if node.op in ("/", "%"):
        _unsigned_operands(node)
    _balance(scope, node)
    kind = node.left.type
    if node.op in _ORDER:
        node.type = ty.BOOL
        if not isinstance(kind, (*_FIXED, ty.InfInt)):
            raise _bad(node, f"{text(node)}: not defined on {kind} and {node.right.type}")
        left, right = _numbers(node)
        node.const = None if left is None else fold.compare(node.op, left, right)
        return node
    return _arithmetic(node, kind)


def _arithmetic(node: ast.Binary, kind: ty.Type) -> ast.Expression:
    infinite_ok = node.op not in _SATURATING and node.op not in _BITWISE
    if not isinstance(kind, _FIXED) and not (infinite_ok and isinstance(kind, ty.InfInt)):
        raise _bad(node, f"{text(node)}: {node.op} cannot be applied to type {kind}")
    node.type = kind
    if node.op in ("/", "%"):
        if not coerce.compile_time(node.right):
            message = f"{text(node)}: could not evaluate expression at compilation time"
            raise error("invalid", f"{message} (the divisor must be constant)", node.span)
        _check_divisor(node)
    left, right = _numbers(node)
    if left is not None:
        node.const = _folded(node, lambda: fold.arithmetic(node.op, left, right, kind))
    return node


def _unsigned_operands(node: ast.Binary) -> None:
    for side in (node.left, node.right):
        if isinstance(side.type, ty.Int):
            raise _bad(node, f"{text(node)}: Cannot operate on signed values")
    consts = [node.left.const, node.right.const]
    if any(isinstance(c, int) and c < 0 for c in consts):
        kind = "type-error" if None in consts else "invalid"
        raise error(kind, f"{text(node)}: not defined on negative numbers", node.span)


def _check_divisor(node: ast.Binary) -> None:
    """BMv2 has no division: a run-time dividend needs a power of two."""
    divisor = node.right.const
    if not isinstance(divisor, int) or node.left.const is not None:
        return
    if divisor == 0:
        raise error("invalid", f"{text(node)}: Division by zero", node.span)
    if divisor < 0 or divisor & (divisor - 1):
        message = f"{text(node)}: could not evaluate expression at compilation time"
        raise error("invalid", f"{message} (the divisor must be a power of two)", node.span)


def _logical(node: ast.Binary) -> ast.Expression:
    for side in (node.left, node.right):
        if not isinstance(side.type, ty.Bool):
            raise _bad(node, f"{text(node)}: not defined on {node.left.type} and {node.right.type}")
    node.type = ty.BOOL
    left, right = node.left.const, node.right.const
    if left is not None and (node.op == "&&") is not left:
        node.const = left  # decided by the left operand alone
    elif left is not None:
        node.const = right
    return node


def _equality(scope: Scope, node: ast.Binary) -> ast.Expression:
    left, right = node.left, node.right
    literals = (ast.ListExpr, ast.StructExpr, ast.InvalidHeader, ast.DefaultValue)
    if left.type != right.type or isinstance(left, literals) or isinstance(right, literals):
        if isinstance(right, literals) and not isinstance(left, literals):
            node.right = coerce.coerce(scope, right, left.type)
        elif isinstance(left, literals) and not isinstance(right, literals):
            node.left = coerce.coerce(scope, left, right.type)
        else:
            if left.type != right.type:
                node.left, node.right = _enum_pair(scope, left, right)
            _balance(scope, node)
    kind = node.left.type
    if kind != node.right.type or not comparable(kind):
        message = f"'{text(node)}': cannot compare {node.left.type} and {node.right.type}"
        raise _bad(node, message)
    node.type = ty.BOOL
    if node.left.const is not None and node.right.const is not None:
        node.const = (node.left.const == node.right.const) is (node.op == "==")
    return node


def comparable(kind: ty.Type) -> bool:
    """Whether ``==`` is defined."""
    match kind:
        case ty.Struct(fields=fields):
            return all(comparable(f.type) for f in fields)
        case ty.Tuple(elements=elements):
            return all(map(comparable, elements))
        case ty.AnonStruct(fields=pairs):
            return all(comparable(t) for _, t in pairs)
        case _:
            return isinstance(
                kind,
                (
                    *(ty.Bit, ty.Int, ty.InfInt, ty.Varbit, ty.Bool, ty.Error, ty.Enum),
                    *(ty.SerEnum, ty.NewType, ty.Header, ty.HeaderUnion, ty.Stack, ty.String),
                    ty.TypeVar,
                ),
            )


def _enum_pair(
    scope: Scope, left: ast.Expression, right: ast.Expression
) -> tuple[ast.Expression, ast.Expression]:
    """A serializable enum beside a number is a number."""
    if isinstance(left.type, ty.SerEnum) and not isinstance(right.type, ty.NewType):
        left = _enum_to_number(scope, left)
    if isinstance(right.type, ty.SerEnum) and not isinstance(left.type, ty.NewType):
        right = _enum_to_number(scope, right)
    return left, right


def _enum_to_number(scope: Scope, value: ast.Expression) -> ast.Expression:
    if isinstance(value.type, ty.SerEnum):
        return coerce.cast_node(scope, value, value.type.underlying)
    return value


def _shift(scope: Scope, node: ast.Binary) -> ast.Expression:
    left, right = node.left, node.right
    if not isinstance(left.type, (*_FIXED, ty.InfInt)):
        raise _bad(node, f"{text(node)}: {node.op} cannot be applied to type {left.type}")
    if isinstance(right.type, ty.Int):
        if right.const is None:
            raise _bad(node, f"{text(node)}: shift amount must be an unsigned number")
    elif not isinstance(right.type, (ty.Bit, ty.InfInt)):
        raise _bad(node, f"{text(node)}: shift amount of type {right.type}")
    if isinstance(right.const, int) and right.const < 0:
        message = f"{text(node)}: Shifts with negative amounts are not permitted"
        raise error("invalid", message, node.span)
    if isinstance(left.type, ty.InfInt) and not coerce.compile_time(right):
        message = f"{text(node)}: width of left operand of shift needs to be specified"
        raise _bad(node, message)
    node.type = left.type
    if isinstance(left.const, int) and isinstance(right.const, int):
        value, amount = left.const, right.const
        node.const = _folded(node, lambda: fold.shift(node.op, value, amount, left.type))
    elif isinstance(right.type, ty.InfInt):
        assert isinstance(right.const, int)
        width = max(right.const.bit_length(), 1)
        node.right = coerce.cast_node(scope, right, ty.Bit(width))
    return node


def _concat(node: ast.Binary) -> ast.Expression:
    left, right = node.left, node.right
    if isinstance(left.type, ty.String) and isinstance(right.type, ty.String):
        node.type = ty.STRING
        if isinstance(left.const, str) and isinstance(right.const, str):
            node.const = left.const + right.const
        return node
    for side in (left, right):
        if not isinstance(side.type, _FIXED):
            message = f"{text(node)}: Concatenation not defined on {left.type} and {right.type}"
            raise _bad(node, message)
    width = fold.width_of(left.type) + fold.width_of(right.type)
    node.type = ty.Int(width) if isinstance(left.type, ty.Int) else ty.Bit(width)
    if isinstance(left.const, int) and isinstance(right.const, int):
        bits = fold.concat(left.const, left.type, right.const, right.type)
        node.const = fold.wrap(bits, node.type)
    return node


def _balance(scope: Scope, node: ast.Binary) -> None:
    """Gives a constant of type int the type of the other operand."""
    left, right = node.left, node.right
    if left.type == right.type:
        return
    if isinstance(left.type, ty.InfInt) and coerce.can_convert(left.type, right.type):
        node.left = coerce.coerce(scope, left, right.type)
    elif isinstance(right.type, ty.InfInt) and coerce.can_convert(right.type, left.type):
        node.right = coerce.coerce(scope, right, left.type)
    elif isinstance(left.type, _FIXED) and isinstance(right.type, _FIXED):
        if type(left.type) is not type(right.type):
            message = f"{text(node)}: Cannot operate on values with different signs"
        else:
            widths = f"{left.type.width} and {right.type.width}"
            message = f"{text(node)}: Cannot operate on values with different widths {widths}"
        raise _bad(node, message)
    else:
        raise _bad(node, f"{text(node)}: not defined on {left.type} and {right.type}")


def _numbers(node: ast.Binary) -> tuple[int, int] | tuple[None, int]:
    left, right = node.left.const, node.right.const
    if isinstance(left, int) and isinstance(right, int):
        return left, right
    return None, 0


def _folded(node: ast.Expression, compute: object) -> int:
    assert callable(compute)
    try:
        value = compute()
    except fold.FoldError as failure:
        raise error(failure.kind, f"{text(node)}: {failure}", node.span) from None
    assert isinstance(value, int)
    return value


def _bad(node: ast.Expression, message: str) -> Exception:
    return type_error(message, node.span)
