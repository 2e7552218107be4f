# SPDX-License-Identifier: MIT
"""The functions and methods of v1model (and of packet_in, packet_out) as BMv2 primitives."""

from __future__ import annotations

from collections.abc import Callable

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import fold, ir
from softswitch.frontend.lower.context import Context, unsupported
from softswitch.frontend.lower.copying import assign, read
from softswitch.frontend.lower.exprs import constant, place, scalar, sequence, value
from softswitch.frontend.lower.inline import object_of
from softswitch.frontend.lower.model import (
    Calculation,
    Counter,
    FieldList,
    LearnList,
    Meter,
    Register,
    bit_width,
)
from softswitch.frontend.lower.places import (
    DiscardPlace,
    Place,
    ScalarPlace,
    StructPlace,
    Value,
    leaf_refs,
)
from softswitch.frontend.lower.storage import unique

_PIPELINE = ("ingress", "egress")


def function(ctx: Context, call: ast.Call) -> Value | None:
    """A call of an extern function."""
    assert call.decl is not None
    handler = _FUNCTIONS.get(call.decl.name)
    if handler is None:
        text = f"extern function '{call.decl.name}' is not supported by this target"
        raise unsupported(text, call.span)
    return handler(ctx, call)


def method(ctx: Context, call: ast.Call) -> Value | None:
    """A call of a method of an extern object."""
    decl = call.decl
    assert isinstance(decl, ast.MethodDecl)
    assert decl.extern is not None
    handler = _METHODS.get((decl.extern.name, decl.name))
    if handler is None:
        text = f"'{decl.extern.name}.{decl.name}' is not supported by this target"
        raise unsupported(text, call.span)
    return handler(ctx, call)


def _arg(call: ast.Call, at: int) -> ast.Expression:
    given = call.bound[at].value
    assert given is not None
    return given


def _only_in(ctx: Context, call: ast.Call, *blocks: str) -> None:
    if ctx.block not in blocks:
        assert call.decl is not None
        text = f"'{call.decl.name}' can only be called in {' or '.join(blocks)}"
        raise error("invalid", text, call.span)


def _prim(
    ctx: Context, call: ast.Call, op: str, *operands: ir.Operand, writes: tuple[int, ...] = ()
) -> None:
    ctx.emit(ir.Prim(op, operands, writes, span=call.span))


def _output(ctx: Context, expr: ast.Expression, kind: ty.Type) -> tuple[ir.FieldRef, Place | None]:
    """A field that a primitive may write; a place to copy it to if the argument is none."""
    if isinstance(expr, ast.DefaultExpr):
        target: Place = DiscardPlace(kind)
    else:
        target = place(ctx, expr)
    if isinstance(target, ScalarPlace) and isinstance(target.ref, ir.FieldRef):
        return target.ref, None
    made = ctx.store.scalar("tmp", kind)
    assert isinstance(made.ref, ir.FieldRef)
    return made.ref, target


def _finish(ctx: Context, ref: ir.FieldRef, target: Place | None, span: ast.Span) -> None:
    if target is not None:
        assign(ctx, target, ref, span)


# --------------------------------------------------------------------------- packets


def _extract(ctx: Context, call: ast.Call) -> None:
    from softswitch.frontend.lower.packets import extract

    extract(ctx, call)


def _emit(ctx: Context, call: ast.Call) -> None:
    from softswitch.frontend.lower.packets import emit

    emit(ctx, call)


def _lookahead(ctx: Context, call: ast.Call) -> Value:
    from softswitch.frontend.lower.packets import lookahead

    return lookahead(ctx, call)


def _advance(ctx: Context, call: ast.Call) -> None:
    ctx.emit(ir.Advance(scalar(ctx, _arg(call, 0)), span=call.span))


def _verify(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, "parser")
    condition, code = (read(v) for v in sequence(ctx, [_arg(call, 0), _arg(call, 1)]))
    ctx.emit(ir.Verify(condition, code, span=call.span))


# --------------------------------------------------------------------------- arrays


def _count(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, *_PIPELINE)
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Counter)
    index = scalar(ctx, _arg(call, 0))
    _prim(ctx, call, "count", ir.ObjectRef("counter_array", made.name), index)


def _direct_count(ctx: Context, call: ast.Call) -> None:
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Counter)
    _prim(ctx, call, "direct_count", ir.ObjectRef("counter_array", made.name))


def _execute_meter(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, *_PIPELINE)
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Meter)
    index = scalar(ctx, _arg(call, 0))
    ref, target = _output(ctx, _arg(call, 1), call.bound[1].type)
    array = ir.ObjectRef("meter_array", made.name)
    _prim(ctx, call, "execute_meter", array, index, ref, writes=(2,))
    _finish(ctx, ref, target, call.span)


