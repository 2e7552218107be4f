# SPDX-License-Identifier: MIT
"""Declarations, parser states and tables."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softswitch.frontend import types as ty
from softswitch.frontend.ast.base import NO_SPAN, Annotations, Declaration, Node, Span, TypeRef
from softswitch.frontend.ast.expressions import (
    Argument,
    BoundArgument,
    Call,
    Const,
    Expression,
    Name,
)
from softswitch.frontend.ast.statements import Block, Statement

if TYPE_CHECKING:
    from softswitch.frontend.diagnostics import Diagnostic


@dataclass(slots=True, eq=False)
class TypeParameter(Declaration):
    """A type variable of a generic declaration."""


@dataclass(slots=True, eq=False)
class Parameter(Declaration):
    """``direction type name = default``; direction is ``in``, ``out``, ``inout`` or ''."""

    direction: str
    ref: TypeRef
    default: Expression | None = None
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)
    constructor: bool = field(default=False, init=False)  # of a control, parser or package

    @property
    def optional(self) -> bool:
        """Annotated ``@optional``."""
        return any(a.name == "optional" for a in self.annotations)


@dataclass(slots=True, eq=False)
class VariableDecl(Declaration):
    """``type name = init;``."""

    ref: TypeRef
    init: Expression | None = None
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)


@dataclass(slots=True, eq=False)
class ConstDecl(Declaration):
    """``const type name = value;``; the value is ``init.const``."""

    ref: TypeRef
    init: Expression
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)


@dataclass(slots=True, eq=False)
class InstanceDecl(Declaration):
    """``Type(args) name;`` of an extern, control, parser or package.

    ``call`` is the constructor call.  ``members`` implements abstract methods.
    """

    call: Call
    members: list[FunctionDecl | InstanceDecl] = field(default_factory=list)
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)


@dataclass(slots=True, eq=False)
class EnumMember(Declaration):
    """A member of an enum, serializable enum, error or match_kind."""

    value: Expression | None = None
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)
    const: Const | None = field(default=None, init=False)  # int of a serializable enum


@dataclass(slots=True, eq=False)
class StructField(Declaration):
    """A field of a struct, header or union declaration."""

    ref: TypeRef


@dataclass(slots=True, eq=False)
class StructDecl(Declaration):
    """``struct``, ``header`` or ``header_union`` (= ``keyword``)."""

    keyword: str
    type_params: list[TypeParameter]
    fields: list[StructField]


@dataclass(slots=True, eq=False)
class EnumDecl(Declaration):
    """``enum``; ``ref`` is the underlying type of a serializable one."""

    members: list[EnumMember]
    ref: TypeRef | None = None


@dataclass(slots=True, eq=False)
class ErrorDecl(Declaration):
    """``error { ... }``; all of them join one name space."""

    members: list[EnumMember]


@dataclass(slots=True, eq=False)
class MatchKindDecl(Declaration):
    """``match_kind { ... }``."""

    members: list[EnumMember]


@dataclass(slots=True, eq=False)
class TypedefDecl(Declaration):
    """``typedef ref name`` or, ``new`` set, ``type ref name``."""

    ref: TypeRef | StructDecl | EnumDecl
    new: bool = False
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)


@dataclass(slots=True, eq=False)
class MethodDecl(Declaration):
    """A method or constructor (name of the extern, ``result`` None) of an extern."""

    result: TypeRef | None
    type_params: list[TypeParameter]
    params: list[Parameter]
    abstract: bool = False
    # filled by the checker
    extern: ExternDecl | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class ExternDecl(Declaration):
    """``extern name<type_params> { ... }``."""

    type_params: list[TypeParameter]
    methods: list[MethodDecl]
    constructors: list[MethodDecl]


@dataclass(slots=True, eq=False)
class FunctionDecl(Declaration):
    """A function; an extern function has no ``body``.

    ``bindings`` are the type arguments of a specialised copy (see the module text).
    """

    result: TypeRef
    type_params: list[TypeParameter]
    params: list[Parameter]
    body: Block | None
    # filled by the checker
    bindings: tuple[ty.Type, ...] = field(default=(), init=False)


@dataclass(slots=True, eq=False)
class ActionDecl(Declaration):
    """An action."""

    params: list[Parameter]
    body: Block


@dataclass(slots=True, eq=False)
class ParserTypeDecl(Declaration):
    """``parser name<T>(params);``: a parser type."""

    type_params: list[TypeParameter]
    params: list[Parameter]


@dataclass(slots=True, eq=False)
class ControlTypeDecl(Declaration):
    """``control name<T>(params);``: a control type."""

    type_params: list[TypeParameter]
    params: list[Parameter]


@dataclass(slots=True, eq=False)
class PackageDecl(Declaration):
    """``package name<T>(params);``."""

    type_params: list[TypeParameter]
    params: list[Parameter]


@dataclass(slots=True, eq=False)
class SelectCase(Node):
    """``keyset: state;``: one key set per select expression in ``keysets``, or one `default`."""

    keysets: list[Expression]
    state: str
    state_span: Span = NO_SPAN
    # filled by the checker
    decl: StateDecl | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Transition(Node):
    """``transition state`` or ``transition select (keys) { cases }``.

    ``state`` is '' with a select.  ``decl`` is None for accept and reject.
    """

    state: str
    keys: list[Expression] = field(default_factory=list)
    cases: list[SelectCase] = field(default_factory=list)
    # filled by the checker
    decl: StateDecl | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class StateDecl(Declaration):
    """A parser state; ``transition`` None goes to reject."""

    statements: list[Statement]
    transition: Transition | None


@dataclass(slots=True, eq=False)
class ValueSetDecl(Declaration):
    """``value_set<ref>(size) name;``."""

    ref: TypeRef
    size: Expression
    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)  # the element type


@dataclass(slots=True, eq=False)
class ParserDecl(Declaration):
    """A parser; ``locals`` in source order, ``states`` without accept and reject."""

    type_params: list[TypeParameter]
    params: list[Parameter]
    constructor_params: list[Parameter]
    locals: list[Declaration]
    states: list[StateDecl]


@dataclass(slots=True, eq=False)
class ControlDecl(Declaration):
    """A control; ``locals`` in source order."""

    type_params: list[TypeParameter]
    params: list[Parameter]
    constructor_params: list[Parameter]
    locals: list[Declaration]
    body: Block


@dataclass(slots=True, eq=False)
class Key(Node):
    """``expression : match_kind annotations``."""

    expression: Expression
    match_kind: Name
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ActionRef(Node):
    """An action in ``actions``, ``default_action`` or an entry.

    ``bound`` has all parameters; ``value`` None stands for control-plane data.
    """

    name: Name
    args: list[Argument] = field(default_factory=list)
    annotations: Annotations = field(default_factory=list)
    # filled by the checker
    decl: ActionDecl | None = field(default=None, init=False, repr=False)
    bound: list[BoundArgument] = field(default_factory=list, init=False)


@dataclass(slots=True, eq=False)
class Entry(Node):
    """``const priority = p : (keysets) : action`` ; ``keysets`` has one per key."""

    keysets: list[Expression]
    action: ActionRef
    const: bool = False
    priority: Expression | None = None
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class TableProperty(Node):
    """Any other property, ``const name = value``: size, implementation, counters, ..."""

    name: str
    value: Expression
    const: bool = False
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class TableDecl(Declaration):
    """A table.

    ``keys`` and ``entries`` are None when the property is absent.  ``default_action`` None
    means NoAction.  Properties of architectures are in ``properties`` by name.
    """

    keys: list[Key] | None
    actions: list[ActionRef]
    default_action: ActionRef | None
    const_default: bool
    entries: list[Entry] | None
    const_entries: bool
    properties: dict[str, TableProperty]
    has_actions: bool = True


@dataclass(slots=True, eq=False)
class Program(Node):
    """A whole program, the included architecture first."""

    declarations: list[Declaration]


@dataclass(slots=True, eq=False)
class TypedProgram:
    """An accepted program.

    ``main`` is the package instance.  ``errors`` are the members of ``error`` in order of
    declaration (their index is the usual numeric code), ``match_kinds`` likewise.
    ``warnings`` are `softswitch.frontend.diagnostics.Diagnostic` objects.
    """

    program: Program
    main: InstanceDecl
    errors: list[EnumMember]
    match_kinds: list[EnumMember]
    warnings: list[Diagnostic]
