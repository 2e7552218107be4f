# SPDX-License-Identifier: MIT
"""Statements as the primitives of one action; branches and loops become jumps."""

from __future__ import annotations

from dataclasses import dataclass, field

from softswitch.frontend.ast import NO_SPAN, Span
from softswitch.frontend.lower import fold, ir
from softswitch.frontend.lower.context import unsupported
from softswitch.frontend.lower.effects import tidy


@dataclass(slots=True, eq=False)
class Mark:
    """A place in an action that jumps go to."""

    at: int = -1


@dataclass(slots=True, eq=False)
class Primitive:
    """A primitive with its operands, or a jump to ``target`` (if ``condition`` is false)."""

    op: str
    operands: tuple[ir.Operand, ...] = ()
    condition: ir.Expr | None = None
    target: Mark | None = None
    span: Span = NO_SPAN


@dataclass
class _Writer:
    out: list[Primitive] = field(default_factory=list)
    end: Mark = field(default_factory=Mark)
    labels: dict[ir.Label, Mark] = field(default_factory=dict)

    def place(self, mark: Mark) -> None:
        mark.at = len(self.out)

    def jump(self, target: Mark, span: Span) -> None:
        self.out.append(Primitive("_jump", target=target, span=span))

    def statements(self, stmts: list[ir.Stmt]) -> None:
        for stmt in stmts:
            self.statement(stmt)

    def statement(self, stmt: ir.Stmt) -> None:
        match stmt:
            case ir.Assign():
                self.out.append(Primitive("assign", (stmt.target, stmt.value), span=stmt.span))
            case ir.Prim(op="direct_count" | "direct_meter"):
                pass  # BMv2 does these with the table
            case ir.Prim():
                self.out.append(Primitive(stmt.op, stmt.operands, span=stmt.span))
            case ir.If():
                self._branch(stmt)
            case ir.Block():
                mark = self.labels[stmt.label] = Mark()
                self.statements(stmt.body)
                self.place(mark)
            case ir.Loop():
                head = Mark()
                self.place(head)
                self.statements(stmt.body)
                self.jump(head, stmt.span)
            case ir.Leave():
                self.jump(self.labels[stmt.label], stmt.span)
            case ir.Exit():
                self.out.append(Primitive("exit", span=stmt.span))
                self.jump(self.end, stmt.span)
            case _:
                raise unsupported("this statement cannot be used in an action", stmt.span)

    def _branch(self, stmt: ir.If) -> None:
        otherwise, join = Mark(), Mark()
        condition, then, rest = stmt.condition, stmt.then, stmt.otherwise
        if not then:
            condition, then, rest = fold.invert(condition), rest, then
        leave = then[0]
        if not rest and isinstance(leave, ir.Leave):
            target = self.labels[leave.label]
            inverse = fold.invert(condition)
            self.out.append(
                Primitive("_jump_if_zero", condition=inverse, target=target, span=stmt.span)
            )
            return
        self.out.append(
            Primitive("_jump_if_zero", condition=condition, target=otherwise, span=stmt.span)
        )
        self.statements(then)
        if rest:
            if not isinstance(then[-1], (ir.Leave, ir.Exit)):
                self.jump(join, stmt.span)
            self.place(otherwise)
            self.statements(rest)
        else:
            self.place(otherwise)
        self.place(join)


def primitives(stmts: list[ir.Stmt]) -> list[Primitive]:
    """The primitives of an action."""
    writer = _Writer()
    writer.statements(tidy(stmts))
    writer.place(writer.end)
    out = writer.out
    while out and out[-1].op == "_jump" and out[-1].target is writer.end:
        # falling off the end does the same; marks behind it move with it
        end = len(out) - 1
        for item in out:
            if item.target is not None and item.target.at > end:
                item.target.at = end
        writer.end.at = min(writer.end.at, end)
        out.pop()
    return out
