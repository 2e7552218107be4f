# SPDX-License-Identifier: MIT
"""Parsers, controls, packages and the whole program."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lexer import Token, tokenize
from softswitch.frontend.parse import declarations, expressions, statements, tables, types
from softswitch.frontend.parse.stream import NAME_KINDS, Stream
from softswitch.frontend.preprocess import Source
from softswitch.frontend.recursion import deep_recursion


def parse(source: Source | str) -> ast.Program:
    """Parses a preprocessed program (or P4 text); raises `P4CompileError` on a syntax error."""
    if isinstance(source, str):
        source = Source.from_text(source)
    tokens = tokenize(source)
    stream = Stream(tokens)
    with deep_recursion(lambda: stream.token.span):
        return _program(stream)


def _program(stream: Stream) -> ast.Program:
    start = stream.here()
    found: list[ast.Declaration] = []
    while stream.kind != "eof":
        if stream.accept(";"):
            continue
        found.append(_declaration(stream))
    return ast.Program(found, span=start.span)


def _declaration(stream: Stream) -> ast.Declaration:
    notes = types.annotation_list(stream)
    kind = stream.kind
    if kind == "const":
        return statements.const_declaration(stream, notes)
    if kind == "error" and stream.peek().kind == "{":
        return _error(stream)
    if kind == "match_kind" and stream.peek().kind == "{":
        return _match_kind(stream)
    parse_one = _BY_KEYWORD.get(kind)
    if parse_one is not None:
        return parse_one(stream, notes)
    if kind in ("struct", "header", "header_union"):
        return declarations.struct(stream, notes)
    if kind == "id" or kind == "." or kind in types.BASE_TYPES or kind in ("tuple", "list"):
        return declarations.function_or_instance(stream, notes)
    raise stream.unexpected("expecting a declaration")


def _error(stream: Stream) -> ast.ErrorDecl:
    start = stream.advance()
    members = declarations.members_list(stream)
    return ast.ErrorDecl("error", members, span=stream.span_from(start), name_span=start.span)


def _match_kind(stream: Stream) -> ast.MatchKindDecl:
    start = stream.advance()
    members = declarations.members_list(stream)
    for member in members:
        stream.declare(member.name, False)
    span = stream.span_from(start)
    return ast.MatchKindDecl("match_kind", members, span=span, name_span=start.span)


def _package(stream: Stream, notes: ast.Annotations) -> ast.PackageDecl:
    start = stream.expect("package")
    name = stream.name()
    stream.declare(name.text, True)
    stream.push()
    params = types.type_parameters(stream)
    parameters = declarations.parameters(stream)
    stream.pop()
    stream.expect(";")
    span = stream.span_from(start)
    return ast.PackageDecl(
        name.text, params, parameters, span=span, name_span=name.span, annotations=notes
    )


# --------------------------------------------------------------------------- parsers


def _parser(stream: Stream, notes: ast.Annotations) -> ast.ParserDecl | ast.ParserTypeDecl:
    start, name = stream.expect("parser"), stream.name()
    stream.declare(name.text, True)
    stream.push()
    params = types.type_parameters(stream)
    parameters = declarations.parameters(stream)
    if stream.accept(";"):
        stream.pop()
        span = stream.span_from(start)
        return ast.ParserTypeDecl(
            name.text, params, parameters, span=span, name_span=name.span, annotations=notes
        )
    constructor = declarations.parameters(stream) if stream.kind == "(" else []
    stream.expect("{")
    locals_: list[ast.Declaration] = []
    states: list[ast.StateDecl] = []
    while stream.kind != "}" or not states:
        inner = types.annotation_list(stream)
        if stream.kind == "state" and stream.peek().kind in NAME_KINDS:
            states.append(_state(stream, inner))
        elif states:
            raise stream.unexpected("expecting state")
        else:
            locals_.append(_parser_local(stream, inner))
    stream.advance()
    stream.pop()
    return ast.ParserDecl(
        name.text,
        params,
        parameters,
        constructor,
        locals_,
        states,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


def _parser_local(stream: Stream, notes: ast.Annotations) -> ast.Declaration:
    if stream.kind == "value_set":
        return _value_set(stream, notes)
    return _local(stream, notes)


def _local(stream: Stream, notes: ast.Annotations) -> ast.Declaration:
    """A constant, variable or instance local to a parser or control."""
    if stream.kind == "const":
        return statements.const_declaration(stream, notes)
    position = stream.position
    ref = types.type_ref(stream)
    if stream.kind == "(":
        return statements.instantiation(stream, ref, notes)
    stream.seek(position)
    return statements.variable_declaration(stream, notes)


def _value_set(stream: Stream, notes: ast.Annotations) -> ast.ValueSetDecl:
    start = stream.expect("value_set")
    element = types.type_arguments(stream)
    if len(element) != 1:
        raise error("syntax-error", "value_set takes one type", start.span)
    stream.expect("(")
    size = expressions.expression(stream)
    stream.expect(")")
    name = stream.name()
    stream.expect(";")
    stream.declare(name.text, False)
    span = stream.span_from(start)
    return ast.ValueSetDecl(
        name.text, element[0], size, span=span, name_span=name.span, annotations=notes
    )


def _state(stream: Stream, notes: ast.Annotations) -> ast.StateDecl:
    start, name = stream.expect("state"), stream.name()
    stream.expect("{")
    stream.push()
    body: list[ast.Statement] = []
    while stream.kind not in ("}", "transition"):
        body.append(statements.statement(stream, in_state=True))
    transition = _transition(stream) if stream.kind == "transition" else None
    stream.expect("}")
    stream.pop()
    span = stream.span_from(start)
    return ast.StateDecl(
        name.text, body, transition, span=span, name_span=name.span, annotations=notes
    )


def _transition(stream: Stream) -> ast.Transition:
    stream.expect("transition")
    start = stream.here()
    if stream.kind != "select":
        name = stream.name()
        stream.expect(";")
        return ast.Transition(name.text, span=name.span)
    stream.advance()
    stream.expect("(")
    keys: list[ast.Expression] = []
    while stream.kind != ")":
        keys.append(expressions.expression(stream))
        if not stream.accept(","):
            break
    stream.expect(")")
    stream.expect("{")
    cases: list[ast.SelectCase] = []
    while stream.kind != "}":
        case_start = stream.here()
        keysets = expressions.keyset(stream)
        stream.expect(":")
        name = stream.name()
        stream.expect(";")
        span = stream.span_from(case_start)
        cases.append(ast.SelectCase(keysets, name.text, name.span, span=span))
    stream.advance()
    return ast.Transition("", keys, cases, span=stream.span_from(start))


# --------------------------------------------------------------------------- controls


def _control(stream: Stream, notes: ast.Annotations) -> ast.ControlDecl | ast.ControlTypeDecl:
    start, name = stream.expect("control"), stream.name()
    stream.declare(name.text, True)
    stream.push()
    params = types.type_parameters(stream)
    parameters = declarations.parameters(stream)
    if stream.accept(";"):
        stream.pop()
        span = stream.span_from(start)
        return ast.ControlTypeDecl(
            name.text, params, parameters, span=span, name_span=name.span, annotations=notes
        )
    constructor = declarations.parameters(stream) if stream.kind == "(" else []
    stream.expect("{")
    locals_: list[ast.Declaration] = []
    while stream.kind != "apply":
        inner = types.annotation_list(stream)
        if stream.kind == "action":
            locals_.append(declarations.action(stream, inner))
        elif stream.kind == "table":
            locals_.append(tables.table(stream, inner))
        else:
            locals_.append(_local(stream, inner))
    stream.expect("apply")
    body = statements.block(stream)
    stream.expect("}")
    stream.pop()
    heads = (params, parameters, constructor)
    return _control_decl(stream, start, name, notes, heads, locals_, body)


def _control_decl(
    stream: Stream,
    start: Token,
    name: Token,
    notes: ast.Annotations,
    params: tuple[list[ast.TypeParameter], list[ast.Parameter], list[ast.Parameter]],
    locals_: list[ast.Declaration],
    body: ast.Block,
) -> ast.ControlDecl:
    return ast.ControlDecl(
        name.text,
        *params,
        locals_,
        body,
        span=stream.span_from(start),
        name_span=name.span,
        annotations=notes,
    )


_BY_KEYWORD = {
    "extern": declarations.extern,
    "action": declarations.action,
    "enum": declarations.enum,
    "typedef": declarations.typedef,
    "type": declarations.typedef,
    "parser": _parser,
    "control": _control,
    "package": _package,
}
