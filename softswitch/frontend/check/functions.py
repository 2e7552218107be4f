# SPDX-License-Identifier: MIT
"""Parameters, functions and actions."""

from __future__ import annotations

from collections.abc import Sequence

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.expressions import check_value
from softswitch.frontend.check.flow import always_returns
from softswitch.frontend.check.session import Place, Scope, type_error
from softswitch.frontend.check.specialise import keep_pristine
from softswitch.frontend.check.statements import check_block
from softswitch.frontend.check.typerefs import resolve
from softswitch.frontend.diagnostics import error

_COMPILE_TIME = (ty.InfInt, ty.String, ty.List, ty.MatchKind)
_OBJECTS = (ty.Extern, ty.ParserType, ty.ControlType, ty.PackageType)


def check_params(
    scope: Scope, params: Sequence[ast.Parameter], *, constructor: bool = False
) -> None:
    """Resolves types and defaults of parameters; declares nothing."""
    names: set[str] = set()
    for param in params:
        if param.name in names:
            message = f"{param.name}: Duplicates declaration {param.name}"
            raise error("duplicate", message, param.name_span)
        names.add(param.name)
        _check_param(scope, param, constructor)


def _check_param(scope: Scope, param: ast.Parameter, constructor: bool) -> None:
    param.type = kind = resolve(scope, param.ref)
    param.constructor = constructor
    if constructor and param.direction:
        message = f"{param.name}: constructor parameters cannot have a direction"
        raise error("invalid", message, param.span)
    if isinstance(kind, ty.Void):
        raise type_error(f"{param.name}: parameter of type void", param.span)
    if param.direction and isinstance(kind, _OBJECTS):
        message = f"{param.name}: a parameter of type {kind} cannot have a direction"
        raise type_error(message, param.span)
    if param.direction and isinstance(kind, (ty.InfInt, ty.String)):
        message = f"{param.name}: a parameter of type {kind} must be directionless"
        raise type_error(message, param.span)
    if param.default is None:
        return
    if param.direction in ("out", "inout"):
        message = f"{param.name}: out parameters cannot have a default value"
        raise error("invalid", message, param.span)
    param.default = check_value(scope, param.default, kind)
    if param.default.const is None:
        raise type_error(f"{param.name}: default value must be constant", param.default.span)


def check_signature(scope: Scope, decl: ast.FunctionDecl | ast.MethodDecl) -> Scope:
    """Resolves result and parameters; the scope holds the type parameters."""
    inner = scope.child()
    for param in decl.type_params:
        inner.declare(param)
    if decl.result is not None:
        resolve(inner, decl.result)
    check_params(inner, decl.params)
    return inner


def check_function(scope: Scope, decl: ast.FunctionDecl) -> None:
    """Checks a function and declares it: it is not visible in its own body."""
    if decl.body is not None:
        keep_pristine(scope, decl)
    inner = check_signature(scope, decl)
    if decl.body is None:
        scope.declare(decl)
        return
    with scope.session.collect():
        _function_params(decl)
        _body(inner, decl)
    scope.declare(decl)


def _function_params(decl: ast.FunctionDecl) -> None:
    for param in decl.params:
        if isinstance(param.type, (ty.ParserType, ty.ControlType, ty.PackageType)):
            message = f"{param.name}: a function cannot have a parameter of type {param.type}"
            raise type_error(message, param.span)


def check_function_body(scope: Scope, decl: ast.FunctionDecl) -> None:
    """Checks the body of a function whose signature is checked."""
    _body(scope.child(), decl)


def _body(inner: Scope, decl: ast.FunctionDecl) -> None:
    assert decl.body is not None
    place = Place("function", _instance_of(inner), decl.result.type)
    code = inner.child(place)
    for param in decl.params:
        code.declare(param)
    check_block(code, decl.body)
    if not isinstance(decl.result.type, ty.Void) and not always_returns(decl.body):
        message = f"Function '{decl.name}' does not return a value on all paths"
        raise error("insufficient", message, decl.name_span)


def _instance_of(scope: Scope) -> ast.Declaration | None:
    """The instance whose abstract methods are being implemented, for ``this``."""
    decl = scope.place.decl
    return decl if isinstance(decl, ast.InstanceDecl) else None


def check_action(scope: Scope, decl: ast.ActionDecl) -> None:
    """Checks an action and declares it: like a function it does not see itself."""
    check_params(scope, decl.params)
    for param in decl.params:
        if isinstance(param.type, (*_OBJECTS, *_COMPILE_TIME)):
            message = f"{param.name}: an action cannot have a parameter of type {param.type}"
            raise type_error(message, param.span)
    _directions(decl)
    with scope.session.collect():
        code = scope.child(Place("action", decl))
        for param in decl.params:
            code.declare(param)
        check_block(code, decl.body)
    scope.declare(decl)


def _directions(decl: ast.ActionDecl) -> None:
    """Control-plane parameters come last (specification 14.1)."""
    data: ast.Parameter | None = None
    for param in decl.params:
        if not param.direction:
            data = param
        elif data is not None:
            message = f"{param.name}: parameters without direction ({data.name}) come last"
            raise type_error(message, param.span)
