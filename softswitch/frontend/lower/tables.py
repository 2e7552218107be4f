# SPDX-License-Identifier: MIT
"""Tables: keys, actions specialised for the table, default action, entries, properties."""

from __future__ import annotations

from typing import TypeVar

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import instances, ir
from softswitch.frontend.lower.context import (
    Binding,
    Context,
    Frame,
    Instance,
    is_hidden,
    qualified,
    unsupported,
)
from softswitch.frontend.lower.effects import tidy
from softswitch.frontend.lower.entries import key_matches, sort_entries
from softswitch.frontend.lower.exprs import constant, scalar
from softswitch.frontend.lower.inline import object_of, run_inline
from softswitch.frontend.lower.model import (
    Action,
    Counter,
    Key,
    Meter,
    Param,
    Profile,
    Table,
    TableEntry,
)
from softswitch.frontend.lower.places import scalar_of
from softswitch.frontend.source import SourceText

_T = TypeVar("_T", Profile, Counter, Meter)

_KINDS = {"exact", "lpm", "ternary", "range", "optional", "selector"}


def table(ctx: Context, owner: Frame, decl: ast.TableDecl) -> Table:
    """The table of a declaration, with the statements that compute its keys emitted."""
    instance = owner.instance
    assert instance is not None
    made = instance.tables.get(decl)
    if made is not None:
        _same_keys(ctx, made, decl)
        return made
    name = qualified(decl, instance.path)
    made = Table(name, decl.annotations, decl.name_span, hidden=is_hidden(decl))
    instance.tables[decl] = made
    ctx.model.tables.append(made)
    with ctx.enter(owner):
        for key in decl.keys or []:
            _key(ctx, made, key)
        for ref in decl.actions:
            made.actions.append(_action(ctx, owner, ref))
        _default(ctx, owner, made, decl)
        _entries(ctx, made, decl)
        for prop in decl.properties.values():
            _property(ctx, instance, made, prop)
    if made.selectors and (made.profile is None or not made.profile.algorithm):
        raise error("invalid", "selector keys need an action_selector", decl.name_span)
    return made


# --------------------------------------------------------------------------- keys


def _key_target(ctx: Context, expr: ast.Expression) -> ir.Expr:
    found = scalar(ctx, expr)
    if isinstance(found, ir.Valid):
        return ir.FieldRef(1, False, False, found.header, "$valid$")
    if isinstance(found, ir.FieldRef):
        return found
    return ctx.saved(found, expr.span, "key")


def _key(ctx: Context, made: Table, key: ast.Key) -> None:
    kind = key.match_kind.name
    if kind not in _KINDS:
        raise unsupported(f"match kind '{kind}' is not supported by this target", key.span)
    note = ast.find_annotation(key.annotations, "name")
    name = note.text if note is not None and note.text else key_name(key.expression)
    target = _key_target(ctx, key.expression)
    new = Key(name, kind, target, key.expression.type, key.annotations)
    (made.selectors if kind == "selector" else made.keys).append(new)


def _same_keys(ctx: Context, made: Table, decl: ast.TableDecl) -> None:
    """Compute the keys of a table that is applied a second time."""
    order = {id(k): k for k in (*made.keys, *made.selectors)}.values()
    by_name = {k.name: k for k in order}
    for key in decl.keys or []:
        note = ast.find_annotation(key.annotations, "name")
        name = note.text if note is not None and note.text else key_name(key.expression)
        target = by_name[name].target
        found = scalar(ctx, key.expression)
        if isinstance(found, ir.Valid) and isinstance(target, ir.FieldRef):
            if target.name == "$valid$" and target.header == found.header:
                continue
        elif found == target:
            continue
        ctx.emit(ir.Assign(target, found, span=key.span))


