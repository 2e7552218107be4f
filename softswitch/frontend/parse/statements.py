# SPDX-License-Identifier: MIT
"""Statements and the declarations among them."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.parse import expressions, types
from softswitch.frontend.parse.stream import SOFT_KEYWORDS, Stream

_COMPOUND = frozenset({"*=", "/=", "%=", "+=", "-=", "|+|=", "|-|=", "<<=", "&=", "|=", "^="})


def block(stream: Stream, *, in_state: bool = False) -> ast.Block:
    """Parses ``{ ... }``."""
    notes = types.annotation_list(stream)
    start = stream.expect("{")
    stream.push()
    found: list[ast.Statement] = []
    while stream.kind != "}":
        found.append(statement(stream, in_state=in_state))
    stream.advance()
    stream.pop()
    return ast.Block(found, notes, span=stream.span_from(start))


def statement(stream: Stream, *, in_state: bool = False) -> ast.Statement:
    """Parses a statement or declaration; parser states know only some (``in_state``)."""
    start = stream.here()
    kind = stream.kind
    if kind == "@":
        return _annotated(stream, in_state)
    if kind == "{":
        return block(stream, in_state=in_state)
    if kind == ";":
        stream.advance()
        return ast.Empty(span=start.span)
    if kind == "if":
        return _if(stream, in_state)
    if kind == "const":
        const = const_declaration(stream, [])
        return ast.DeclStatement(const, span=const.span)
    parse = None if in_state else _KEYWORD_STATEMENTS.get(kind)
    if parse is not None:
        return parse(stream)
    if types.at_type(stream) and not (kind == "list" and stream.peek().kind != "<"):
        return _typed(stream, [])
    found = simple_statement(stream)
    stream.expect(";")
    found.span = stream.span_from(start)
    return found


def _annotated(stream: Stream, in_state: bool) -> ast.Statement:
    notes = types.annotation_list(stream)
    if stream.kind == "{":
        found = block(stream, in_state=in_state)
        found.annotations[:0] = notes
        return found
    if stream.kind == "const":
        const = const_declaration(stream, notes)
        return ast.DeclStatement(const, span=const.span)
    if stream.kind == "for" and not in_state:
        return _for(stream, notes)
    return _typed(stream, notes)


def _if(stream: Stream, in_state: bool) -> ast.Statement:
    start = stream.expect("if")
    stream.expect("(")
    condition = expressions.expression(stream)
    stream.expect(")")
    then = _body(stream, in_state)
    otherwise = _body(stream, in_state) if stream.accept("else") else None
    return ast.If(condition, then, otherwise, span=stream.span_from(start))


def _body(stream: Stream, in_state: bool = False) -> ast.Statement:
    """A statement that is no declaration."""
    position = stream.position
    found = statement(stream, in_state=in_state)
    if isinstance(found, ast.DeclStatement):
        stream.seek(position)
        raise stream.unexpected("expecting a statement (a declaration needs braces)")
    return found


def _typed(stream: Stream, notes: ast.Annotations) -> ast.Statement:
    """A statement that starts with a type: variable, instance, or direct application."""
    start = stream.here()
    ref = types.type_ref(stream)
    if stream.kind == "." and not notes:
        stream.advance()
        stream.expect("apply")
        callee = ast.Member(ast.TypeExpr(ref, span=ref.span), "apply", span=stream.span_from(start))
        args = expressions.arguments(stream)
        call = ast.Call(callee, [], args, span=stream.span_from(start))
        stream.expect(";")
        return ast.CallStatement(call, span=stream.span_from(start))
    if stream.kind == "(":
        instance = instantiation(stream, ref, notes)
        return ast.DeclStatement(instance, span=instance.span)
    variable = _variable(stream, ref, notes)
    stream.expect(";")
    variable.span = stream.span_from(start)
    return ast.DeclStatement(variable, span=variable.span)


def _variable(stream: Stream, ref: ast.TypeRef, notes: ast.Annotations) -> ast.VariableDecl:
    name = stream.name()
    init = expressions.expression(stream) if stream.accept("=") else None
    stream.declare(name.text, False)
    return ast.VariableDecl(
        name.text,
        ref,
        init,
        span=stream.span_from(ref.span),
        name_span=name.span,
        annotations=notes,
    )


def variable_declaration(stream: Stream, notes: ast.Annotations) -> ast.VariableDecl:
    """Parses ``type name = value;``."""
    variable = _variable(stream, types.type_ref(stream), notes)
    stream.expect(";")
    variable.span = stream.span_from(variable.span)
    return variable


def const_declaration(stream: Stream, notes: ast.Annotations) -> ast.ConstDecl:
    """Parses ``const type name = value;``."""
    start = stream.expect("const")
    ref = types.type_ref(stream)
    name = stream.name()
    stream.expect("=")
    init = expressions.expression(stream)
    stream.expect(";")
    stream.declare(name.text, False)
    span = stream.span_from(start)
    return ast.ConstDecl(name.text, ref, init, span=span, name_span=name.span, annotations=notes)


def instantiation(stream: Stream, ref: ast.TypeRef, notes: ast.Annotations) -> ast.InstanceDecl:
    """Parses ``(args) name;`` or ``(args) name = { members };`` after the type."""
    args = expressions.arguments(stream)
    callee = ast.TypeExpr(ref, span=ref.span)
    call = ast.Call(callee, [], args, span=stream.span_from(ref.span))
    name = stream.name()
    members: list[ast.FunctionDecl | ast.InstanceDecl] = []
    if stream.accept("="):
        from softswitch.frontend.parse.declarations import object_members

        members = object_members(stream)
    stream.expect(";")
    stream.declare(name.text, False)
    span = stream.span_from(ref.span)
    return ast.InstanceDecl(
        name.text, call, members, span=span, name_span=name.span, annotations=notes
    )


def simple_statement(stream: Stream) -> ast.Statement:
    """Parses an assignment or call, without the semicolon."""
    start = stream.here()
    if stream.kind not in ("id", ".", "this", "(", "list") and stream.kind not in SOFT_KEYWORDS:
        raise stream.unexpected()
    target = expressions.lvalue(stream)
    if stream.kind == "=":
        op = ""
        stream.advance()
    elif stream.kind in _COMPOUND:
        op = stream.advance().kind[:-1]
    elif expressions.is_shift_assign(stream):
        op = ">>"
        stream.advance()
        stream.advance()
    elif isinstance(target, ast.Call):
        return ast.CallStatement(target, span=stream.span_from(start))
    elif isinstance(target, ast.Name) and stream.kind == "id":
        raise stream.unexpected(f"expecting = ({target.name} is not a type declared before)")
    else:
        raise stream.unexpected("expecting =")
    if isinstance(target, ast.Call):
        stream.seek(stream.position - 1)
        raise stream.unexpected("expecting ;")
    value = expressions.expression(stream)
    return ast.Assign(target, value, op, span=stream.span_from(start))


def _switch(stream: Stream) -> ast.Statement:
    start = stream.expect("switch")
    stream.expect("(")
    subject = expressions.expression(stream)
    stream.expect(")")
    stream.expect("{")
    cases: list[ast.SwitchCase] = []
    while stream.kind != "}":
        case_start = stream.here()
        label = None
        if not stream.accept("default"):
            if stream.kind == "{":
                raise stream.unexpected("expecting a label")
            label = expressions.expression(stream)
        stream.expect(":")
        body = block(stream) if stream.kind in ("{", "@") else None
        cases.append(ast.SwitchCase(label, body, span=stream.span_from(case_start)))
    stream.expect("}")
    return ast.Switch(subject, cases, span=stream.span_from(start))


def _for(stream: Stream, notes: ast.Annotations | None = None) -> ast.Statement:
    start = stream.expect("for")
    stream.expect("(")
    stream.push()
    inner = types.annotation_list(stream)
    loop: ast.Statement
    init: list[ast.Statement] = []
    if inner or types.at_type(stream):
        first = stream.here()
        ref = types.type_ref(stream)
        if stream.peek().kind == "in":
            loop = _for_in(stream, ref, inner)
            loop.annotations = notes or []
            loop.span = stream.span_from(start)
            return loop
        variable = _variable(stream, ref, inner)
        init.append(ast.DeclStatement(variable, span=stream.span_from(first)))
    elif stream.kind != ";":
        init.append(simple_statement(stream))
    while init and stream.accept(","):
        init.append(_for_init(stream))
    stream.expect(";")
    condition = expressions.expression(stream)
    stream.expect(";")
    update: list[ast.Statement] = []
    while stream.kind != ")":
        update.append(simple_statement(stream))
        if not stream.accept(","):
            break
    stream.expect(")")
    body = _body(stream)
    stream.pop()
    span = stream.span_from(start)
    return ast.For(init, condition, update, body, notes or [], span=span)


def _for_init(stream: Stream) -> ast.Statement:
    start = stream.here()
    notes = types.annotation_list(stream)
    if notes or types.at_type(stream):
        variable = _variable(stream, types.type_ref(stream), notes)
        return ast.DeclStatement(variable, span=stream.span_from(start))
    return simple_statement(stream)


def _for_in(stream: Stream, ref: ast.TypeRef, notes: ast.Annotations) -> ast.ForIn:
    name = stream.name()
    stream.expect("in")
    start = stream.here()
    collection = expressions.expression(stream)
    if stream.accept(".."):
        high = expressions.expression(stream)
        collection = ast.Range(collection, high, span=stream.span_from(start))
    stream.expect(")")
    stream.declare(name.text, False)
    variable = ast.VariableDecl(
        name.text, ref, span=ref.span.to(name.span), name_span=name.span, annotations=notes
    )
    body = _body(stream)
    stream.pop()
    return ast.ForIn(variable, collection, body)


def _return(stream: Stream) -> ast.Statement:
    start = stream.expect("return")
    value = None if stream.kind == ";" else expressions.expression(stream)
    stream.expect(";")
    return ast.Return(value, span=stream.span_from(start))


def _exit(stream: Stream) -> ast.Statement:
    start = stream.advance()
    stream.expect(";")
    return ast.Exit(span=stream.span_from(start))


def _break(stream: Stream) -> ast.Statement:
    start = stream.advance()
    stream.expect(";")
    return ast.Break(span=stream.span_from(start))


def _continue(stream: Stream) -> ast.Statement:
    start = stream.advance()
    stream.expect(";")
    return ast.Continue(span=stream.span_from(start))


_KEYWORD_STATEMENTS = {
    "switch": _switch,
    "for": _for,
    "return": _return,
    "exit": _exit,
    "break": _break,
    "continue": _continue,
}
