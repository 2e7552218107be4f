# SPDX-License-Identifier: MIT
"""Calls: functions, actions, controls, tables, and the methods of headers and stacks."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import externs, instances, ir, tables
from softswitch.frontend.lower.context import (
    Context,
    Frame,
    Instance,
    is_hidden,
    qualified,
    unsupported,
)
from softswitch.frontend.lower.copying import assign
from softswitch.frontend.lower.exprs import constant, place, value
from softswitch.frontend.lower.inline import for_instance, run_inline
from softswitch.frontend.lower.model import Action
from softswitch.frontend.lower.places import (
    ElementPlace,
    HeaderPlace,
    Invalid,
    LastPlace,
    StackPlace,
    UnionPlace,
    Value,
    is_valid,
    last_index,
)


def call(ctx: Context, expr: ast.Call) -> Value | None:
    """Lower a call; gives its value, or None for void."""
    match expr.kind:
        case ast.CallKind.FUNCTION:
            return _function(ctx, expr)
        case ast.CallKind.ACTION:
            _action(ctx, expr)
            return None
        case ast.CallKind.EXTERN_FUNCTION:
            return externs.function(ctx, expr)
        case ast.CallKind.METHOD:
            return externs.method(ctx, expr)
        case ast.CallKind.APPLY:
            _apply(ctx, expr)
            return None
        case ast.CallKind.TABLE_APPLY:
            apply_table(ctx, expr)
            return None
        case ast.CallKind.BUILTIN:
            return _builtin(ctx, expr)
    raise unsupported("this call is not supported here", expr.span)


def _run_body(ctx: Context, statements: list[ast.Statement]) -> None:
    from softswitch.frontend.lower.stmts import run

    run(ctx, statements)


def _function(ctx: Context, expr: ast.Call) -> Value | None:
    decl = expr.decl
    assert isinstance(decl, ast.FunctionDecl)
    assert decl.body is not None
    body = decl.body.statements
    frame = Frame("function", lexical=ctx.globals, caller=ctx.frame)
    frame.end = ir.Label(decl.name)
    if not isinstance(expr.type, ty.Void):
        frame.result = ctx.store.place(expr.type, "retval")
    # the parameters of a specialised copy are copies, too
    params = {p.name: p for p in decl.params}
    bound = [ast.BoundArgument(params[b.param.name], b.type, b.value) for b in expr.bound]
    return run_inline(ctx, frame, bound, lambda: _run_body(ctx, body))


def owner_frame(ctx: Context) -> Frame:
    """The frame of the control whose code runs: actions of a control see its variables."""
    frame: Frame | None = ctx.frame
    while frame is not None and frame.instance is None:
        frame = frame.lexical
    return frame or ctx.globals


def _action(ctx: Context, expr: ast.Call) -> None:
    decl = expr.decl
    assert isinstance(decl, ast.ActionDecl)
    owner = owner_frame(ctx)
    local = owner.instance is not None and decl in owner.instance.decl.locals
    if not ctx.in_action and not is_hidden(decl) and ctx.frame.kind == "control":
        path = owner.instance.path if local and owner.instance is not None else ""
        name = qualified(decl, path)
        if all(a.name != name for a in ctx.model.direct_actions):
            ctx.model.direct_actions.append(
                Action(name, decl.annotations, decl.name_span, decl=decl)
            )
    frame = Frame("action", lexical=owner if local else ctx.globals, caller=ctx.frame)
    frame.end = ir.Label(decl.name)
    run_inline(ctx, frame, expr.bound, lambda: _run_body(ctx, decl.body.statements))


# --------------------------------------------------------------------------- controls


def _apply(ctx: Context, expr: ast.Call) -> None:
    instance = _instance(ctx, expr)
    if isinstance(instance.decl, ast.ParserDecl):
        raise unsupported("a parser can only be applied in a parser state", expr.span)
    if ctx.in_action:
        raise error("invalid", "controls cannot be applied in actions", expr.span)
    apply_control(ctx, instance, for_instance(expr.bound, instance.decl))


def _instance(ctx: Context, expr: ast.Call) -> Instance:
    """The instance that ``expr`` applies; ``Type.apply()`` makes one."""
    if isinstance(expr.target, ast.Name) and expr.target.decl is not None:
        found = ctx.frame.find(expr.target.decl)
        if isinstance(found, instances.Pending):
            found = instances.build(ctx, found)
        if isinstance(found, Instance):
            return found
    decl = expr.decl
    assert isinstance(decl, (ast.ControlDecl, ast.ParserDecl))
    owner = ctx.frame.owner()
    path = f"{owner.path}.{decl.name}" if owner else decl.name
    return instances.create(ctx, decl, path, {})


def apply_control(ctx: Context, instance: Instance, bound: list[ast.BoundArgument]) -> None:
    """Inline the body of a control instance."""
    decl = instance.decl
    assert isinstance(decl, ast.ControlDecl)
    frame = Frame("control", lexical=ctx.globals, caller=ctx.frame, instance=instance)
    frame.end = ir.Label(decl.name)
    run_inline(ctx, frame, bound, lambda: control_body(ctx, decl))


def control_body(ctx: Context, decl: ast.ControlDecl) -> None:
    """Variables and statements of a control, in a frame with its parameters bound."""
    declare_locals(ctx, decl.locals)
    _run_body(ctx, decl.body.statements)


def declare_locals(ctx: Context, decls: list[ast.Declaration]) -> None:
    """Variables and constants of a control or parser."""
    from softswitch.frontend.lower.stmts import declare

    for decl in decls:
        if isinstance(decl, ast.VariableDecl):
            declare(ctx, decl)
        elif isinstance(decl, ast.ConstDecl):
            ctx.frame.bindings[decl] = value(ctx, decl.init)


# --------------------------------------------------------------------------- tables


def apply_table(ctx: Context, expr: ast.Call) -> ir.Apply:
    """Emit the application of a table; the caller fills in the cases."""
    decl = expr.decl
    assert isinstance(decl, ast.TableDecl)
    if ctx.in_action or ctx.block not in ("ingress", "egress"):
        raise error("invalid", f"table '{decl.name}' cannot be applied here", expr.span)
    owner = owner_frame(ctx)
    assert owner.instance is not None
    stmt = ir.Apply(tables.table(ctx, owner, decl), span=expr.span)
    ctx.emit(stmt)
    return stmt


def apply_result(ctx: Context, expr: ast.Member) -> Value:
    """``t.apply().hit`` or ``.miss`` as a value."""
    assert isinstance(expr.base, ast.Call)
    if expr.name == "action_run":
        raise unsupported("'action_run' can only be used in a switch statement", expr.span)
    stmt = apply_table(ctx, expr.base)
    result = ctx.store.temporary("hit", 1, False, True)
    for case in (ir.HIT, ir.MISS):
        truth = int((case == ir.HIT) == (expr.name == "hit"))
        value_ = ir.Const(1, False, True, truth)
        stmt.cases[case] = [ir.Assign(result, value_, span=expr.span)]
    return result


# --------------------------------------------------------------------------- headers, stacks


def _builtin(ctx: Context, expr: ast.Call) -> Value | None:
    assert expr.target is not None
    name, span = expr.builtin, expr.span
    if name in ("isValid", "setValid", "setInvalid"):
        target = value(ctx, expr.target) if name == "isValid" else place(ctx, expr.target)
        if name == "isValid":
            assert isinstance(target, (HeaderPlace, UnionPlace, ElementPlace, LastPlace))
            return is_valid(target)
        _set_valid(ctx, target, name == "setValid", span)
        return None
    if name in ("push_front", "pop_front"):
        stack = place(ctx, expr.target)
        assert isinstance(stack, StackPlace)
        given = expr.bound[0].value if expr.bound else expr.args[0].value
        assert given is not None
        count = constant(ctx, given, "the number of elements")
        unions = bool(stack.elements) and isinstance(stack.elements[0], UnionPlace)
        operands = (ir.StackRef(stack.name, unions), ir.Const(8, False, False, count))
        op = "push" if name == "push_front" else "pop"
        ctx.emit(ir.Prim(op, operands, (0,), effect=False, span=span))
        return None
    raise unsupported(f"'{name}' is not supported by this target", span)


def _set_valid(ctx: Context, target: Value, valid: bool, span: ast.Span) -> None:
    op = "add_header" if valid else "remove_header"
    if isinstance(target, LastPlace):
        target = ElementPlace(target.type, target.stack, last_index(target.stack))
    if isinstance(target, HeaderPlace):
        ctx.emit(ir.Prim(op, (ir.HeaderRef(target.name),), (0,), effect=False, span=span))
    elif isinstance(target, ElementPlace):
        header = ir.DynHeader(target.stack.name, target.at)
        ctx.emit(ir.Prim(op, (header,), (0,), effect=False, span=span))
    elif isinstance(target, UnionPlace) and not valid:
        assign(ctx, target, Invalid(target.type), span)
    else:
        raise error("type-error", "only headers can be made valid or invalid", span)
