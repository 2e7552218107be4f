# SPDX-License-Identifier: MIT
"""Statements of an apply block as the graph of a pipeline.

Straight-line statements become the action of a table without keys, as p4c does.  A loop
without tables is kept inside such an action; a loop with tables is a cycle of the graph.
"""

from __future__ import annotations

from pathlib import PurePath

from softswitch.frontend import ast
from softswitch.frontend.ast import Span
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower import ir
from softswitch.frontend.lower.context import Context, unsupported
from softswitch.frontend.lower.effects import tidy
from softswitch.frontend.lower.model import Action, Conditional, Node, Pipeline, Table, TableNode
from softswitch.frontend.lower.storage import unique


class FlowBuilder:
    """Builds one pipeline, from its end to its start."""

    def __init__(self, ctx: Context, name: str, span: Span) -> None:
        self.ctx = ctx
        self.pipeline = Pipeline(name, span=span)
        self.tables: dict[int, TableNode] = {}

    def build(self, stmts: list[ir.Stmt]) -> Pipeline:
        """The pipeline of tidied statements."""
        self.pipeline.start = _skip(self.sequence(tidy(stmts), None, {}))
        for node in self.pipeline.nodes:
            if isinstance(node, Conditional):
                node.then, node.otherwise = _skip(node.then), _skip(node.otherwise)
            else:
                node.next = {key: _skip(after) for key, after in node.next.items()}
                node.default = _skip(node.default)
        return self.pipeline

    def sequence(
        self, stmts: list[ir.Stmt], after: Node | None, labels: dict[ir.Label, Node | None]
    ) -> Node | None:
        """The first node of ``stmts`` followed by ``after``."""
        following = after
        at = len(stmts)
        while at > 0:
            end = at
            if isinstance(stmts[at - 1], ir.Exit):
                at -= 1
            while at > 0 and _straight(stmts[at - 1]):
                at -= 1
            if at < end:
                following = self.action(stmts[at:end], following)
                continue
            at -= 1
            following = self.statement(stmts[at], following, labels)
        return following

    def statement(
        self, stmt: ir.Stmt, after: Node | None, labels: dict[ir.Label, Node | None]
    ) -> Node | None:
        """The node of one statement that is not straight-line code."""
        match stmt:
            case ir.If():
                return self._branch(stmt, after, labels)
            case ir.Block():
                return self.sequence(stmt.body, after, {**labels, stmt.label: after})
            case ir.Leave():
                return labels[stmt.label]
            case ir.Loop():
                # the body needs its own start as what follows
                head = self._conditional(ir.Const(1, False, True, 1), stmt.span)
                head.then = head.otherwise = self.sequence(stmt.body, head, labels)
                return head
            case ir.Apply():
                return self._apply(stmt, after, labels)
        raise unsupported("this statement cannot be used in a pipeline", stmt.span)

    def _conditional(self, condition: ir.Expr, span: Span) -> Conditional:
        self.ctx.conditionals += 1
        node = Conditional(f"node_{self.ctx.conditionals}", condition, span=span)
        self.pipeline.nodes.append(node)
        return node

    def _branch(self, stmt: ir.If, after: Node | None, labels: dict[ir.Label, Node | None]) -> Node:
        node = self._conditional(stmt.condition, stmt.span)
        node.then = self.sequence(stmt.then, after, labels)
        node.otherwise = self.sequence(stmt.otherwise, after, labels)
        return node

    def action(self, stmts: list[ir.Stmt], after: Node | None) -> Node:
        """A table without keys that runs ``stmts``."""
        span = next((s.span for s in stmts if s.span.line), stmts[0].span)
        stem = PurePath(span.file or self.ctx.model.source).stem
        name = unique(f"{stem}{span.line}", self.ctx.synthesized)
        made = Action(name, [ast.Annotation("hidden")], span, body=stmts)
        table = Table(f"tbl_{name}", [], span, actions=[made], default_const=True, hidden=True)
        self.ctx.model.tables.append(table)
        if isinstance(stmts[-1], ir.Exit):
            after = None
        node = TableNode(table, {}, after)
        self.pipeline.nodes.append(node)
        return node

    def _apply(
        self, stmt: ir.Apply, after: Node | None, labels: dict[ir.Label, Node | None]
    ) -> Node:
        done: dict[tuple[int, ...], Node | None] = {}

        def case(body: list[ir.Stmt]) -> Node | None:
            key = tuple(id(s) for s in body)
            if key not in done:
                done[key] = self.sequence(body, after, labels)
            return done[key]

        table = stmt.table
        following = {key: case(body) for key, body in stmt.cases.items()}
        default = case(stmt.default)
        if following and ir.HIT not in following and ir.MISS not in following:
            for at in range(len(table.actions)):
                following.setdefault(at, default)
        known = self.tables.get(id(table))
        if known is not None:
            if known.next != following or known.default is not default:
                text = (
                    f"table '{table.name}' is applied in several places that continue "
                    "differently; this target cannot do that"
                )
                raise error("invalid", text, table.span)
            return known
        node = TableNode(table, following, default)
        self.tables[id(table)] = node
        self.pipeline.nodes.append(node)
        return node


def _skip(node: Node | None) -> Node | None:
    """Past the nodes that only mark where a loop begins."""
    first = node
    while isinstance(node, Conditional) and isinstance(node.condition, ir.Const):
        node = node.then
        if node is first:
            return node
    return node


def _straight(stmt: ir.Stmt) -> bool:
    """Whether a statement can be part of a synthesized action."""
    if isinstance(stmt, ir.SIMPLE):
        return True
    if isinstance(stmt, (ir.Loop, ir.Block)):
        return _self_contained(stmt)
    return False


def _self_contained(stmt: ir.Stmt) -> bool:
    """A loop without tables and without ways out of it."""
    inside = list(ir.walk([stmt]))
    if not any(isinstance(s, ir.Loop) for s in inside):
        return False
    own = {s.label for s in inside if isinstance(s, ir.Block)}
    return not any(
        isinstance(s, ir.Apply) or (isinstance(s, ir.Leave) and s.label not in own) for s in inside
    )
