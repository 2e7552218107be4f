# SPDX-License-Identifier: MIT
"""A whole V1Switch program: its six blocks share headers, metadata and standard metadata."""

from __future__ import annotations

from dataclasses import dataclass

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.ast import NO_SPAN
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import calls, instances, ir
from softswitch.frontend.lower.context import (
    Binding,
    Context,
    ExternObject,
    Frame,
    Instance,
    qualified,
    unsupported,
)
from softswitch.frontend.lower.deadstores import drop_overwritten
from softswitch.frontend.lower.effects import Touched, tidy
from softswitch.frontend.lower.exprs import value
from softswitch.frontend.lower.flow import FlowBuilder
from softswitch.frontend.lower.model import HeaderType, Model, State
from softswitch.frontend.lower.model import Instance as HeaderInstance
from softswitch.frontend.lower.optimise import coalesce, drop_dead, used_storage
from softswitch.frontend.lower.packets import collect_checksums
from softswitch.frontend.lower.parsers import ParserLowering, finish
from softswitch.frontend.lower.places import Place, ScalarPlace, StructPlace, scalar_of

STANDARD = "standard_metadata"


@dataclass
class Blocks:
    """The arguments of V1Switch."""

    parser: Instance
    verify: Instance
    ingress: Instance
    egress: Instance
    compute: Instance
    deparser: Instance


def lower(program: ast.Program, source: str) -> Model:
    """Lower a checked program; raises `P4CompileError`."""
    model = Model(source)
    ctx = Context(model, program)
    try:
        _lower(ctx)
    except (AssertionError, AttributeError, LookupError, TypeError, ValueError) as failure:
        text = f"this target cannot compile this construct ({type(failure).__name__})"
        raise unsupported(text, ctx.at if ctx.at.line else _main(program).span) from failure
    return model


def _lower(ctx: Context) -> None:
    model, program = ctx.model, ctx.program
    _number_errors(ctx)
    _declare_globals(ctx)
    main = _main(program)
    model.main_annotations = main.annotations
    arguments = [_block(ctx, item) for item in main.call.bound]
    if len(arguments) != 6:
        raise error("invalid", "V1Switch needs six arguments", main.span)
    parser = arguments[0].decl
    headers, metadata, standard = (p.type for p in parser.params[1:4])
    _standard_metadata(ctx, standard)
    hdr = ctx.store.place(headers, "", program=True)
    name = metadata.name if isinstance(metadata, ty.Declared) else "userMetadata"
    meta = ctx.store.place(metadata, name, program=True)
    ctx.user_metadata = meta
    _Driver(ctx, Blocks(*arguments), hdr, meta).run()
    _enums(ctx)
    _controller_headers(ctx)


