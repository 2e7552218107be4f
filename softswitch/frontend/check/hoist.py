# SPDX-License-Identifier: MIT
"""Instances created in arguments get a name: ``A(B()) a`` becomes ``B() tmp; A(tmp) a``."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty

_BLOCKS = (ty.ControlType, ty.ParserType, ty.Extern)


def name_nested_instances(locals_: list[ast.Declaration]) -> None:
    """Inserts named instances before the checked declarations that create them in arguments."""
    taken = {decl.name for decl in locals_}
    result: list[ast.Declaration] = []
    for decl in locals_:
        if isinstance(decl, ast.InstanceDecl):
            _hoist(decl.call, taken, result)
        result.append(decl)
    locals_[:] = result


def _hoist(call: ast.Call, taken: set[str], result: list[ast.Declaration]) -> None:
    for argument in call.bound:
        inner = argument.value
        if (
            not isinstance(inner, ast.Call)
            or inner.kind is not ast.CallKind.CONSTRUCTOR
            or not isinstance(inner.type, _BLOCKS)
        ):
            continue
        _hoist(inner, taken, result)
        made = ast.InstanceDecl(_unique(taken), inner, span=inner.span, name_span=inner.span)
        made.type = inner.type
        result.append(made)
        name = ast.Name(made.name, span=inner.span)
        name.decl, name.type = made, made.type
        argument.value = name


def _unique(taken: set[str]) -> str:
    name, number = "tmp", 0
    while name in taken:
        name = f"tmp_{number}"
        number += 1
    taken.add(name)
    return name
