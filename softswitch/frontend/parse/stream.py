# SPDX-License-Identifier: MIT
"""The token stream of the parser: look-ahead, positions, errors, and which names are types."""

from __future__ import annotations

from softswitch.frontend.ast import Span
from softswitch.frontend.diagnostics import P4CompileError, error
from softswitch.frontend.lexer import KEYWORDS, Token

# Keywords that are ordinary names where no keyword can stand (grammar: nonTypeName, name).
SOFT_KEYWORDS = frozenset({"apply", "key", "actions", "state", "entries", "type", "priority"})
NAME_KINDS = SOFT_KEYWORDS | {"id", "list"}


class Stream:
    """Tokens with a position; ``kind`` is the kind of the current token."""

    __slots__ = ("kind", "position", "scopes", "tokens")

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.position = 0
        self.kind = tokens[0].kind
        self.scopes: list[dict[str, bool]] = [{}]  # name -> is a type

    @property
    def token(self) -> Token:
        """The current token."""
        return self.tokens[self.position]

    def peek(self, distance: int = 1) -> Token:
        """The token ``distance`` further on (the last one is ``eof``)."""
        return self.tokens[min(self.position + distance, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Returns the current token and moves on."""
        token = self.tokens[self.position]
        if self.position + 1 < len(self.tokens):
            self.position += 1
        self.kind = self.tokens[self.position].kind
        return token

    def seek(self, position: int) -> None:
        """Goes back to a position kept before (also forward after a trial)."""
        self.position = position
        self.kind = self.tokens[position].kind

    def accept(self, kind: str) -> bool:
        """Takes the current token if it is of this kind."""
        if self.kind == kind:
            self.advance()
            return True
        return False

    def expect(self, kind: str) -> Token:
        """Takes a token of this kind or raises a syntax error."""
        if self.kind != kind:
            raise self.unexpected(f"expecting {kind}")
        return self.advance()

    def unexpected(self, expecting: str = "") -> P4CompileError:
        """A syntax error at the current token."""
        token = self.token
        what = describe(token)
        if token.kind == "id":
            known = "TYPE " if self.is_type(token.text) else ""
            what = f"{known}IDENTIFIER '{token.text}'"
        message = f"syntax error, unexpected {what}" + (f", {expecting}" if expecting else "")
        return error("syntax-error", message, token.span)

    def span_from(self, start: Token | Span) -> Span:
        """The span from ``start`` to the last token taken."""
        end = self.tokens[self.position - 1]
        return Span(start.file, start.line, start.column, end.line, end.end_column)

    def here(self) -> Token:
        """The current token, as the start for `span_from`."""
        return self.tokens[self.position]

    # ------------------------------------------------------------------ names

    def name(self) -> Token:
        """Takes a name: an identifier (also of a type) or a soft keyword."""
        if self.kind not in NAME_KINDS:
            raise self.unexpected("expecting a name")
        return self.advance()

    def is_type(self, name: str) -> bool:
        """Whether ``name`` means a type at this place."""
        for scope in reversed(self.scopes):
            known = scope.get(name)
            if known is not None:
                return known
        return False

    def at_type_name(self) -> bool:
        """Whether the current token is the name of a type."""
        return self.kind == "id" and self.is_type(self.token.text)

    def declare(self, name: str, is_type: bool) -> None:
        """Notes a declared name in the innermost scope."""
        self.scopes[-1][name] = is_type

    def push(self) -> None:
        """Opens a scope."""
        self.scopes.append({})

    def pop(self) -> None:
        """Closes the innermost scope."""
        self.scopes.pop()


def describe(token: Token) -> str:
    """How a token is called in messages."""
    if token.kind in KEYWORDS or token.kind == "eof":
        return token.text
    if token.kind == "integer":
        return f"INTEGER {token.text}"
    if token.kind == "str":
        return "STRING"
    return f"'{token.text}'"
