# SPDX-License-Identifier: MIT
"""Statements (specification 12)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import expressions
from softswitch.frontend.check.coerce import cast_node, coerce, compile_time
from softswitch.frontend.check.lvalues import require_lvalue
from softswitch.frontend.check.operators import check_binary
from softswitch.frontend.check.session import Scope, text, type_error
from softswitch.frontend.check.typerefs import resolve
from softswitch.frontend.diagnostics import error

_SWITCHABLE = (
    *(ty.Bit, ty.Int, ty.InfInt, ty.Bool, ty.Enum, ty.SerEnum, ty.Error, ty.NewType),
    ty.ActionEnum,
)
_OBJECTS = (ty.Extern, ty.ParserType, ty.ControlType, ty.PackageType)


def check_block(scope: Scope, block: ast.Block) -> None:
    """Checks the statements of a block in a scope of its own."""
    inner = scope.child()
    for statement in block.statements:
        check_statement(inner, statement)


def check_statement(scope: Scope, node: ast.Statement) -> None:
    """Checks one statement; its errors are noted and the check goes on."""
    with scope.session.collect():
        scope.session.current = node.span
        _CHECKS[type(node)](scope, node)


def _assign(scope: Scope, node: ast.Assign) -> None:
    node.target = expressions.check_rvalue(scope, node.target)
    node.value = expressions.check_expression(scope, node.value)
    require_lvalue(node.target)
    if not node.op:
        node.value = _assignable(scope, node)
        return
    probe = ast.Binary(node.op, node.target, node.value, span=node.span)
    check_binary(scope, probe)
    if not isinstance(node.target.type, (ty.Bit, ty.Int)) or probe.type != node.target.type:
        message = f"Cannot cast implicitly type '{probe.type}' to type '{node.target.type}'"
        raise type_error(message, node.span)
    node.value = probe.right


def _assignable(scope: Scope, node: ast.Assign) -> ast.Expression:
    if isinstance(node.value.type, ty.TypeName):
        raise type_error(f"{text(node.value)}: not a value", node.value.span)
    if isinstance(node.value.type, ty.Void):
        raise type_error(f"{text(node.value)}: has no value", node.value.span)
    return coerce(scope, node.value, node.target.type)


def _call(scope: Scope, node: ast.CallStatement) -> None:
    checked = expressions.check_expression(scope, node.call)
    assert isinstance(checked, ast.Call)


def _if(scope: Scope, node: ast.If) -> None:
    with scope.session.collect():
        node.condition = expressions.check_condition(scope, node.condition)
    check_statement(scope.child(), node.then)
    if node.otherwise is not None:
        check_statement(scope.child(), node.otherwise)


def _return(scope: Scope, node: ast.Return) -> None:
    place = scope.place
    if place.kind == "state":
        raise error("invalid", "return statements not allowed in parsers", node.span)
    if node.value is None:
        if not isinstance(place.result, ty.Void):
            raise type_error(f"return with no value in a function of {place.result}", node.span)
        return
    if isinstance(place.result, ty.Void):
        raise type_error("return with a value where none is expected", node.span)
    node.value = expressions.check_value(scope, node.value, place.result)


def _exit(scope: Scope, node: ast.Exit) -> None:
    if scope.place.kind in ("state", "function"):
        where = "parsers" if scope.place.kind == "state" else "functions"
        raise error("invalid", f"exit statements not allowed in {where}", node.span)


def _loop_jump(scope: Scope, node: ast.Break | ast.Continue) -> None:
    if not scope.place.in_loop:
        what = "break" if isinstance(node, ast.Break) else "continue"
        raise error("invalid", f"{what} statement outside of a loop", node.span)


def _empty(scope: Scope, node: ast.Empty) -> None:
    return


# --------------------------------------------------------------------------- loops


def _for(scope: Scope, node: ast.For) -> None:
    _loops_allowed(scope, node)
    inner = scope.child()
    for statement in node.init:
        check_statement(inner, statement)
    with scope.session.collect():
        node.condition = expressions.check_condition(inner, node.condition)
    for statement in node.update:
        check_statement(inner, statement)
    body = inner.child(replace(scope.place, in_loop=True))
    check_statement(body, node.body)


def _for_in(scope: Scope, node: ast.ForIn) -> None:
    _loops_allowed(scope, node)
    inner = scope.child()
    kind = resolve(scope, node.variable.ref)
    node.variable.type = kind
    inner.declare(node.variable)
    if isinstance(node.collection, ast.Range):
        bounds = node.collection
        if not isinstance(ty.strip(kind), (ty.Bit, ty.Int)):
            raise type_error(
                f"{node.variable.name}: a loop over a range needs an integer", node.span
            )
        bounds.low = expressions.check_value(scope, bounds.low, kind)
        bounds.high = expressions.check_value(scope, bounds.high, kind)
        bounds.type = ty.Set(kind)
    else:
        node.collection = _collection(scope, node.collection, kind)
    body = inner.child(replace(scope.place, in_loop=True))
    check_statement(body, node.body)


def _collection(scope: Scope, node: ast.Expression, element: ty.Type) -> ast.Expression:
    value = expressions.check_rvalue(scope, node)
    if isinstance(value, ast.ListExpr):
        return coerce(scope, value, ty.List(element))
    match value.type:
        case ty.Stack(element=kind) | ty.List(element=kind) if kind == element:
            return value
        case ty.Tuple(elements=kinds) if set(kinds) <= {element}:
            return value
    raise type_error(f"{text(value)}: cannot loop over {value.type} by {element}", value.span)


def _loops_allowed(scope: Scope, node: ast.Statement) -> None:
    if scope.place.kind == "state":
        raise error("invalid", "loops are not allowed in parsers", node.span)


# --------------------------------------------------------------------------- switch


def _switch(scope: Scope, node: ast.Switch) -> None:
    if scope.place.kind == "state":
        raise error("invalid", "switch statements not allowed in parsers", node.span)
    node.subject = expressions.check_rvalue(scope, node.subject)
    if not isinstance(node.subject.type, _SWITCHABLE):
        message = f"{text(node.subject)}: 'switch' type can't be {node.subject.type}"
        raise type_error(message, node.subject.span)
    seen: dict[object, ast.Expression] = {}
    default: ast.SwitchCase | None = None
    for case in node.cases:
        with scope.session.collect():
            if default is not None:
                message = "switch has a label after 'default', which is not allowed"
                raise error("invalid", message, node.span)
            if case.label is None:
                default = case
            else:
                _label(scope, node, case, seen)
        if case.body is not None:
            check_block(scope, case.body)
    if node.cases and node.cases[-1].body is None:
        scope.session.warn("missing", "last label falls through to nothing", node.cases[-1].span)


def _label(
    scope: Scope, node: ast.Switch, case: ast.SwitchCase, seen: dict[object, ast.Expression]
) -> None:
    assert case.label is not None
    key: object
    if isinstance(node.subject.type, ty.ActionEnum):
        key = _action_label(scope, node.subject.type, case.label)
    else:
        kind = node.subject.type
        case.label = expressions.check_value(scope, case.label, kind)
        if case.label.const is None:
            if not compile_time(case.label):
                message = f"{text(case.label)}: switch label must be constant"
                raise type_error(message, case.label.span)
            return
        key = case.label.const
    if key in seen:
        message = f"{text(case.label)}: 'switch' label duplicates {text(seen[key])}"
        raise type_error(message, case.label.span)
    seen[key] = case.label


def _action_label(scope: Scope, kind: ty.ActionEnum, label: ast.Expression) -> object:
    assert isinstance(kind.decl, ast.TableDecl)
    if not isinstance(label, ast.Name):
        raise type_error(f"{text(label)}: expected the name of an action", label.span)
    for ref in kind.decl.actions:
        if ref.name.name == label.name and ref.decl is not None:
            label.decl, label.type = ref.decl, kind
            return ref.decl
    message = f"{label.name} is not a legal label (action name of {kind.name})"
    raise type_error(message, label.span)


# --------------------------------------------------------------------------- declarations


def _declaration(scope: Scope, node: ast.DeclStatement) -> None:
    if isinstance(node.decl, ast.InstanceDecl):
        where = {"apply": "a control 'apply' block", "state": "a parser state"}
        place = where.get(scope.place.kind, f"a {scope.place.kind}")
        raise error("invalid", f"{node.decl.name}: instances cannot be in {place}", node.span)
    check_variable(scope, node.decl)


def check_variable(scope: Scope, decl: ast.VariableDecl | ast.ConstDecl) -> None:
    """Checks and declares a variable or constant, also when its initialiser is wrong."""
    check_annotations(scope, decl.annotations)
    try:
        decl.type = kind = resolve(scope, decl.ref)
        if isinstance(decl, ast.ConstDecl):
            _check_const(scope, decl, kind)
        else:
            _check_variable(scope, decl, kind)
    finally:
        scope.declare(decl)


def _check_const(scope: Scope, decl: ast.ConstDecl, kind: ty.Type) -> None:
    decl.init = expressions.check_value(scope, decl.init, kind)
    if decl.init.const is None and not compile_time(decl.init):
        message = f"{text(decl.init)}: Cannot evaluate initializer to a compile-time constant"
        raise error("type-error", message, decl.init.span)


def _check_variable(scope: Scope, decl: ast.VariableDecl, kind: ty.Type) -> None:
    if isinstance(kind, _OBJECTS):
        raise type_error(f"{decl.name}: cannot declare variables of type {kind}", decl.span)
    if isinstance(kind, (ty.Void, ty.String, ty.InfInt, ty.MatchKind, ty.DontCare, ty.List)):
        message = f"{decl.name}: Cannot declare variables of type {kind} (consider bit<> or int<>)"
        raise type_error(message, decl.span)
    if decl.init is not None:
        decl.init = expressions.check_value(scope, decl.init, kind)


def check_annotations(scope: Scope, notes: ast.Annotations) -> None:
    """Evaluates what annotations say as far as it is constant; their meaning is the reader's."""
    for note in notes:
        if note.structured and sum(n.name == note.name for n in notes) > 1:
            message = f"{note.name}: duplicate name for structured annotation"
            raise error("duplicate", message, note.span)
        if note.structured:
            note.exprs = [_constant(scope, e) for e in note.exprs]
            note.kv = {k: _constant(scope, e) for k, e in note.kv.items()}
        elif note.exprs and note.name in ("field_list", "id", "priority", "unroll"):
            note.exprs = [_constant(scope, e) for e in note.exprs]


def _constant(scope: Scope, node: ast.Expression) -> ast.Expression:
    value = expressions.check_expression(scope, node)
    if value.const is None:
        raise type_error(f"{text(value)}: annotations take constants only", value.span)
    if isinstance(value.type, ty.SerEnum):
        return cast_node(scope, value, value.type.underlying)
    return value


_CHECKS: dict[type[ast.Statement], Callable[[Scope, Any], None]] = {
    ast.Assign: _assign,
    ast.CallStatement: _call,
    ast.Block: check_block,
    ast.If: _if,
    ast.Switch: _switch,
    ast.For: _for,
    ast.ForIn: _for_in,
    ast.Return: _return,
    ast.Exit: _exit,
    ast.Break: _loop_jump,
    ast.Continue: _loop_jump,
    ast.Empty: _empty,
    ast.DeclStatement: _declaration,
}
