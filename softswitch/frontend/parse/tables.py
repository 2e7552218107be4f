# SPDX-License-Identifier: MIT
"""Tables and their properties."""

from __future__ import annotations

from dataclasses import dataclass, field

from softswitch.frontend import ast
from softswitch.frontend.ast import integer_literal
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lexer import Token
from softswitch.frontend.parse import expressions, types
from softswitch.frontend.parse.stream import Stream


@dataclass(slots=True)
class _Properties:
    seen: set[str] = field(default_factory=set)
    keys: list[ast.Key] | None = None
    actions: list[ast.ActionRef] = field(default_factory=list)
    default_action: ast.ActionRef | None = None
    const_default: bool = False
    entries: list[ast.Entry] | None = None
    const_entries: bool = False
    others: dict[str, ast.TableProperty] = field(default_factory=dict)


def table(stream: Stream, notes: ast.Annotations) -> ast.TableDecl:
    """Parses ``table name { properties }``."""
    start = stream.expect("table")
    name = stream.name()
    stream.expect("{")
    found = _Properties()
    while not (stream.kind == "}" and found.seen):
        _property(stream, found)
    stream.advance()
    stream.declare(name.text, False)
    return ast.TableDecl(
        name.text,
        found.keys,
        found.actions,
        found.default_action,
        found.const_default,
        found.entries,
        found.const_entries,
        found.others,
        has_actions="actions" in found.seen,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def _property(stream: Stream, found: _Properties) -> None:
    notes = types.annotation_list(stream)
    start = stream.here()
    const = stream.accept("const")
    token = stream.name()
    if token.text in found.seen:
        raise error("duplicate", f"{token.text}: duplicate table property", token.span)
    found.seen.add(token.text)
    stream.expect("=")
    if token.kind == "key" and not const:
        found.keys = _keys(stream)
    elif token.kind == "actions" and not const:
        found.actions = _actions(stream)
    elif token.kind == "entries":
        found.entries, found.const_entries = _entries(stream), const
    elif token.text == "default_action":
        found.default_action = action_ref(stream, notes)
        found.const_default = const
        stream.expect(";")
    else:
        _other(stream, found, start, token, const, notes)


def _other(
    stream: Stream,
    found: _Properties,
    start: Token,
    name: Token,
    const: bool,
    notes: ast.Annotations,
) -> None:
    value = expressions.expression(stream)
    stream.expect(";")
    found.others[name.text] = ast.TableProperty(
        name.text, value, const, notes, span=stream.span_from(start)
    )


def _keys(stream: Stream) -> list[ast.Key]:
    stream.expect("{")
    keys: list[ast.Key] = []
    while stream.kind != "}":
        start = stream.here()
        value = expressions.expression(stream)
        stream.expect(":")
        kind = stream.name()
        notes = types.annotation_list(stream)
        stream.expect(";")
        match_kind = ast.Name(kind.text, span=kind.span)
        keys.append(ast.Key(value, match_kind, notes, span=stream.span_from(start)))
    stream.advance()
    return keys


def action_ref(stream: Stream, notes: ast.Annotations) -> ast.ActionRef:
    """Parses ``name`` or ``name(args)``."""
    start = stream.here()
    absolute = stream.accept(".")
    name = stream.name()
    reference = ast.Name(name.text, absolute, span=stream.span_from(start))
    has_args = stream.kind == "("
    args = expressions.arguments(stream) if has_args else []
    return ast.ActionRef(reference, args, notes, span=stream.span_from(start))


def _actions(stream: Stream) -> list[ast.ActionRef]:
    stream.expect("{")
    actions: list[ast.ActionRef] = []
    while stream.kind != "}":
        notes = types.annotation_list(stream)
        actions.append(action_ref(stream, notes))
        stream.expect(";")
    stream.advance()
    return actions


def _entries(stream: Stream) -> list[ast.Entry]:
    stream.expect("{")
    entries: list[ast.Entry] = []
    while stream.kind != "}":
        entries.append(_entry(stream))
    stream.advance()
    return entries


def _entry(stream: Stream) -> ast.Entry:
    start = stream.here()
    const = stream.accept("const")
    priority: ast.Expression | None = None
    if stream.kind == "priority" and stream.peek().kind == "=":
        stream.advance()
        stream.advance()
        if stream.accept("("):
            priority = expressions.expression(stream)
            stream.expect(")")
        else:
            token = stream.expect("integer")
            value, width, signed = integer_literal(token.text)
            priority = ast.IntLiteral(value, width, signed, span=token.span)
        stream.expect(":")
    keysets = expressions.keyset(stream)
    stream.expect(":")
    action = action_ref(stream, [])
    notes = types.annotation_list(stream)
    stream.expect(";")
    return ast.Entry(keysets, action, const, priority, notes, span=stream.span_from(start))