class _Driver:
    def __init__(self, ctx: Context, blocks: Blocks, hdr: Place, meta: Place) -> None:
        self.ctx = ctx
        self.blocks = blocks
        self.hdr = hdr
        self.meta = meta

    def _frame(self, instance: Instance, *given: Binding | None) -> Frame:
        frame = Frame("control", lexical=self.ctx.globals, instance=instance)
        for param, item in zip(instance.decl.params, given, strict=True):
            assert item is not None
            frame.bindings[param] = item
        frame.end = ir.Label(instance.decl.name)
        return frame

    def _control(self, name: str, instance: Instance, *given: Binding | None) -> list[ir.Stmt]:
        decl = instance.decl
        if not isinstance(decl, ast.ControlDecl):
            raise error("type-error", f"the {name} block must be a control", decl.name_span)
        ctx = self.ctx
        ctx.block = name
        frame = self._frame(instance, *given)
        with ctx.enter(frame), ctx.capture() as out:
            calls.control_body(ctx, decl)
        return tidy([ir.Block(frame.end, out)])

    def run(self) -> None:
        ctx, blocks = self.ctx, self.blocks
        hdr, meta, standard = self.hdr, self.meta, ctx.standard_metadata
        ctx.block = "parser"
        lowering = ParserLowering(ctx)
        packet_in = ExternObject("packet_in")
        start = lowering.run(
            blocks.parser, self._frame(blocks.parser, packet_in, hdr, meta, standard)
        )
        states = finish(lowering, start)
        verify = self._control("verify checksum", blocks.verify, hdr, meta)
        ingress = self._control("ingress", blocks.ingress, hdr, meta, standard)
        egress = self._control("egress", blocks.egress, hdr, meta, standard)
        compute = self._control("compute checksum", blocks.compute, hdr, meta)
        deparser = self._control("deparser", blocks.deparser, ExternObject("packet_out"), hdr)
        collect_checksums(ctx, verify)
        collect_checksums(ctx, compute)
        self._deparser(deparser, blocks.deparser)
        drop_dead(ctx, [ingress, egress], states)
        coalesce(ctx, [ingress, egress], states)
        drop_overwritten(ctx, states)
        self._finish(states, ingress, egress)

    def _deparser(self, body: list[ir.Stmt], block: Instance) -> None:
        model = self.ctx.model
        model.deparser_span = block.decl.name_span
        for stmt in body:
            if isinstance(stmt, ir.Emit):
                model.deparser += stmt.headers
            elif isinstance(stmt, ir.Prim) and stmt.op in ("log_msg", "assert", "assume"):
                model.deparser_prims.append(stmt)
            elif isinstance(stmt, ir.Prim) and stmt.op == "remove_header":
                continue  # a variable, invalid until something is assigned
            else:
                span = stmt.span if stmt.span.line else block.decl.name_span
                raise unsupported("only emit is supported in a deparser", span)

    def _finish(self, states: list[State], ingress: list[ir.Stmt], egress: list[ir.Stmt]) -> None:
        ctx, model = self.ctx, self.ctx.model
        model.states = states
        for name, body, block in (
            ("ingress", ingress, self.blocks.ingress),
            ("egress", egress, self.blocks.egress),
        ):
            ctx.block = name
            builder = FlowBuilder(ctx, name, block.decl.name_span)
            model.pipelines.append(builder.build(body))
        _direct_meters(ctx)
        _drop_unused(ctx, used_storage(ctx, [ingress, egress, model.deparser_prims], states))


# --------------------------------------------------------------------------- set-up


def _number_errors(ctx: Context) -> None:
    for decl in ctx.program.declarations:
        if isinstance(decl, ast.ErrorDecl):
            for member in decl.members:
                ctx.errors[member] = len(ctx.errors)
                ctx.model.errors.append(member.name)


def _declare_globals(ctx: Context) -> None:
    for decl in ctx.program.declarations:
        if isinstance(decl, ast.ConstDecl):
            ctx.globals.bindings[decl] = value(ctx, decl.init)
        elif isinstance(decl, ast.InstanceDecl) and not isinstance(decl.type, ty.PackageType):
            ctx.block = "ingress"
            ctx.globals.bindings[decl] = instances.declare(ctx, decl, None)


def _main(program: ast.Program) -> ast.InstanceDecl:
    for decl in program.declarations:
        if isinstance(decl, ast.InstanceDecl) and decl.name == "main":
            if not isinstance(decl.type, ty.PackageType) or decl.type.name != "V1Switch":
                text = "the target needs 'main' to be a V1Switch"
                raise error("type-error", text, decl.span)
            return decl
    raise error("not-found", "the program has no 'main' package instance", NO_SPAN)


def _block(ctx: Context, item: ast.BoundArgument) -> Instance:
    expr = item.value
    if isinstance(expr, ast.Name) and expr.decl is not None:
        found = ctx.globals.find(expr.decl)
        if isinstance(found, instances.Pending):
            found = instances.build(ctx, found)
        assert isinstance(found, Instance)
        return found
    assert isinstance(expr, ast.Call)
    decl = expr.decl
    assert isinstance(decl, (ast.ControlDecl, ast.ParserDecl))
    arguments: dict[ast.Declaration, Binding] = {}
    for given in expr.bound:
        if given.value is None:
            continue
        if isinstance(given.type, ty.Extern):
            found = ctx.globals.find(given.value.decl)  # type: ignore[attr-defined]
            assert found is not None
            arguments[given.param] = found
        else:
            arguments[given.param] = value(ctx, given.value)
    ctx.block = "egress" if item.param.name == "eg" else "ingress"
    return instances.create(ctx, decl, qualified(decl, ""), arguments)


