# SPDX-License-Identifier: MIT
"""Instances: controls and parsers with their constructor arguments, and extern objects."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower.context import (
    Binding,
    Context,
    Frame,
    Instance,
    qualified,
    unsupported,
)
from softswitch.frontend.lower.exprs import constant, value
from softswitch.frontend.lower.inline import object_of
from softswitch.frontend.lower.model import (
    Counter,
    Meter,
    Object,
    Profile,
    Register,
    ValueSet,
    bit_width,
    is_signed,
)


@dataclass(slots=True, eq=False)
class Pending:
    """A control or parser instance that nothing has applied yet."""

    decl: ast.InstanceDecl
    owner: Instance | None
    path: str


def create(
    ctx: Context,
    decl: ast.ControlDecl | ast.ParserDecl,
    path: str,
    arguments: dict[ast.Declaration, Binding],
) -> Instance:
    """An instance and the objects declared in it."""
    instance = Instance(decl, path, arguments)
    frame = Frame("instance", lexical=ctx.globals, instance=instance)
    with ctx.enter(frame):
        for local in decl.locals:
            if isinstance(local, ast.ConstDecl):
                frame.instance.locals[local] = value(ctx, local.init)  # type: ignore[union-attr]
            elif isinstance(local, ast.InstanceDecl):
                instance.locals[local] = declare(ctx, local, instance)
            elif isinstance(local, ast.ValueSetDecl):
                instance.locals[local] = _value_set(ctx, local, path)
    return instance


def declare(ctx: Context, decl: ast.InstanceDecl, owner: Instance | None) -> Binding:
    """The object of a declaration; controls and parsers wait until they are applied."""
    path = qualified(decl, owner.path if owner else "")
    if isinstance(decl.type, (ty.ControlType, ty.ParserType)):
        return Pending(decl, owner, path)  # type: ignore[return-value]
    assert isinstance(decl.type, ty.Extern)
    builder = _EXTERNS.get(decl.type.name)
    if builder is None:
        text = f"extern '{decl.type.name}' is not supported by this target"
        raise unsupported(text, decl.span)
    return builder(ctx, decl, path)


def build(ctx: Context, pending: Pending) -> Instance:
    """Instantiate a control or parser and remember it."""
    decl = pending.decl
    body = decl.type.decl  # type: ignore[attr-defined]
    assert isinstance(body, (ast.ControlDecl, ast.ParserDecl))
    arguments: dict[ast.Declaration, Binding] = {}
    frame = Frame("instance", lexical=ctx.globals, instance=pending.owner)
    with ctx.enter(frame):
        for item in decl.call.bound:
            if item.value is None:
                continue
            if isinstance(item.type, (ty.Extern, ty.ControlType, ty.ParserType)):
                arguments[item.param] = _object_argument(ctx, item.value)
            else:
                arguments[item.param] = value(ctx, item.value)
    instance = create(ctx, body, pending.path, arguments)
    if pending.owner is not None:
        owner = pending.owner
        instance.shared = _applications(owner.decl, decl) > 1 and _has_tables(body)
        owner.locals[decl] = instance
    else:
        ctx.globals.bindings[decl] = instance
    return instance


def _object_argument(ctx: Context, expr: ast.Expression) -> Binding:
    if isinstance(expr, ast.Call) and expr.kind is ast.CallKind.CONSTRUCTOR:
        raise unsupported("an instance created in an argument is not supported", expr.span)
    return object_of(ctx, expr)


def _statements(stmt: ast.Statement | None) -> Iterator[ast.Statement]:
    if stmt is None:
        return
    yield stmt
    inner: list[ast.Statement | None] = []
    if isinstance(stmt, ast.Block):
        inner = list(stmt.statements)
    elif isinstance(stmt, ast.If):
        inner = [stmt.then, stmt.otherwise]
    elif isinstance(stmt, ast.Switch):
        inner = [c.body for c in stmt.cases]
    elif isinstance(stmt, ast.For):
        inner = [stmt.body]
    for below in inner:
        yield from _statements(below)


def _applications(owner: ast.ControlDecl | ast.ParserDecl, decl: ast.InstanceDecl) -> int:
    """How often the source of ``owner`` applies an instance."""
    if isinstance(owner, ast.ParserDecl):
        return 1
    return sum(
        isinstance(s, ast.CallStatement)
        and isinstance(s.call.target, ast.Name)
        and s.call.target.decl is decl
        for s in _statements(owner.body)
    )


def _has_tables(decl: ast.ControlDecl | ast.ParserDecl) -> bool:
    return any(
        isinstance(d, ast.TableDecl)
        or (
            isinstance(d, ast.InstanceDecl)
            and isinstance(d.type, ty.ControlType)
            and isinstance(d.type.decl, ast.ControlDecl)
            and _has_tables(d.type.decl)
        )
        for d in decl.locals
    )


# --------------------------------------------------------------------------- extern objects


def _argument(ctx: Context, decl: ast.InstanceDecl, name: str) -> int:
    for item in decl.call.bound:
        if item.param.name == name and item.value is not None:
            return constant(ctx, item.value, f"'{name}'")
    raise error("insufficient", f"argument '{name}' is missing", decl.span)


def _enum_argument(ctx: Context, decl: ast.InstanceDecl, name: str) -> str:
    number = _argument(ctx, decl, name)
    for item in decl.call.bound:
        if item.param.name == name and isinstance(item.type, ty.Enum):
            return str(item.type.decl.members[number].name)  # type: ignore[attr-defined]
    raise AssertionError(name)


def _type_argument(decl: ast.InstanceDecl, at: int) -> ty.Type:
    args = decl.type.args if isinstance(decl.type, ty.Extern) else ()
    return args[at] if at < len(args) else ty.UNKNOWN


def _named(decl: ast.InstanceDecl, path: str) -> tuple[str, ast.Annotations, ast.Span]:
    return path, decl.annotations, decl.name_span


def _counter(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    size, unit = _argument(ctx, decl, "size"), _enum_argument(ctx, decl, "type")
    made = Counter(*_named(decl, path), size, unit, index_type=_type_argument(decl, 0))
    ctx.model.counters.append(made)
    return made


def _direct_counter(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    made = Counter(*_named(decl, path), 0, _enum_argument(ctx, decl, "type"))
    ctx.model.counters.append(made)
    return made


def _meter(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    size, unit = _argument(ctx, decl, "size"), _enum_argument(ctx, decl, "type")
    made = Meter(*_named(decl, path), size, unit, index_type=_type_argument(decl, 0))
    ctx.model.meters.append(made)
    return made


def _direct_meter(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    made = Meter(*_named(decl, path), 0, _enum_argument(ctx, decl, "type"))
    ctx.model.meters.append(made)
    return made


def _register(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    kind = _type_argument(decl, 0)
    if not isinstance(ty.strip(kind), (ty.Bit, ty.Int, ty.Bool, ty.Enum, ty.Error)):
        raise unsupported(f"registers of {kind} are not supported by this target", decl.span)
    size = _argument(ctx, decl, "size")
    made = Register(*_named(decl, path), size, bit_width(kind), is_signed(kind), kind)
    made.index_type = _type_argument(decl, 1)
    ctx.model.registers.append(made)
    return made


def _profile(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    made = Profile(*_named(decl, path), _argument(ctx, decl, "size"))
    made.pipeline = ctx.block
    ctx.model.profiles.append(made)
    return made


def _selector(ctx: Context, decl: ast.InstanceDecl, path: str) -> Object:
    algorithm = _enum_argument(ctx, decl, "algorithm")
    made = Profile(*_named(decl, path), _argument(ctx, decl, "size"), algorithm)
    made.pipeline = ctx.block
    ctx.model.profiles.append(made)
    return made


_EXTERNS: dict[str, Callable[[Context, ast.InstanceDecl, str], Object]] = {
    "counter": _counter,
    "direct_counter": _direct_counter,
    "meter": _meter,
    "direct_meter": _direct_meter,
    "register": _register,
    "action_profile": _profile,
    "action_selector": _selector,
}


def _value_set(ctx: Context, decl: ast.ValueSetDecl, path: str) -> ValueSet:
    kind = decl.type
    keys: list[tuple[str, ty.Type, ast.Annotations]] = []
    if isinstance(kind, ty.Struct):
        keys = [(f.name, f.type, f.decl.annotations) for f in kind.fields]
    elif isinstance(kind, ty.Tuple):
        keys = [(f"f{i}", t, []) for i, t in enumerate(kind.elements)]
    else:
        keys = [("", kind, [])]
    size = constant(ctx, decl.size, "the size of a value set")
    made = ValueSet(qualified(decl, path), decl.annotations, decl.name_span, size, keys, kind)
    ctx.model.value_sets.append(made)
    return made
