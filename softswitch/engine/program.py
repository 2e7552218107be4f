# SPDX-License-Identifier: MIT
"""What a BMv2 JSON document describes, checked and with all references resolved.

`softswitch.engine.loader` makes these values; the code generator and the users of
`Pipeline.program` read them.  Everything is immutable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Source:
    """Where in the P4 source something comes from."""

    file: str
    line: int
    column: int
    fragment: str

    def __str__(self) -> str:
        return (
            f"{self.file}:{self.line}: {self.fragment}"
            if self.fragment
            else f"{self.file}:{self.line}"
        )


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a header type. ``width`` is in bits; of a varbit field, the most it can have."""

    name: str
    width: int
    signed: bool = False
    varbit: bool = False

    @property
    def limbs(self) -> int:
        """Number of 64-bit words that hold the field."""
        return (self.width + 63) // 64


@dataclass(frozen=True, slots=True)
class HeaderType:
    """A header or struct type."""

    name: str
    fields: tuple[Field, ...]

    @property
    def fixed_bits(self) -> int:
        """Bits of all fields but the varbit one."""
        return sum(f.width for f in self.fields if not f.varbit)

    @property
    def max_bytes(self) -> int:
        """Bytes of the longest instance."""
        return (sum(f.width for f in self.fields) + 7) // 8

    def index(self, name: str) -> int:
        """Position of a field; -1 when there is none of this name."""
        return next((i for i, f in enumerate(self.fields) if f.name == name), -1)


@dataclass(frozen=True, slots=True)
class Header:
    """An instance of a header type, or of metadata."""

    name: str
    type: HeaderType
    metadata: bool
    id: int


@dataclass(frozen=True, slots=True)
class Stack:
    """A header stack: names of its header instances, index 0 first."""

    name: str
    type: HeaderType
    headers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Union:
    """A header union: member name and header instance."""

    name: str
    type: str
    members: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class UnionStack:
    """A stack of unions."""

    name: str
    unions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expr:
    """A node of an expression.

    kind: const, bool, field, valid, stack_field, union_stack_field, local, lookahead, header,
    header_stack, header_union, header_union_stack, register, string, op.
    """

    kind: str
    value: Any = None
    args: tuple[Expr | None, ...] = ()
    where: str = ""


@dataclass(frozen=True, slots=True)
class Primitive:
    """One step of an action or of a parser state."""

    op: str
    args: tuple[Expr, ...]
    source: Source | None = None
    where: str = ""


@dataclass(frozen=True, slots=True)
class Param:
    """A run-time parameter of an action."""

    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    """An action; several may share a name (p4c copies an action for each table)."""

    name: str
    id: int
    params: tuple[Param, ...]
    body: tuple[Primitive, ...] = field(repr=False)
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Key:
    """A key field of a table: ``kind`` is exact, lpm, ternary, range or optional."""

    name: str
    kind: str
    width: int
    target: Expr
    mask: int | None


@dataclass(frozen=True, slots=True)
class ConstEntry:
    """An entry that the program gives: values and second values (mask or high) per key."""

    values: tuple[int, ...]
    args: tuple[int, ...]
    priority: int
    action: int
    params: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A match-action table.

    ``next`` maps an action index to the node that follows; ``hit``, ``miss`` and ``after``
    are nodes too. A node is a table or conditional name, None ends the control.
    """

    name: str
    match_kind: str
    keys: tuple[Key, ...]
    actions: tuple[int, ...]
    max_size: int
    with_counters: bool
    with_timeout: bool
    direct_meter: str | None
    profile: str | None
    default_action: int | None
    default_params: tuple[int, ...]
    default_action_const: bool
    default_entry_const: bool
    entries: tuple[ConstEntry, ...]
    next: Mapping[int, str | None]
    after: str | None
    hit: str | None = None
    miss: str | None = None
    by_hit: bool = False
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """An if of a control."""

    name: str
    expr: Expr
    true_next: str | None
    false_next: str | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class ActionCall:
    """A direct call of an action without parameters."""

    name: str
    action: int
    next: str | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Control:
    """The ingress or egress pipeline."""

    name: str
    init: str | None
    tables: tuple[Table, ...]
    conditions: tuple[Condition, ...]
    calls: tuple[ActionCall, ...]


@dataclass(frozen=True, slots=True)
class Transition:
    """kind: default, value or value_set; per key field a value and a mask (None: all)."""

    kind: str
    values: tuple[int, ...]
    masks: tuple[int | None, ...]
    value_set: str | None
    next: str | None


@dataclass(frozen=True, slots=True)
class ParseState:
    """A parser state."""

    name: str
    ops: tuple[Primitive, ...]
    keys: tuple[Expr, ...]
    transitions: tuple[Transition, ...]
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Parser:
    """The parser."""

    init: str | None
    states: tuple[ParseState, ...]


@dataclass(frozen=True, slots=True)
class Calculation:
    """A hash: (kind, expression, width) with kind field, const, header or payload."""

    name: str
    algo: str
    inputs: tuple[tuple[str, Expr | None, int], ...]


@dataclass(frozen=True, slots=True)
class Checksum:
    """A checksum to verify after the parser or to update before the deparser."""

    target: Expr
    calculation: Calculation
    verify: bool
    update: bool
    condition: Expr | None
    source: Source | None = None


@dataclass(frozen=True, slots=True)
class Register:
    """A register array; ``width`` bits per cell."""

    name: str
    size: int
    width: int


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter array, or the direct counter of the table ``binding``."""

    name: str
    size: int
    binding: str | None


@dataclass(frozen=True, slots=True)
class Meter:
    """A meter array, or the direct meter of the table ``binding``."""

    name: str
    size: int
    counts_bytes: bool
    binding: str | None
    result: Expr | None = None


@dataclass(frozen=True, slots=True)
class Profile:
    """An action profile; ``selector`` is (algorithm, fields) when it has groups."""

    name: str
    max_size: int
    selector: tuple[str, tuple[Expr, ...]] | None
    actions: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A parser value set; ``widths`` in bits of the fields that it is matched with."""

    name: str
    width: int
    widths: tuple[int, ...]
    max_size: int


@dataclass(frozen=True, slots=True)
class FieldList:
    """Fields that a clone, a resubmission or a recirculation keeps; or those of a digest."""

    id: int
    name: str
    fields: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Program:
    """A whole program. Dictionaries go by the names in the JSON."""

    name: str
    headers: Mapping[str, Header]
    stacks: Mapping[str, Stack]
    unions: Mapping[str, Union]
    union_stacks: Mapping[str, UnionStack]
    errors: Mapping[str, int]
    parser: Parser
    value_sets: Mapping[str, ValueSet]
    deparser: tuple[str, ...]
    deparser_ops: tuple[Primitive, ...]
    actions: tuple[Action, ...]
    ingress: Control
    egress: Control
    tables: Mapping[str, Table]
    profiles: Mapping[str, Profile]
    calculations: Mapping[str, Calculation]
    checksums: tuple[Checksum, ...]
    registers: Mapping[str, Register]
    counters: Mapping[str, Counter]
    meters: Mapping[str, Meter]
    field_lists: Mapping[int, FieldList]
    digests: Mapping[int, FieldList]
    aliases: Mapping[tuple[str, str], str]

    def action_named(self, name: str, among: tuple[int, ...]) -> int | None:
        """Index of the action called ``name`` among the given ones."""
        return next((i for i in among if self.actions[i].name == name), None)

    def expr_width(self, e: Expr) -> int:
        """Width in bits of a field-like expression."""
        if e.kind == "field":
            header, index = e.value
            width: int = self.headers[header].type.fields[index].width
            return width
        return 1
