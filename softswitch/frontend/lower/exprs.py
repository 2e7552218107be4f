# SPDX-License-Identifier: MIT
"""Expressions: evaluated from left to right, side effects are emitted as statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import fold, ir
from softswitch.frontend.lower.context import Context, element_types, unsupported
from softswitch.frontend.lower.copying import assign, copy, disturbed, equal, read
from softswitch.frontend.lower.places import (
    Aggregate,
    ElementPlace,
    Invalid,
    LastPlace,
    NextPlace,
    Place,
    ScalarPlace,
    SlicePlace,
    StackPlace,
    StructPlace,
    Value,
    field_of,
    last_index,
    scalar_of,
)


def scalar(ctx: Context, expr: ast.Expression) -> ir.Expr:
    """The value of a scalar expression."""
    return read(value(ctx, expr))


def constant(ctx: Context, expr: ast.Expression, what: str) -> int:
    """A compile-time integer or truth value."""
    result = value(ctx, expr)
    if isinstance(result, ir.Const):
        return result.value
    raise error("type-error", f"{what} must be a compile-time constant", expr.span)


def place(ctx: Context, expr: ast.Expression) -> Place:
    """The storage that an l-value names."""
    if isinstance(expr, ast.Slice):
        base = place(ctx, expr.base)
        high = constant(ctx, expr.high, "the bound of a slice")
        low = constant(ctx, expr.low, "the bound of a slice")
        if isinstance(base, SlicePlace):
            return SlicePlace(expr.type, base.whole, base.low + high, base.low + low)
        assert isinstance(base, ScalarPlace)
        return SlicePlace(expr.type, base.ref, high, low)
    if isinstance(expr, ast.Cast) and expr.implicit:
        return place(ctx, expr.operand)
    result = value(ctx, expr)
    if not isinstance(result, Place):
        raise error("type-error", "this cannot be assigned to", expr.span)
    return result


def value(ctx: Context, expr: ast.Expression) -> Value:
    """Evaluate an expression of any type; its statements are emitted first."""
    if expr.const is not None:
        return const_value(ctx, expr.type, expr.const)
    handler = _HANDLERS.get(type(expr))
    if handler is None:
        raise unsupported("this expression is not supported by this target", expr.span)
    return handler(ctx, expr)


def sequence(ctx: Context, exprs: Sequence[ast.Expression]) -> list[Value]:
    """Evaluate from left to right; a value that a later one's side effects change is copied."""
    done: list[Value] = []
    for expr in exprs:
        with ctx.capture() as stmts:
            new = value(ctx, expr)
        if stmts:
            for at, old in enumerate(done):
                if disturbed(ctx, old, stmts):
                    done[at] = copy(ctx, old, expr.span)
            ctx.out.extend(stmts)
        done.append(new)
    return done


# --------------------------------------------------------------------------- constants


def const_value(ctx: Context, kind: ty.Type, const: ast.Const) -> Value:
    """A compile-time value."""
    if isinstance(const, str):
        return const
    if isinstance(const, ast.EnumMember):
        return fold.number(enum_value(ctx, const), 32)
    if isinstance(const, bool):
        return fold.boolean(const)
    if isinstance(const, int):
        stripped = ty.strip(kind)
        if isinstance(stripped, ty.InfInt):
            return ir.Const(max(32, const.bit_length()), const < 0, False, const)
        if isinstance(stripped, ty.Set):
            stripped = ty.strip(stripped.element)
        width, signed, _ = scalar_of(stripped)
        return fold.number(const, width, signed)
    if isinstance(kind, ty.List):
        parts = [(str(i), kind.element) for i in range(len(const))]
    else:
        parts = element_types(kind)
    items = [const[name] for name, _ in parts] if isinstance(const, dict) else list(const)
    fields = {
        name: const_value(ctx, inner, item)
        for (name, inner), item in zip(parts, items, strict=True)
    }
    return Aggregate(kind, fields)


def enum_value(ctx: Context, member: ast.EnumMember) -> int:
    """The number that stands for a member of an enum or of error."""
    found = ctx.errors.get(member)
    if found is not None:
        return found
    if isinstance(member.const, int):
        return member.const
    kind = member.type
    assert isinstance(kind, ty.Enum)
    assert isinstance(kind.decl, ast.EnumDecl)
    return kind.decl.members.index(member)


