# SPDX-License-Identifier: MIT
"""Control flow: does every path return."""

from __future__ import annotations

from softswitch.frontend import ast


def always_returns(node: ast.Statement) -> bool:
    """Whether no path runs past the end of the statement."""
    match node:
        case ast.Return() | ast.Exit():
            return True
        case ast.Block(statements=statements):
            return any(map(always_returns, statements))
        case ast.If(then=then, otherwise=otherwise):
            if otherwise is None:
                return False
            return always_returns(then) and always_returns(otherwise)
        case ast.Switch(cases=cases):
            bodies = [c.body for c in cases if c.body is not None]
            complete = any(c.label is None for c in cases)
            return complete and bool(bodies) and all(map(always_returns, bodies))
        case _:
            return False
