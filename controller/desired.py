# SPDX-License-Identifier: MIT
"""What a switch should hold, as values, and the difference to what it holds.

Nothing here talks to a switch. Tables, actions, keys and parameters go by their full P4Info names,
values are Python ints, so states compare and print without the program.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import TypeAlias, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")

MatchValue: TypeAlias = int | tuple[int, int]
"""Exact: the value; LPM: (value, prefix length); ternary: (value, mask); range: (low, high)."""


@dataclass(frozen=True, order=True)
class Key:
    """What makes a table row unique."""

    table: str
    match: tuple[tuple[str, MatchValue], ...]
    priority: int = 0


@dataclass(frozen=True, order=True)
class Action:
    """An action and its parameters, in any order."""

    name: str
    args: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "args", tuple(sorted(self.args)))


@dataclass(frozen=True, order=True)
class Replica:
    """One copy of a multicast packet."""

    port: int
    instance: int = 0


@dataclass(frozen=True)
class SwitchState:
    """Everything the controller writes on one switch.

    Attributes:
        rows: table rows.
        defaults: table -> default action, for tables whose default is not the program's.
        groups: multicast group id -> its copies.
    """

    rows: dict[Key, Action] = field(default_factory=dict)
    defaults: dict[str, Action] = field(default_factory=dict)
    groups: dict[int, frozenset[Replica]] = field(default_factory=dict)

    def __or__(self, other: SwitchState) -> SwitchState:
        """Both together.

        Raises:
            ValueError: they disagree about a row, a default action or a group.
        """
        _check_disjoint(self.rows, other.rows, "row")
        _check_disjoint(self.defaults, other.defaults, "default action")
        _check_disjoint(self.groups, other.groups, "multicast group")
        return SwitchState(
            self.rows | other.rows, self.defaults | other.defaults, self.groups | other.groups
        )

    def __len__(self) -> int:
        return len(self.rows) + len(self.defaults) + len(self.groups)


def _check_disjoint(a: dict[_K, _V], b: dict[_K, _V], what: str) -> None:
    for key in a.keys() & b.keys():
        if a[key] != b[key]:
            raise ValueError(f"two values for one {what}: {key}: {a[key]} and {b[key]}")


def row(
    table: str, match: Iterable[tuple[str, MatchValue]], action: str, **args: int
) -> tuple[Key, Action]:
    """A row as an item of `SwitchState.rows`."""
    return Key(table, tuple(sorted(match))), Action(action, tuple(args.items()))


@dataclass(frozen=True)
class Difference:
    """Updates that turn one state into another, grouped so that no packet meets half of them.

    Rows that name a group appear after the group and go before it. To be carried out in the
    order of the attributes.
    """

    delete_rows: tuple[Key, ...] = ()
    insert_groups: tuple[tuple[int, frozenset[Replica]], ...] = ()
    modify_groups: tuple[tuple[int, frozenset[Replica]], ...] = ()
    set_defaults: tuple[tuple[str, Action], ...] = ()
    modify_rows: tuple[tuple[Key, Action], ...] = ()
    insert_rows: tuple[tuple[Key, Action], ...] = ()
    delete_groups: tuple[int, ...] = ()

    def __len__(self) -> int:
        return sum(len(getattr(self, part.name)) for part in fields(self))


def difference(have: SwitchState, want: SwitchState) -> Difference:
    """What must be written to a switch that holds `have` so that it holds `want`.

    A table whose default action `want` does not mention keeps the one it has.
    """
    return Difference(
        delete_rows=tuple(sorted(have.rows.keys() - want.rows.keys(), key=repr)),
        insert_groups=tuple(
            (group, copies)
            for group, copies in sorted(want.groups.items())
            if group not in have.groups
        ),
        modify_groups=tuple(
            (group, copies)
            for group, copies in sorted(want.groups.items())
            if have.groups.get(group, copies) != copies
        ),
        set_defaults=tuple(
            (table, action)
            for table, action in sorted(want.defaults.items())
            if have.defaults.get(table) != action
        ),
        modify_rows=tuple(
            (key, action)
            for key, action in want.rows.items()
            if have.rows.get(key, action) != action
        ),
        insert_rows=tuple(
            (key, action) for key, action in want.rows.items() if key not in have.rows
        ),
        delete_groups=tuple(sorted(have.groups.keys() - want.groups.keys())),
    )