def key_name(expr: ast.Expression) -> str:
    """The name that a key has without ``@name``, as p4c makes it."""
    match expr:
        case ast.Name(name=name):
            return name
        case ast.Member(base=base, name=name):
            field = _field_name(base.type, name)
            return field[1:] if field.startswith(".") else f"{key_name(base)}.{field}"
        case ast.Index(base=base, index=index):
            return f"{key_name(base)}[{key_name(index)}]"
        case ast.Slice(base=base, high=high, low=low):
            return f"{key_name(base)}[{key_name(high)}:{key_name(low)}]"
        case ast.Call(builtin="isValid", target=target) if target is not None:
            return f"{key_name(target)}.$valid$"
        case ast.IntLiteral(value=value):
            text = SourceText().fragment(expr.span)
            return hex(value) if text[:2] in ("0x", "0X") else str(value)
        case ast.Cast(implicit=True, operand=operand):
            return key_name(operand)
        case ast.Binary(op="&", left=left, right=right):
            return f"{key_name(left)} & {key_name(right)}"
    text = "complex key expressions need a @name annotation"
    raise error("expected", text, expr.span)


def _field_name(kind: ty.Type, name: str) -> str:
    """``@name`` of a field, or its name."""
    field = kind.field(name) if isinstance(kind, ty.StructLike) else None
    note = ast.find_annotation(field.decl.annotations, "name") if field is not None else None
    return note.text if note is not None and note.text else name


# --------------------------------------------------------------------------- actions


def _action(ctx: Context, owner: Frame, ref: ast.ActionRef) -> Action:
    decl = ref.decl
    assert decl is not None
    assert owner.instance is not None
    local = decl in owner.instance.decl.locals
    name = qualified(decl, owner.instance.path if local else "")
    made = Action(name, decl.annotations, decl.name_span, decl=decl)
    made.ref_annotations = ref.annotations
    bindings: dict[ast.Declaration, Binding] = {}
    for item in ref.bound:
        if item.value is None:
            if isinstance(ty.strip(item.type), (ty.StructLike, ty.Tuple, ty.Stack, ty.Varbit)):
                text = f"parameter '{item.param.name}' must be a bit, int, bool or enum"
                raise error("type-error", text, item.param.span)
            width, signed, boolean = scalar_of(item.type)
            bindings[item.param] = ir.Data(width, signed, boolean, len(made.params))
            param_note = ast.find_annotation(item.param.annotations, "name")
            given_name = param_note.text if param_note is not None else None
            made.params.append(
                Param(given_name or item.param.name, width, item.type, item.param.annotations)
            )
    frame = Frame("action", bindings, owner if local else ctx.globals, caller=owner)
    frame.end = ir.Label(decl.name)
    from softswitch.frontend.lower.stmts import run

    with ctx.capture() as body:
        ctx.in_action = True
        try:
            given = [b for b in ref.bound if b.value is not None]
            run_inline(ctx, frame, given, lambda: run(ctx, decl.body.statements))
        finally:
            ctx.in_action = False
    made.body = tidy(body)
    return made


def _default(ctx: Context, owner: Frame, made: Table, decl: ast.TableDecl) -> None:
    ref = decl.default_action
    made.default_const = decl.const_default
    if ref is None:
        no_action = _no_action(ctx)
        for at, action in enumerate(made.actions):
            if action.decl is no_action:
                made.default_action = at
                return
        name = ast.Name("NoAction", span=decl.span)
        implicit = ast.ActionRef(name, annotations=[ast.Annotation("defaultonly")])
        implicit.decl = no_action
        made.default_action = len(made.actions)
        made.actions.append(_action(ctx, owner, implicit))
        return
    made.default_action = _position(made, ref)
    made.default_args = _data(ctx, made.actions[made.default_action], ref)


def _no_action(ctx: Context) -> ast.ActionDecl:
    for decl in ctx.program.declarations:
        if isinstance(decl, ast.ActionDecl) and decl.name == "NoAction":
            return decl
    raise AssertionError("NoAction")


