# SPDX-License-Identifier: MIT
"""The intermediate form: what is left of a program after inlining.

Expressions are immutable and name BMv2 storage directly: a field of a header instance, action
data, a stack element at a run-time index.  Statements keep blocks, branches and loops; three
writers turn them into action primitives (`lower.actions`), nodes of a pipeline (`lower.flow`)
or parser states (`lower.parsers`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softswitch.frontend.ast import NO_SPAN, Span

if TYPE_CHECKING:
    from softswitch.frontend.lower.model import Table

# --------------------------------------------------------------------------- expressions


@dataclass(frozen=True, slots=True)
class Expr:
    """A scalar: ``width`` bits, two's complement if ``signed``; ``boolean`` for truth values."""

    width: int
    signed: bool
    boolean: bool


@dataclass(frozen=True, slots=True)
class Const(Expr):
    """A constant; ``value`` is negative for a negative signed constant."""

    value: int


@dataclass(frozen=True, slots=True)
class FieldRef(Expr):
    """A field of a header or metadata instance (an l-value)."""

    header: str
    name: str


@dataclass(frozen=True, slots=True)
class Data(Expr):
    """A parameter that the control plane gives to an action."""

    index: int


@dataclass(frozen=True, slots=True)
class Op(Expr):
    """An operator of BMv2's expressions; ``?`` has (condition, then, otherwise)."""

    op: str
    args: tuple[Expr, ...]


@dataclass(frozen=True, slots=True)
class Valid(Expr):
    """Validity of a header instance."""

    header: str


@dataclass(frozen=True, slots=True)
class ValidUnion(Expr):
    """Whether any member of a header union is valid."""

    union: str


@dataclass(frozen=True, slots=True)
class LastIndex(Expr):
    """``stack.lastIndex``."""

    stack: str


@dataclass(frozen=True, slots=True)
class StackLast(Expr):
    """``stack.last.field``; ``index`` is the position of the field in the header type."""

    stack: str
    name: str
    index: int


@dataclass(frozen=True, slots=True)
class UnionLast(Expr):
    """``stack.last.member.field`` of a stack of unions: a select key only."""

    stack: str
    member: str
    name: str


@dataclass(frozen=True, slots=True)
class DynField(Expr):
    """``stack[at].field`` with a run-time index (an l-value)."""

    stack: str
    at: Expr
    name: str
    index: int


@dataclass(frozen=True, slots=True)
class Lookahead(Expr):
    """The next bits of the packet, from ``offset``; only the whole source of an assignment."""

    offset: int


LVALUES = (FieldRef, DynField, StackLast)


def children(expr: Expr) -> tuple[Expr, ...]:
    """Direct sub-expressions."""
    if isinstance(expr, Op):
        return expr.args
    if isinstance(expr, DynField):
        return (expr.at,)
    return ()


def leaves(expr: Expr) -> Iterator[Expr]:
    """All nodes that read storage."""
    below = children(expr)
    if not below or isinstance(expr, DynField):
        yield expr
    for part in below:
        yield from leaves(part)


def rewrite(expr: Expr, change: Callable[[Expr], Expr | None]) -> Expr:
    """A copy of ``expr``; where ``change`` returns something it replaces the node."""
    new = change(expr)
    if new is not None:
        return new
    if isinstance(expr, Op):
        args = tuple(rewrite(a, change) for a in expr.args)
        if args != expr.args:
            return Op(expr.width, expr.signed, expr.boolean, expr.op, args)
    if isinstance(expr, DynField):
        at = rewrite(expr.at, change)
        if at != expr.at:
            return DynField(
                expr.width, expr.signed, expr.boolean, expr.stack, at, expr.name, expr.index
            )
    return expr


# --------------------------------------------------------------------------- operands


@dataclass(frozen=True, slots=True)
class HeaderRef:
    """A header instance as an operand of a primitive."""

    name: str


@dataclass(frozen=True, slots=True)
class DynHeader:
    """``stack[at]`` with a run-time index as an operand of a primitive."""

    stack: str
    at: Expr


@dataclass(frozen=True, slots=True)
class StackRef:
    """A header stack (``unions``: of unions) as an operand."""

    name: str
    unions: bool = False


@dataclass(frozen=True, slots=True)
class UnionRef:
    """A header union instance as an operand."""

    name: str


@dataclass(frozen=True, slots=True)
class ObjectRef:
    """A named object: ``kind`` is BMv2's operand type (``register_array``, ...)."""

    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Text:
    """A string operand."""

    value: str


