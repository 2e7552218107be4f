# SPDX-License-Identifier: MIT
"""Tables: keys, actions, default action, entries, properties (specification 14.2)."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import expressions
from softswitch.frontend.check.arguments import Callee, accepts, bind
from softswitch.frontend.check.coerce import compile_time
from softswitch.frontend.check.session import Place, Scope, text, type_error
from softswitch.frontend.check.statements import check_annotations
from softswitch.frontend.diagnostics import error, suggestion

_KEY_TYPES = (ty.Bit, ty.Int, ty.Bool, ty.Enum, ty.SerEnum, ty.Error, ty.NewType)
_NUMERIC_ONLY = ("lpm", "range", "ternary")


def check_table(scope: Scope, table: ast.TableDecl) -> None:
    """Checks a table and declares it."""
    check_annotations(scope, table.annotations)
    inner = scope.child(Place("table", table))
    if not table.has_actions:
        message = f"Table {table.name} does not have an `actions' property"
        raise error("expected", message, table.name_span)
    for key in table.keys or ():
        with scope.session.collect():
            _key(inner, key)
    lpm = [k for k in table.keys or () if k.match_kind.name == "lpm"]
    if len(lpm) > 1:
        with scope.session.collect():
            message = f"multiple LPM keys in table {table.name} not supported"
            raise error("unsupported", message, table.name_span)
    for ref in table.actions:
        with scope.session.collect():
            _action(inner, table, ref)
    if table.default_action is not None:
        with scope.session.collect():
            _listed(inner, table, table.default_action)
    for entry in table.entries or ():
        with scope.session.collect():
            _entry(inner, table, entry)
    for prop in table.properties.values():
        with scope.session.collect():
            _property(inner, table, prop)
    scope.declare(table)


def _key(scope: Scope, key: ast.Key) -> None:
    check_annotations(scope, key.annotations)
    kind = key.match_kind
    member = scope.session.match_kinds.get(kind.name)
    if member is None:
        hint = suggestion(kind.name, scope.session.match_kinds)
        raise error("not-found", f"{kind.name}: declaration not found{hint}", kind.span)
    kind.decl, kind.type, kind.const = member, ty.MATCH_KIND, member
    # keys are evaluated where the table is applied, so they may call methods
    in_apply = scope.child(Place("key", scope.place.decl))
    key.expression = expressions.check_rvalue(in_apply, key.expression)
    found = key.expression.type
    if not isinstance(found, _KEY_TYPES):
        message = f"Key {text(key.expression)}: type {found} cannot be a key field"
        raise type_error(message, key.expression.span)
    if kind.name in ("lpm", "range") and not isinstance(ty.strip(found), (ty.Bit, ty.Int)):
        message = f"Key {text(key.expression)}: a {kind.name} match needs bits, not {found}"
        raise type_error(message, key.expression.span)


# --------------------------------------------------------------------------- actions


def _find_action(scope: Scope, ref: ast.ActionRef) -> ast.ActionDecl:
    found = scope.lookup(ref.name.name, ref.name.absolute)
    if not found:
        raise scope.not_found(ref.name.name, ref.name.span)
    actions = [d for d in found if isinstance(d, ast.ActionDecl)]
    if not actions:
        raise type_error(f"{ref.name.name}: not an action", ref.name.span)
    ref.name.type = ty.ActionType(actions[0])
    if len(actions) > 1:
        actions = [a for a in actions if accepts(a.params, ref.args)] or actions
    return actions[0]


def _action(scope: Scope, table: ast.TableDecl, ref: ast.ActionRef) -> None:
    """An element of ``actions``: arguments for the parameters with direction only."""
    check_annotations(scope, ref.annotations)
    decl = _find_action(scope, ref)
    if any(r.decl is decl for r in table.actions):
        raise error("duplicate", f"{decl.name}: action listed twice", ref.span)
    ref.decl = ref.name.decl = decl
    directed = [p for p in decl.params if p.direction]
    if len(ref.args) > len(directed):
        message = (
            f"{decl.name}: parameter {decl.params[len(directed)].name}"
            if len(decl.params) > len(directed)
            else decl.name
        )
        raise type_error(f"{message} cannot be bound in the list of actions", ref.span)
    ref.bound = _bind(scope, ref, directed)
    ref.bound += [ast.BoundArgument(p, p.type, None) for p in decl.params if not p.direction]


def _bind(scope: Scope, ref: ast.ActionRef, params: list[ast.Parameter]) -> list[ast.BoundArgument]:
    call = ast.Call(ref.name, [], ref.args, span=ref.span)
    bind(scope.child(Place("key", scope.place.decl)), call, Callee(ref.name.name, params))
    return call.bound


def _listed(scope: Scope, table: ast.TableDecl, ref: ast.ActionRef) -> None:
    """An action with all arguments, in ``default_action`` or an entry: must be listed."""
    check_annotations(scope, ref.annotations)
    decl = _find_action(scope, ref)
    listed = next((r for r in table.actions if r.decl is decl), None)
    if listed is None:
        message = f"{ref.name.name}() not present in action list"
        raise type_error(message, ref.span)
    ref.decl = ref.name.decl = decl
    data = [p for p in decl.params if not p.direction]
    directed = [b for b in listed.bound if b.direction]
    if len(ref.args) == len(data) and directed and all(a.name is None for a in ref.args):
        # the arguments with direction are those of the list
        ref.bound = directed + _bind(scope, ref, data)
    else:
        ref.bound = _bind(scope, ref, decl.params)
    for argument in ref.bound:
        value = argument.value
        if not argument.direction and value is not None and not compile_time(value):
            raise type_error(f"{text(value)}: must be a compile-time constant", value.span)


# --------------------------------------------------------------------------- entries


def _entry(scope: Scope, table: ast.TableDecl, entry: ast.Entry) -> None:
    check_annotations(scope, entry.annotations)
    keys = table.keys or []
    if not keys:
        message = f"{table.name}: Entries cannot be specified for a table with no key"
        raise error("unsupported", message, table.name_span)
    sets = entry.keysets
    if len(sets) == 1 and isinstance(sets[0], ast.ListExpr) and len(keys) != 1:
        sets = entry.keysets = list(sets[0].elements)
    all_default = len(sets) == 1 and isinstance(sets[0], ast.DefaultExpr)
    if len(sets) != len(keys) and not all_default:
        message = f"entry has {len(sets)} fields, the key of {table.name} has {len(keys)}"
        raise type_error(message, entry.span)
    if all_default:
        span = sets[0].span
        sets = entry.keysets = [ast.DefaultExpr("_", span=span) for _ in keys]
    if entry.priority is not None:
        entry.priority = expressions.check_constant(scope, entry.priority, "priority")
        assert isinstance(entry.priority.const, int)
        if entry.priority.const < 0:
            raise error("invalid", "priority must not be negative", entry.priority.span)
    entry.keysets = [_keyset(scope, k, s) for k, s in zip(keys, sets, strict=True)]
    _listed(scope, table, entry.action)


def _keyset(scope: Scope, key: ast.Key, node: ast.Expression) -> ast.Expression:
    value = expressions.check_set(scope, node, key.expression.type)
    kind = key.match_kind.name
    match value:
        case ast.DefaultExpr():
            parts: list[ast.Expression] = []
            allowed = kind != "exact"
        case ast.Mask():
            parts, allowed = [value.value, value.mask], kind in ("ternary", "lpm")
        case ast.Range():
            parts, allowed = [value.low, value.high], kind == "range"
        case _:
            parts, allowed = [value], True
    if not allowed:
        raise error("unsupported", f"unsupported {kind} key expression", node.span)
    for part in parts:
        if not compile_time(part):
            raise type_error(f"{text(part)}: must be a compile-time constant", part.span)
    if isinstance(value, ast.Mask) and kind == "lpm" and isinstance(value.mask.const, int):
        _prefix(value, key)
    return value


def _prefix(value: ast.Mask, key: ast.Key) -> None:
    base = ty.strip(key.expression.type)
    assert isinstance(base, (ty.Bit, ty.Int))
    assert isinstance(value.mask.const, int)
    inverse = ~value.mask.const & ((1 << base.width) - 1)
    if inverse & (inverse + 1):
        raise error("invalid", f"{value.mask.const:#x}: invalid mask for LPM", value.mask.span)


# --------------------------------------------------------------------------- properties


def _property(scope: Scope, table: ast.TableDecl, prop: ast.TableProperty) -> None:
    check_annotations(scope, prop.annotations)
    prop.value = expressions.check_expression(scope, prop.value)
    if prop.name != "size":
        return
    integer = isinstance(ty.strip(prop.value.type), (ty.Bit, ty.Int, ty.InfInt))
    if not integer or not compile_time(prop.value):
        message = f"size of {table.name} must be a constant integer"
        raise error("expected", message, prop.span)
