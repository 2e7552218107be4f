# SPDX-License-Identifier: MIT
"""Calls: functions, actions, methods, constructors, apply (specification 8.20, 8.21)."""

from __future__ import annotations

from collections.abc import Sequence

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import builtins, specialise
from softswitch.frontend.check.arguments import Callee, accepts, bind
from softswitch.frontend.check.session import Scope, poisoned, text, type_error
from softswitch.frontend.check.typerefs import own_bindings, resolve, substitute, type_params
from softswitch.frontend.diagnostics import P4CompileError, diagnostic, error, suggestion

_CODE = ("apply", "action", "state", "function")


def check_call(scope: Scope, call: ast.Call) -> ast.Expression:
    """Checks a call; ``type`` is its result, ``void`` if there is none."""
    scope.session.current = call.span
    match call.callee:
        case ast.TypeExpr() as head:
            _constructor(scope, call, head)
        case ast.Name() as head:
            _named(scope, call, head)
        case ast.Member() as head:
            _method(scope, call, head)
        case _:
            raise type_error(f"{text(call.callee)}: cannot be called", call.span)
    return call


# --------------------------------------------------------------------------- by name


def _named(scope: Scope, call: ast.Call, head: ast.Name) -> None:
    found = scope.lookup(head.name, head.absolute)
    if not found:
        raise scope.not_found(head.name, head.span)
    functions = [d for d in found if isinstance(d, (ast.FunctionDecl, ast.ActionDecl))]
    if not functions:
        raise type_error(f"{head.name}: not a function, action or method", head.span)
    decl = _overload(functions, call, head.name)
    head.decl = call.decl = decl
    if isinstance(decl, ast.ActionDecl):
        _action(scope, call, decl)
        head.type = ty.ActionType(decl)
    else:
        _function(scope, call, decl)
        head.type = ty.FunctionType(decl)


def _overload(
    candidates: Sequence[ast.FunctionDecl | ast.ActionDecl], call: ast.Call, name: str
) -> ast.FunctionDecl | ast.ActionDecl:
    if len(candidates) == 1:
        return candidates[0]
    fitting = [d for d in candidates if accepts(d.params, call.args)]
    if not fitting:
        message = f"{name}: declaration not found with these arguments"
        raise error("not-found", message, call.callee.span)
    if len(fitting) > 1:
        raise error("duplicate", f"{name}: multiple matching declarations", call.callee.span)
    return fitting[0]


def _action(scope: Scope, call: ast.Call, decl: ast.ActionDecl) -> None:
    if scope.place.kind not in ("apply", "action"):
        message = f"{decl.name}: actions cannot be called from a {scope.place.kind}"
        raise type_error(message, call.span)
    call.kind, call.type = ast.CallKind.ACTION, ty.VOID
    bind(scope, call, Callee(decl.name, decl.params, runtime=True))


def _function(scope: Scope, call: ast.Call, decl: ast.FunctionDecl) -> None:
    if decl.result.type == ty.UNKNOWN:
        raise poisoned()
    inferred = bind(scope, call, Callee(decl.name, decl.params, decl.type_params))
    call.type = substitute(decl.result.type, inferred)
    if decl.body is None:
        call.kind = ast.CallKind.EXTERN_FUNCTION
        builtins.check_core_function(scope, call, decl)
        return
    call.kind = ast.CallKind.FUNCTION
    specialise.specialise_call(scope.session, call, decl, "params")


# --------------------------------------------------------------------------- constructors


