# SPDX-License-Identifier: MIT
"""Assignments in a parser that are overwritten before anything reads them.

p4c removes them as well, and does not count the ways out of a state that a failing ``verify``
or ``extract`` takes: after a parser error, too, their values must not be seen.
"""

from __future__ import annotations

from softswitch.frontend.lower import ir
from softswitch.frontend.lower.context import Context
from softswitch.frontend.lower.effects import Touched
from softswitch.frontend.lower.model import State

Location = tuple[str, str]


def drop_overwritten(ctx: Context, states: list[State]) -> None:
    """Remove the dead assignments of a parser, in place."""
    everything = {
        (op.target.header, op.target.name)
        for state in states
        for op in state.ops
        if isinstance(op, ir.Assign) and isinstance(op.target, ir.FieldRef)
    }
    dead_at_start = {id(s): set(everything) for s in states}
    changed = True
    while changed:
        changed = False
        for state in states:
            dead, _ = _backwards(ctx, state, dead_at_start)
            if dead != dead_at_start[id(state)]:
                dead_at_start[id(state)] = dead
                changed = True
    for state in states:
        _, state.ops = _backwards(ctx, state, dead_at_start)


def _backwards(
    ctx: Context, state: State, dead_at_start: dict[int, set[Location]]
) -> tuple[set[Location], list[ir.Stmt]]:
    """Locations that are dead before the state, and its operations without dead ones."""
    after = [set() if c.next is None else dead_at_start[id(c.next)] for c in state.cases]
    dead: set[Location] = set.intersection(*after) if after else set()
    if state.keys and all(c.kind != "default" for c in state.cases):
        dead = set()
    _revive(dead, ctx.analysis.reads(state.keys))
    kept: list[ir.Stmt] = []
    for op in reversed(state.ops):
        if isinstance(op, ir.Assign) and isinstance(op.target, ir.FieldRef):
            target = (op.target.header, op.target.name)
            if target in dead:
                continue
            dead.add(target)
            _revive(dead, ctx.analysis.reads([op.value]))
        else:
            effects = ctx.analysis.of([op])
            _revive(dead, effects.reads)
            if isinstance(op, ir.Extract) and isinstance(op.into, ir.HeaderRef):
                layout = ctx.model.instances[op.into.name].type
                dead |= {(op.into.name, name) for name, _, _ in layout.fields}
            else:
                _revive(dead, effects.writes)
        kept.append(op)
    kept.reverse()
    return dead, kept


def _revive(dead: set[Location], touched: Touched) -> None:
    for location in list(dead):
        if touched.overlaps(*location):
            dead.discard(location)