@dataclass(frozen=True, slots=True)
class Vector:
    """A list of expressions as one operand (``log_msg``)."""

    items: tuple[Expr, ...]


Operand = Expr | HeaderRef | DynHeader | StackRef | UnionRef | ObjectRef | Text | Vector

# --------------------------------------------------------------------------- statements


@dataclass(slots=True, eq=False)
class Stmt:
    """Base of statements; ``epilogue`` marks the copies to out arguments before an exit."""

    span: Span = field(default=NO_SPAN, kw_only=True)
    epilogue: bool = field(default=False, kw_only=True)


@dataclass(slots=True, eq=False)
class Assign(Stmt):
    """``target = value``; the target is an l-value expression."""

    target: Expr
    value: Expr


@dataclass(slots=True, eq=False)
class Prim(Stmt):
    """A primitive.  ``writes`` are the positions of operands that it changes.

    ``effect``: it does something else too (register, packet, drop), so it may not be dropped.
    """

    op: str
    operands: tuple[Operand, ...]
    writes: tuple[int, ...] = ()
    effect: bool = True


@dataclass(slots=True, eq=False)
class Extract(Stmt):
    """``pkt.extract``: into an instance (`HeaderRef`) or the next element (`StackRef`).

    ``member`` names the member for a stack of unions; ``bits`` is the varbit length.
    """

    into: HeaderRef | StackRef
    bits: Expr | None = None
    member: str = ""


@dataclass(slots=True, eq=False)
class Advance(Stmt):
    """``pkt.advance``."""

    bits: Expr


@dataclass(slots=True, eq=False)
class Verify(Stmt):
    """``verify(condition, error)``."""

    condition: Expr
    error: Expr


@dataclass(slots=True, eq=False)
class If(Stmt):
    """A branch."""

    condition: Expr
    then: list[Stmt]
    otherwise: list[Stmt]


@dataclass(eq=False)
class Label:
    """Names a `Block`; ``uses`` is counted by `tidy`."""

    hint: str = ""
    uses: int = 0


@dataclass(slots=True, eq=False)
class Block(Stmt):
    """Statements; `Leave` of ``label`` goes to the end of them."""

    label: Label
    body: list[Stmt]


@dataclass(slots=True, eq=False)
class Leave(Stmt):
    """Go to the end of the block called ``label``."""

    label: Label


@dataclass(slots=True, eq=False)
class Loop(Stmt):
    """Repeat ``body`` until something leaves an enclosing block."""

    body: list[Stmt]


@dataclass(slots=True, eq=False)
class Apply(Stmt):
    """Apply a table, then one of ``cases`` by action or by HIT and MISS; else ``default``.

    ``cases`` maps the position of the action in ``table.actions`` to statements.
    """

    table: Table
    cases: dict[int | str, list[Stmt]] = field(default_factory=dict)
    default: list[Stmt] = field(default_factory=list)


HIT, MISS = "__HIT__", "__MISS__"


@dataclass(slots=True, eq=False)
class Exit(Stmt):
    """End the pipeline."""


@dataclass(slots=True, eq=False)
class Emit(Stmt):
    """``pkt.emit`` of header instances (deparser only)."""

    headers: list[str]


SIMPLE = (Assign, Prim)


def bodies(stmt: Stmt) -> tuple[list[Stmt], ...]:
    """The statement lists inside a statement."""
    if isinstance(stmt, If):
        return (stmt.then, stmt.otherwise)
    if isinstance(stmt, (Block, Loop)):
        return (stmt.body,)
    if isinstance(stmt, Apply):
        return (*stmt.cases.values(), stmt.default)
    return ()


def walk(stmts: list[Stmt]) -> Iterator[Stmt]:
    """All statements, outer before inner."""
    pending = stmts[::-1]
    while pending:
        stmt = pending.pop()
        yield stmt
        for body in reversed(bodies(stmt)):
            pending.extend(reversed(body))


def operands(stmt: Stmt) -> tuple[Operand, ...]:
    """The operands of one statement, not of those inside it."""
    if isinstance(stmt, Assign):
        return (stmt.target, stmt.value)
    if isinstance(stmt, Prim):
        return stmt.operands
    if isinstance(stmt, If):
        return (stmt.condition,)
    if isinstance(stmt, Extract):
        return (stmt.into,) if stmt.bits is None else (stmt.into, stmt.bits)
    if isinstance(stmt, Advance):
        return (stmt.bits,)
    if isinstance(stmt, Verify):
        return (stmt.condition, stmt.error)
    return ()