def default_value(ctx: Context, kind: ty.Type) -> Value:
    """The value that ``...`` stands for."""
    if isinstance(kind, (ty.Header, ty.HeaderUnion)):
        return Invalid(kind)
    parts = element_types(kind)
    if parts:
        return Aggregate(kind, {n: default_value(ctx, t) for n, t in parts})
    width, signed, boolean = scalar_of(kind)
    return ir.Const(width, signed, boolean, 0)


# --------------------------------------------------------------------------- names


def _name(ctx: Context, expr: ast.Name) -> Value:
    decl = expr.decl
    assert decl is not None
    found = ctx.frame.find(decl)
    if found is None and isinstance(decl, ast.ConstDecl):
        found = value(ctx, decl.init)
    if isinstance(found, (ir.Expr, Place, Aggregate, Invalid, str)):
        return found
    raise unsupported(f"'{expr.name}' cannot be used as a value", expr.span)


def _member(ctx: Context, expr: ast.Member) -> Value:
    if expr.kind is ast.MemberKind.APPLY_RESULT:
        from softswitch.frontend.lower.calls import apply_result

        return apply_result(ctx, expr)
    base = value(ctx, expr.base)
    if expr.kind is ast.MemberKind.STACK:
        return _stack_member(ctx, expr, base)
    if isinstance(base, Aggregate):
        return base.fields[expr.name]
    if isinstance(base, Invalid):
        return default_value(ctx, expr.type)
    assert isinstance(base, Place)
    return field_of(base, expr.name, expr.type)


def _stack_member(ctx: Context, expr: ast.Member, base: Value) -> Value:
    assert isinstance(base, StackPlace)
    if expr.name == "size":
        return fold.number(len(base.elements), 32)
    if ctx.block != "parser":
        raise error("invalid", f"'{expr.name}' can only be used in a parser", expr.span)
    if expr.name == "lastIndex":
        return last_index(base)
    kind = base.type.element  # type: ignore[attr-defined]
    if expr.name == "next":
        return NextPlace(kind, base)
    return LastPlace(kind, base)


def _index(ctx: Context, expr: ast.Index) -> Value:
    base = value(ctx, expr.base)
    index = scalar(ctx, expr.index)
    if isinstance(base, (StructPlace, Aggregate)):
        assert isinstance(index, ir.Const)
        return base.fields[str(index.value)]
    assert isinstance(base, StackPlace)
    if not isinstance(index, ir.Const):
        if isinstance(expr.type, ty.HeaderUnion):
            raise unsupported("run-time indices into stacks of header unions", expr.span)
        return ElementPlace(expr.type, base, index)
    if not 0 <= index.value < len(base.elements):
        text = f"index {index.value} is outside of the stack of {len(base.elements)} elements"
        raise error("invalid", text, expr.index.span)
    return base.elements[index.value]


def _slice(ctx: Context, expr: ast.Slice) -> Value:
    base = scalar(ctx, expr.base)
    high = constant(ctx, expr.high, "the bound of a slice")
    low = constant(ctx, expr.low, "the bound of a slice")
    return fold.slice_of(base, high, low)


# --------------------------------------------------------------------------- operators


def _unary(ctx: Context, expr: ast.Unary) -> Value:
    operand = scalar(ctx, expr.operand)
    match expr.op:
        case "!":
            return fold.invert(operand)
        case "~":
            return fold.complement(operand)
        case "-":
            return fold.negate(operand)
    return operand


def binary(op: str, left: ir.Expr, right: ir.Expr, span: ast.Span) -> ir.Expr:
    """An arithmetic or relational operator of scalars."""
    if op in ("==", "!=", "<", "<=", ">", ">="):
        return fold.compare(op, left, right)
    if op == "++":
        return fold.concat(left, right)
    if op in ("/", "%"):
        if isinstance(left, ir.Const) and isinstance(right, ir.Const) and right.value > 0:
            result = left.value // right.value if op == "/" else left.value % right.value
            return fold.number(result, left.width, left.signed)
        done = fold.divide(op, left, right.value) if isinstance(right, ir.Const) else None
        if done is None:
            text = f"'{op}' is only supported by a constant power of two on this target"
            raise unsupported(text, span)
        return done
    if left.boolean and op in ("&", "|", "^"):
        left, right = fold.cast(left, 1, False), fold.cast(right, 1, False)
    return fold.arithmetic(op, left, right)


