# SPDX-License-Identifier: MIT
"""Copies of generic functions, controls and parsers for given types, free of type variables."""

from __future__ import annotations

import copy

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.session import Generic, Scope, Session
from softswitch.frontend.check.typerefs import is_ground


def keep_pristine(scope: Scope, decl: Generic) -> None:
    """Keeps an unchecked copy of a generic declaration with the scope that it sees."""
    if not decl.type_params:
        return
    around = Scope(scope.session, scope.parent, scope.place)
    around.names = {name: list(decls) for name, decls in scope.names.items()}
    scope.session.pristine[decl] = (copy.deepcopy(decl), around)


def specialised(session: Session, decl: Generic, args: tuple[ty.Type, ...]) -> Generic:
    """The copy of ``decl`` for ``args``; ``decl`` itself inside other generic code."""
    if not args or not all(map(is_ground, args)) or decl not in session.pristine:
        return decl
    known = session.specialised.get((decl, args))
    if known is not None:
        return known
    pristine, around = session.pristine[decl]
    made = copy.deepcopy(pristine)
    scope = around.child()
    for param, kind in zip(made.type_params, args, strict=True):
        alias = ast.TypedefDecl(param.name, ast.BaseTypeRef("_"), name_span=param.name_span)
        alias.type = session.declared[alias] = kind
        scope.declare(alias)
    made.type_params = []
    session.specialised[decl, args] = made
    _check(scope, made, args)
    return made


def _check(scope: Scope, made: Generic, args: tuple[ty.Type, ...]) -> None:
    from softswitch.frontend.check.declarations import check_control
    from softswitch.frontend.check.functions import check_function_body, check_signature
    from softswitch.frontend.check.parsers import check_parser

    match made:
        case ast.FunctionDecl():
            made.bindings = args
            check_signature(scope, made)
            check_function_body(scope, made)
        case ast.ControlDecl():
            check_control(scope, made)
        case ast.ParserDecl():
            check_parser(scope, made)


def specialise_call(session: Session, call: ast.Call, decl: Generic, params: str) -> Generic:
    """Makes a checked call refer to the specialised declaration.

    ``params`` names the list that the arguments are bound to: ``params`` or
    ``constructor_params``.
    """
    made = specialised(session, decl, call.type_arguments)
    if made is not decl:
        own: list[ast.Parameter] = getattr(made, params)
        for argument, param in zip(call.bound, own, strict=True):
            argument.param = param
    call.decl = made
    return made