def _constructor(scope: Scope, call: ast.Call, head: ast.TypeExpr) -> None:
    named = resolve(scope, head.ref, bare_generic=True)
    head.type = ty.TypeName(named)
    if scope.place.kind in _CODE:
        message = f"{text(call)}: Constructor calls not allowed in {_where(scope)}"
        raise error("invalid", message, call.span)
    params: Sequence[ast.Parameter]
    match named:
        case ty.Extern(decl=ast.ExternDecl() as extern):
            call.decl = method = _extern_constructor(call, extern)
            params = method.params
        case ty.ControlType(decl=ast.ControlDecl() as decl):
            _no_recursion(scope, decl, head)
            call.decl, params = decl, decl.constructor_params
        case ty.ParserType(decl=ast.ParserDecl() as parser):
            _no_recursion(scope, parser, head)
            call.decl, params = parser, parser.constructor_params
        case ty.PackageType(decl=ast.PackageDecl() as package):
            call.decl, params = package, package.params
        case _:
            raise type_error(f"{text(head)}: {named} has no constructor", head.span)
    call.kind = ast.CallKind.CONSTRUCTOR
    generic = type_params(named.decl)
    given = isinstance(head.ref, ast.NamedTypeRef) and bool(head.ref.args)
    callee = Callee(
        named.name,
        params,
        () if given else generic,
        own_bindings(named) if given else {},
    )
    try:
        inferred = bind(scope, call, callee)
    except P4CompileError as failure:
        raise _with_declaration(failure, named) from None
    # the arguments tell the type: V1Switch(...) is V1Switch<H, M>
    open_type = type(named)(named.decl, tuple(ty.TypeVar(p.name, p) for p in generic))
    call.type = substitute(open_type, inferred)
    if generic and isinstance(call.decl, (ast.ControlDecl, ast.ParserDecl)):
        call.type_arguments = tuple(inferred[p] for p in generic)
        made = specialise.specialise_call(scope.session, call, call.decl, "constructor_params")
        if not made.type_params:
            call.type = type(named)(made)


def _with_declaration(failure: P4CompileError, named: ty.Declared) -> P4CompileError:
    """Adds where a control or parser is declared whose constructor does not fit."""
    errors = failure.diagnostics
    if not isinstance(named, (ty.ControlType, ty.ParserType)) or len(errors) != 1:
        return failure
    note = diagnostic(
        errors[0].kind, f"{named.name} is declared here", named.decl.name_span, "note"
    )
    return P4CompileError([*errors, note])


def _where(scope: Scope) -> str:
    return {"apply": "apply blocks", "state": "parser states"}.get(
        scope.place.kind, f"{scope.place.kind}s"
    )


def _extern_constructor(call: ast.Call, extern: ast.ExternDecl) -> ast.MethodDecl:
    if not extern.constructors:
        raise type_error(f"{extern.name}: extern has no constructor", call.span)
    fitting = [m for m in extern.constructors if accepts(m.params, call.args)]
    if fitting or len(extern.constructors) == 1:
        return (fitting or extern.constructors)[0]
    message = f"{extern.name}: extern does not have a constructor with these arguments"
    raise type_error(message, call.span)


def _no_recursion(
    scope: Scope, decl: ast.ControlDecl | ast.ParserDecl, head: ast.Expression
) -> None:
    outer: Scope | None = scope
    while outer is not None:
        if outer.place.decl is decl:
            what = "control" if isinstance(decl, ast.ControlDecl) else "parser"
            message = (
                f"Self-referencing types not supported: '{decl.name}' within '{what} {decl.name}'"
            )
            raise error("unsupported", message, head.span)
        outer = outer.parent


# --------------------------------------------------------------------------- methods


def _method(scope: Scope, call: ast.Call, head: ast.Member) -> None:
    from softswitch.frontend.check.expressions import check_expression

    head.base = check_expression(scope, head.base)
    head.kind, call.target = ast.MemberKind.METHOD, head.base
    match head.base.type:
        case ty.TypeName(named=named):
            _on_type(scope, call, head, named)
        case ty.Extern() as extern:
            _extern_method(scope, call, head, extern)
        case ty.TableType() as table if head.name == "apply":
            _apply_table(scope, call, table)
        case ty.ControlType() | ty.ParserType() as block if head.name == "apply":
            _apply(scope, call, block)
        case ty.ApplyResult() | ty.TableType():
            raise type_error(f"{text(head)}: unknown method", head.span)
        case _:
            builtins.check_builtin(scope, call, head)
    head.decl = call.decl


