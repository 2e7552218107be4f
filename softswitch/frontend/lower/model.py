# SPDX-License-Identifier: MIT
"""The lowered program: what `bmv2json` and `p4info` write.

Names are control-plane names; `Path` gives the unqualified rest and the annotations.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.ast import NO_SPAN, Span
from softswitch.frontend.lower.ir import Expr, FieldRef, Stmt

DEFAULT_SIZE = 1024  # of a table without a size


@dataclass(slots=True, eq=False)
class HeaderType:
    """``fields``: (name, width, signed); the width of a varbit is its maximum, negated."""

    name: str
    fields: list[tuple[str, int, bool]]

    @property
    def bits(self) -> int:
        """Largest width in bits."""
        return sum(abs(width) for _, width, _ in self.fields)


@dataclass(slots=True, eq=False)
class Instance:
    """A header or metadata instance; ``program``: visible in the source, kept even if unused."""

    name: str
    type: HeaderType
    metadata: bool = False
    program: bool = False


@dataclass(slots=True, eq=False)
class UnionType:
    """``members``: (name, header type)."""

    name: str
    members: list[tuple[str, HeaderType]]


@dataclass(slots=True, eq=False)
class UnionInstance:
    """A header union; ``members`` are header instances."""

    name: str
    type: UnionType
    members: list[str]


@dataclass(slots=True, eq=False)
class StackInstance:
    """A stack of headers, or of unions if ``union`` is set; ``elements`` are instances."""

    name: str
    type: HeaderType | UnionType
    elements: list[str]
    union: bool = False


@dataclass(slots=True, eq=False)
class Object:
    """Anything with a control-plane name."""

    name: str
    annotations: ast.Annotations = field(default_factory=list, repr=False)
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class Param:
    """A control-plane parameter of an action."""

    name: str
    width: int
    type: ty.Type
    annotations: ast.Annotations = field(default_factory=list, repr=False)


@dataclass(slots=True, eq=False)
class Action(Object):
    """An action as one table uses it: ``body`` is specialised for that table."""

    params: list[Param] = field(default_factory=list)
    body: list[Stmt] = field(default_factory=list)
    decl: ast.ActionDecl | None = None
    ref_annotations: ast.Annotations = field(default_factory=list, repr=False)
    id: int = 0


@dataclass(slots=True, eq=False)
class Key:
    """``target`` is a field or a validity; ``width`` 1 for bool."""

    name: str
    kind: str
    target: Expr
    type: ty.Type
    annotations: ast.Annotations = field(default_factory=list, repr=False)

    @property
    def width(self) -> int:
        """Bits of the key."""
        return self.target.width


@dataclass(frozen=True, slots=True)
class KeyMatch:
    """One key of an entry: exact (value), mask, range (value..high) or prefix."""

    value: int
    mask: int | None = None
    high: int | None = None
    prefix: int | None = None
    any: bool = False


@dataclass(slots=True, eq=False)
class TableEntry:
    """An entry from the source; ``priority`` 1 is best."""

    matches: list[KeyMatch]
    action: int
    args: list[int]
    priority: int
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class Table(Object):
    """A table; ``default_action`` is a position in ``actions``."""

    keys: list[Key] = field(default_factory=list)
    selectors: list[Key] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    default_action: int = 0
    default_args: list[int] = field(default_factory=list)
    default_const: bool = False
    entries: list[TableEntry] | None = None
    const_entries: bool = False
    size: int | None = None
    timeout: bool = False
    counter: Counter | None = None
    meter: Meter | None = None
    profile: Profile | None = None
    hidden: bool = False
    id: int = 0

    @property
    def capacity(self) -> int:
        """Number of entries the switch makes room for."""
        if self.size is not None:
            return self.size
        return len(self.entries) if self.entries else DEFAULT_SIZE


@dataclass(slots=True, eq=False)
class Counter(Object):
    """A counter array, or a direct counter with ``size`` 0."""

    size: int = 0
    unit: str = ""
    table: Table | None = None
    index_type: ty.Type = ty.UNKNOWN


@dataclass(slots=True, eq=False)
class Meter(Object):
    """A meter array, or a direct meter with ``size`` 0 and a ``target`` field."""

    size: int = 0
    unit: str = ""
    table: Table | None = None
    target: FieldRef | None = None
    index_type: ty.Type = ty.UNKNOWN


@dataclass(slots=True, eq=False)
class Register(Object):
    """A register array."""

    size: int = 0
    width: int = 0
    signed: bool = False
    type: ty.Type = ty.UNKNOWN
    index_type: ty.Type = ty.UNKNOWN


@dataclass(slots=True, eq=False)
class Profile(Object):
    """An action profile; with ``algorithm`` an action selector."""

    size: int = 0
    algorithm: str = ""
    tables: list[Table] = field(default_factory=list)
    pipeline: str = ""


@dataclass(slots=True, eq=False)
class Calculation:
    """Named input of a hash or checksum; ``payload`` appends the rest of the packet."""

    name: str
    algorithm: str
    inputs: list[Expr]
    payload: bool = False
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class Checksum:
    """A checksum to verify or to update."""

    name: str
    target: FieldRef
    calculation: str
    update: bool
    condition: Expr | None
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class LearnList:
    """Fields sent by ``digest``; ``type`` is what the source says they are."""

    name: str
    id: int
    elements: list[FieldRef]
    type: ty.Type
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class FieldList:
    """Fields that survive clone, resubmit or recirculate."""

    name: str
    id: int
    elements: list[FieldRef]


@dataclass(slots=True, eq=False)
class ValueSet(Object):
    """A parser value set; ``keys`` are the fields of its element: (name, type, annotations)."""

    size: int = 0
    keys: list[tuple[str, ty.Type, ast.Annotations]] = field(default_factory=list)
    type: ty.Type = ty.UNKNOWN

    @property
    def width(self) -> int:
        """Bits of all keys."""
        return sum(bit_width(kind) for _, kind, _ in self.keys)


@dataclass(slots=True, eq=False)
class Case:
    """A transition: ``kind`` hexstr, parse_vset or default; ``next`` None ends the parser."""

    kind: str
    value: int | str | None
    mask: int | None
    next: State | None


@dataclass(slots=True, eq=False)
class State:
    """A parse state: straight-line ``ops``, then a transition on ``keys``."""

    name: str
    ops: list[Stmt] = field(default_factory=list)
    keys: list[Expr] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class Conditional:
    """A branch node of a pipeline."""

    name: str
    condition: Expr
    then: Node | None = None
    otherwise: Node | None = None
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class TableNode:
    """A table in a pipeline with what follows: by action position, or by hit and miss."""

    table: Table
    next: dict[int | str, Node | None]
    default: Node | None = None


Node = Conditional | TableNode


@dataclass(slots=True, eq=False)
class Pipeline:
    """Ingress or egress as a graph."""

    name: str
    start: Node | None = None
    nodes: list[Node] = field(default_factory=list)
    span: Span = NO_SPAN


@dataclass(slots=True, eq=False)
class Model:
    """Everything that is written."""

    source: str
    header_types: list[HeaderType] = field(default_factory=list)
    instances: dict[str, Instance] = field(default_factory=dict)
    stacks: dict[str, StackInstance] = field(default_factory=dict)
    union_types: list[UnionType] = field(default_factory=list)
    unions: dict[str, UnionInstance] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    enums: list[tuple[str, list[tuple[str, int]]]] = field(default_factory=list)
    states: list[State] = field(default_factory=list)
    value_sets: list[ValueSet] = field(default_factory=list)
    deparser: list[str] = field(default_factory=list)
    deparser_span: Span = NO_SPAN
    deparser_prims: list[Stmt] = field(default_factory=list)
    tables: list[Table] = field(default_factory=list)
    counters: list[Counter] = field(default_factory=list)
    meters: list[Meter] = field(default_factory=list)
    registers: list[Register] = field(default_factory=list)
    profiles: list[Profile] = field(default_factory=list)
    calculations: list[Calculation] = field(default_factory=list)
    checksums: list[Checksum] = field(default_factory=list)
    learn_lists: list[LearnList] = field(default_factory=list)
    field_lists: list[FieldList] = field(default_factory=list)
    pipelines: list[Pipeline] = field(default_factory=list)
    direct_actions: list[Action] = field(default_factory=list)
    main_annotations: ast.Annotations = field(default_factory=list)
    controller_headers: list[tuple[str, ty.Header, ast.Annotations]] = field(default_factory=list)


def bit_width(kind: ty.Type) -> int:
    """Bits that a scalar type takes in storage."""
    kind = ty.strip(kind)
    match kind:
        case ty.Bit(width) | ty.Int(width) | ty.Varbit(width):
            return width
        case ty.Bool():
            return 1
        case ty.Error() | ty.Enum():
            return 32
    raise AssertionError(f"no width: {kind}")


def is_signed(kind: ty.Type) -> bool:
    """Whether values of the type are two's complement."""
    return isinstance(ty.strip(kind), ty.Int)
