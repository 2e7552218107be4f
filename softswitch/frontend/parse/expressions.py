# SPDX-License-Identifier: MIT
"""Expressions: precedence climbing over the operators of P4_16."""

from __future__ import annotations

import re

from softswitch.frontend import ast
from softswitch.frontend.ast import integer_literal
from softswitch.frontend.diagnostics import P4CompileError
from softswitch.frontend.parse import types
from softswitch.frontend.parse.stream import NAME_KINDS, SOFT_KEYWORDS, Stream

# Unlike in C, the bitwise operators bind tighter than comparisons.
PRECEDENCE = {
    "||": 1,
    "&&": 2,
    **dict.fromkeys(("==", "!="), 3),
    **dict.fromkeys(("<", ">", "<=", ">="), 4),
    "|": 5,
    "^": 6,
    "&": 7,
    **dict.fromkeys(("<<", ">>"), 8),
    **dict.fromkeys(("++", "+", "-", "|+|", "|-|"), 9),
    **dict.fromkeys(("*", "/", "%"), 10),
}
_ESCAPE = re.compile(r"\\(.)")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}


def expression(stream: Stream) -> ast.Expression:
    """Parses an expression."""
    start = stream.here()
    left = _binary(stream, 1)
    if stream.kind != "?":
        return left
    stream.advance()
    then = expression(stream)
    stream.expect(":")
    otherwise = expression(stream)
    return ast.Ternary(left, then, otherwise, span=stream.span_from(start))


def _operator(stream: Stream) -> str:
    """The binary operator at this place; joins two adjacent ``>``."""
    if stream.kind == ">":
        follower = stream.peek()
        if follower.kind == ">" and follower.glued:
            return ">>"
    return stream.kind


def is_shift_assign(stream: Stream) -> bool:
    """Whether ``>>=`` stands here (lexed as ``>`` and ``>=``)."""
    follower = stream.peek()
    return stream.kind == ">" and follower.kind == ">=" and follower.glued


def _binary(stream: Stream, minimum: int) -> ast.Expression:
    start = stream.here()
    left = _unary(stream)
    while True:
        op = _operator(stream)
        level = PRECEDENCE.get(op, 0)
        if level < minimum or (op == ">" and is_shift_assign(stream)):
            return left
        if op == "+" and stream.peek().kind == ":":  # base[low +: width]
            return left
        stream.advance()
        if op == ">>":
            stream.advance()
        right = _binary(stream, level + 1)
        left = ast.Binary(op, left, right, span=stream.span_from(start))


def _unary(stream: Stream) -> ast.Expression:
    start = stream.here()
    if stream.kind in ("!", "~", "-", "+"):
        op = stream.advance().kind
        operand = _unary(stream)
        return ast.Unary(op, operand, span=stream.span_from(start))
    if stream.kind == "(":
        cast = _cast(stream)
        if cast is not None:
            return cast
    return _postfix(stream, _primary(stream), start.span)


def _cast(stream: Stream) -> ast.Expression | None:
    """``(type) operand``, or None (and no token taken) if this is no cast."""
    start, position = stream.here(), stream.position
    stream.advance()
    if not types.at_type(stream):
        stream.seek(position)
        return None
    try:
        ref = types.type_ref(stream)
    except P4CompileError:
        if stream.tokens[position + 1].kind not in ("id", ".", "error", "list"):
            raise
        ref = None
    if ref is None or stream.kind != ")":
        stream.seek(position)
        return None
    stream.advance()
    operand = _unary(stream)
    return ast.Cast(ref, operand, span=stream.span_from(start))


def _primary(stream: Stream) -> ast.Expression:
    token = stream.token
    kind = token.kind
    if kind == "integer":
        stream.advance()
        value, width, signed = integer_literal(token.text)
        return ast.IntLiteral(value, width, signed, span=token.span)
    if kind in ("id", ".", "error") or kind in types.BASE_TYPES or kind in ("tuple", "list"):
        return _name_or_type(stream)
    if kind in SOFT_KEYWORDS:
        stream.advance()
        return ast.Name(token.text, span=token.span)
    if kind == "(":
        stream.advance()
        inner = expression(stream)
        stream.expect(")")
        inner.span = stream.span_from(token)
        return inner
    if kind == "{":
        return _braces(stream)
    stream.advance()
    if kind == "str":
        return ast.StringLiteral(unescape(token.text), span=token.span)
    if kind in ("true", "false"):
        return ast.BoolLiteral(kind == "true", span=token.span)
    if kind == "this":
        return ast.This(span=token.span)
    if kind == "...":
        return ast.DefaultValue(span=token.span)
    if kind == "{#}":
        return ast.InvalidHeader(span=token.span)
    stream.seek(stream.position - (kind != "eof"))
    raise stream.unexpected()


def unescape(text: str) -> str:
    """The content of a string literal."""
    return _ESCAPE.sub(lambda m: _ESCAPES.get(m.group(1), m.group(1)), text[1:-1])


def _name_or_type(stream: Stream) -> ast.Expression:
    start = stream.here()
    if types.at_type(stream) and not (stream.kind == "list" and stream.peek().kind != "<"):
        ref = _type_in_expression(stream)
        return ast.TypeExpr(ref, span=ref.span)
    absolute = stream.accept(".")
    token = stream.name()
    return ast.Name(token.text, absolute, span=stream.span_from(start))


def _type_in_expression(stream: Stream) -> ast.TypeRef:
    """A type as the head of ``T.member``, ``T(args)`` or ``T<args>(args)``: no ``T[n]``."""
    start = stream.here()
    if stream.kind not in ("id", "."):
        return types.type_ref(stream)
    absolute = stream.accept(".")
    name = stream.expect("id").text
    args = types.type_arguments(stream) if stream.kind == "<" else []
    return ast.NamedTypeRef(name, args, absolute, span=stream.span_from(start))


