# SPDX-License-Identifier: MIT
"""Inlining: arguments are copied in, the body runs, out arguments are copied out.

Afterwards copies that nothing can observe are removed: the callee's variable becomes the
caller's storage.  That is right when the body does not touch the caller's storage by another
name, and no other argument shares it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.lower import ir
from softswitch.frontend.lower.context import Binding, Context, Frame
from softswitch.frontend.lower.copying import assign, disturbed, locations, reset_headers
from softswitch.frontend.lower.effects import Effects, Renaming, Touched, tidy
from softswitch.frontend.lower.exprs import place, value
from softswitch.frontend.lower.places import (
    Aggregate,
    DiscardPlace,
    ElementPlace,
    HeaderPlace,
    Place,
    ScalarPlace,
    StackPlace,
    StructPlace,
    UnionPlace,
    Value,
    headers_in,
)


@dataclass
class _Pair:
    """A piece of a parameter and the storage it was copied from."""

    direction: str
    mine: Place
    theirs: Value
    storage: Touched


class Arguments:
    """Arguments bound to the parameters of one frame."""

    def __init__(self, ctx: Context, frame: Frame, bound: Sequence[ast.BoundArgument]) -> None:
        self.ctx = ctx
        self.frame = frame
        self.pairs: list[_Pair] = []
        with ctx.capture() as self.setup:
            for item in bound:
                _bind(ctx, frame, item, self.pairs)

    def copies_out(self) -> list[ir.Stmt]:
        """The copies back to the caller's storage."""
        with self.ctx.capture() as result:
            for target, source, span in self.frame.copy_out:
                assign(self.ctx, target, source, span)
        return result

    def merge(self, body: list[ir.Stmt], keys: Sequence[ir.Expr] = ()) -> Renaming:
        """Which variables of the callee can be the caller's storage itself."""
        if self.frame.instance is not None and self.frame.instance.shared:
            return Renaming()
        first = {id(s) for p in self.pairs for s in self.setup if _copies(s, p)}
        rest = [s for s in self.setup if id(s) not in first]
        effects = self.ctx.analysis.of([*rest, *body])
        effects.reads.update(self.ctx.analysis.reads(keys))
        return _merge(self.pairs, effects)


def for_instance(
    bound: Sequence[ast.BoundArgument], decl: ast.ControlDecl | ast.ParserDecl
) -> list[ast.BoundArgument]:
    """Arguments for the parameters of ``decl``: a call through a type names those of the type."""
    return [
        ast.BoundArgument(param, item.type, item.value)
        for param, item in zip(decl.params, bound, strict=True)
    ]


def run_inline(
    ctx: Context, frame: Frame, bound: Sequence[ast.BoundArgument], body: Callable[[], None]
) -> Value | None:
    """Bind ``bound`` in ``frame``, run ``body`` there, copy out; gives the function's result."""
    arguments = Arguments(ctx, frame, bound)
    with ctx.enter(frame), ctx.capture() as inner:
        body()
    copies_out = arguments.copies_out()
    main = tidy([ir.Block(frame.end, inner)])
    renaming = arguments.merge(main)
    if renaming:
        renaming.statements([*arguments.setup, *main, *copies_out])
        main, copies_out = tidy(main), tidy(copies_out)
    result = _result(ctx, frame, main, copies_out)
    ctx.out.extend(tidy(arguments.setup))
    ctx.out.extend(main)
    ctx.out.extend(copies_out)
    return result


def _result(ctx: Context, frame: Frame, main: list[ir.Stmt], after: list[ir.Stmt]) -> Value | None:
    """The returned value; without a variable if it is computed by the last statement."""
    if not isinstance(frame.result, ScalarPlace) or not main:
        return frame.result
    last = main[-1]
    if not isinstance(last, ir.Assign) or last.target != frame.result.ref:
        return frame.result
    writes = sum(isinstance(s, ir.Assign) and s.target == last.target for s in ir.walk(main))
    if writes != 1 or disturbed(ctx, last.value, after):
        return frame.result
    main.pop()
    return last.value


def _bind(ctx: Context, frame: Frame, item: ast.BoundArgument, pairs: list[_Pair]) -> None:
    param, span = item.param, item.param.span
    if item.value is None:
        return
    span = item.value.span
    if isinstance(item.type, (ty.Extern, ty.ParserType, ty.ControlType, ty.PackageType)):
        frame.bindings[param] = object_of(ctx, item.value)
        return
    if item.direction in ("out", "inout"):
        theirs = _target(ctx, item)
        if theirs is ctx.standard_metadata:
            frame.bindings[param] = theirs
            return
        mine = _variable(ctx, frame, item)
        if item.direction == "inout":
            assign(ctx, mine, theirs, span)
        else:
            reset_headers(ctx, mine, span)
        frame.copy_out.append((theirs, mine, span))
        _pair(ctx, item.direction, mine, theirs, pairs)
        return
    given = value(ctx, item.value)
    if _steady(given) or given is ctx.standard_metadata:
        frame.bindings[param] = given
        return
    mine = _variable(ctx, frame, item)
    assign(ctx, mine, given, span)
    _pair(ctx, "in", mine, given, pairs)


def _variable(ctx: Context, frame: Frame, item: ast.BoundArgument) -> Place:
    """Storage of a parameter; an instance that is applied several times keeps it."""
    instance = frame.instance
    mine = instance.places.get(item.param) if instance is not None else None
    if mine is None:
        mine = ctx.store.place(item.type, item.param.name)
        if instance is not None and instance.shared:
            instance.places[item.param] = mine
    frame.bindings[item.param] = mine
    return mine


