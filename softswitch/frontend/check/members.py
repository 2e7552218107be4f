# SPDX-License-Identifier: MIT
"""``base.name`` that is no call: fields, enum members, errors, stack properties, hit and miss."""

from __future__ import annotations

from collections.abc import Iterable

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.session import Scope, text, type_error
from softswitch.frontend.diagnostics import suggestion

STACK_PROPERTIES = ("next", "last", "lastIndex", "size")


def check_member(scope: Scope, node: ast.Member) -> ast.Expression:
    """Checks a member that is used as a value."""
    from softswitch.frontend.check.expressions import check_expression

    node.base = check_expression(scope, node.base)
    kind = node.base.type
    match kind:
        case ty.TypeName(named=named):
            return _type_member(scope, node, named)
        case ty.StructLike():
            return _field(node, kind)
        case ty.AnonStruct(fields=pairs):
            found = dict(pairs).get(node.name)
            if found is None:
                raise _no_member(node, str(kind))
            node.kind, node.type = ast.MemberKind.FIELD, found
            return _field_const(node)
        case ty.Stack():
            return _stack_property(scope, node, kind)
        case ty.ApplyResult():
            return _apply_result(node, kind)
    raise _no_member(node, str(kind))


def _no_member(node: ast.Member, what: str, known: Iterable[str] = ()) -> Exception:
    hint = suggestion(node.name, known)
    return type_error(f"Field {node.name} is not a member of {what}{hint}", node.span)


def _field(node: ast.Member, kind: ty.StructLike) -> ast.Expression:
    field = kind.field(node.name)
    if field is None:
        raise _no_member(node, str(kind), [f.name for f in kind.fields])
    node.kind, node.decl, node.type = ast.MemberKind.FIELD, field.decl, field.type
    return _field_const(node)


def _field_const(node: ast.Member) -> ast.Expression:
    if isinstance(node.base.const, dict):
        node.const = node.base.const.get(node.name)
    return node


def _type_member(scope: Scope, node: ast.Member, named: ty.Type) -> ast.Expression:
    member: ast.EnumMember | None = None
    if isinstance(named, ty.Error):
        member = scope.session.errors.get(node.name)
        node.kind = ast.MemberKind.ERROR
    elif isinstance(named, (ty.Enum, ty.SerEnum)) and isinstance(named.decl, ast.EnumDecl):
        member = next((m for m in named.decl.members if m.name == node.name), None)
        node.kind = ast.MemberKind.ENUM
    elif isinstance(named, ty.TypeVar):
        raise type_error(f"{node.name}: {named} is a type variable", node.span)
    if member is None:
        if isinstance(named, (ty.Error, ty.Enum, ty.SerEnum)):
            known = scope.session.errors if isinstance(named, ty.Error) else _tags(named)
            hint = suggestion(node.name, known)
            message = f"{text(node)}: Invalid tag, not a member of {named}{hint}"
            raise type_error(message, node.span)
        raise type_error(f"{text(node)}: Cannot access member of type {named}", node.span)
    node.decl, node.type = member, named
    node.const = member.const if isinstance(named, ty.SerEnum) else member
    return node


def _tags(named: ty.Declared) -> list[str]:
    return [m.name for m in named.decl.members] if isinstance(named.decl, ast.EnumDecl) else []


def _stack_property(scope: Scope, node: ast.Member, kind: ty.Stack) -> ast.Expression:
    if node.name not in STACK_PROPERTIES:
        raise _no_member(node, f"header stack {kind}")
    node.kind = ast.MemberKind.STACK
    if node.name == "size":
        node.type, node.const = ty.Bit(32), kind.size
        return node
    if scope.place.kind not in ("state", "parser"):
        message = f"{text(node)}: '{node.name}' for stacks can only be used in a parser"
        raise type_error(message, node.span)
    node.type = ty.Bit(32) if node.name == "lastIndex" else kind.element
    return node


def _apply_result(node: ast.Member, kind: ty.ApplyResult) -> ast.Expression:
    node.kind, node.decl = ast.MemberKind.APPLY_RESULT, kind.decl
    if node.name in ("hit", "miss"):
        node.type = ty.BOOL
    elif node.name == "action_run":
        node.type = ty.ActionEnum(kind.decl)
    else:
        raise _no_member(node, f"the result of {kind.name}.apply()")
    return node


def same_set(given: ty.Type, key: ty.Type) -> bool:
    """Whether a value set of ``given`` fits a key: a struct of one field may stand for it."""
    if given == key:
        return True
    if isinstance(given, ty.Struct):
        kinds = tuple(f.type for f in given.fields)
        return kinds == (key,) or (isinstance(key, ty.Tuple) and key.elements == kinds)
    if isinstance(given, ty.Tuple):
        return given.elements == (key,)
    return ty.strip(given) == ty.strip(key)