def _postfix(stream: Stream, base: ast.Expression, start: ast.Span) -> ast.Expression:
    while True:
        kind = stream.kind
        if kind == ".":
            stream.advance()
            name = stream.name().text
            base = ast.Member(base, name, span=stream.span_from(start))
        elif kind == "[":
            base = _subscript(stream, base, start)
        elif kind == "(":
            args = arguments(stream)
            base = ast.Call(base, [], args, span=stream.span_from(start))
        elif kind == "<":
            type_args = _call_type_arguments(stream, base)
            if type_args is None:
                return base
            args = arguments(stream)
            base = ast.Call(base, type_args, args, span=stream.span_from(start))
        else:
            return base


def _call_type_arguments(stream: Stream, callee: ast.Expression) -> list[ast.TypeRef] | None:
    """``<types>`` before ``(``, or None (and no token taken) if ``<`` compares."""
    if not isinstance(callee, (ast.Name, ast.Member)):
        return None
    position = stream.position
    try:
        refs = types.type_arguments(stream)
    except P4CompileError:
        refs = None
    if refs is None or stream.kind != "(" or not all(_surely_type(stream, r) for r in refs):
        stream.seek(position)
        return None
    return refs


def _surely_type(stream: Stream, ref: ast.TypeRef) -> bool:
    return not isinstance(ref, ast.NamedTypeRef) or stream.is_type(ref.name)


def _subscript(stream: Stream, base: ast.Expression, start: ast.Span) -> ast.Expression:
    stream.advance()
    first = expression(stream)
    if stream.kind == ":":
        stream.advance()
        low = expression(stream)
        stream.expect("]")
        return ast.Slice(base, first, low, span=stream.span_from(start))
    if stream.kind == "+":
        stream.advance()
        stream.expect(":")
        width = expression(stream)
        stream.expect("]")
        return ast.Slice(base, width, first, plus=True, span=stream.span_from(start))
    stream.expect("]")
    return ast.Index(base, first, span=stream.span_from(start))


def arguments(stream: Stream) -> list[ast.Argument]:
    """Parses ``(a, name = b, _)``."""
    stream.expect("(")
    found: list[ast.Argument] = []
    while stream.kind != ")":
        start = stream.here()
        name = None
        if stream.kind in NAME_KINDS and stream.peek().kind == "=":
            name = stream.advance().text
            stream.advance()
        value: ast.Expression
        if stream.kind == "_":
            value = ast.DefaultExpr("_", span=stream.advance().span)
        else:
            value = expression(stream)
        found.append(ast.Argument(value, name, span=stream.span_from(start)))
        if not stream.accept(","):
            break
        if stream.kind == ")":
            raise stream.unexpected("expecting an argument")
    stream.expect(")")
    return found


def _braces(stream: Stream) -> ast.Expression:
    start = stream.expect("{")
    if stream.kind in NAME_KINDS and stream.peek().kind == "=":
        return _struct_expression(stream, start.span)
    elements: list[ast.Expression] = []
    rest = False
    while stream.kind != "}":
        element = expression(stream)
        if isinstance(element, ast.DefaultValue) and stream.kind in ("}", ","):
            rest = True
            stream.accept(",")
            break
        elements.append(element)
        if not stream.accept(","):
            break
    stream.expect("}")
    return ast.ListExpr(elements, rest, span=stream.span_from(start))


def _struct_expression(stream: Stream, start: ast.Span) -> ast.Expression:
    fields: dict[str, ast.Expression] = {}
    rest = False
    while stream.kind != "}":
        if stream.kind == "...":
            stream.advance()
            rest = True
            stream.accept(",")
            break
        token = stream.name()
        stream.expect("=")
        value = expression(stream)
        if token.text in fields:
            from softswitch.frontend.diagnostics import error

            raise error("duplicate", f"{token.text}: field initialised twice", token.span)
        fields[token.text] = value
        if not stream.accept(","):
            break
    stream.expect("}")
    return ast.StructExpr(fields, None, rest, span=stream.span_from(start))


# --------------------------------------------------------------------------- key sets


def keyset(stream: Stream) -> list[ast.Expression]:
    """Parses ``a``, ``a &&& b``, ``a .. b``, ``default``, ``_`` or a tuple of them before ``:``."""
    if stream.kind == "(":
        position = stream.position
        try:
            sets = _tuple_keyset(stream)
        except P4CompileError:
            sets = None
        if sets is not None and stream.kind == ":":
            return sets
        stream.seek(position)
    return [_simple_keyset(stream)]


def _tuple_keyset(stream: Stream) -> list[ast.Expression]:
    stream.expect("(")
    sets = [_simple_keyset(stream)]
    while stream.accept(","):
        if stream.kind == ")":
            break
        sets.append(_simple_keyset(stream))
    stream.expect(")")
    return sets


def _simple_keyset(stream: Stream) -> ast.Expression:
    start = stream.here()
    if stream.kind in ("default", "_"):
        stream.advance()
        return ast.DefaultExpr(start.kind, span=start.span)
    value = expression(stream)
    if stream.accept("&&&"):
        mask = expression(stream)
        return ast.Mask(value, mask, span=stream.span_from(start))
    if stream.accept(".."):
        high = expression(stream)
        return ast.Range(value, high, span=stream.span_from(start))
    return value


def lvalue(stream: Stream) -> ast.Expression:
    """Parses the head of an assignment or call statement."""
    start = stream.here()
    return _postfix(stream, _primary(stream), start.span)
