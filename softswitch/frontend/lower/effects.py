# SPDX-License-Identifier: MIT
"""What statements read and write, and replacing one piece of storage by another.

A location is (instance, field); the field ``*`` stands for the whole header with its validity.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from softswitch.frontend.lower import ir
from softswitch.frontend.lower.model import Model

VALID = "$valid$"
WHOLE = "*"


class Touched:
    """A set of locations with overlap tests."""

    def __init__(self) -> None:
        self._fields: dict[str, set[str]] = {}

    def add(self, header: str, name: str) -> None:
        """Add one location."""
        self._fields.setdefault(header, set()).add(name)

    def update(self, other: Touched) -> None:
        """Add all locations of another set."""
        for header, names in other._fields.items():
            self._fields.setdefault(header, set()).update(names)

    def overlaps(self, header: str, name: str) -> bool:
        """Whether the location shares storage with one in the set."""
        mine = self._fields.get(header)
        if mine is None:
            return False
        return name in mine or WHOLE in mine or name == WHOLE

    def meets(self, other: Touched) -> bool:
        """Whether the sets share storage."""
        return any(
            other.overlaps(header, name) for header, names in self._fields.items() for name in names
        )

    def has(self, header: str) -> bool:
        """Whether any part of an instance is in the set."""
        return header in self._fields

    def __bool__(self) -> bool:
        return bool(self._fields)


@dataclass
class Effects:
    """Locations read and written by some statements."""

    reads: Touched = field(default_factory=Touched)
    writes: Touched = field(default_factory=Touched)


class Analysis:
    """Effects of expressions and statements of one program."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def of(self, stmts: Iterable[ir.Stmt], epilogues: bool = False) -> Effects:
        """Effects of statements with everything inside them and the tables they apply.

        Copies to out arguments before an exit only count with ``epilogues``: nothing runs
        after them.
        """
        result = Effects()
        for stmt in ir.walk(list(stmts)):
            if epilogues or not stmt.epilogue:
                self._statement(stmt, result)
        return result

    def reads(self, exprs: Iterable[ir.Expr]) -> Touched:
        """Locations that expressions read."""
        result = Touched()
        for expr in exprs:
            self._expr(expr, result)
        return result

    def _statement(self, stmt: ir.Stmt, result: Effects) -> None:
        if isinstance(stmt, ir.Assign):
            self._target(stmt.target, result)
            self._expr(stmt.value, result.reads)
        elif isinstance(stmt, ir.Prim):
            for at, operand in enumerate(stmt.operands):
                if at in stmt.writes:
                    self._target(operand, result)
                else:
                    self._operand(operand, result.reads)
        elif isinstance(stmt, ir.Extract):
            self._target(stmt.into, result)
            if stmt.bits is not None:
                self._expr(stmt.bits, result.reads)
        elif isinstance(stmt, ir.Apply):
            for key in (*stmt.table.keys, *stmt.table.selectors):
                self._expr(key.target, result.reads)
            for action in stmt.table.actions:
                for inner in ir.walk(action.body):
                    self._statement(inner, result)
        else:
            for operand in ir.operands(stmt):
                self._operand(operand, result.reads)

    def _expr(self, expr: ir.Expr, into: Touched) -> None:
        for leaf in ir.leaves(expr):
            self._operand(leaf, into)

    def _operand(self, item: ir.Operand, into: Touched) -> None:
        match item:
            case ir.FieldRef():
                into.add(item.header, item.name)
            case ir.Valid():
                into.add(item.header, VALID)
            case ir.ValidUnion(union=name) | ir.UnionRef(name):
                for member in self.model.unions[name].members:
                    into.add(member, WHOLE)
            case ir.HeaderRef(name):
                into.add(name, WHOLE)
            case ir.DynField() | ir.DynHeader():
                self._stack(item.stack, into)
                self._expr(item.at, into)
            case ir.StackRef(name):
                self._stack(name, into)
            case ir.LastIndex(stack=name) | ir.StackLast(stack=name) | ir.UnionLast(stack=name):
                self._stack(name, into)
            case ir.Vector(items):
                for part in items:
                    self._expr(part, into)
            case ir.Op():
                self._expr(item, into)

    def _stack(self, name: str, into: Touched) -> None:
        stack = self.model.stacks[name]
        for element in stack.elements:
            members = self.model.unions[element].members if stack.union else [element]
            for member in members:
                into.add(member, WHOLE)

    def _target(self, item: ir.Operand, result: Effects) -> None:
        self._operand(item, result.writes)
        if isinstance(item, ir.DynField):
            self._expr(item.at, result.reads)
        elif isinstance(item, ir.HeaderRef):
            # the other members of a union become invalid
            for union in self.model.unions.values():
                if item.name in union.members:
                    for member in union.members:
                        result.writes.add(member, WHOLE)


