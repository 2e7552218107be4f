# SPDX-License-Identifier: MIT
"""Assignment and comparison of values of any type, piece by piece."""

from __future__ import annotations

from collections.abc import Callable

from softswitch.frontend import types as ty
from softswitch.frontend.ast import Span
from softswitch.frontend.lower import fold, ir
from softswitch.frontend.lower.context import Context, element_types, unsupported
from softswitch.frontend.lower.effects import Touched
from softswitch.frontend.lower.places import (
    Aggregate,
    DiscardPlace,
    ElementPlace,
    HeaderPlace,
    Invalid,
    LastPlace,
    NextPlace,
    Place,
    ScalarPlace,
    SlicePlace,
    StackPlace,
    StructPlace,
    UnionPlace,
    Value,
    field_of,
    is_valid,
    last_index,
    leaf_refs,
)


def read(value: Value) -> ir.Expr:
    """The scalar that a value is."""
    if isinstance(value, ir.Expr):
        return value
    if isinstance(value, ScalarPlace):
        return value.ref
    if isinstance(value, SlicePlace):
        return fold.slice_of(value.whole, value.high, value.low)
    raise AssertionError(value)


def part(value: Value, name: str, kind: ty.Type) -> Value:
    """A named piece of a struct-like value."""
    if isinstance(value, Aggregate):
        return value.fields[name]
    if isinstance(value, StackPlace):
        return value.elements[int(name)]
    assert isinstance(value, Place)
    return field_of(value, name, kind)


# --------------------------------------------------------------------------- assignment


def assign(ctx: Context, target: Place, value: Value, span: Span) -> None:
    """Emit ``target = value``; both have been evaluated."""
    if isinstance(target, DiscardPlace):
        return
    if isinstance(target, LastPlace):
        target = ElementPlace(target.type, target.stack, last_index(target.stack))
    if isinstance(value, LastPlace):
        value = ElementPlace(value.type, value.stack, last_index(value.stack))
    if isinstance(target, (ScalarPlace, SlicePlace)):
        _assign_scalar(ctx, target, value, span)
    elif isinstance(target, StructPlace):
        if isinstance(value, Aggregate):
            value = _detach(ctx, target, value, span)
        for name, field in target.fields.items():
            assign(ctx, field, part(value, name, field.type), span)
    elif isinstance(target, ElementPlace):
        _each(
            ctx, target, span, lambda element: assign(ctx, element, _steady(ctx, value, span), span)
        )
    elif isinstance(value, ElementPlace):
        _each(ctx, value, span, lambda element: assign(ctx, target, element, span))
    elif isinstance(target, HeaderPlace):
        _assign_header(ctx, target, value, span)
    elif isinstance(target, UnionPlace):
        _assign_union(ctx, target, value, span)
    elif isinstance(target, StackPlace):
        _assign_stack(ctx, target, value, span)
    elif isinstance(target, NextPlace):
        raise unsupported("'next' can only be used as the argument of extract", span)
    else:
        raise AssertionError(target)


def reset_headers(ctx: Context, target: Place, span: Span) -> None:
    """Make all headers of a variable invalid."""
    if isinstance(target, StructPlace):
        for field in target.fields.values():
            reset_headers(ctx, field, span)
    elif not isinstance(target, ScalarPlace):
        assign(ctx, target, Invalid(target.type), span)


def _assign_scalar(ctx: Context, target: Place, value: Value, span: Span) -> None:
    new = read(value)
    if isinstance(target, SlicePlace):
        whole = fold.with_slice(target.whole, target.high, target.low, new)
        ctx.emit(ir.Assign(target.whole, whole, span=span))
        return
    assert isinstance(target, ScalarPlace)
    if target.varbit:
        ctx.emit(ir.Prim("assign_VL", (target.ref, new), (0,), effect=False, span=span))
    else:
        ctx.emit(ir.Assign(target.ref, new, span=span))


def _assign_header(ctx: Context, target: HeaderPlace, value: Value, span: Span) -> None:
    here = ir.HeaderRef(target.name)
    if isinstance(value, Invalid):
        ctx.emit(ir.Prim("remove_header", (here,), (0,), effect=False, span=span))
    elif isinstance(value, HeaderPlace):
        source = ir.HeaderRef(value.name)
        ctx.emit(ir.Prim("assign_header", (here, source), (0,), effect=False, span=span))
    else:
        assert isinstance(value, Aggregate)
        value = _detach(ctx, target, value, span)
        ctx.emit(ir.Prim("add_header", (here,), (0,), effect=False, span=span))
        for name, field in target.fields.items():
            assign(ctx, field, value.fields[name], span)


def _assign_union(ctx: Context, target: UnionPlace, value: Value, span: Span) -> None:
    if isinstance(value, Invalid):
        for member in target.members.values():
            assign(ctx, member, Invalid(member.type), span)
    elif isinstance(value, UnionPlace):
        pair = (ir.UnionRef(target.name), ir.UnionRef(value.name))
        ctx.emit(ir.Prim("assign_union", pair, (0,), effect=False, span=span))
    else:
        raise unsupported("this value cannot be assigned to a header union", span)


