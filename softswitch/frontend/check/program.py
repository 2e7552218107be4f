# SPDX-License-Identifier: MIT
"""The whole program: declarations in order, then ``main``."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.check.declarations import check_declaration, require_instance
from softswitch.frontend.check.session import Place, Scope, Session, TooManyErrorsError
from softswitch.frontend.diagnostics import P4CompileError, error
from softswitch.frontend.recursion import deep_recursion


def check_program(program: ast.Program) -> ast.TypedProgram:
    """Checks a program in place; raises `P4CompileError` with all errors and warnings."""
    session = Session()
    scope = Scope(session, None, Place())
    try:
        with deep_recursion(lambda: session.current):
            for decl in program.declarations:
                with session.collect():
                    check_declaration(scope, decl)
            main = _main(program, scope)
    except TooManyErrorsError:
        raise P4CompileError(session.diagnostics) from None
    if any(d.severity == "error" for d in session.diagnostics):
        raise P4CompileError(session.diagnostics)
    assert main is not None
    return ast.TypedProgram(
        program,
        main,
        list(session.errors.values()),
        list(session.match_kinds.values()),
        [d for d in session.diagnostics if d.severity == "warning"],
    )


def _main(program: ast.Program, scope: Scope) -> ast.InstanceDecl | None:
    session = scope.session
    with session.collect():
        found = scope.lookup("main")
        if not found:
            if any(d.severity == "error" for d in session.diagnostics):
                return None
            last = program.declarations[-1].span if program.declarations else program.span
            message = "Program does not contain a `main' module"
            raise error("not-found", message, last)
        decl = found[0]
        if not isinstance(decl, ast.InstanceDecl):
            raise error("type-error", "main: must be a package instance", decl.name_span)
        if not any(d.severity == "error" for d in session.diagnostics):
            require_instance(decl)
        return decl
    return None