@dataclass
class Renaming:
    """Replaces fields by expressions and instances, stacks, unions by others.

    ``change``, if given, is asked first.
    """

    change: Callable[[ir.Expr], ir.Expr | None] | None = None
    fields: dict[tuple[str, str], ir.Expr] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    stacks: dict[str, str] = field(default_factory=dict)
    unions: dict[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.fields or self.headers or self.stacks or self.unions)

    def statements(self, stmts: Iterable[ir.Stmt]) -> None:
        """Change statements in place, and the tables they apply."""
        tables: set[int] = set()
        for stmt in ir.walk(list(stmts)):
            self._statement(stmt, tables)

    def expr(self, expr: ir.Expr) -> ir.Expr:
        """The changed expression."""
        return ir.rewrite(expr, self._leaf)

    def _leaf(self, expr: ir.Expr) -> ir.Expr | None:
        if self.change is not None and (new := self.change(expr)) is not None:
            return new
        match expr:
            case ir.FieldRef():
                new = self.fields.get((expr.header, expr.name))
                if new is not None:
                    return new
                header = self.headers.get(expr.header)
                if header is not None:
                    return ir.FieldRef(expr.width, expr.signed, expr.boolean, header, expr.name)
            case ir.Valid() if expr.header in self.headers:
                return ir.Valid(1, False, True, self.headers[expr.header])
            case ir.ValidUnion() if expr.union in self.unions:
                return ir.ValidUnion(1, False, True, self.unions[expr.union])
            case ir.LastIndex() if expr.stack in self.stacks:
                return ir.LastIndex(32, False, False, self.stacks[expr.stack])
            case ir.StackLast() if expr.stack in self.stacks:
                name = self.stacks[expr.stack]
                return ir.StackLast(
                    expr.width, expr.signed, expr.boolean, name, expr.name, expr.index
                )
            case ir.UnionLast() if expr.stack in self.stacks:
                name = self.stacks[expr.stack]
                return ir.UnionLast(
                    expr.width, expr.signed, expr.boolean, name, expr.member, expr.name
                )
            case ir.DynField() if expr.stack in self.stacks:
                name, at = self.stacks[expr.stack], self.expr(expr.at)
                return ir.DynField(
                    expr.width, expr.signed, expr.boolean, name, at, expr.name, expr.index
                )
        return None

    def operand(self, item: ir.Operand) -> ir.Operand:
        """The changed operand."""
        match item:
            case ir.Expr():
                return self.expr(item)
            case ir.HeaderRef(name):
                return ir.HeaderRef(self.headers.get(name, name))
            case ir.DynHeader(stack, at):
                return ir.DynHeader(self.stacks.get(stack, stack), self.expr(at))
            case ir.StackRef(name, unions):
                return ir.StackRef(self.stacks.get(name, name), unions)
            case ir.UnionRef(name):
                return ir.UnionRef(self.unions.get(name, name))
            case ir.Vector(items):
                return ir.Vector(tuple(self.expr(i) for i in items))
        return item

    def _statement(self, stmt: ir.Stmt, tables: set[int]) -> None:
        match stmt:
            case ir.Assign():
                stmt.target = self.expr(stmt.target)
                stmt.value = self.expr(stmt.value)
            case ir.Prim():
                stmt.operands = tuple(self.operand(o) for o in stmt.operands)
            case ir.If():
                stmt.condition = self.expr(stmt.condition)
            case ir.Extract():
                stmt.into = self.operand(stmt.into)  # type: ignore[assignment]
                if stmt.bits is not None:
                    stmt.bits = self.expr(stmt.bits)
            case ir.Advance():
                stmt.bits = self.expr(stmt.bits)
            case ir.Verify():
                stmt.condition = self.expr(stmt.condition)
                stmt.error = self.expr(stmt.error)
            case ir.Emit():
                stmt.headers = [self.headers.get(h, h) for h in stmt.headers]
            case ir.Apply() if id(stmt.table) not in tables:
                tables.add(id(stmt.table))
                for key in (*stmt.table.keys, *stmt.table.selectors):
                    key.target = self.expr(key.target)
                for action in stmt.table.actions:
                    for inner in ir.walk(action.body):
                        self._statement(inner, tables)


# --------------------------------------------------------------------------- tidying


def tidy(stmts: list[ir.Stmt]) -> list[ir.Stmt]:
    """The same program without empty branches, unused labels and unreachable statements."""
    for stmt in ir.walk(stmts):
        if isinstance(stmt, ir.Block):
            stmt.label.uses = 0
            _strip(stmt.body, stmt.label)
    for stmt in ir.walk(stmts):
        if isinstance(stmt, ir.Leave):
            stmt.label.uses += 1
    return _tidy(stmts)


def _tidy(stmts: list[ir.Stmt]) -> list[ir.Stmt]:
    result: list[ir.Stmt] = []
    for stmt in stmts:
        if result and isinstance(result[-1], (ir.Leave, ir.Exit, ir.Loop)):
            break
        match stmt:
            case ir.Assign() if stmt.target == stmt.value:
                continue
            case ir.Prim(op="assign_header" | "assign_VL" | "assign_header_stack") if (
                stmt.operands[0] == stmt.operands[1]
            ):
                continue
            case ir.If():
                stmt.then, stmt.otherwise = _tidy(stmt.then), _tidy(stmt.otherwise)
                if isinstance(stmt.condition, ir.Const):
                    result += stmt.then if stmt.condition.value else stmt.otherwise
                    continue
                if not stmt.then and not stmt.otherwise:
                    continue
            case ir.Block():
                stmt.body = _tidy(stmt.body)
                if not stmt.label.uses:
                    result += stmt.body
                    continue
            case ir.Loop():
                stmt.body = _tidy(stmt.body)
            case ir.Apply():
                stmt.cases = {k: _tidy(v) for k, v in stmt.cases.items()}
                stmt.default = _tidy(stmt.default)
        result.append(stmt)
    return result


def _strip(stmts: list[ir.Stmt], label: ir.Label) -> None:
    """Drop jumps to the end of the list from its end."""
    while stmts and isinstance(stmts[-1], ir.Leave) and stmts[-1].label is label:
        stmts.pop()
    if not stmts:
        return
    last = stmts[-1]
    if isinstance(last, (ir.If, ir.Block, ir.Apply)):
        for body in ir.bodies(last):
            _strip(body, label)
