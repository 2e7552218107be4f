# SPDX-License-Identifier: MIT
"""Arguments of calls: matching to parameters, inference, directions, defaults (6.8, 8.20)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.coerce import coerce, compile_time
from softswitch.frontend.check.infer import Inferred, MismatchError, fits, unify
from softswitch.frontend.check.lvalues import require_lvalue
from softswitch.frontend.check.session import Scope, text, type_error
from softswitch.frontend.check.typerefs import is_ground, resolve, substitute
from softswitch.frontend.diagnostics import P4CompileError, diagnostic, error


@dataclass(slots=True)
class Callee:
    """What is called.

    ``bindings`` are types already known (of the object's type), ``type_params`` those of the
    call, explicit or inferred.  ``runtime`` lets run-time values bind to directionless
    parameters, as in direct calls of actions.
    """

    name: str
    params: Sequence[ast.Parameter]
    type_params: Sequence[ast.TypeParameter] = ()
    bindings: Inferred = field(default_factory=dict)
    runtime: bool = False


def accepts(params: Sequence[ast.Parameter], args: Sequence[ast.Argument]) -> bool:
    """Whether the number and names of the arguments fit: how overloads are chosen."""
    try:
        _match(params, args, ast.NO_SPAN)
    except Exception:
        return False
    return True


def _match(
    params: Sequence[ast.Parameter], args: Sequence[ast.Argument], span: ast.Span
) -> list[tuple[ast.Parameter, ast.Argument | None]]:
    named = [a for a in args if a.name is not None]
    if named and len(named) != len(args):
        message = "either all or none of the arguments of a call must be named"
        raise error("invalid", message, args[0].span)
    if len(args) > len(params):
        message = f"Too many arguments: {len(args)} for {len(params)} parameters"
        raise type_error(message, span)
    given: dict[str, ast.Argument] = {}
    for position, arg in enumerate(args):
        name = arg.name if arg.name is not None else params[position].name
        if name in given:
            raise error("duplicate", f"{name}: argument given twice", arg.span)
        given[name] = arg
    unknown = given.keys() - {p.name for p in params}
    if unknown:
        arg = given[next(iter(unknown))]
        raise type_error(f"{arg.name}: No parameter named {arg.name}", arg.span)
    for param in params:
        if param.name not in given and param.default is None and not param.optional:
            raise type_error(f"{param.name}: No argument supplied for parameter", span)
    return [(p, given.get(p.name)) for p in params]


def bind(scope: Scope, call: ast.Call, callee: Callee) -> Inferred:
    """Checks the arguments of ``call``, fills ``bound`` and ``type_arguments``.

    Returns all bindings of type parameters.
    """
    from softswitch.frontend.check.expressions import check_expression

    matched = _match(callee.params, call.args, call.span)
    for arg in call.args:
        arg.value = check_expression(scope, arg.value)
    inferred = dict(callee.bindings)
    open_ = set(callee.type_params)
    _explicit(scope, call, callee, inferred, open_)
    for param, given in matched:
        if given is not None:
            _unify(substitute(param.type, inferred), given, inferred, open_)
    _all_known(call, callee, inferred)
    call.type_arguments = tuple(inferred[p] for p in callee.type_params)
    try:
        call.bound = [_bound(scope, p, a, inferred, callee) for p, a in matched]
    except P4CompileError as failure:
        raise _at_call(failure, call, callee) from None
    return inferred


def _at_call(failure: P4CompileError, call: ast.Call, callee: Callee) -> P4CompileError:
    """As with p4c the error of a call of many lines stands at its start, with a note."""
    found = failure.diagnostics
    if len(found) != 1 or found[0].line == call.span.line or callee.runtime:
        return failure
    where = replace(found[0], severity="note", message="the argument is here")
    start = diagnostic(found[0].kind, found[0].message, call.span)
    return P4CompileError([start, where])


def _explicit(
    scope: Scope,
    call: ast.Call,
    callee: Callee,
    inferred: Inferred,
    open_: set[ast.TypeParameter],
) -> None:
    if not call.type_args:
        return
    if len(call.type_args) != len(callee.type_params):
        message = (
            f"{callee.name}: {len(callee.type_params)} type parameters, "
            f"{len(call.type_args)} arguments given"
        )
        raise type_error(message, call.span)
    for param, ref in zip(callee.type_params, call.type_args, strict=True):
        kind = resolve(scope, ref)
        if isinstance(kind, ty.Void):
            raise type_error("void cannot be a type argument", ref.span)
        if not isinstance(kind, ty.DontCare):
            inferred[param] = kind
            open_.discard(param)


def _unify(
    formal: ty.Type, given: ast.Argument, inferred: Inferred, open_: set[ast.TypeParameter]
) -> None:
    try:
        unify(formal, given.value.type, inferred, open_)
    except MismatchError as failure:
        raise _mismatch(failure, given.span) from None


def _mismatch(failure: MismatchError, span: ast.Span) -> P4CompileError:
    """The error of an argument that does not fit, with the parameter that is to blame."""
    found = [diagnostic("type-error", str(failure), span)]
    if failure.param is not None:
        message = f"parameter {failure.param.name} is declared here"
        found.append(diagnostic("type-error", message, failure.param.span, "note"))
        if isinstance(failure.param.type, ty.Declared):
            decl = failure.param.type.decl
            message = f"{decl.name} is declared here"
            found.append(diagnostic("type-error", message, decl.name_span, "note"))
    return P4CompileError(found)


def _all_known(call: ast.Call, callee: Callee, inferred: Inferred) -> None:
    for param in callee.type_params:
        kind = inferred.get(param)
        if kind is None:
            message = f"{callee.name}: cannot infer type parameter {param.name}; write <...>"
            raise type_error(message, call.span)
        if _unsized(kind):
            message = (
                f"{text(call)}: cannot infer bitwidth for integer-valued type parameter "
                f"{param.name}"
            )
            raise type_error(message, call.span)


def _unsized(kind: ty.Type) -> bool:
    match kind:
        case ty.InfInt():
            return True
        case ty.Tuple(elements=elements):
            return any(map(_unsized, elements))
        case ty.AnonStruct(fields=pairs):
            return any(_unsized(t) for _, t in pairs)
        case _:
            return False


def _bound(
    scope: Scope,
    param: ast.Parameter,
    given: ast.Argument | None,
    inferred: Inferred,
    callee: Callee,
) -> ast.BoundArgument:
    kind = substitute(param.type, inferred)
    if given is None:
        value = param.default
        if value is not None and is_ground(kind):
            value = coerce(scope, value, kind)
        return ast.BoundArgument(param, kind, value)
    value = given.value
    if isinstance(value, ast.DefaultExpr):
        return _dont_care(param, kind, value)
    if param.direction in ("out", "inout"):
        if value.type != kind:
            message = (
                f"{text(value)}: type '{value.type}' for {param.direction} parameter "
                f"{param.name} of type '{kind}'"
            )
            raise type_error(message, value.span)
        require_lvalue(value, argument=param.name)
        return ast.BoundArgument(param, kind, value)
    given.value = value = _converted(scope, value, kind)
    if not param.direction and not callee.runtime and not _static(value):
        message = f"{text(value)}: not a compile-time constant when binding to {param.name}"
        raise type_error(message, value.span)
    return ast.BoundArgument(param, kind, value)


def _dont_care(param: ast.Parameter, kind: ty.Type, value: ast.Expression) -> ast.BoundArgument:
    if param.direction != "out":
        message = f"{param.name}: don't care argument is only allowed for out parameters"
        raise type_error(message, value.span)
    value.type = kind
    return ast.BoundArgument(param, kind, value)


def _converted(scope: Scope, value: ast.Expression, kind: ty.Type) -> ast.Expression:
    if isinstance(value.type, (ty.ParserType, ty.ControlType)) and value.type != kind:
        reason = fits(kind, value.type)
        if reason is not None:
            raise _mismatch(reason, value.span)
        return value
    if isinstance(value.type, (ty.TypeName, ty.ActionType, ty.TableType, ty.FunctionType)):
        raise type_error(f"{text(value)}: not a value", value.span)
    return coerce(scope, value, kind)


def _static(value: ast.Expression) -> bool:
    return isinstance(value.type, ty.Extern) or compile_time(value)