def _assign_stack(ctx: Context, target: StackPlace, value: Value, span: Span) -> None:
    if isinstance(value, StackPlace):
        unions = bool(target.elements) and isinstance(target.elements[0], UnionPlace)
        pair = (ir.StackRef(target.name, unions), ir.StackRef(value.name, unions))
        op = "assign_union_stack" if unions else "assign_header_stack"
        ctx.emit(ir.Prim(op, pair, (0,), effect=False, span=span))
    elif isinstance(value, Invalid):
        for element in target.elements:
            assign(ctx, element, Invalid(element.type), span)
    else:
        assert isinstance(value, Aggregate)
        value = _detach(ctx, target, value, span)
        for at, element in enumerate(target.elements):
            assign(ctx, element, value.fields[str(at)], span)


def _each(ctx: Context, target: ElementPlace, span: Span, emit: Callable[[Place], None]) -> None:
    """Do something to the element that a run-time index names."""
    at = target.at if isinstance(target.at, ir.FieldRef) else ctx.saved(target.at, span, "index")
    for number, element in enumerate(target.stack.elements):
        with ctx.capture() as body:
            emit(element)
        here = fold.compare("==", at, fold.number(number, at.width))
        ctx.emit(ir.If(here, body, [], span=span))


def _steady(ctx: Context, value: Value, span: Span) -> Value:
    return copy(ctx, value, span) if isinstance(value, ElementPlace) else value


def copy(ctx: Context, value: Value, span: Span, hint: str = "tmp") -> Value:
    """The value in new storage, so that later statements do not change it."""
    if isinstance(value, (Invalid, str, ir.Const)):
        return value
    if isinstance(value, ir.Expr):
        return ctx.saved(value, span, hint)
    if isinstance(value, (ScalarPlace, SlicePlace)):
        return ctx.saved(read(value), span, hint)
    if isinstance(value, Aggregate):
        fields = {n: copy(ctx, v, span, hint) for n, v in value.fields.items()}
        return Aggregate(value.type, fields)
    place = ctx.store.place(value.type, hint)
    assign(ctx, place, value, span)
    return place


def locations(ctx: Context, value: Value) -> Touched:
    """Storage that reading the value reads."""
    result = Touched()
    if isinstance(value, ir.Expr):
        return ctx.analysis.reads([value])
    if isinstance(value, Aggregate):
        for inner in value.fields.values():
            result.update(locations(ctx, inner))
    elif isinstance(value, StructPlace):
        for field in value.fields.values():
            result.update(locations(ctx, field))
    elif isinstance(value, (ScalarPlace, SlicePlace)):
        return ctx.analysis.reads([read(value)])
    elif isinstance(value, HeaderPlace):
        result.add(value.name, "*")
    elif isinstance(value, UnionPlace):
        for member in value.members.values():
            result.add(member.name, "*")
    elif isinstance(value, StackPlace):
        for element in value.elements:
            result.update(locations(ctx, element))
    elif isinstance(value, (ElementPlace, LastPlace, NextPlace)):
        result = locations(ctx, value.stack)
        if isinstance(value, ElementPlace):
            result.update(ctx.analysis.reads([value.at]))
    return result


def disturbed(ctx: Context, value: Value, stmts: list[ir.Stmt]) -> bool:
    """Whether executing ``stmts`` may change the value."""
    return bool(stmts) and ctx.analysis.of(stmts).writes.meets(locations(ctx, value))


def _detach(ctx: Context, target: Place, value: Aggregate, span: Span) -> Aggregate:
    """The value, copied if it reads pieces of the target that are written before."""
    if not locations(ctx, target).meets(locations(ctx, value)):
        return value
    copied = copy(ctx, value, span)
    assert isinstance(copied, Aggregate)
    return copied


# --------------------------------------------------------------------------- comparison


def equal(left: Value, right: Value) -> ir.Expr:
    """``left == right``."""
    if isinstance(left, (Invalid, Aggregate)) and not isinstance(right, (Invalid, Aggregate)):
        left, right = right, left
    if isinstance(left, (ir.Expr, ScalarPlace, SlicePlace)):
        return fold.compare("==", read(left), read(right))
    kind = left.type  # type: ignore[union-attr]
    if isinstance(kind, ty.Header):
        return _equal_headers(left, right)
    result: ir.Expr = fold.TRUE
    if isinstance(right, Invalid):
        assert isinstance(left, Place)
        return fold.invert(is_valid(left))
    names: list[tuple[str, ty.Type]] = element_types(kind)
    if isinstance(left, Aggregate):
        names = [(n, ty.UNKNOWN) for n in left.fields]
    for name, inner in names:
        result = fold.both(result, equal(part(left, name, inner), part(right, name, inner)))
    return result


def _equal_headers(left: Value, right: Value) -> ir.Expr:
    if isinstance(left, Invalid):
        return fold.TRUE
    if isinstance(right, Invalid):
        return fold.invert(is_valid(left)) if isinstance(left, Place) else fold.FALSE
    kind = left.type  # type: ignore[union-attr]
    same: ir.Expr = fold.TRUE
    for name, inner in element_types(kind):
        same = fold.both(same, equal(part(left, name, inner), part(right, name, inner)))
    if isinstance(left, Aggregate):
        return same
    assert isinstance(left, Place)
    if isinstance(right, Aggregate):
        return fold.both(is_valid(left), same)
    assert isinstance(right, Place)
    one, other = is_valid(left), is_valid(right)
    neither = fold.both(fold.invert(one), fold.invert(other))
    return fold.either(neither, fold.both(fold.both(one, other), same))


def refs(value: Value) -> list[ir.Expr]:
    """All scalars of a value."""
    return leaf_refs(value)