def _on_type(scope: Scope, call: ast.Call, head: ast.Member, named: ty.Type) -> None:
    if head.name != "apply":
        builtins.check_size(call, head, named)
        return
    if not isinstance(named, (ty.ControlType, ty.ParserType)):
        raise type_error(f"{text(head.base)}: {named} cannot be applied", head.span)
    decl = named.decl
    if not isinstance(decl, (ast.ControlDecl, ast.ParserDecl)):
        raise type_error(f"{named.name}: only a declaration with a body can be applied", head.span)
    _no_recursion(scope, decl, head.base)
    missing = [p.name for p in decl.constructor_params if p.default is None and not p.optional]
    if missing:
        message = (
            f"{decl.name}: constructor parameter {missing[0]} needs a value; declare an instance"
        )
        raise type_error(message, head.span)
    _apply(scope, call, named)


def _apply(scope: Scope, call: ast.Call, block: ty.ControlType | ty.ParserType) -> None:
    is_control = isinstance(block, ty.ControlType)
    if scope.place.kind != ("apply" if is_control else "state"):
        what = "controls" if is_control else "parsers"
        message = f"{text(call.callee)}: {what} cannot be applied in {_where(scope)}"
        raise type_error(message, call.span)
    call.kind, call.decl, call.type = ast.CallKind.APPLY, block.decl, ty.VOID
    params: list[ast.Parameter] = block.decl.params  # type: ignore[attr-defined]
    generic = type_params(block.decl)
    to_infer = [p for p, kind in own_bindings(block).items() if kind == ty.TypeVar(p.name, p)]
    by_type = isinstance(call.target, ast.TypeExpr)
    open_ = to_infer if by_type else []
    known = {p: kind for p, kind in own_bindings(block).items() if p not in open_}
    inferred = bind(scope, call, Callee(block.name, params, open_, known))
    if by_type and generic and isinstance(block.decl, (ast.ControlDecl, ast.ParserDecl)):
        call.type_arguments = tuple(inferred[p] for p in generic)
        made = specialise.specialise_call(scope.session, call, block.decl, "params")
        if not made.type_params and call.target is not None:
            call.target.type = ty.TypeName(type(block)(made))


def _apply_table(scope: Scope, call: ast.Call, table: ty.TableType) -> None:
    if scope.place.kind != "apply":
        message = f"{text(call.callee)}: tables cannot be applied in {_where(scope)}"
        raise type_error(message, call.span)
    if call.args:
        raise type_error(f"{text(call.callee)}: a table takes no arguments", call.span)
    call.kind, call.decl = ast.CallKind.TABLE_APPLY, table.decl
    call.type = ty.ApplyResult(table.decl)


def _extern_method(scope: Scope, call: ast.Call, head: ast.Member, extern: ty.Extern) -> None:
    decl = extern.decl
    assert isinstance(decl, ast.ExternDecl)
    fitting = [m for m in decl.methods if m.name == head.name]
    if len(fitting) != 1:
        fitting = [m for m in fitting if accepts(m.params, call.args)]
    if not fitting:
        hint = suggestion(head.name, [m.name for m in decl.methods if m.name != head.name])
        message = f"{text(head)}: extern {decl.name} does not have method matching this call{hint}"
        raise type_error(message, head.span)
    method = fitting[0]
    call.kind, call.decl = ast.CallKind.METHOD, method
    bindings = own_bindings(extern)
    inferred = bind(scope, call, Callee(text(head), method.params, method.type_params, bindings))
    assert method.result is not None
    call.type = substitute(method.result.type, inferred)
    builtins.check_core_method(scope, call, decl)
