# SPDX-License-Identifier: MIT
"""Implicit and explicit casts (specification 8.11) and complete initialisers (8.13 to 8.15)."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import fold
from softswitch.frontend.check.session import Scope, type_error
from softswitch.frontend.diagnostics import error

_NUMERIC = (ty.Bit, ty.Int)


def coerce(scope: Scope, value: ast.Expression, target: ty.Type) -> ast.Expression:
    """``value`` (already checked) as a value of type ``target``; inserts implicit casts."""
    if isinstance(value, ast.DefaultValue):
        return default_value(scope, target, value.span)
    if isinstance(value, (ast.ListExpr, ast.StructExpr)):
        return _initialise(scope, value, target)
    if isinstance(value, ast.Ternary) and value.type != target and value.const is None:
        return _ternary(scope, value, target)
    if value.type == target:
        return value
    if isinstance(value, ast.InvalidHeader):
        if isinstance(target, (ty.Header, ty.HeaderUnion)):
            value.type = target
            return value
        raise type_error(f"{{#}}: {target} is neither a header nor a header union", value.span)
    if can_convert(value.type, target):
        if isinstance(value.type, ty.InfInt) and value.const is None and not compile_time(value):
            raise type_error(f"{value.type} value is not known at compile time", value.span)
        return cast_node(scope, value, target)
    raise type_error(f"Cannot cast implicitly type '{value.type}' to type '{target}'", value.span)


def can_convert(source: ty.Type, target: ty.Type) -> bool:
    """Whether a value converts without a cast being written."""
    if source == target:
        return True
    if isinstance(source, ty.InfInt):
        return isinstance(target, _NUMERIC) or (
            isinstance(target, ty.NewType) and can_convert(source, target.underlying)
        )
    if isinstance(source, ty.SerEnum):
        return source.underlying == target
    return False


def cast_node(
    scope: Scope, value: ast.Expression, target: ty.Type, ref: ast.TypeRef | None = None
) -> ast.Expression:
    """A cast, its constant computed; a value that does not fit gives a warning."""
    node = ast.Cast(ref, value, ref is None, span=value.span)
    node.type = target
    node.const = _cast_const(scope, value, target)
    return node


def _cast_const(scope: Scope, value: ast.Expression, target: ty.Type) -> ast.Const | None:
    const, base = value.const, ty.strip(target)
    if const is None or not isinstance(const, (bool, int)):
        return const
    if isinstance(base, ty.Bool):
        return bool(const)
    number = int(const)
    if isinstance(base, _NUMERIC):
        wrapped = fold.wrap(number, base)
        if wrapped != number and isinstance(value.type, ty.InfInt):
            low, high = fold.limits(base)
            if number > high or number < low:
                message = f"{number}: value does not fit {target}, truncated to {wrapped}"
                scope.session.warn("mismatch", message, value.span)
        return wrapped
    return number


def explicit_cast(scope: Scope, cast: ast.Cast, target: ty.Type) -> ast.Expression:
    """``(target) operand`` with a checked operand."""
    value = cast.operand
    if isinstance(value, (ast.ListExpr, ast.StructExpr, ast.DefaultValue, ast.InvalidHeader)):
        result = coerce(scope, value, target)
        result.span = cast.span
        return result
    if not _castable(value.type, target, value.const):
        raise type_error(f"cannot cast '{value.type}' to '{target}'", cast.span)
    result = cast_node(scope, value, target, cast.ref)
    result.span = cast.span
    return result


def _castable(source: ty.Type, target: ty.Type, const: ast.Const | None) -> bool:
    if source == target:
        return True
    if isinstance(source, (ty.NewType, ty.SerEnum)) or isinstance(target, (ty.NewType, ty.SerEnum)):
        return _castable(ty.strip(source), ty.strip(target), const)
    match source, target:
        case ty.Bit(width=a), ty.Int(width=b):
            return a == b
        case ty.Int(width=a), ty.Bit(width=b):
            return a == b
        case (ty.Bit(), ty.Bit()) | (ty.Int(), ty.Int()):
            return True
        case (ty.Bit(width=1), ty.Bool()) | (ty.Bool(), ty.Bit(width=1)):
            return True
        case ty.InfInt(), ty.Bit() | ty.Int():
            return True
        case ty.InfInt(), ty.Bool():
            return const in (0, 1)
        case ty.Bit() | ty.Int(), ty.InfInt():
            return const is not None
        case ty.StructLike(), ty.StructLike():
            return source.decl is target.decl
        case _:
            return False


def _ternary(scope: Scope, value: ast.Ternary, target: ty.Type) -> ast.Expression:
    value.then = coerce(scope, value.then, target)
    value.otherwise = coerce(scope, value.otherwise, target)
    value.type = target
    return value


# --------------------------------------------------------------------------- initialisers


def _initialise(
    scope: Scope, value: ast.ListExpr | ast.StructExpr, target: ty.Type
) -> ast.Expression:
    match target:
        case ty.Struct() | ty.Header():
            if isinstance(value, ast.ListExpr):
                return _struct_from_list(scope, value, target)
            return _struct_from_names(scope, value, target)
        case ty.AnonStruct(fields=fields) if isinstance(value, ast.StructExpr):
            value.fields = {n: coerce(scope, value.fields[n], t) for n, t in fields}
            return finish_struct(value, target)
        case ty.Tuple(elements=elements) if isinstance(value, ast.ListExpr):
            return _sequence(scope, value, target, list(elements))
        case ty.Stack(element=element, size=size) if isinstance(value, ast.ListExpr):
            kinds = [element] * (size if value.rest else len(value.elements))
            if len(kinds) > size:
                raise type_error(f"{len(kinds)} elements for {target}", value.span)
            return _sequence(scope, value, target, kinds)
        case ty.List(element=element) if isinstance(value, ast.ListExpr) and not value.rest:
            return _sequence(scope, value, target, [element] * len(value.elements))
        case ty.NewType(underlying=underlying):
            return cast_node(scope, _initialise(scope, value, underlying), target)
    raise type_error(f"Cannot cast implicitly type '{value.type}' to type '{target}'", value.span)


def _sequence(
    scope: Scope, value: ast.ListExpr, target: ty.Type, kinds: list[ty.Type]
) -> ast.Expression:
    missing = len(kinds) - len(value.elements)
    if missing < 0 or (missing and not value.rest):
        message = f"{len(value.elements)} elements in an initialiser of type {target}"
        raise type_error(message, value.span)
    elements = [coerce(scope, e, k) for e, k in zip(value.elements, kinds, strict=False)]
    elements += [default_value(scope, k, value.span) for k in kinds[len(elements) :]]
    value.elements, value.rest = elements, False
    return finish_list(value, target)


def finish_list(value: ast.ListExpr, kind: ty.Type) -> ast.ListExpr:
    """Sets type and constant of a complete list."""
    value.type = kind
    consts = [e.const for e in value.elements]
    if all(c is not None for c in consts) and not isinstance(kind, ty.Stack):
        value.const = tuple(c for c in consts if c is not None)
    return value


def finish_struct(value: ast.StructExpr, kind: ty.Type) -> ast.StructExpr:
    """Sets type and constant of a complete struct expression."""
    value.type = kind
    value.rest = False
    consts = {n: e.const for n, e in value.fields.items()}
    if all(c is not None for c in consts.values()) and not isinstance(kind, ty.Header):
        value.const = {n: c for n, c in consts.items() if c is not None}
    return value


def _struct_from_list(
    scope: Scope, value: ast.ListExpr, target: ty.Struct | ty.Header
) -> ast.Expression:
    fields = target.fields
    missing = len(fields) - len(value.elements)
    if missing < 0 or (missing and not value.rest):
        message = (
            f"Structure initializer for {target} has {len(value.elements)} elements, "
            f"the type has {len(fields)} fields"
        )
        raise type_error(message, value.span)
    made: dict[str, ast.Expression] = {}
    for i, field in enumerate(fields):
        if i < len(value.elements):
            made[field.name] = coerce(scope, value.elements[i], field.type)
        else:
            made[field.name] = default_value(scope, field.type, value.span)
    return finish_struct(ast.StructExpr(made, span=value.span), target)


def _struct_from_names(
    scope: Scope, value: ast.StructExpr, target: ty.Struct | ty.Header
) -> ast.Expression:
    for name, given in value.fields.items():
        if target.field(name) is None:
            raise type_error(f"Field {name} is not a member of {target}", given.span)
    made: dict[str, ast.Expression] = {}
    for field in target.fields:
        present = value.fields.get(field.name)
        if present is not None:
            made[field.name] = coerce(scope, present, field.type)
        elif value.rest:
            made[field.name] = default_value(scope, field.type, value.span)
        else:
            message = f"No value for field {field.name} of {target} (write ... for the defaults)"
            raise type_error(message, value.span)
    value.fields = made
    return finish_struct(value, target)


def default_value(scope: Scope, kind: ty.Type, span: ast.Span) -> ast.Expression:
    """The default of a type (specification 7.3): 0, false, first enum member, invalid header."""
    made: ast.Expression
    match kind:
        case ty.Bit() | ty.Int() | ty.InfInt():
            made = ast.IntLiteral(0, span=span)
            made.const = 0
        case ty.Bool():
            made = ast.BoolLiteral(False, span=span)
            made.const = False
        case ty.Header() | ty.HeaderUnion():
            made = ast.InvalidHeader(span=span)
        case ty.Struct(fields=fields):
            struct = ast.StructExpr(
                {f.name: default_value(scope, f.type, span) for f in fields}, span=span
            )
            return finish_struct(struct, kind)
        case ty.Tuple(elements=elements):
            parts = [default_value(scope, k, span) for k in elements]
            return finish_list(ast.ListExpr(parts, span=span), kind)
        case ty.Stack(element=element, size=size):
            parts = [default_value(scope, element, span) for _ in range(size)]
            return finish_list(ast.ListExpr(parts, span=span), kind)
        case ty.NewType(underlying=underlying):
            return cast_node(scope, default_value(scope, underlying, span), kind)
        case _:
            made = ast.DefaultValue(span=span)
            made.const = _first_member(scope, kind, span)
    made.type = kind
    return made


def _first_member(scope: Scope, kind: ty.Type, span: ast.Span) -> ast.Const:
    if isinstance(kind, ty.Error):
        return next(iter(scope.session.errors.values()))
    if isinstance(kind, ty.Enum) and isinstance(kind.decl, ast.EnumDecl):
        return kind.decl.members[0]
    if isinstance(kind, ty.SerEnum):
        return 0
    raise error("type-error", f"type {kind} has no default value", span)


def compile_time(value: ast.Expression) -> bool:
    """Whether a value is known at compile time, though maybe only for each instance.

    Constructor parameters and instances have no ``const`` but are known for an instance.
    """
    if value.const is not None:
        return True
    match value:
        case ast.Name(decl=ast.Parameter() as decl):
            return decl.constructor
        case ast.Name(decl=ast.InstanceDecl()):
            return True
        case ast.Call(kind=ast.CallKind.CONSTRUCTOR):
            return True
        case ast.Cast(operand=inner) | ast.Unary(operand=inner) | ast.Slice(base=inner):
            return compile_time(inner)
        case ast.Binary(left=left, right=right):
            return compile_time(left) and compile_time(right)
        case ast.Ternary(condition=a, then=b, otherwise=c):
            return compile_time(a) and compile_time(b) and compile_time(c)
        case ast.ListExpr(elements=elements):
            return all(map(compile_time, elements))
        case ast.StructExpr(fields=fields):
            return all(map(compile_time, fields.values()))
        case ast.Member(base=base, kind=ast.MemberKind.FIELD):
            return compile_time(base)
        case ast.This():
            return True
        case _:
            return False