def _target(ctx: Context, item: ast.BoundArgument) -> Place:
    assert item.value is not None
    if isinstance(item.value, ast.DefaultExpr):
        return DiscardPlace(item.type)
    target = place(ctx, item.value)
    if isinstance(target, ElementPlace) and not isinstance(target.at, ir.Const):
        at = ctx.saved(target.at, item.value.span, "index")
        return ElementPlace(target.type, target.stack, at)
    if isinstance(target, ScalarPlace) and isinstance(target.ref, ir.DynField):
        ref = target.ref
        at = ctx.saved(ref.at, item.value.span, "index")
        fixed = ir.DynField(ref.width, ref.signed, ref.boolean, ref.stack, at, ref.name, ref.index)
        return ScalarPlace(target.type, fixed)
    return target


def object_of(ctx: Context, expr: ast.Expression) -> Binding:
    """The extern object or instance that an expression names."""
    assert isinstance(expr, ast.Name)
    assert expr.decl is not None
    found = ctx.frame.find(expr.decl)
    assert found is not None, expr.name
    return found


def _steady(given: Value) -> bool:
    """Whether a value cannot change: constants, also in lists, and action data."""
    if isinstance(given, Aggregate):
        return all(_steady(v) for v in given.fields.values())
    return isinstance(given, (ir.Const, ir.Data, str))


# --------------------------------------------------------------------------- merging


def _pair(ctx: Context, direction: str, mine: Place, theirs: Value, pairs: list[_Pair]) -> None:
    """Break a parameter and its argument into pieces that may be merged one by one."""
    if isinstance(mine, StructPlace) and isinstance(theirs, (StructPlace, Aggregate)):
        for name, field in mine.fields.items():
            _pair(ctx, direction, field, theirs.fields[name], pairs)
        return
    pairs.append(_Pair(direction, mine, theirs, locations(ctx, theirs)))


def _copies(stmt: ir.Stmt, pair: _Pair) -> bool:
    """Whether a statement initialises the parameter of a pair."""
    if isinstance(stmt, ir.Assign):
        return isinstance(pair.mine, ScalarPlace) and stmt.target == pair.mine.ref
    if isinstance(stmt, ir.Prim) and stmt.operands:
        names = [h.name for h in headers_in(pair.mine)]
        first = stmt.operands[0]
        if isinstance(first, ir.HeaderRef):
            return first.name in names
        if isinstance(first, (ir.StackRef, ir.UnionRef)):
            return isinstance(pair.mine, (StackPlace, UnionPlace)) and first.name == pair.mine.name
        return isinstance(pair.mine, ScalarPlace) and first == pair.mine.ref
    return False


def _merge(pairs: list[_Pair], effects: Effects) -> Renaming:
    renaming = Renaming()
    for at, pair in enumerate(pairs):
        earlier, later = pairs[:at], pairs[at + 1 :]
        if _mergeable(pair, earlier, later, effects):
            _add(renaming, pair)
    return renaming


def _mergeable(pair: _Pair, earlier: list[_Pair], later: list[_Pair], effects: Effects) -> bool:
    if isinstance(pair.theirs, (ElementPlace, DiscardPlace)):
        return False
    if isinstance(pair.mine, ScalarPlace):
        source = pair.theirs.ref if isinstance(pair.theirs, ScalarPlace) else pair.theirs
        allowed = (ir.Const, ir.FieldRef, ir.Data) if pair.direction == "in" else (ir.FieldRef,)
        if not isinstance(source, allowed):
            return False
    elif type(pair.mine) is not type(pair.theirs):
        return False
    storage = pair.storage
    if pair.direction == "in":
        others = [p for p in (*earlier, *later) if p.direction != "in"]
        return not effects.writes.meets(storage) and not any(
            p.storage.meets(storage) for p in others
        )
    if effects.writes.meets(storage) or effects.reads.meets(storage):
        return False
    resets = pair.direction == "out" and not isinstance(pair.mine, ScalarPlace)
    rivals = [*earlier, *later] if resets else earlier
    return not any(p.storage.meets(storage) for p in rivals if p.direction != "in" or resets)


def _add(renaming: Renaming, pair: _Pair) -> None:
    mine, theirs = pair.mine, pair.theirs
    if isinstance(mine, ScalarPlace):
        assert isinstance(mine.ref, ir.FieldRef)
        source = theirs.ref if isinstance(theirs, ScalarPlace) else theirs
        assert isinstance(source, ir.Expr)
        renaming.fields[mine.ref.header, mine.ref.name] = source
    elif isinstance(mine, HeaderPlace) and isinstance(theirs, HeaderPlace):
        renaming.headers[mine.name] = theirs.name
    elif isinstance(mine, UnionPlace) and isinstance(theirs, UnionPlace):
        renaming.unions[mine.name] = theirs.name
        for name, member in mine.members.items():
            renaming.headers[member.name] = theirs.members[name].name
    elif isinstance(mine, StackPlace) and isinstance(theirs, StackPlace):
        renaming.stacks[mine.name] = theirs.name
        for one, other in zip(mine.elements, theirs.elements, strict=True):
            _add(renaming, _Pair(pair.direction, one, other, pair.storage))