def _read_meter(ctx: Context, call: ast.Call) -> None:
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Meter)
    ref, target = _output(ctx, _arg(call, 0), call.bound[0].type)
    array = ir.ObjectRef("meter_array", made.name)
    _prim(ctx, call, "direct_meter", array, ref, writes=(1,))
    _finish(ctx, ref, target, call.span)


def _register_read(ctx: Context, call: ast.Call) -> None:
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Register)
    index = scalar(ctx, _arg(call, 1))
    ref, target = _output(ctx, _arg(call, 0), call.bound[0].type)
    array = ir.ObjectRef("register_array", made.name)
    _prim(ctx, call, "register_read", ref, array, index, writes=(0,))
    _finish(ctx, ref, target, call.span)


def _register_write(ctx: Context, call: ast.Call) -> None:
    assert call.target is not None
    made = object_of(ctx, call.target)
    assert isinstance(made, Register)
    index, new = (read(v) for v in sequence(ctx, [_arg(call, 0), _arg(call, 1)]))
    _prim(ctx, call, "register_write", ir.ObjectRef("register_array", made.name), index, new)


# --------------------------------------------------------------------------- functions


def _mark_to_drop(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, *_PIPELINE)
    meta = place(ctx, _arg(call, 0)) if call.bound else ctx.standard_metadata
    if meta is ctx.standard_metadata:
        _prim(ctx, call, "mark_to_drop", ir.HeaderRef("standard_metadata"), writes=(0,))
        return
    assert isinstance(meta, StructPlace)
    for name, drop in (("egress_spec", 511), ("mcast_grp", 0)):
        field = meta.fields[name]
        assign(ctx, field, fold.number(drop, bit_width(field.type)), call.span)


def _random(ctx: Context, call: ast.Call) -> None:
    ref, target = _output(ctx, _arg(call, 0), call.bound[0].type)
    low, high = (read(v) for v in sequence(ctx, [_arg(call, 1), _arg(call, 2)]))
    _prim(ctx, call, "modify_field_rng_uniform", ref, low, high, writes=(0,))
    _finish(ctx, ref, target, call.span)


def algorithm_name(ctx: Context, expr: ast.Expression) -> str:
    """The name of a ``HashAlgorithm``."""
    number = constant(ctx, expr, "the hash algorithm")
    kind = expr.type
    assert isinstance(kind, ty.Enum)
    assert isinstance(kind.decl, ast.EnumDecl)
    return kind.decl.members[number].name


def flat_scalars(data: Value, span: ast.Span) -> list[ir.Expr]:
    """The fields of a list of data to hash, nested lists and headers flattened."""
    try:
        return leaf_refs(data)
    except AssertionError:
        raise unsupported("this cannot be hashed on this target", span) from None


def add_calculation(ctx: Context, made: Calculation) -> Calculation:
    """Register a calculation under a unique name."""
    made.name = unique("calc", ctx.calculation_names)
    ctx.model.calculations.append(made)
    return made


def _hash(ctx: Context, call: ast.Call) -> None:
    ref, target = _output(ctx, _arg(call, 0), call.bound[0].type)
    base, data, limit = sequence(ctx, [_arg(call, 2), _arg(call, 3), _arg(call, 4)])
    inputs: list[ir.Expr] = []
    for item in flat_scalars(data, call.span):
        # BMv2 skips fields of invalid headers, so their values are copied first
        inputs.append(item if ctx.store.is_fixed(item) else ctx.saved(item, call.span))
    name = algorithm_name(ctx, _arg(call, 1))
    made = add_calculation(ctx, Calculation("", name, inputs, span=call.span))
    operands = (ref, read(base), ir.ObjectRef("calculation", made.name), read(limit))
    _prim(ctx, call, "modify_field_with_hash_based_offset", *operands, writes=(0,))
    _finish(ctx, ref, target, call.span)


def _digest(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, "ingress")
    receiver = scalar(ctx, _arg(call, 0))
    kind = call.bound[1].type
    data = value(ctx, _arg(call, 1))
    found = next((x for x in ctx.model.learn_lists if x.type == kind), None)
    if found is None:
        name = kind.name if isinstance(kind, ty.Declared) else "digest"
        taken = {x.name for x in ctx.model.learn_lists}
        number = len(ctx.model.learn_lists) + 1
        fields = [
            ctx.store.temporary(f"digest.{name}.{at}", r.width, r.signed, r.boolean)
            for at, r in enumerate(leaf_refs(data))
        ]
        found = LearnList(unique(name, taken), number, fields, kind, call.span)
        ctx.model.learn_lists.append(found)
    for ref, item in zip(found.elements, leaf_refs(data), strict=True):
        ctx.emit(ir.Assign(ref, item, span=call.span))
    _prim(ctx, call, "generate_digest", receiver, _number(found.id))


def _number(number: int) -> ir.Const:
    return ir.Const(0, False, False, number)