def _position(made: Table, ref: ast.ActionRef) -> int:
    for at, action in enumerate(made.actions):
        if action.decl is ref.decl:
            return at
    raise error("type-error", f"action '{ref.name.name}' is not in the table", ref.span)


def _data(ctx: Context, action: Action, ref: ast.ActionRef) -> list[int]:
    """Values of the control-plane parameters in a default action or entry."""
    values: list[int] = []
    for item in ref.bound:
        if item.direction or item.value is None:
            continue
        number = constant(ctx, item.value, f"argument '{item.param.name}'")
        values.append(number & ((1 << scalar_of(item.type)[0]) - 1))
    # arguments that the actions list binds are not data
    return values[len(values) - len(action.params) :] if action.params else []


# --------------------------------------------------------------------------- entries


def _entries(ctx: Context, made: Table, decl: ast.TableDecl) -> None:
    if decl.entries is None:
        return
    made.const_entries = decl.const_entries
    if made.selectors:
        raise unsupported("entries of a table with selector keys", decl.name_span)
    found: list[tuple[int | None, TableEntry]] = []
    for item in decl.entries:
        matches = key_matches(ctx, made, item)
        at = _position(made, item.action)
        args = _data(ctx, made.actions[at], item.action)
        priority = None
        if item.priority is not None:
            priority = constant(ctx, item.priority, "the priority")
        found.append((priority, TableEntry(matches, at, args, 0, item.span)))
    largest, delta = True, 1
    if (prop := decl.properties.get("largest_priority_wins")) is not None:
        largest = bool(constant(ctx, prop.value, "largest_priority_wins"))
    if (prop := decl.properties.get("priority_delta")) is not None:
        delta = constant(ctx, prop.value, "priority_delta")
    made.entries = sort_entries(found, largest, delta)


# --------------------------------------------------------------------------- properties


def _property(ctx: Context, instance: Instance, made: Table, prop: ast.TableProperty) -> None:
    match prop.name:
        case "size":
            made.size = constant(ctx, prop.value, "the size of a table")
        case "support_timeout":
            made.timeout = bool(constant(ctx, prop.value, "support_timeout"))
        case "largest_priority_wins" | "priority_delta":
            pass
        case "implementation":
            made.profile = _attached(ctx, instance, made, prop, Profile)
            made.profile.tables.append(made)
        case "counters":
            made.counter = _attached(ctx, instance, made, prop, Counter)
            made.counter.table = _only_table(made, made.counter, prop)
        case "meters":
            made.meter = _attached(ctx, instance, made, prop, Meter)
            made.meter.table = _only_table(made, made.meter, prop)
        case _:
            text = f"table property '{prop.name}' is not supported by this target"
            raise unsupported(text, prop.span)


def _only_table(made: Table, item: Counter | Meter, prop: ast.TableProperty) -> Table:
    if item.size or (item.table is not None and item.table is not made):
        text = f"'{item.name}' must be a direct resource of one table only"
        raise error("invalid", text, prop.span)
    return made


def _attached(
    ctx: Context, instance: Instance, made: Table, prop: ast.TableProperty, kind: type[_T]
) -> _T:
    expr = prop.value
    if isinstance(expr, ast.Call) and expr.kind is ast.CallKind.CONSTRUCTOR:
        decl = ast.InstanceDecl(prop.name, expr, annotations=prop.annotations, span=prop.span)
        decl.type = expr.type
        name = ast.find_annotation(prop.annotations, "name")
        if name is None:
            decl.name = f"{made.name.rsplit('.', 1)[-1]}.{prop.name}"
        found = instances.declare(ctx, decl, instance)
    elif isinstance(expr, ast.Name):
        found = object_of(ctx, expr)
    else:
        found = None
    if not isinstance(found, kind):
        text = f"'{prop.name}' needs an object of the matching extern"
        raise error("type-error", text, prop.span)
    return found
