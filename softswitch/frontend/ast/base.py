# SPDX-License-Identifier: MIT
"""Base classes, source positions, annotations and types as written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from softswitch.frontend import types as ty

if TYPE_CHECKING:
    from softswitch.frontend.ast.expressions import Expression


class Span(NamedTuple):
    """Where a node stands: original file, lines and columns from 1, the end is exclusive."""

    file: str
    line: int
    column: int
    end_line: int
    end_column: int

    def to(self, end: Span) -> Span:
        """The span from the start of this one to the end of ``end``."""
        return Span(self.file, self.line, self.column, end.end_line, end.end_column)


NO_SPAN = Span("", 0, 0, 0, 0)


@dataclass(slots=True, eq=False, kw_only=True)
class Node:
    """Base of all nodes."""

    span: Span = field(default=NO_SPAN, repr=False)


_BASES = {"x": 16, "o": 8, "b": 2, "d": 10}


def integer_literal(text: str) -> tuple[int, int | None, bool]:
    """Value, width (or None) and signedness of an integer token such as ``8w0xFF``."""
    text = text.lower().replace("_", "")
    width, signed = None, False
    for mark in "ws":
        head, found, tail = text.partition(mark)
        if found:
            width, signed, text = int(head), mark == "s", tail
            break
    base = _BASES.get(text[1:2], 10) if text[:1] == "0" else 10
    digits = text[2:] if text[:1] == "0" and text[1:2] in _BASES else text
    return int(digits, base), width, signed


@dataclass(slots=True, eq=False)
class Annotation(Node):
    """``@name``, ``@name(body)`` or ``@name[structured]``.

    ``tokens`` is the unparsed text of the body, token by token; string literals keep their
    quotes.  ``text`` is the one string literal of the body, if it is one.  ``kv`` and ``exprs``
    hold structured bodies; their constants are evaluated by the checker.
    """

    name: str
    tokens: list[str] = field(default_factory=list)
    exprs: list[Expression] = field(default_factory=list)
    kv: dict[str, Expression] = field(default_factory=dict)
    structured: bool = False

    @property
    def text(self) -> str | None:
        """Content of a single string literal (adjacent ones joined), or None."""
        if self.tokens and all(t[:1] == '"' for t in self.tokens):
            return "".join(t[1:-1] for t in self.tokens)
        return None

    @property
    def number(self) -> int | None:
        """Value of a single integer literal in the body, or None."""
        if len(self.tokens) != 1 or not self.tokens[0][:1].isdigit():
            return None
        return integer_literal(self.tokens[0])[0]


Annotations = list[Annotation]


def find_annotation(annotations: Iterable[Annotation], name: str) -> Annotation | None:
    """The annotation called ``name``, or None."""
    return next((a for a in annotations if a.name == name), None)


@dataclass(slots=True, eq=False)
class Declaration(Node):
    """Base of everything that has a name; ``span`` is the whole, ``name_span`` the name."""

    name: str
    name_span: Span = field(default=NO_SPAN, kw_only=True, repr=False)
    annotations: Annotations = field(default_factory=list, kw_only=True, repr=False)


@dataclass(slots=True, eq=False)
class TypeRef(Node):
    """Base of types as written in the source."""

    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)


@dataclass(slots=True, eq=False)
class BaseTypeRef(TypeRef):
    """``bool``, ``bit<W>``, ``int``, ``varbit<W>``, ``error``, ``string``, ``void``, ``_``, ..."""

    keyword: str
    width: Expression | None = None


@dataclass(slots=True, eq=False)
class NamedTypeRef(TypeRef):
    """``name``, ``.name`` or ``name<args>``."""

    name: str
    args: list[TypeRef] = field(default_factory=list)
    absolute: bool = False
    # filled by the checker
    decl: Declaration | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class StackTypeRef(TypeRef):
    """``element[size]``."""

    element: TypeRef
    size: Expression


@dataclass(slots=True, eq=False)
class TupleTypeRef(TypeRef):
    """``tuple<...>``."""

    elements: list[TypeRef]


@dataclass(slots=True, eq=False)
class ListTypeRef(TypeRef):
    """``list<element>``."""

    element: TypeRef