def _list_fields(value_: Place, index: int, inside: bool) -> list[ir.FieldRef]:
    """Fields of the user's metadata annotated ``@field_list`` with an index."""
    if not isinstance(value_, StructPlace) or not isinstance(value_.type, ty.StructLike):
        refs = leaf_refs(value_) if inside else []
        return [r for r in refs if isinstance(r, ir.FieldRef)]
    result: list[ir.FieldRef] = []
    for item in value_.type.fields:
        chosen = inside
        for note in item.decl.annotations:
            if note.name == "field_list":
                numbers = [e.const for e in note.exprs] or note.tokens
                chosen = chosen or index in [int(str(n), 0) for n in numbers if str(n) != ","]
        result += _list_fields(value_.fields[item.name], index, chosen)
    return result


def _field_list(ctx: Context, expr: ast.Expression | None) -> int:
    """The id of the list of preserved fields; without ``expr`` an empty one."""
    if expr is None:
        name, fields = "fl", []
        names = {x.name for x in ctx.model.field_lists}
        name = unique(name, names)
    else:
        index = constant(ctx, expr, "the field list index")
        name = f"field_list{index}"
        for known in ctx.model.field_lists:
            if known.name == name:
                return known.id
        meta = ctx.user_metadata
        fields = _list_fields(meta, index, False) if meta is not None else []
    made = FieldList(name, len(ctx.model.field_lists) + 1, fields)
    ctx.model.field_lists.append(made)
    return made.id


def _clone(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, *_PIPELINE)
    kind = _arg(call, 0).const
    if not isinstance(kind, ast.EnumMember):
        raise error("type-error", "the clone type must be a constant", call.span)
    wrong = "egress" if kind.name == "I2E" else "ingress"
    if ctx.block == wrong:
        raise error("invalid", f"CloneType.{kind.name} cannot be used in {wrong}", call.span)
    session = scalar(ctx, _arg(call, 1))
    fields = _field_list(ctx, call.bound[2].value if len(call.bound) > 2 else None)
    side = "ingress" if kind.name == "I2E" else "egress"
    _prim(ctx, call, f"clone_{side}_pkt_to_egress", session, _number(fields))


def _resubmit(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, "ingress")
    _prim(ctx, call, "resubmit", _number(_field_list(ctx, _arg(call, 0))))


def _recirculate(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, "egress")
    _prim(ctx, call, "recirculate", _number(_field_list(ctx, _arg(call, 0))))


def _truncate(ctx: Context, call: ast.Call) -> None:
    _only_in(ctx, call, *_PIPELINE)
    _prim(ctx, call, "truncate", scalar(ctx, _arg(call, 0)))


def _check(ctx: Context, call: ast.Call) -> None:
    assert call.decl is not None
    _prim(ctx, call, call.decl.name, scalar(ctx, _arg(call, 0)))


def _log_msg(ctx: Context, call: ast.Call) -> None:
    text = value(ctx, _arg(call, 0))
    assert isinstance(text, str)
    items: list[ir.Expr] = []
    if len(call.bound) > 1:
        data = value(ctx, _arg(call, 1))
        items = [_loggable(ctx, r, call.span) for r in flat_scalars(data, call.span)]
    _prim(ctx, call, "log_msg", ir.Text(text), ir.Vector(tuple(items)))


def _loggable(ctx: Context, item: ir.Expr, span: ast.Span) -> ir.Expr:
    if isinstance(item, ir.FieldRef):
        return item
    return ctx.saved(item, span)


def _checksum(ctx: Context, call: ast.Call) -> None:
    from softswitch.frontend.lower.packets import checksum

    checksum(ctx, call)


_FUNCTIONS: dict[str, Callable[[Context, ast.Call], Value | None]] = {
    "verify": _verify,
    "mark_to_drop": _mark_to_drop,
    "random": _random,
    "hash": _hash,
    "digest": _digest,
    "clone": _clone,
    "clone_preserving_field_list": _clone,
    "resubmit_preserving_field_list": _resubmit,
    "recirculate_preserving_field_list": _recirculate,
    "truncate": _truncate,
    "assert": _check,
    "assume": _check,
    "log_msg": _log_msg,
    "verify_checksum": _checksum,
    "update_checksum": _checksum,
    "verify_checksum_with_payload": _checksum,
    "update_checksum_with_payload": _checksum,
}

_METHODS: dict[tuple[str, str], Callable[[Context, ast.Call], Value | None]] = {
    ("packet_in", "extract"): _extract,
    ("packet_in", "lookahead"): _lookahead,
    ("packet_in", "advance"): _advance,
    ("packet_out", "emit"): _emit,
    ("counter", "count"): _count,
    ("direct_counter", "count"): _direct_count,
    ("meter", "execute_meter"): _execute_meter,
    ("direct_meter", "read"): _read_meter,
    ("register", "read"): _register_read,
    ("register", "write"): _register_write,
}