def _binary(ctx: Context, expr: ast.Binary) -> Value:
    if expr.op in ("&&", "||"):
        return _short_circuit(ctx, expr)
    left, right = sequence(ctx, [expr.left, expr.right])
    if expr.op in ("==", "!="):
        same = equal(left, right)
        return same if expr.op == "==" else fold.invert(same)
    return binary(expr.op, read(left), read(right), expr.span)


def _short_circuit(ctx: Context, expr: ast.Binary) -> Value:
    left = scalar(ctx, expr.left)
    with ctx.capture() as stmts:
        right = scalar(ctx, expr.right)
    conjunction = expr.op == "&&"
    if not stmts:
        return fold.both(left, right) if conjunction else fold.either(left, right)
    result = ctx.saved(left, expr.span)
    stmts.append(ir.Assign(result, right, span=expr.span))
    branches = (stmts, []) if conjunction else ([], stmts)
    ctx.emit(ir.If(result, *branches, span=expr.span))
    return result


def _ternary(ctx: Context, expr: ast.Ternary) -> Value:
    condition = scalar(ctx, expr.condition)
    with ctx.capture() as then_stmts:
        then = value(ctx, expr.then)
    with ctx.capture() as else_stmts:
        otherwise = value(ctx, expr.otherwise)
    plain = all(isinstance(v, (ir.Expr, ScalarPlace, SlicePlace)) for v in (then, otherwise))
    if plain and not then_stmts and not else_stmts:
        return fold.choose(condition, read(then), read(otherwise))
    if isinstance(condition, ir.Const):
        ctx.out.extend(then_stmts if condition.value else else_stmts)
        return then if condition.value else otherwise
    result = ctx.store.place(expr.type, "tmp")
    for stmts, chosen in ((then_stmts, then), (else_stmts, otherwise)):
        with ctx.capture() as copies:
            assign(ctx, result, chosen, expr.span)
        stmts.extend(copies)
    ctx.emit(ir.If(condition, then_stmts, else_stmts, span=expr.span))
    return result


def _cast(ctx: Context, expr: ast.Cast) -> Value:
    operand = value(ctx, expr.operand)
    return convert(operand, expr.type)


def convert(operand: Value, kind: ty.Type) -> Value:
    """A value as another type."""
    target = ty.strip(kind)
    if isinstance(operand, Aggregate):
        parts = element_types(target)
        if not parts:
            return operand
        if set(operand.fields) == {n for n, _ in parts}:
            items = [operand.fields[n] for n, _ in parts]
        else:
            items = list(operand.fields.values())
        fields = {
            n: convert(v, t) if isinstance(v, Aggregate) else v
            for (n, t), v in zip(parts, items, strict=True)
        }
        return Aggregate(target, fields)
    if not isinstance(operand, (ir.Expr, ScalarPlace, SlicePlace)):
        return operand
    if isinstance(target, ty.Bool):
        return fold.cast(read(operand), 1, False, to_bool=True)
    if isinstance(target, (ty.Bit, ty.Int)):
        return fold.cast(read(operand), target.width, isinstance(target, ty.Int))
    return operand


# --------------------------------------------------------------------------- aggregates


def _list(ctx: Context, expr: ast.ListExpr) -> Value:
    values = sequence(ctx, expr.elements)
    names = [n for n, _ in element_types(expr.type)] or [str(i) for i in range(len(values))]
    return Aggregate(expr.type, dict(zip(names, values, strict=True)))


def _struct(ctx: Context, expr: ast.StructExpr) -> Value:
    values = sequence(ctx, list(expr.fields.values()))
    return Aggregate(expr.type, dict(zip(expr.fields, values, strict=True)))


def _call(ctx: Context, expr: ast.Call) -> Value:
    from softswitch.frontend.lower.calls import call

    result = call(ctx, expr)
    assert result is not None
    return result


_HANDLERS: dict[type, Callable[..., Value]] = {
    ast.Name: _name,
    ast.Member: _member,
    ast.Index: _index,
    ast.Slice: _slice,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Ternary: _ternary,
    ast.Cast: _cast,
    ast.ListExpr: _list,
    ast.StructExpr: _struct,
    ast.InvalidHeader: lambda ctx, expr: Invalid(expr.type),
    ast.DefaultValue: lambda ctx, expr: default_value(ctx, expr.type),
    ast.Call: _call,
}
