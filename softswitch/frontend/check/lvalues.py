# SPDX-License-Identifier: MIT
"""What can be assigned to (specification 6.6)."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.session import text, type_error


def require_lvalue(node: ast.Expression, *, argument: str = "") -> None:
    """Raises unless the checked expression is a left-value; ``argument`` names an out parameter."""
    if is_lvalue(node):
        return
    if argument:
        message = f"{text(node)}: Read-only value used for out/inout parameter {argument}"
    else:
        message = f"Expression {text(node)} cannot be the target of an assignment"
    raise type_error(message, node.span)


def is_lvalue(node: ast.Expression) -> bool:
    """Whether the checked expression can be assigned to."""
    match node:
        case ast.Name(decl=ast.VariableDecl()):
            return True
        case ast.Name(decl=ast.Parameter() as decl):
            return decl.direction in ("out", "inout")
        case ast.Member(kind=ast.MemberKind.FIELD, base=base):
            return is_lvalue(base)
        case ast.Member(kind=ast.MemberKind.STACK, base=base, name=name):
            return name in ("next", "last") and is_lvalue(base)
        case ast.Index(base=base):
            return is_lvalue(base) and not isinstance(base.type, ty.Tuple)
        case ast.Slice(base=base):
            return is_lvalue(base) and isinstance(base.type, ty.Bit)
        case _:
            return False
