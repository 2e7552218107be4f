# SPDX-License-Identifier: MIT
"""Desired state without a connection: for tests, models and simulations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from controller.desired import Action, Difference, Key, SwitchState
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


def stf_tables(state: SwitchState) -> list[str]:
    """A switch state as the lines of a packet test (STF) that write it."""
    lines = [
        f"mc_group {number} " + " ".join(f"{copy.port}/{copy.instance}" for copy in sorted(copies))
        for number, copies in sorted(state.groups.items())
    ]
    for table, action in sorted(state.defaults.items()):
        lines.append(f"setdefault {table} {_call(action)}")
    for key, action in sorted(state.rows.items()):
        match = " ".join(
            f"{name}:{value:#x}" if isinstance(value, int) else f"{name}:{value[0]:#x}/{value[1]}"
            for name, value in key.match
        )
        lines.append(f"add {key.table} {match} {_call(action)}")
    return lines


def _call(action: Action) -> str:
    return f"{action.name}({', '.join(f'{arg}:{value:#x}' for arg, value in action.args)})"


def update(pipeline: Pipeline, changes: Difference) -> None:
    """Write the changes of rows and default actions into a pipeline, as a controller would.

    Raises:
        KeyError: the program has no such table, action or key, or no such row is there.
        ValueError: there are changes of groups, which this does not write.
    """
    if changes.insert_groups or changes.modify_groups or changes.delete_groups:
        raise ValueError("multicast groups change: write them with install")
    params = {a.name: [p.name for p in a.params] for a in pipeline.program.actions}

    def values(action: Action) -> list[int]:
        given = dict(action.args)
        return [given[name] for name in params[action.name]]

    def match_of(key: Key) -> tuple[Match, ...]:
        wanted = dict(key.match)
        keys = pipeline.tables[key.table].info.keys
        return tuple(_MATCHES[field.kind](wanted[field.name]) for field in keys)

    def handle(key: Key) -> int:
        match = match_of(key)
        for entry in pipeline.tables[key.table].entries():
            if entry.match == match and entry.priority == key.priority:
                return entry.handle
        raise KeyError(f"no row {key}")

    for key in changes.delete_rows:
        pipeline.tables[key.table].delete(handle(key))
    for table, action in changes.set_defaults:
        pipeline.tables[table].set_default(action.name, values(action))
    for key, action in changes.modify_rows:
        pipeline.tables[key.table].modify(handle(key), action.name, values(action))
    for key, action in changes.insert_rows:
        view = pipeline.tables[key.table]
        view.insert(match_of(key), action.name, values(action), key.priority)
