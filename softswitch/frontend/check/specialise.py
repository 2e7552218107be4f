# SPDX-License-Identifier: MIT
"""Copies of generic functions for given type arguments, checked without type variables."""

from __future__ import annotations

import copy

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.session import Scope, Session
from softswitch.frontend.check.typerefs import is_ground


def keep_pristine(scope: Scope, decl: ast.FunctionDecl) -> None:
    """Keeps an unchecked copy of a generic function with the scope that it sees."""
    around = Scope(scope.session, scope.parent, scope.place)
    around.names = {name: list(decls) for name, decls in scope.names.items()}
    scope.session.pristine[decl] = (copy.deepcopy(decl), around)


def specialised(
    session: Session, decl: ast.FunctionDecl, args: tuple[ty.Type, ...]
) -> ast.FunctionDecl:
    """The copy of ``decl`` for ``args``; ``decl`` itself inside other generic code."""
    from softswitch.frontend.check.functions import check_function_body, check_signature

    if not all(map(is_ground, args)) or decl not in session.pristine:
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
    made.type_params, made.bindings = [], args
    session.specialised[decl, args] = made
    check_signature(scope, made)
    check_function_body(scope, made)
    return made
