# SPDX-License-Identifier: MIT
"""Statements."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.lower import calls, fold, ir
from softswitch.frontend.lower.context import Context, unsupported
from softswitch.frontend.lower.copying import assign, copy, disturbed, equal, read, reset_headers
from softswitch.frontend.lower.exprs import binary, place, scalar, value
from softswitch.frontend.lower.places import (
    ElementPlace,
    Place,
    ScalarPlace,
    Value,
)


def run(ctx: Context, statements: Sequence[ast.Statement]) -> None:
    """Lower statements into ``ctx.out``."""
    for stmt in statements:
        ctx.at = stmt.span
        _HANDLERS[type(stmt)](ctx, stmt)


def run_captured(ctx: Context, statements: Sequence[ast.Statement]) -> list[ir.Stmt]:
    """Lower statements into a list of their own."""
    with ctx.capture() as out:
        run(ctx, statements)
    return out


def declare(ctx: Context, decl: ast.VariableDecl) -> None:
    """A local variable: storage and initial value."""
    target = ctx.store.place(decl.type, decl.name)
    if decl.init is not None:
        assign(ctx, target, value(ctx, decl.init), decl.span)
    else:
        reset_headers(ctx, target, decl.span)
    ctx.frame.bindings[decl] = target


def _declaration(ctx: Context, stmt: ast.DeclStatement) -> None:
    decl = stmt.decl
    if isinstance(decl, ast.VariableDecl):
        declare(ctx, decl)
    elif isinstance(decl, ast.ConstDecl):
        ctx.frame.bindings[decl] = value(ctx, decl.init)
    else:
        raise unsupported("instances inside apply blocks are not supported", stmt.span)


def _assign(ctx: Context, stmt: ast.Assign) -> None:
    target = place(ctx, stmt.target)
    with ctx.capture() as stmts:
        new = value(ctx, stmt.value)
    old: Value = target
    if stmts:
        target = _steady_target(ctx, target, stmts, stmt.span)
        old = copy(ctx, target, stmt.span) if stmt.op and disturbed(ctx, target, stmts) else target
        ctx.out.extend(stmts)
    if stmt.op:
        new = binary(stmt.op, read(old), read(new), stmt.span)
    assign(ctx, target, new, stmt.span)


def _steady_target(ctx: Context, target: Place, stmts: list[ir.Stmt], span: ast.Span) -> Place:
    """An l-value whose run-time index was read before ``stmts``."""
    if isinstance(target, ElementPlace) and disturbed(ctx, target.at, stmts):
        return ElementPlace(target.type, target.stack, ctx.saved(target.at, span, "index"))
    if isinstance(target, ScalarPlace) and isinstance(target.ref, ir.DynField):
        ref = target.ref
        if disturbed(ctx, ref.at, stmts):
            at = ctx.saved(ref.at, span, "index")
            new = ir.DynField(
                ref.width, ref.signed, ref.boolean, ref.stack, at, ref.name, ref.index
            )
            return ScalarPlace(target.type, new)
    return target


def _call(ctx: Context, stmt: ast.CallStatement) -> None:
    calls.call(ctx, stmt.call)


def _block(ctx: Context, stmt: ast.Block) -> None:
    run(ctx, stmt.statements)


def _if(ctx: Context, stmt: ast.If) -> None:
    negated, inner = False, stmt.condition
    while isinstance(inner, ast.Unary) and inner.op == "!":
        negated, inner = not negated, inner.operand
    if isinstance(inner, ast.Member) and inner.kind is ast.MemberKind.APPLY_RESULT:
        _if_applied(ctx, stmt, inner, negated)
        return
    condition = scalar(ctx, stmt.condition)
    if isinstance(condition, ir.Const):
        chosen = stmt.then if condition.value else stmt.otherwise
        if chosen is not None:
            run(ctx, [chosen])
        return
    then = run_captured(ctx, [stmt.then])
    otherwise = run_captured(ctx, [stmt.otherwise]) if stmt.otherwise else []
    ctx.emit(ir.If(condition, then, otherwise, span=stmt.condition.span))


def _if_applied(ctx: Context, stmt: ast.If, result: ast.Member, negated: bool) -> None:
    assert isinstance(result.base, ast.Call)
    applied = calls.apply_table(ctx, result.base)
    then = run_captured(ctx, [stmt.then])
    otherwise = run_captured(ctx, [stmt.otherwise]) if stmt.otherwise else []
    if negated != (result.name == "miss"):
        then, otherwise = otherwise, then
    applied.cases = {ir.HIT: then, ir.MISS: otherwise}


def _switch(ctx: Context, stmt: ast.Switch) -> None:
    if isinstance(stmt.subject.type, ty.ActionEnum):
        _switch_action(ctx, stmt)
        return
    subject = scalar(ctx, stmt.subject)
    if not isinstance(subject, (ir.FieldRef, ir.Const)):
        subject = ctx.saved(subject, stmt.subject.span, "switch")
    default: list[ir.Stmt] = []
    chain: list[tuple[ir.Expr, ast.Block, ast.Span]] = []
    labels: ir.Expr = fold.FALSE
    has_default = False
    for case in stmt.cases:
        if case.label is None or isinstance(case.label, ast.DefaultExpr):
            has_default = True
        else:
            same = equal(subject, scalar(ctx, case.label))
            labels = fold.either(labels, same)
        if case.body is not None:
            if has_default:
                default = run_captured(ctx, [case.body])
            else:
                chain.append((labels, case.body, case.span))
            labels, has_default = fold.FALSE, False
    result = default
    for condition, body, span in reversed(chain):
        branch = ir.If(condition, run_captured(ctx, [body]), result, span=span)
        result = [branch]
    ctx.out.extend(result)


def _switch_action(ctx: Context, stmt: ast.Switch) -> None:
    assert isinstance(stmt.subject, ast.Member)
    assert isinstance(stmt.subject.base, ast.Call)
    applied = calls.apply_table(ctx, stmt.subject.base)
    actions = [a.decl for a in applied.table.actions]
    pending: list[int] = []
    is_default = False
    for case in stmt.cases:
        if case.label is None or isinstance(case.label, ast.DefaultExpr):
            is_default = True
        else:
            decl = case.label.decl  # type: ignore[attr-defined]
            pending.append(actions.index(decl))
        if case.body is None:
            continue
        body = run_captured(ctx, [case.body])
        for position in pending:
            applied.cases[position] = body
        if is_default:
            applied.default = body
        pending, is_default = [], False


def _for(ctx: Context, stmt: ast.For) -> None:
    run(ctx, stmt.init)
    leave, again = ir.Label("break"), ir.Label("continue")
    with ctx.capture() as body:
        condition = scalar(ctx, stmt.condition)
        ctx.emit(ir.If(condition, [], [ir.Leave(leave)], span=stmt.condition.span))
        ctx.frame.loops.append((leave, again))
        inner = run_captured(ctx, [stmt.body])
        ctx.frame.loops.pop()
        ctx.emit(ir.Block(again, inner, span=stmt.body.span))
        run(ctx, stmt.update)
    loop = ir.Loop(body, span=stmt.span)
    ctx.emit(ir.Block(leave, [loop], span=stmt.span))


def _for_in(ctx: Context, stmt: ast.ForIn) -> None:
    raise unsupported("BMv2 does not support for-in loops", stmt.span)


def _break(ctx: Context, stmt: ast.Break) -> None:
    ctx.emit(ir.Leave(ctx.frame.loops[-1][0], span=stmt.span))


def _continue(ctx: Context, stmt: ast.Continue) -> None:
    ctx.emit(ir.Leave(ctx.frame.loops[-1][1], span=stmt.span))


def _return(ctx: Context, stmt: ast.Return) -> None:
    if stmt.value is not None:
        result = value(ctx, stmt.value)
        assert ctx.frame.result is not None
        assign(ctx, ctx.frame.result, result, stmt.span)
    ctx.emit(ir.Leave(ctx.frame.end, span=stmt.span))


def _exit(ctx: Context, stmt: ast.Exit) -> None:
    # out and inout arguments are copied back before the pipeline ends
    with ctx.capture() as copies:
        frame = ctx.frame
        while frame is not None:
            for target, source, span in frame.copy_out:
                assign(ctx, target, source, span)
            frame = frame.caller  # type: ignore[assignment]
    for copied in ir.walk(copies):
        copied.epilogue = True
    ctx.out.extend(copies)
    ctx.emit(ir.Exit(span=stmt.span))


_HANDLERS: dict[type, Callable[..., None]] = {
    ast.Assign: _assign,
    ast.CallStatement: _call,
    ast.Block: _block,
    ast.If: _if,
    ast.Switch: _switch,
    ast.For: _for,
    ast.ForIn: _for_in,
    ast.Return: _return,
    ast.Exit: _exit,
    ast.Break: _break,
    ast.Continue: _continue,
    ast.Empty: lambda ctx, stmt: None,
    ast.DeclStatement: _declaration,
}
