# SPDX-License-Identifier: MIT
"""Desired state straight into a pipeline of this process: for tests, models and simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.desired import SwitchState
from softswitch.engine import Pipeline
from softswitch.engine.match import Exact, Lpm, Match, Range, Ternary

_MATCHES: dict[str, Callable[[Any], Match]] = {
    "exact": Exact,
    "lpm": lambda value: Lpm(*value),
    "ternary": lambda value: Ternary(*value),
    "range": lambda value: Range(*value),
}


def install(pipeline: Pipeline, state: SwitchState) -> None:
    """Write a state into a pipeline that holds nothing yet.

    Raises:
        KeyError: the program has no such table, action or key.
    """
    params = {a.name: [p.name for p in a.params] for a in pipeline.program.actions}

    def values(action: str, args: tuple[tuple[str, int], ...]) -> list[int]:
        given = dict(args)
        return [given[name] for name in params[action]]

    for group, replicas in state.groups.items():
        copies = [(copy.port, copy.instance) for copy in sorted(replicas)]
        pipeline.pre.set_multicast_group(group, copies)
    for table, action in state.defaults.items():
        pipeline.tables[table].set_default(action.name, values(action.name, action.args))
    for key, action in state.rows.items():
        wanted = dict(key.match)
        keys = pipeline.tables[key.table].info.keys
        match = [_MATCHES[field.kind](wanted[field.name]) for field in keys]
        args = values(action.name, action.args)
        pipeline.tables[key.table].insert(match, action.name, args, key.priority)
