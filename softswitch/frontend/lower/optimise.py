# SPDX-License-Identifier: MIT
"""Removing what nothing reads: temporaries of inlining and their assignments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from softswitch.frontend.lower import ir
from softswitch.frontend.lower.context import Context
from softswitch.frontend.lower.effects import Renaming, Touched, tidy
from softswitch.frontend.lower.model import State
from softswitch.frontend.lower.storage import SCALARS


def drop_dead(ctx: Context, lists: list[list[ir.Stmt]], states: list[State]) -> None:
    """Remove assignments to temporaries that nothing reads, in place."""
    roots = [*lists, *(s.ops for s in states)]
    while True:
        reads = _all_reads(ctx, roots, states)
        if not any(_sweep(ctx, body, reads, set()) for body in roots):
            return


def coalesce(ctx: Context, lists: list[list[ir.Stmt]], states: list[State]) -> None:
    """Make one variable of two where the only use of one is to be copied to the other.

    ``t = s`` with no other write of ``t`` and no other read of ``s``: the writes of ``s``
    may as well go to ``t``.
    """
    roots = [*lists, *(s.ops for s in states)]
    fixed = _reads_outside(ctx, states)
    while True:
        copies, reads, writes = _copies(ctx, roots)
        for target, source in copies:
            if (
                writes[target] == 1
                and reads[source] == 1
                and not fixed.overlaps(SCALARS, source)
                and target != source
            ):
                _rename(roots, source, target, states)
                break
        else:
            return


def _copies(
    ctx: Context, roots: list[list[ir.Stmt]]
) -> tuple[list[tuple[str, str]], Counter[str], Counter[str]]:
    """Copies between temporaries, and how often each is read and written."""
    copies: list[tuple[str, str]] = []
    reads: Counter[str] = Counter()
    writes: Counter[str] = Counter()
    seen: set[int] = set()
    keep = ctx.store.keep

    def note(item: ir.Operand, into: Counter[str]) -> None:
        parts = item.items if isinstance(item, ir.Vector) else (item,)
        for part in parts:
            if isinstance(part, ir.DynHeader):
                part = part.at
            if isinstance(part, ir.Expr):
                _count(part, into)

    def visit(body: list[ir.Stmt]) -> None:
        for stmt in ir.walk(body):
            if isinstance(stmt, ir.Assign):
                target, value = stmt.target, stmt.value
                if _temporary(target, keep):
                    note(target, writes)
                    if _temporary(value, keep) and _same_type(target, value):
                        copies.append((target.name, value.name))  # type: ignore[attr-defined]
                else:
                    note(target, reads)
                note(value, reads)
            elif isinstance(stmt, ir.Prim):
                for at, item in enumerate(stmt.operands):
                    note(item, writes if at in stmt.writes else reads)
            elif isinstance(stmt, ir.Apply) and id(stmt.table) not in seen:
                seen.add(id(stmt.table))
                for key in (*stmt.table.keys, *stmt.table.selectors):
                    note(key.target, reads)
                for action in stmt.table.actions:
                    visit(action.body)
            else:
                for item in ir.operands(stmt):
                    note(item, reads)

    for root in roots:
        visit(root)
    return copies, reads, writes


def _count(expr: ir.Expr, into: Counter[str]) -> None:
    if isinstance(expr, ir.FieldRef) and expr.header == SCALARS:
        into[expr.name] += 1
    for part in ir.children(expr):
        _count(part, into)


def _temporary(expr: ir.Expr, keep: set[str]) -> bool:
    return isinstance(expr, ir.FieldRef) and expr.header == SCALARS and expr.name not in keep


def _same_type(one: ir.Expr, other: ir.Expr) -> bool:
    kinds = [(e.width, e.signed, e.boolean) for e in (one, other)]
    return kinds[0] == kinds[1]


def _rename(roots: list[list[ir.Stmt]], old: str, new: str, states: list[State]) -> None:
    def change(expr: ir.Expr) -> ir.Expr | None:
        if isinstance(expr, ir.FieldRef) and (expr.header, expr.name) == (SCALARS, old):
            return ir.FieldRef(expr.width, expr.signed, expr.boolean, SCALARS, new)
        return None

    renaming = Renaming(change)
    for root in roots:
        renaming.statements(root)
        root[:] = tidy(root)
    for state in states:
        state.keys = [ir.rewrite(k, change) for k in state.keys]


def _reads_outside(ctx: Context, states: list[State]) -> Touched:
    """What is read by keys of states, calculations, checksums and lists of fields."""
    return _all_reads(ctx, [], states)


def _all_reads(ctx: Context, roots: list[list[ir.Stmt]], states: list[State]) -> Touched:
    analysis, model = ctx.analysis, ctx.model
    reads = Touched()
    for body in roots:
        reads.update(analysis.of(body, epilogues=True).reads)
    exprs: list[ir.Expr] = [k for s in states for k in s.keys]
    for calculation in model.calculations:
        exprs += calculation.inputs
    for checksum in model.checksums:
        exprs.append(checksum.target)
        if checksum.condition is not None:
            exprs.append(checksum.condition)
    for learn in model.learn_lists:
        exprs += learn.elements
    for fields in model.field_lists:
        exprs += fields.elements
    reads.update(analysis.reads(exprs))
    return reads


def _dead(ctx: Context, stmt: ir.Stmt, reads: Touched) -> bool:
    if isinstance(stmt, ir.Assign):
        target: ir.Operand = stmt.target
    elif isinstance(stmt, ir.Prim) and not stmt.effect:
        target = stmt.operands[0]
    else:
        return False
    if isinstance(target, ir.FieldRef):
        if target.header == SCALARS:
            return target.name not in ctx.store.keep and not reads.overlaps(SCALARS, target.name)
        instance = ctx.model.instances.get(target.header)
        temporary = instance is not None and not instance.program and not instance.metadata
        return temporary and not reads.overlaps(target.header, target.name)
    if isinstance(target, ir.HeaderRef):
        instance = ctx.model.instances.get(target.name)
        temporary = instance is not None and not instance.program and not instance.metadata
        member = any(target.name in u.members for u in ctx.model.unions.values())
        return temporary and not member and not reads.overlaps(target.name, "*")
    return False


def _sweep(ctx: Context, body: list[ir.Stmt], reads: Touched, tables: set[int]) -> bool:
    kept = [s for s in body if not _dead(ctx, s, reads)]
    changed = len(kept) != len(body)
    body[:] = kept
    for stmt in body:
        for inner in ir.bodies(stmt):
            changed |= _sweep(ctx, inner, reads, tables)
        if isinstance(stmt, ir.Apply) and id(stmt.table) not in tables:
            tables.add(id(stmt.table))
            for action in stmt.table.actions:
                changed |= _sweep(ctx, action.body, reads, tables)
    return changed


def used_storage(ctx: Context, bodies: Iterable[list[ir.Stmt]], states: list[State]) -> Touched:
    """Every location that the finished program reads or writes."""
    roots = [*bodies, *(s.ops for s in states)]
    result = _all_reads(ctx, roots, states)
    for body in roots:
        result.update(ctx.analysis.of(body, epilogues=True).writes)
    return result