def _standard_metadata(ctx: Context, kind: ty.Type) -> None:
    assert isinstance(kind, ty.Struct)
    layout = HeaderType(STANDARD, [])
    fields: dict[str, Place] = {}
    for item in kind.fields:
        width, signed, boolean = scalar_of(item.type)
        layout.fields.append((item.name, width, signed))
        ref = ir.FieldRef(width, signed, boolean, STANDARD, item.name)
        fields[item.name] = ScalarPlace(item.type, ref)
    ctx.model.header_types.append(layout)
    ctx.model.instances[STANDARD] = HeaderInstance(STANDARD, layout, metadata=True, program=True)
    ctx.standard_metadata = StructPlace(kind, fields)


def _enums(ctx: Context) -> None:
    """Enums of the program itself; those of the architecture have no values at run time."""
    for decl in ctx.program.declarations:
        if isinstance(decl, ast.EnumDecl) and decl.ref is None:
            inside = decl.span.file.rsplit("/", 1)[-1] not in ("core.p4", "v1model.p4")
            if inside:
                members = [(m.name, at) for at, m in enumerate(decl.members)]
                ctx.model.enums.append((decl.name, members))


def _direct_meters(ctx: Context) -> None:
    """The field that receives the colour of a direct meter: BMv2 has one for each meter."""
    meters = {m.name: m for m in ctx.model.meters}
    for table in ctx.model.tables:
        for action in table.actions:
            for stmt in ir.walk(action.body):
                if not isinstance(stmt, ir.Prim) or stmt.op != "direct_meter":
                    continue
                array, target = stmt.operands
                assert isinstance(array, ir.ObjectRef)
                assert isinstance(target, ir.FieldRef)
                meter = meters[array.name]
                if meter.table is not table:
                    text = f"direct meter '{meter.name}' does not belong to table '{table.name}'"
                    raise error("invalid", text, stmt.span)
                if meter.target not in (None, target):
                    text = f"all reads of direct meter '{meter.name}' must have one target"
                    raise unsupported(text, stmt.span)
                meter.target = target
    for meter in ctx.model.meters:
        if meter.table is not None and meter.target is None:
            text = f"no action of table '{meter.table.name}' reads direct meter '{meter.name}'"
            raise unsupported(text, meter.span)


def _controller_headers(ctx: Context) -> None:
    """Headers that carry packets to and from the controller."""
    for decl in ctx.program.declarations:
        if not isinstance(decl, ast.StructDecl) or decl.keyword != "header":
            continue
        note = ast.find_annotation(decl.annotations, "controller_header")
        if note is None:
            continue
        if note.text is None:
            raise error("invalid", "@controller_header needs a name", note.span)
        fields = tuple(ty.Field(f.name, f.ref.type, f) for f in decl.fields)
        kind = ty.Header(decl, (), fields)
        ctx.model.controller_headers.append((note.text, kind, decl.annotations))


def _drop_unused(ctx: Context, used: Touched) -> None:
    """Forget temporaries that inlining and dead code removal left without use."""
    model, store = ctx.model, ctx.store
    store.scalars.fields = [
        f for f in store.scalars.fields if f[0] in store.keep or used.overlaps("scalars", f[0])
    ]
    grouped: dict[str, list[str]] = {}
    for union in model.unions.values():
        for member in union.members:
            grouped[member] = union.members
    for stack in model.stacks.values():
        members = [m for e in stack.elements for m in grouped.get(e, [e])]
        if stack.union:
            members = [m for e in stack.elements for m in model.unions[e].members]
        for member in members:
            grouped[member] = members
    for name in list(model.instances):
        instance = model.instances[name]
        if not instance.program and not any(used.has(n) for n in grouped.get(name, [name])):
            del model.instances[name]
    for union_name in list(model.unions):
        if any(m not in model.instances for m in model.unions[union_name].members):
            del model.unions[union_name]
    for stack_name in list(model.stacks):
        stack = model.stacks[stack_name]
        known = model.unions if stack.union else model.instances
        if any(e not in known for e in stack.elements):
            del model.stacks[stack_name]
    kept = {i.type.name for i in model.instances.values()}
    for union_type in model.union_types:
        kept |= {layout.name for _, layout in union_type.members}
    model.header_types = [t for t in model.header_types if t.name in kept]
