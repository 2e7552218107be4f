# SPDX-License-Identifier: MIT
"""Declarations of types, externs, functions, actions and instances."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.parse import expressions, statements, types
from softswitch.frontend.parse.stream import NAME_KINDS, Stream


def parameters(stream: Stream) -> list[ast.Parameter]:
    """Parses ``(direction type name = default, ...)`` and declares the names."""
    stream.expect("(")
    found: list[ast.Parameter] = []
    while stream.kind != ")":
        found.append(_parameter(stream))
        if not stream.accept(","):
            break
        if stream.kind == ")":
            raise stream.unexpected("expecting a parameter")
    stream.expect(")")
    return found


def _parameter(stream: Stream) -> ast.Parameter:
    notes = types.annotation_list(stream)
    start = stream.here()
    direction = stream.advance().kind if stream.kind in ("in", "out", "inout") else ""
    ref = types.type_ref(stream)
    name = stream.name()
    default = expressions.expression(stream) if stream.accept("=") else None
    stream.declare(name.text, False)
    return ast.Parameter(
        name.text,
        direction,
        ref,
        default,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


# --------------------------------------------------------------------------- derived types


def struct(stream: Stream, notes: ast.Annotations) -> ast.StructDecl:
    """Parses ``struct``, ``header`` or ``header_union``."""
    start = stream.advance()
    name = stream.name()
    stream.declare(name.text, True)
    stream.push()
    params = types.type_parameters(stream)
    stream.expect("{")
    fields: list[ast.StructField] = []
    while stream.kind != "}":
        fields.append(_struct_field(stream))
    stream.advance()
    stream.pop()
    return ast.StructDecl(
        name.text,
        start.kind,
        params,
        fields,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def _struct_field(stream: Stream) -> ast.StructField:
    notes = types.annotation_list(stream)
    ref = types.type_ref(stream)
    name = stream.name()
    stream.expect(";")
    span = ref.span.to(name.span)
    return ast.StructField(name.text, ref, span=span, name_span=name.span, annotations=notes)


def enum(stream: Stream, notes: ast.Annotations) -> ast.EnumDecl:
    """Parses ``enum name { ... }`` and ``enum bit<W> name { a = 1, ... }``."""
    start = stream.expect("enum")
    ref = None
    if not (stream.kind in NAME_KINDS and stream.peek().kind == "{"):
        ref = types.type_ref(stream)
    name = stream.name()
    stream.declare(name.text, True)
    members = members_list(stream, values=ref is not None)
    return ast.EnumDecl(
        name.text,
        members,
        ref,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def members_list(stream: Stream, *, values: bool = False) -> list[ast.EnumMember]:
    """Parses ``{ a, b }`` or, with values, ``{ a = 1, b = 2 }``."""
    stream.expect("{")
    members: list[ast.EnumMember] = []
    while not (stream.kind == "}" and members):
        notes = types.annotation_list(stream)
        name = stream.name()
        value = None
        if values:
            stream.expect("=")
            value = expressions.expression(stream)
        members.append(
            ast.EnumMember(
                name.text,
                value,
                span=stream.span_from(name),
                name_span=name.span,
                annotations=notes,
            )
        )
        if not stream.accept(","):
            break
    stream.expect("}")
    return members


def typedef(stream: Stream, notes: ast.Annotations) -> ast.TypedefDecl:
    """Parses ``typedef type name;`` and ``type type name;``."""
    start = stream.advance()
    ref: ast.TypeRef | ast.StructDecl | ast.EnumDecl
    inner = types.annotation_list(stream)
    if stream.kind in ("struct", "header", "header_union"):
        ref = struct(stream, inner)
    elif stream.kind == "enum":
        ref = enum(stream, inner)
    else:
        ref = types.type_ref(stream)
    name = stream.name()
    stream.expect(";")
    stream.declare(name.text, True)
    return ast.TypedefDecl(
        name.text,
        ref,
        start.kind == "type",
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


# --------------------------------------------------------------------------- externs, functions


def extern(stream: Stream, notes: ast.Annotations) -> ast.ExternDecl | ast.FunctionDecl:
    """Parses an extern object or extern function."""
    start = stream.expect("extern")
    if not _at_extern_object(stream):
        function = prototype(stream, notes)
        stream.expect(";")
        stream.declare(function.name, False)
        function.span = stream.span_from(start)
        return function
    name = stream.name()
    stream.declare(name.text, True)
    stream.push()
    params = types.type_parameters(stream)
    stream.expect("{")
    methods: list[ast.MethodDecl] = []
    while stream.kind != "}":
        methods.append(_method(stream, name.text))
    stream.advance()
    stream.pop()
    return ast.ExternDecl(
        name.text,
        params,
        [m for m in methods if m.result is not None],
        [m for m in methods if m.result is None],
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def _at_extern_object(stream: Stream) -> bool:
    """``name {`` or ``name<A, B> {``."""
    if stream.kind not in NAME_KINDS:
        return False
    distance = 1
    if stream.peek().kind == "<":
        while stream.peek(distance).kind not in (">", "(", "{", ";", "eof"):
            distance += 1
        distance += 1
    return stream.peek(distance).kind == "{"


def _method(stream: Stream, extern_name: str) -> ast.MethodDecl:
    notes = types.annotation_list(stream)
    start = stream.here()
    abstract = stream.accept("abstract")
    stream.push()
    result: ast.TypeRef | None = None
    params: list[ast.TypeParameter] = []
    if stream.kind == "id" and stream.peek().kind == "(":
        name = stream.name()
        if name.text != extern_name:
            stream.seek(stream.position - 1)
            raise stream.unexpected(f"a method needs a result type; constructor is {extern_name}")
    else:
        result = types.type_ref(stream, void=True)
        name = stream.name()
        params = types.type_parameters(stream)
    parameter_list = parameters(stream)
    stream.expect(";")
    stream.pop()
    return ast.MethodDecl(
        name.text,
        result,
        params,
        parameter_list,
        abstract,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def prototype(stream: Stream, notes: ast.Annotations) -> ast.FunctionDecl:
    """Parses ``result name<T>(params)``."""
    start = stream.here()
    result = types.type_ref(stream, void=True)
    return function_after_result(stream, result, notes, start.span, body=False)


def function_after_result(
    stream: Stream,
    result: ast.TypeRef,
    notes: ast.Annotations,
    start: ast.Span,
    *,
    body: bool,
) -> ast.FunctionDecl:
    """Parses a function from its name on."""
    name = stream.name()
    stream.push()
    params = types.type_parameters(stream)
    parameter_list = parameters(stream)
    block = statements.block(stream) if body else None
    stream.pop()
    return ast.FunctionDecl(
        name.text,
        result,
        params,
        parameter_list,
        block,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def object_members(stream: Stream) -> list[ast.FunctionDecl | ast.InstanceDecl]:
    """Parses ``{ functions and instances }`` of an instantiation."""
    stream.expect("{")
    stream.push()
    members: list[ast.FunctionDecl | ast.InstanceDecl] = []
    while stream.kind != "}":
        members.append(function_or_instance(stream, types.annotation_list(stream)))
    stream.advance()
    stream.pop()
    return members


def function_or_instance(
    stream: Stream, notes: ast.Annotations
) -> ast.FunctionDecl | ast.InstanceDecl:
    """Parses what starts with a type outside of blocks."""
    start = stream.here()
    ref = types.type_ref(stream, void=True)
    if stream.kind == "(":
        if isinstance(ref, ast.NamedTypeRef) and not stream.is_type(ref.name):
            raise stream.unexpected(f"{ref.name} is no type")
        return statements.instantiation(stream, ref, notes)
    function = function_after_result(stream, ref, notes, start.span, body=True)
    stream.declare(function.name, False)
    return function


def action(stream: Stream, notes: ast.Annotations) -> ast.ActionDecl:
    """Parses ``action name(params) { ... }``."""
    start = stream.expect("action")
    name = stream.name()
    stream.push()
    params = parameters(stream)
    body = statements.block(stream)
    stream.pop()
    stream.declare(name.text, False)
    return ast.ActionDecl(
        name.text,
        params,
        body,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )
