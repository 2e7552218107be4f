# SPDX-License-Identifier: MIT
"""Declarations of types, externs, instances, controls (specification 7, 10, 11, 14)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import expressions, fold
from softswitch.frontend.check.coerce import coerce
from softswitch.frontend.check.functions import (
    check_action,
    check_function,
    check_params,
    check_signature,
)
from softswitch.frontend.check.hoist import name_nested_instances
from softswitch.frontend.check.parsers import check_parser
from softswitch.frontend.check.session import Place, Scope, text, type_error
from softswitch.frontend.check.specialise import keep_pristine
from softswitch.frontend.check.statements import check_annotations, check_block, check_variable
from softswitch.frontend.check.tables import check_table
from softswitch.frontend.check.typerefs import make_struct, resolve, substitute
from softswitch.frontend.diagnostics import error


def check_declaration(scope: Scope, decl: ast.Declaration) -> None:
    """Checks and declares one declaration of the program."""
    scope.session.current = decl.span
    check_annotations(scope, decl.annotations)
    _CHECKS[type(decl)](scope, decl)


# --------------------------------------------------------------------------- derived types

_HEADER_FIELDS = (ty.Bit, ty.Int, ty.Varbit, ty.Bool, ty.SerEnum, ty.NewType, ty.TypeVar)
_STRUCT_FIELDS = (
    *(ty.Bit, ty.Int, ty.Varbit, ty.Bool, ty.Error, ty.Enum, ty.SerEnum, ty.NewType),
    *(ty.Struct, ty.Header, ty.HeaderUnion, ty.Stack, ty.Tuple, ty.TypeVar, ty.String),
)


def _struct(scope: Scope, decl: ast.StructDecl) -> None:
    inner = scope.child(Place("struct", decl))
    for param in decl.type_params:
        inner.declare(param)
    try:
        fields: dict[str, ty.Field] = {}
        for field in decl.fields:
            if field.name in fields:
                message = f"{field.name}: Duplicates declaration {field.name}"
                raise error("duplicate", message, field.name_span)
            check_annotations(scope, field.annotations)
            kind = resolve(inner, field.ref)
            _check_field(decl, field, kind)
            fields[field.name] = ty.Field(field.name, kind, field)
        _one_varbit(decl, list(fields.values()))
        scope.session.declared[decl] = make_struct(decl, tuple(fields.values()))
    finally:
        scope.declare(decl)


def _one_varbit(decl: ast.StructDecl, fields: list[ty.Field]) -> None:
    varbits = [f for f in fields if isinstance(f.type, ty.Varbit)]
    if decl.keyword == "header" and len(varbits) > 1:
        message = f"{varbits[0].name} and {varbits[1].name}: multiple varbit fields in a header"
        raise type_error(message, varbits[1].decl.span)


def _check_field(decl: ast.StructDecl, field: ast.StructField, kind: ty.Type) -> None:
    if field.name == "_":
        raise error("invalid", "_: Illegal field name", field.name_span)
    if decl.keyword == "header_union":
        allowed = isinstance(kind, (ty.Header, ty.TypeVar))
    elif decl.keyword == "header":
        allowed = _header_field(kind)
    else:
        allowed = isinstance(kind, (*_STRUCT_FIELDS, ty.List, ty.InfInt))
    if not allowed:
        message = f"Field '{field.name}' of '{decl.name}' cannot have type {kind}"
        raise type_error(message, field.span)


def _header_field(kind: ty.Type) -> bool:
    if isinstance(kind, ty.Struct):
        return all(_header_field(f.type) for f in kind.fields)
    return isinstance(kind, _HEADER_FIELDS)


def _enum(scope: Scope, decl: ast.EnumDecl) -> None:
    try:
        kind: ty.Enum | ty.SerEnum = ty.Enum(decl)
        if decl.ref is not None:
            underlying = resolve(scope, decl.ref)
            if not isinstance(underlying, (ty.Bit, ty.Int)):
                message = f"{decl.name}: underlying type must be bit<> or int<>, not {underlying}"
                raise type_error(message, decl.ref.span)
            kind = ty.SerEnum(decl, (), underlying)
        seen: dict[str, ast.EnumMember] = {}
        for member in decl.members:
            if member.name in seen:
                message = f"{member.name}: Duplicates declaration {member.name}"
                raise error("duplicate", message, member.name_span)
            seen[member.name] = member
            member.type = kind
            if isinstance(kind, ty.SerEnum):
                _enum_value(scope, member, kind)
        scope.session.declared[decl] = kind
    finally:
        scope.declare(decl)


def _enum_value(scope: Scope, member: ast.EnumMember, kind: ty.SerEnum) -> None:
    assert member.value is not None
    value = expressions.check_expression(scope, member.value)
    if isinstance(value.const, int) and isinstance(value.type, ty.InfInt):
        assert isinstance(kind.underlying, (ty.Bit, ty.Int))
        low, high = fold.limits(kind.underlying)
        if not low <= value.const <= high:
            message = (
                f"{member.name}: Serialized enum constant value {value.const} is out of bounds "
                f"of the underlying type {kind.underlying}"
            )
            raise type_error(message, member.span)
    value = coerce(scope, value, kind.underlying)
    if value.const is None:
        raise type_error(f"{member.name}: expected a constant", value.span)
    member.value, member.const = value, value.const


def _error(scope: Scope, decl: ast.ErrorDecl) -> None:
    for member in decl.members:
        _global_member(scope.session.errors, member, ty.ERROR)


def _match_kind(scope: Scope, decl: ast.MatchKindDecl) -> None:
    for member in decl.members:
        _global_member(scope.session.match_kinds, member, ty.MATCH_KIND)


def _global_member(known: dict[str, ast.EnumMember], member: ast.EnumMember, kind: ty.Type) -> None:
    if member.name in known:
        message = f"{member.name}: Duplicates declaration {member.name}"
        raise error("duplicate", message, member.name_span)
    known[member.name] = member
    member.type, member.const = kind, member


def _typedef(scope: Scope, decl: ast.TypedefDecl) -> None:
    try:
        if isinstance(decl.ref, (ast.StructDecl, ast.EnumDecl)):
            check_declaration(scope, decl.ref)
            kind = scope.session.declared[decl.ref]
        else:
            kind = resolve(scope, decl.ref)
        if decl.new:
            if not isinstance(kind, (ty.Bit, ty.Int, ty.Varbit, ty.Bool, ty.NewType, ty.SerEnum)):
                message = f"{decl.name}: 'type' can only be applied to base types, not {kind}"
                raise type_error(message, decl.span)
            kind = ty.NewType(decl, (), kind)
        elif isinstance(kind, ty.Void):
            raise type_error(f"{decl.name}: typedef of void", decl.span)
        decl.type = scope.session.declared[decl] = kind
    finally:
        scope.declare(decl)


# --------------------------------------------------------------------------- externs, types


def _extern(scope: Scope, decl: ast.ExternDecl) -> None:
    scope.declare(decl)
    inner = scope.child()
    for param in decl.type_params:
        inner.declare(param)
    seen: list[tuple[str, int, frozenset[str]]] = []
    for method in (*decl.constructors, *decl.methods):
        method.extern = decl
        signature = (method.name, len(method.params), frozenset(p.name for p in method.params))
        if signature in seen:
            message = f"{method.name}: Duplicates declaration {method.name}"
            raise error("duplicate", message, method.name_span)
        seen.append(signature)
        if method.result is None:
            check_params(inner, method.params, constructor=True)
        else:
            check_signature(inner, method)


def _block_type(
    scope: Scope, decl: ast.ParserTypeDecl | ast.ControlTypeDecl | ast.PackageDecl
) -> None:
    scope.declare(decl)
    inner = scope.child()
    for param in decl.type_params:
        inner.declare(param)
    check_params(inner, decl.params, constructor=isinstance(decl, ast.PackageDecl))


# --------------------------------------------------------------------------- instances


def check_instance(scope: Scope, decl: ast.InstanceDecl) -> None:
    """Checks and declares an instance of an extern, control, parser or package."""
    check_annotations(scope, decl.annotations)
    try:
        top_level = scope.parent is None
        checked = expressions.check_expression(scope, decl.call)
        if top_level and isinstance(checked.type, (ty.ControlType, ty.ParserType)):
            raise error("invalid", f"{decl.name}: cannot instantiate at top-level", decl.span)
        decl.type = checked.type
        _check_members(scope, decl)
    finally:
        scope.declare(decl)


def _check_members(scope: Scope, decl: ast.InstanceDecl) -> None:
    extern = decl.type.decl if isinstance(decl.type, ty.Extern) else None
    abstract = (
        [m for m in extern.methods if m.abstract] if isinstance(extern, ast.ExternDecl) else []
    )
    if decl.members and not abstract:
        message = f"{decl.name}: type {decl.type} has no abstract methods"
        raise type_error(message, decl.members[0].span)
    inner = scope.child(Place(scope.place.kind, decl))
    for member in decl.members:
        if isinstance(member, ast.FunctionDecl):
            check_function(inner, member)
        else:
            check_instance(inner, member)
    functions = {m.name: m for m in decl.members if isinstance(m, ast.FunctionDecl)}
    for method in abstract:
        found = functions.pop(method.name, None)
        if found is None:
            message = f"{decl.name}: abstract method {method.name} is not implemented"
            raise error("type-error", message, decl.name_span)
        _same_signature(decl, method, found)
    for extra in functions.values():
        raise type_error(f"{extra.name}: no such abstract method", extra.name_span)


def _same_signature(
    decl: ast.InstanceDecl, method: ast.MethodDecl, found: ast.FunctionDecl
) -> None:
    from softswitch.frontend.check.typerefs import own_bindings

    assert isinstance(decl.type, ty.Declared)
    bindings = own_bindings(decl.type)
    assert method.result is not None
    wanted = [(p.direction, substitute(p.type, bindings)) for p in method.params]
    wanted.append(("", substitute(method.result.type, bindings)))
    given = [(p.direction, p.type) for p in found.params]
    given.append(("", found.result.type))
    if wanted != given:
        message = f"{found.name}: signature differs from that of the abstract method"
        raise type_error(message, found.name_span)


# --------------------------------------------------------------------------- controls


def _control(scope: Scope, decl: ast.ControlDecl) -> None:
    scope.declare(decl)
    keep_pristine(scope, decl)
    check_control(scope, decl)


def check_control(scope: Scope, decl: ast.ControlDecl) -> None:
    """Checks a control; its name is already declared."""
    inner = scope.child(Place("control", decl))
    for param in decl.type_params:
        inner.declare(param)
    check_params(inner, decl.params)
    check_params(inner, decl.constructor_params, constructor=True)
    for parameter in (*decl.params, *decl.constructor_params):
        inner.declare(parameter)
    body = inner.child()
    for local in decl.locals:
        with scope.session.collect():
            check_declaration(body, local)
    name_nested_instances(decl.locals)
    check_block(body.child(Place("apply", decl)), decl.body)


def _parser(scope: Scope, decl: ast.ParserDecl) -> None:
    scope.declare(decl)
    keep_pristine(scope, decl)
    check_parser(scope, decl)


def _global_variable(scope: Scope, decl: ast.VariableDecl) -> None:
    check_variable(scope, decl)


def require_instance(decl: ast.InstanceDecl) -> None:
    """Raises unless the instance is a package (what ``main`` must be)."""
    if not isinstance(decl.type, ty.PackageType):
        message = f"{decl.name}: must be a package, not {text(decl.call)}"
        raise type_error(message, decl.name_span)


_CHECKS: dict[type[ast.Declaration], Callable[[Scope, Any], None]] = {
    ast.StructDecl: _struct,
    ast.EnumDecl: _enum,
    ast.ErrorDecl: _error,
    ast.MatchKindDecl: _match_kind,
    ast.TypedefDecl: _typedef,
    ast.ExternDecl: _extern,
    ast.FunctionDecl: check_function,
    ast.ActionDecl: check_action,
    ast.ParserTypeDecl: _block_type,
    ast.ControlTypeDecl: _block_type,
    ast.PackageDecl: _block_type,
    ast.ConstDecl: check_variable,
    ast.VariableDecl: _global_variable,
    ast.InstanceDecl: check_instance,
    ast.ParserDecl: _parser,
    ast.ControlDecl: _control,
    ast.TableDecl: check_table,
}
