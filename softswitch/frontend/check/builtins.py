# SPDX-License-Identifier: MIT
"""Methods of headers, unions and stacks, sizes of types, and rules of core.p4's functions."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.coerce import cast_node, compile_time
from softswitch.frontend.check.lvalues import require_lvalue
from softswitch.frontend.check.session import Scope, text, type_error
from softswitch.frontend.diagnostics import error

_SIZES = ("minSizeInBits", "minSizeInBytes", "maxSizeInBits", "maxSizeInBytes")


def check_builtin(scope: Scope, call: ast.Call, head: ast.Member) -> None:
    """Checks a method of a value that is no extern object."""
    kind = head.base.type
    if head.name in _SIZES:
        check_size(call, head, kind)
        return
    call.kind, call.builtin = ast.CallKind.BUILTIN, head.name
    if call.type_args:
        raise type_error(f"{text(head)}: takes no type arguments", call.span)
    match kind, head.name:
        case ((ty.Header() | ty.HeaderUnion()), "isValid"):
            _no_arguments(call)
            call.type = ty.BOOL
        case (ty.Header(), "setValid" | "setInvalid") | (ty.HeaderUnion(), "setInvalid"):
            _no_arguments(call)
            require_lvalue(head.base)
            call.type = ty.VOID
        case ty.Stack(), "push_front" | "pop_front":
            if scope.place.kind == "state":
                message = f"{text(head)}: push_front and pop_front cannot be used in a parser"
                raise type_error(message, call.span)
            require_lvalue(head.base)
            _count(scope, call)
            call.type = ty.VOID
        case _:
            raise type_error(f"{text(head)}: no method {head.name} for type {kind}", head.span)


def _no_arguments(call: ast.Call) -> None:
    if call.args:
        raise type_error(f"{text(call.callee)}: takes no arguments", call.span)


def _count(scope: Scope, call: ast.Call) -> None:
    """The one argument of push_front and pop_front: a positive constant."""
    from softswitch.frontend.check.expressions import check_rvalue

    if len(call.args) != 1:
        raise type_error(f"{text(call.callee)}: takes one argument", call.span)
    arg = call.args[0]
    arg.value = check_rvalue(scope, arg.value)
    if not isinstance(arg.value.type, (ty.Bit, ty.Int, ty.InfInt)):
        raise type_error(f"{text(arg.value)}: argument must be an integer", arg.span)
    if not compile_time(arg.value):
        raise type_error(f"{text(arg.value)}: argument must be a constant", arg.span)
    if isinstance(arg.value.const, int) and arg.value.const < 0:
        raise type_error(f"{text(arg.value)}: argument must be positive", arg.span)
    if isinstance(arg.value.type, ty.InfInt):
        arg.value = cast_node(scope, arg.value, ty.Bit(32))


# --------------------------------------------------------------------------- sizes


def check_size(call: ast.Call, head: ast.Member, kind: ty.Type) -> None:
    """``x.minSizeInBits()`` and its kin, constants (specification 8.19, 8.24)."""
    if head.name not in _SIZES:
        raise type_error(f"{text(head)}: no method {head.name} for type {kind}", head.span)
    _no_arguments(call)
    bits = size_in_bits(kind, largest=head.name.startswith("max"))
    if bits is None:
        raise type_error(f"{text(head)}: type {kind} has no size", head.span)
    call.kind, call.builtin, call.type = ast.CallKind.BUILTIN, head.name, ty.INF_INT
    call.const = bits if head.name.endswith("Bits") else (bits + 7) // 8


def size_in_bits(kind: ty.Type, *, largest: bool) -> int | None:
    """Smallest or largest size of a value of the type, None where it has none."""
    match kind:
        case ty.Bit(width=width) | ty.Int(width=width):
            return width
        case ty.Bool():
            return 1
        case ty.Varbit(width=width):
            return width if largest else 0
        case ty.SerEnum(underlying=inner) | ty.NewType(underlying=inner):
            return size_in_bits(inner, largest=largest)
        case ty.Stack(element=element, size=size):
            one = size_in_bits(element, largest=largest)
            return None if one is None else one * size
        case ty.Tuple(elements=elements):
            sizes = [size_in_bits(e, largest=largest) for e in elements]
            return None if None in sizes else sum(s for s in sizes if s is not None)
        case ty.StructLike(fields=fields):
            parts = [size_in_bits(f.type, largest=largest) for f in fields]
            known = [p for p in parts if p is not None]
            if len(known) != len(parts):
                return None
            if isinstance(kind, ty.HeaderUnion):
                return (max if largest else min)(known, default=0)
            return sum(known)
        case _:
            return None


# --------------------------------------------------------------------------- core.p4


def check_core_function(scope: Scope, call: ast.Call, decl: ast.FunctionDecl) -> None:
    """Rules that prototypes cannot express: ``static_assert``, ``verify``."""
    if decl.name == "static_assert":
        _static_assert(call)
    elif decl.name == "verify" and scope.place.kind != "state":
        raise type_error("verify: may only be invoked in parsers", call.span)


def _static_assert(call: ast.Call) -> None:
    values = [b.value for b in call.bound]
    check, message = values[0], values[1] if len(values) > 1 else None
    if check is None or check.const is None:
        where = check.span if check is not None else call.span
        raise error("unexpected", "static_assert: could not evaluate to a constant", where)
    if not check.const:
        given = message.const if message is not None else None
        raise error("expected", f"static_assert failed{f': {given}' if given else ''}", call.span)
    call.const = True


def check_core_method(scope: Scope, call: ast.Call, extern: ast.ExternDecl) -> None:
    """What packet_in and packet_out ask of the types of their arguments."""
    assert call.decl is not None
    key = (extern.name, call.decl.name)
    if key == ("packet_in", "extract"):
        _extract(call)
    elif key == ("packet_in", "lookahead"):
        kind = call.type_arguments[0]
        if size_in_bits(kind, largest=True) is None and not isinstance(kind, ty.TypeVar):
            raise type_error(f"{text(call)}: cannot look ahead a value of type {kind}", call.span)
        if _has_varbit(kind):
            message = f"{text(call)}: lookahead needs a type of fixed size, not {kind}"
            raise type_error(message, call.span)
    elif key == ("packet_out", "emit") and not _emittable(call.type_arguments[0]):
        message = f"{text(call)}: argument must be a header, header stack, union, or struct of them"
        raise type_error(f"{message}, not {call.type_arguments[0]}", call.span)


def _extract(call: ast.Call) -> None:
    kind = call.type_arguments[0]
    value = call.bound[0].value
    if isinstance(kind, ty.TypeVar):
        return
    if not isinstance(kind, ty.Header):
        raise type_error(f"{text(call)}: argument must be a header, not {kind}", call.span)
    if isinstance(value, ast.DefaultExpr):
        return  # skips a header
    varbits = sum(isinstance(f.type, ty.Varbit) for f in kind.fields)
    if len(call.bound) == 1 and varbits:
        message = f"{text(call)}: argument must be a fixed-size header, {kind} has a varbit field"
        raise type_error(message, call.span)
    if len(call.bound) == 2 and varbits != 1:
        message = f"{text(call)}: argument must be a header with one varbit field"
        raise type_error(message, call.span)


def _has_varbit(kind: ty.Type) -> bool:
    if isinstance(kind, ty.StructLike):
        return any(_has_varbit(f.type) for f in kind.fields)
    return isinstance(kind, ty.Varbit)


def _emittable(kind: ty.Type) -> bool:
    match kind:
        case ty.Header() | ty.HeaderUnion() | ty.TypeVar():
            return True
        case ty.Stack(element=element):
            return _emittable(element)
        case ty.Struct(fields=fields):
            return all(_emittable(f.type) for f in fields)
        case ty.Tuple(elements=elements):
            return all(map(_emittable, elements))
        case ty.AnonStruct(fields=pairs):
            return all(_emittable(t) for _, t in pairs)
        case _:
            return False
