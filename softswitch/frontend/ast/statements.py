# SPDX-License-Identifier: MIT
"""Statements."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from softswitch.frontend.ast.base import Annotations, Node

if TYPE_CHECKING:
    from softswitch.frontend.ast.declarations import ConstDecl, InstanceDecl, VariableDecl
    from softswitch.frontend.ast.expressions import Call, Expression


@dataclass(slots=True, eq=False)
class Statement(Node):
    """Base of statements."""


@dataclass(slots=True, eq=False)
class Assign(Statement):
    """``target op= value``; ``op`` is '' or ``+ - * / % |+| |-| << >> & | ^``.

    For a compound assignment ``value`` has the type that the right operand of ``op`` has; the
    target is evaluated once.
    """

    target: Expression
    value: Expression
    op: str = ""


@dataclass(slots=True, eq=False)
class CallStatement(Statement):
    """A call whose value is not used; also ``Type.apply(...)``."""

    call: Call


@dataclass(slots=True, eq=False)
class Block(Statement):
    """``{ ... }``."""

    statements: list[Statement]
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class If(Statement):
    """``if (condition) then else otherwise``."""

    condition: Expression
    then: Statement
    otherwise: Statement | None = None


@dataclass(slots=True, eq=False)
class SwitchCase(Node):
    """``label: block``; label None is ``default``; ``body`` None falls through.

    In a switch on ``action_run`` the label is a `Name` whose ``decl`` is the action.
    """

    label: Expression | None
    body: Block | None


@dataclass(slots=True, eq=False)
class Switch(Statement):
    """``switch (subject) { ... }``; the subject has type `types.ActionEnum` for action_run."""

    subject: Expression
    cases: list[SwitchCase]


@dataclass(slots=True, eq=False)
class For(Statement):
    """``for (init; condition; update) body``; variables of ``init`` live in the loop only."""

    init: list[Statement]
    condition: Expression
    update: list[Statement]
    body: Statement
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class ForIn(Statement):
    """``for (T x in collection) body``.

    ``collection`` is a `Range`, or an expression of type stack, tuple, list.
    """

    variable: VariableDecl
    collection: Expression
    body: Statement
    annotations: Annotations = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Return(Statement):
    """``return`` with or without a value."""

    value: Expression | None = None


@dataclass(slots=True, eq=False)
class Exit(Statement):
    """``exit``."""


@dataclass(slots=True, eq=False)
class Break(Statement):
    """``break``."""


@dataclass(slots=True, eq=False)
class Continue(Statement):
    """``continue``."""


@dataclass(slots=True, eq=False)
class Empty(Statement):
    """``;``."""


@dataclass(slots=True, eq=False)
class DeclStatement(Statement):
    """A variable, constant or instance declared among statements."""

    decl: VariableDecl | ConstDecl | InstanceDecl
