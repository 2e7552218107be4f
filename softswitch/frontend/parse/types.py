# SPDX-License-Identifier: MIT
"""Types as written, type parameters and annotations."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.ast import integer_literal
from softswitch.frontend.parse import expressions
from softswitch.frontend.parse.stream import SOFT_KEYWORDS, Stream

BASE_TYPES = frozenset({"bool", "bit", "int", "varbit", "error", "string", "match_kind", "void"})
_TYPE_STARTS = BASE_TYPES | {"tuple", "list"}


def at_type(stream: Stream) -> bool:
    """Whether a type (not void) starts here: the name of a type counts, any other name not."""
    kind = stream.kind
    if kind == "id":
        return stream.is_type(stream.token.text)
    if kind == ".":
        follower = stream.peek()
        return follower.kind == "id" and stream.scopes[0].get(follower.text, False)
    return kind in _TYPE_STARTS and kind != "void"


def type_ref(stream: Stream, *, void: bool = False) -> ast.TypeRef:
    """Parses a type; ``void`` also allows ``void`` and names not yet known to be types."""
    start = stream.here()
    kind = stream.kind
    ref: ast.TypeRef
    if kind == "tuple":
        stream.advance()
        ref = ast.TupleTypeRef(type_arguments(stream))
    elif kind == "list" and stream.peek().kind == "<":
        stream.advance()
        elements = type_arguments(stream)
        if len(elements) != 1:
            raise stream.unexpected("list<> takes one type")
        ref = ast.ListTypeRef(elements[0])
    elif kind in BASE_TYPES and (void or kind != "void"):
        ref = _base_type(stream)
    elif kind in ("id", ".") and (void or at_type(stream)):
        absolute = stream.accept(".")
        name = stream.expect("id").text
        args = type_arguments(stream) if _at_arguments(stream, void) else []
        ref = ast.NamedTypeRef(name, args, absolute)
    elif kind == "id":
        raise stream.unexpected("expecting a type declared before")
    else:
        raise stream.unexpected("expecting a type")
    ref.span = stream.span_from(start)
    while stream.kind == "[" and isinstance(ref, (ast.NamedTypeRef, ast.StackTypeRef)):
        stream.advance()
        size = expressions.expression(stream)
        stream.expect("]")
        ref = ast.StackTypeRef(ref, size, span=stream.span_from(start))
    return ref


def _at_arguments(stream: Stream, void: bool) -> bool:
    # `T f<T>(...)`: the < after the result type never follows it directly
    return stream.kind == "<" and (not void or stream.is_type(stream.peek(-1).text))


def _base_type(stream: Stream) -> ast.TypeRef:
    keyword = stream.advance().kind
    width: ast.Expression | None = None
    if keyword in ("bit", "int", "varbit") and stream.kind == "<":
        stream.advance()
        if stream.kind == "(":
            stream.advance()
            width = expressions.expression(stream)
            stream.expect(")")
        else:
            token = stream.expect("integer")
            value, bits, signed = integer_literal(token.text)
            width = ast.IntLiteral(value, bits, signed, span=token.span)
        stream.expect(">")
    elif keyword == "varbit":
        raise stream.unexpected("expecting <")
    return ast.BaseTypeRef(keyword, width)


def type_arguments(stream: Stream) -> list[ast.TypeRef]:
    """Parses ``<T, _, void, ...>``."""
    stream.expect("<")
    args: list[ast.TypeRef] = []
    while stream.kind != ">":
        args.append(_type_argument(stream))
        if not stream.accept(","):
            break
    stream.expect(">")
    return args


def _type_argument(stream: Stream) -> ast.TypeRef:
    token = stream.token
    if stream.kind in ("_", "void"):
        stream.advance()
        return ast.BaseTypeRef(token.kind, span=token.span)
    if (stream.kind == "id" and not stream.at_type_name()) or stream.kind in SOFT_KEYWORDS:
        stream.advance()  # a name that the checker reports, unless it is a type parameter
        return ast.NamedTypeRef(token.text, span=token.span)
    return type_ref(stream)


def type_parameters(stream: Stream) -> list[ast.TypeParameter]:
    """Parses an optional ``<A, B>`` and declares the names as types."""
    params: list[ast.TypeParameter] = []
    if not stream.accept("<"):
        return params
    while True:
        token = stream.name()
        stream.declare(token.text, True)
        params.append(ast.TypeParameter(token.text, span=token.span, name_span=token.span))
        if not stream.accept(","):
            break
    stream.expect(">")
    return params


# --------------------------------------------------------------------------- annotations


def annotation_list(stream: Stream) -> ast.Annotations:
    """Parses any number of annotations."""
    found: ast.Annotations = []
    while stream.kind == "@":
        found.append(_annotation(stream))
    return found


def _annotation(stream: Stream) -> ast.Annotation:
    start = stream.expect("@")
    if stream.kind == "id" and stream.token.text == "pragma":
        return _pragma(stream)
    token = stream.advance()
    if not token.text[:1].isalpha() and token.text[:1] != "_":
        stream.seek(stream.position - 1)
        raise stream.unexpected("expecting the name of an annotation")
    annotation = ast.Annotation(token.text)
    if stream.kind == "(":
        stream.advance()
        annotation.tokens = _annotation_tokens(stream)
        annotation.exprs, annotation.kv = _body_as_expressions(stream, annotation.tokens)
    elif stream.kind == "[":
        stream.advance()
        annotation.structured = True
        annotation.exprs, annotation.kv = _structured_body(stream, "]")
        stream.expect("]")
    annotation.span = stream.span_from(start)
    return annotation


def _pragma(stream: Stream) -> ast.Annotation:
    """``@pragma name tokens``, up to the end of the line, as in P4_14."""
    line = stream.advance().line
    start = stream.name()
    tokens: list[str] = []
    while stream.kind != "eof" and stream.token.line == line:
        tokens.append(stream.advance().text)
    return ast.Annotation(start.text, tokens, span=stream.span_from(start))


def _annotation_tokens(stream: Stream) -> list[str]:
    depth = 1
    tokens: list[str] = []
    while True:
        if stream.kind == "eof":
            raise stream.unexpected("in an annotation")
        token = stream.advance()
        depth += (token.kind == "(") - (token.kind == ")")
        if depth == 0:
            return tokens
        tokens.append(token.text)


def _body_as_expressions(
    stream: Stream, tokens: list[str]
) -> tuple[list[ast.Expression], dict[str, ast.Expression]]:
    """Free-form bodies that read as expressions (``@id(7)``, ``@field_list(A.x, 2)``)."""
    from softswitch.frontend.diagnostics import P4CompileError

    end = stream.position
    stream.seek(end - len(tokens) - 1)
    try:
        exprs, kv = _structured_body(stream, ")")
        if stream.position == end - 1:
            return exprs, kv
    except P4CompileError:
        pass  # unstructured annotations may hold any tokens
    finally:
        stream.seek(end)
    return [], {}


def _structured_body(
    stream: Stream, end: str
) -> tuple[list[ast.Expression], dict[str, ast.Expression]]:
    exprs: list[ast.Expression] = []
    kv: dict[str, ast.Expression] = {}
    while stream.kind != end:
        if stream.peek().kind == "=" and not exprs:
            key = stream.name()
            stream.expect("=")
            if key.text in kv:
                stream.seek(stream.position - 2)
                raise stream.unexpected(f"the key {key.text} occurs twice")
            kv[key.text] = expressions.expression(stream)
        elif not kv:
            exprs.append(expressions.expression(stream))
        else:
            raise stream.unexpected("expecting key = value")
        if not stream.accept(","):
            break
    return exprs, kv
