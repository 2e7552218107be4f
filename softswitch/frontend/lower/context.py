# SPDX-License-Identifier: MIT
"""The state of lowering: where statements go, what names stand for, who calls whom."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.ast import NO_SPAN, Span
from softswitch.frontend.diagnostics import P4CompileError, error
from softswitch.frontend.lower import ir
from softswitch.frontend.lower.effects import Analysis
from softswitch.frontend.lower.model import Model, Object, Table, ValueSet
from softswitch.frontend.lower.places import Place, Value
from softswitch.frontend.lower.storage import Store


@dataclass(slots=True, eq=False)
class Instance:
    """An instance of a control or parser; ``locals`` are its extern objects and instances."""

    decl: ast.ControlDecl | ast.ParserDecl
    path: str
    arguments: dict[ast.Declaration, Binding] = field(default_factory=dict)
    locals: dict[ast.Declaration, Binding] = field(default_factory=dict)
    tables: dict[ast.TableDecl, Table] = field(default_factory=dict)
    shared: bool = False
    places: dict[ast.Declaration, Place] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class ExternObject:
    """An extern instance without storage of its own, e.g. ``packet_in``."""

    type: str


Binding = Value | Object | Instance | ExternObject | ValueSet


@dataclass(slots=True, eq=False)
class Frame:
    """A scope being executed: a control, parser, action or function after inlining."""

    kind: str
    bindings: dict[ast.Declaration, Binding] = field(default_factory=dict)
    lexical: Frame | None = None
    caller: Frame | None = None
    instance: Instance | None = None
    end: ir.Label = field(default_factory=ir.Label)
    result: Place | None = None
    copy_out: list[tuple[Place, Place, Span]] = field(default_factory=list)
    loops: list[tuple[ir.Label, ir.Label]] = field(default_factory=list)

    def find(self, decl: ast.Declaration) -> Binding | None:
        """What a declaration stands for in this scope."""
        frame: Frame | None = self
        while frame is not None:
            found = frame.bindings.get(decl)
            if found is None and frame.instance is not None:
                found = frame.instance.locals.get(decl)
                if found is None:
                    found = frame.instance.arguments.get(decl)
            if found is not None:
                return found
            frame = frame.lexical
        return None

    def owner(self) -> Instance | None:
        """The control or parser instance whose code this is."""
        frame: Frame | None = self
        while frame is not None:
            if frame.instance is not None:
                return frame.instance
            frame = frame.lexical
        return None


class Context:
    """What all lowering functions share."""

    def __init__(self, model: Model, program: ast.Program) -> None:
        self.model = model
        self.program = program
        self.store = Store(model)
        self.analysis = Analysis(model)
        self.globals = Frame("global")
        self.frame = self.globals
        self.out: list[ir.Stmt] = []
        self.block = ""  # the architecture block being lowered: parser, ingress, ...
        self.in_action = False
        self.errors: dict[ast.Declaration, int] = {}
        self.standard_metadata: Place | None = None
        self.calculation_names: set[str] = set()
        self.synthesized: set[str] = set()
        self.conditionals = 0
        self.at: Span = NO_SPAN  # the statement being lowered, for reports of internal errors
        self.user_metadata: Place | None = None

    def emit(self, stmt: ir.Stmt) -> None:
        """Append a statement."""
        self.out.append(stmt)

    @contextmanager
    def capture(self) -> Iterator[list[ir.Stmt]]:
        """Collect the statements emitted inside."""
        saved, self.out = self.out, []
        try:
            yield self.out
        finally:
            self.out = saved

    @contextmanager
    def enter(self, frame: Frame) -> Iterator[Frame]:
        """Execute in ``frame``."""
        saved, self.frame = self.frame, frame
        try:
            yield frame
        finally:
            self.frame = saved

    def temporary(self, hint: str, like: ir.Expr) -> ir.FieldRef:
        """A new variable for a value."""
        return self.store.temporary(hint, like.width, like.signed, like.boolean)

    def saved(self, value: ir.Expr, span: Span, hint: str = "tmp") -> ir.FieldRef:
        """``value`` in a new variable."""
        place = self.temporary(hint, value)
        self.emit(ir.Assign(place, value, span=span))
        return place


def unsupported(message: str, span: Span) -> P4CompileError:
    """Something that the target cannot do."""
    return error("unsupported", message, span)


def qualified(decl: ast.Declaration, path: str) -> str:
    """Control-plane name of a declaration inside ``path``; ``@name`` and a leading dot count."""
    note = ast.find_annotation(decl.annotations, "name")
    name = note.text if note is not None and note.text else decl.name
    if name.startswith("."):
        return name[1:]
    return f"{path}.{name}" if path else name


def is_hidden(decl: ast.Declaration) -> bool:
    """Annotated ``@hidden``."""
    return ast.find_annotation(decl.annotations, "hidden") is not None


def element_types(kind: ty.Type) -> list[tuple[str, ty.Type]]:
    """Names and types of the parts of a struct, tuple, header or stack."""
    if isinstance(kind, ty.StructLike):
        return [(f.name, f.type) for f in kind.fields]
    if isinstance(kind, ty.Tuple):
        return [(str(i), t) for i, t in enumerate(kind.elements)]
    if isinstance(kind, ty.AnonStruct):
        return list(kind.fields)
    if isinstance(kind, ty.Stack):
        return [(str(i), kind.element) for i in range(kind.size)]
    return []
