# SPDX-License-Identifier: MIT
"""Packets: extract, lookahead, emit, and checksums over headers."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import fold, ir
from softswitch.frontend.lower.context import Context, element_types, unsupported
from softswitch.frontend.lower.copying import read
from softswitch.frontend.lower.exprs import place, scalar, value
from softswitch.frontend.lower.model import Calculation, Checksum
from softswitch.frontend.lower.places import (
    Aggregate,
    HeaderPlace,
    NextPlace,
    Place,
    ScalarPlace,
    Value,
    headers_in,
)


def extract(ctx: Context, call: ast.Call) -> None:
    """``pkt.extract(header)`` and ``pkt.extract(header, varbit_length)``."""
    given = call.bound[0].value
    assert given is not None
    kind = call.bound[0].type
    target: Place
    if isinstance(given, ast.DefaultExpr):
        made = ctx.store.place(kind, "discarded")
        target = made
    else:
        target = place(ctx, given)
    bits = None
    if len(call.bound) > 1 and call.bound[1].value is not None:
        bits = scalar(ctx, call.bound[1].value)
    if isinstance(target, HeaderPlace):
        into: ir.HeaderRef | ir.StackRef = ir.HeaderRef(target.name)
        ctx.emit(ir.Extract(into, bits, span=call.span))
    elif isinstance(target, NextPlace):
        union = bool(target.member)
        into = ir.StackRef(target.stack.name, union)
        ctx.emit(ir.Extract(into, bits, target.member, span=call.span))
    else:
        raise unsupported("extract needs a header, or 'next' of a stack", call.span)


def lookahead(ctx: Context, call: ast.Call) -> Value:
    """``pkt.lookahead<T>()``: the value in new storage."""
    kind = call.type
    if isinstance(kind, ty.Header) or element_types(kind):
        target = ctx.store.place(kind, "lookahead")
        if isinstance(target, HeaderPlace):
            header = ir.HeaderRef(target.name)
            ctx.emit(ir.Prim("add_header", (header,), (0,), effect=False, span=call.span))
        _read_ahead(ctx, target, 0, call.span)
        return target
    made = ctx.store.scalar("lookahead", kind)
    _read_ahead(ctx, made, 0, call.span)
    return made


def _read_ahead(ctx: Context, target: Place, offset: int, span: ast.Span) -> int:
    """Fill a place from the bits at ``offset``; gives the offset after it."""
    if isinstance(target, ScalarPlace):
        if target.varbit:
            raise error("type-error", "lookahead of a varbit field", span)
        width = target.ref.width
        ahead = ir.Lookahead(width, target.ref.signed, target.ref.boolean, offset)
        ctx.emit(ir.Assign(target.ref, ahead, span=span))
        return offset + width
    fields = getattr(target, "fields", None)
    if fields is None:
        raise unsupported("lookahead of this type", span)
    for field in fields.values():
        offset = _read_ahead(ctx, field, offset, span)
    return offset


def emit(ctx: Context, call: ast.Call) -> None:
    """``pkt.emit(x)``: all headers in x, in order."""
    given = call.bound[0].value
    assert given is not None
    names = [h.name for h in headers_in(value(ctx, given))]
    ctx.emit(ir.Emit(names, span=call.span))


# --------------------------------------------------------------------------- checksums


def checksum(ctx: Context, call: ast.Call) -> None:
    """``verify_checksum``, ``update_checksum`` and their variants with payload."""
    from softswitch.frontend.lower.externs import algorithm_name

    assert call.decl is not None
    name = call.decl.name
    update = name.startswith("update")
    block = "compute checksum" if update else "verify checksum"
    if ctx.block != block:
        raise error("invalid", f"'{name}' can only be called in the control to {block}", call.span)
    args = [b.value for b in call.bound]
    assert args[0] is not None
    assert args[1] is not None
    assert args[2] is not None
    condition = scalar(ctx, args[0])
    inputs = _inputs(value(ctx, args[1]), call.span)
    target = read(place(ctx, args[2]) if update else value(ctx, args[2]))
    if not isinstance(target, ir.FieldRef):
        raise unsupported("the checksum must be a field", args[2].span)
    assert args[3] is not None
    algorithm = algorithm_name(ctx, args[3])
    operands = (condition, ir.Vector(tuple(inputs)), target, ir.Text(algorithm))
    ctx.emit(ir.Prim(name, operands, (2,) if update else (), span=call.span))


def collect_checksums(ctx: Context, body: list[ir.Stmt]) -> None:
    """The checksums of a control; nothing else is allowed there."""
    from softswitch.frontend.lower.externs import add_calculation

    for stmt in body:
        if not isinstance(stmt, ir.Prim) or "_checksum" not in stmt.op:
            if isinstance(stmt, ir.Prim) and stmt.op == "remove_header":
                continue  # a variable, invalid until something is assigned
            text = "only calls of checksum functions are supported in this control"
            raise unsupported(text, stmt.span)
        condition, inputs, target, algorithm = stmt.operands
        assert isinstance(condition, ir.Expr)
        assert isinstance(inputs, ir.Vector)
        assert isinstance(algorithm, ir.Text)
        if not isinstance(target, ir.FieldRef):
            raise unsupported("the checksum must be a field", stmt.span)
        payload = stmt.op.endswith("with_payload")
        made = Calculation("", algorithm.value, list(inputs.items), payload, stmt.span)
        add_calculation(ctx, made)
        number = len(ctx.model.checksums)
        label = "cksum" if number == 0 else f"cksum_{number - 1}"
        test = None if condition == fold.TRUE else condition
        update = stmt.op.startswith("update")
        ctx.model.checksums.append(Checksum(label, target, made.name, update, test, stmt.span))


def _inputs(data: Value, span: ast.Span) -> list[ir.Expr]:
    """Fields and constants, flattened."""
    if isinstance(data, Aggregate):
        return [x for item in data.fields.values() for x in _inputs(item, span)]
    if isinstance(data, ir.Expr):
        if isinstance(data, (ir.FieldRef, ir.Const)):
            return [data]
        if isinstance(data, ir.Op) and data.op == "" and isinstance(data.args[0], ir.Const):
            return [data.args[0]]
        raise unsupported("a checksum needs fields and constants", span)
    if isinstance(data, ScalarPlace):
        return _inputs(data.ref, span)
    fields = getattr(data, "fields", None)
    if fields is None:
        raise unsupported("a checksum needs fields and constants", span)
    return [x for item in fields.values() for x in _inputs(item, span)]
