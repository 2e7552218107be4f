# SPDX-License-Identifier: MIT
"""Parsers: locals, states, transitions, value sets (specification 13)."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import expressions
from softswitch.frontend.check.coerce import compile_time
from softswitch.frontend.check.functions import check_params
from softswitch.frontend.check.hoist import name_nested_instances
from softswitch.frontend.check.session import Place, Scope, text, type_error
from softswitch.frontend.check.statements import check_annotations, check_statement, check_variable
from softswitch.frontend.check.typerefs import resolve
from softswitch.frontend.diagnostics import P4CompileError, error, suggestion

_FINAL = ("accept", "reject")


def check_parser(scope: Scope, decl: ast.ParserDecl) -> None:
    """Checks a parser; its name is already declared."""
    from softswitch.frontend.check.declarations import check_instance

    inner = scope.child(Place("parser", decl))
    for param in decl.type_params:
        inner.declare(param)
    check_params(inner, decl.params)
    check_params(inner, decl.constructor_params, constructor=True)
    for param_ in (*decl.params, *decl.constructor_params):
        inner.declare(param_)
    body = inner.child()
    for local in decl.locals:
        with scope.session.collect():
            match local:
                case ast.VariableDecl() | ast.ConstDecl():
                    check_variable(body, local)
                case ast.InstanceDecl():
                    check_instance(body, local)
                case ast.ValueSetDecl():
                    _value_set(body, local)
    name_nested_instances(decl.locals)
    _states(body, decl)


def _value_set(scope: Scope, decl: ast.ValueSetDecl) -> None:
    check_annotations(scope, decl.annotations)
    try:
        kind = resolve(scope, decl.ref)
        decl.size = expressions.check_expression(scope, decl.size)
        if not compile_time(decl.size):
            raise type_error("value_set: size must be a constant", decl.size.span)
        if not isinstance(
            kind, (ty.Bit, ty.Int, ty.Struct, ty.Tuple, ty.SerEnum, ty.Enum, ty.NewType, ty.Bool)
        ):
            raise type_error(f"value_set: not possible for type {kind}", decl.span)
        decl.type = kind
    finally:
        scope.declare(decl)


def _states(scope: Scope, decl: ast.ParserDecl) -> None:
    states: dict[str, ast.StateDecl] = {}
    for state in decl.states:
        with scope.session.collect():
            if state.name in _FINAL:
                message = f"{state.name}: parser state should not be implemented, it is built-in"
                raise error("invalid", message, state.name_span)
            if state.name in states:
                message = f"{state.name}: Duplicates declaration {state.name}"
                raise error("duplicate", message, state.name_span)
            states[state.name] = state
    if "start" not in states:
        raise error("invalid", f"Parser {decl.name} has no 'start' state", decl.name_span)
    for state in decl.states:
        _state(scope, state, states)
    _unreachable(scope, states)


def _state(scope: Scope, state: ast.StateDecl, states: dict[str, ast.StateDecl]) -> None:
    check_annotations(scope, state.annotations)
    body = scope.child(Place("state", state))
    for statement in state.statements:
        check_statement(body, statement)
    transition = state.transition
    if transition is None:
        message = f"{state.name}: implicit transition to `reject'"
        scope.session.warn("parser-transition", message, state.name_span)
        return
    with scope.session.collect():
        _transition(body, transition, states)


def _target(name: str, span: ast.Span, states: dict[str, ast.StateDecl]) -> ast.StateDecl | None:
    if name in _FINAL:
        return None
    if name not in states:
        hint = suggestion(name, [*states, *_FINAL])
        raise error("not-found", f"{name}: declaration not found{hint}", span)
    return states[name]


def _transition(scope: Scope, transition: ast.Transition, states: dict[str, ast.StateDecl]) -> None:
    if transition.state:
        transition.decl = _target(transition.state, transition.span, states)
        return
    for case in transition.cases:
        with scope.session.collect():
            case.decl = _target(case.state, case.state_span, states)
    if not transition.keys:
        raise type_error("select: no expression", transition.span)
    transition.keys = [_key(scope, k) for k in transition.keys]
    complete = False
    for case in transition.cases:
        with scope.session.collect():
            if complete:
                scope.session.warn("parser-transition", "unreachable case", case.span)
            _case_of(scope, transition, case)
            complete = complete or all(isinstance(s, ast.DefaultExpr) for s in case.keysets)


def _key(scope: Scope, node: ast.Expression) -> ast.Expression:
    value = expressions.check_rvalue(scope, node)
    if isinstance(value.type, (ty.Bit, ty.Int, ty.Bool, ty.Enum, ty.SerEnum, ty.Error)):
        return value
    if isinstance(value.type, (ty.NewType, ty.Struct, ty.Tuple, ty.TypeVar)):
        return value
    message = f"Expression '{text(value)}' of type {value.type} cannot be selected on"
    raise type_error(message, value.span)


def _case_of(scope: Scope, transition: ast.Transition, case: ast.SelectCase) -> None:
    """Checks a case; as with p4c a case that does not fit is an error of the select."""
    try:
        _case(scope, transition, case)
    except P4CompileError as failure:
        found = failure.diagnostics
        if (
            len(found) != 1
            or found[0].kind != "type-error"
            or found[0].line == transition.span.line
        ):
            raise
        note = (f"'{text_of(case)}' is the case", case.span)
        raise error("type-error", found[0].message, transition.span, note) from None


def text_of(case: ast.SelectCase) -> str:
    """The key set of a case, for messages."""
    return ", ".join(text(k) for k in case.keysets)


def _case(scope: Scope, transition: ast.Transition, case: ast.SelectCase) -> None:
    keys, sets = transition.keys, case.keysets
    if len(sets) == 1 and isinstance(sets[0], ast.DefaultExpr):
        sets = [ast.DefaultExpr(sets[0].keyword, span=sets[0].span) for _ in keys]
    elif len(sets) == 1 and len(keys) > 1:
        case.keysets = [_whole(scope, transition, sets[0])]
        return
    if len(sets) != len(keys):
        message = f"select has {len(keys)} expressions, the case has {len(sets)}"
        raise type_error(message, case.span)
    case.keysets = [
        expressions.check_set(scope, s, k.type) for s, k in zip(sets, keys, strict=True)
    ]
    for node in case.keysets:
        if not _constant(node):
            raise type_error(f"{text(node)}: case must be a compile-time constant", node.span)


def _whole(scope: Scope, transition: ast.Transition, node: ast.Expression) -> ast.Expression:
    """One value set (or tuple) for all expressions together."""
    kind = ty.Tuple(tuple(k.type for k in transition.keys))
    return expressions.check_set(scope, node, kind)


def _constant(node: ast.Expression) -> bool:
    match node:
        case ast.DefaultExpr():
            return True
        case ast.Mask(value=a, mask=b) | ast.Range(low=a, high=b):
            return compile_time(a) and compile_time(b)
        case _:
            return isinstance(node.type, ty.Set) or compile_time(node)


def _unreachable(scope: Scope, states: dict[str, ast.StateDecl]) -> None:
    reached: set[str] = set()
    waiting = ["start"]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in states:
            continue
        reached.add(name)
        transition = states[name].transition
        if transition is not None:
            waiting += [transition.state, *(c.state for c in transition.cases)]
    for name, state in states.items():
        if name not in reached:
            message = f"{name}: state is unreachable"
            scope.session.warn("unreachable", message, state.name_span)
