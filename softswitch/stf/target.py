# SPDX-License-Identifier: MIT
"""What a packet test needs from the switch under test.

Everything arrives checked against P4Info (`resolve.py`), so a target only carries it out.
A target raises `TargetError` with one line when the switch refuses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from softswitch.engine.match import Match
from softswitch.p4info import Action, ActionProfile, Counter, Register, Table
from softswitch.stf.commands import GroupRef, MemberRef, StfError


class TargetError(StfError):
    """The switch under test refused a command, or died."""


@dataclass(frozen=True, slots=True)
class BoundAction:
    """An action with a value for each parameter, in P4Info's order."""

    action: Action
    values: tuple[int, ...]


EntryTarget = BoundAction | MemberRef | GroupRef


class Target(Protocol):
    """A switch under test, freshly started, with the program loaded."""

    def insert(
        self, table: Table, match: Sequence[Match], target: EntryTarget, priority: int
    ) -> None:
        """Insert an entry; `match` has one element per key field; the larger priority wins."""

    def set_default(self, table: Table, action: BoundAction) -> None:
        """Change the default action."""

    def delete(self, table: Table, match: Sequence[Match], priority: int) -> None:
        """Delete an entry."""

    def clear(self, table: Table) -> None:
        """Delete all entries of a table."""

    def add_member(self, profile: ActionProfile, id: int, action: BoundAction) -> None:
        """Add a member to an action profile."""

    def add_group(
        self, profile: ActionProfile, id: int, members: Sequence[tuple[int, int]]
    ) -> None:
        """Add a group of (member, weight)."""

    def set_multicast_group(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a multicast group of (port, rid)."""

    def set_clone_session(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a clone session of (port, rid)."""

    def write_register(self, register: Register, index: int | None, value: int) -> None:
        """Write one cell, or all of them."""

    def read_register(self, register: Register, index: int) -> int:
        """Read one cell."""

    def write_counter(self, counter: Counter, index: int, packets: int, octets: int) -> None:
        """Set one cell of an indirect counter."""

    def read_counter(self, counter: Counter, index: int) -> tuple[int, int]:
        """Read (packets, bytes) of one cell of an indirect counter."""

    def read_direct_counter(
        self, counter: Counter, table: Table, match: Sequence[Match], priority: int | None
    ) -> tuple[int, int]:
        """Read (packets, bytes) of an entry; `priority` None: the only entry with that match."""

    def send(self, port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Inject a packet; return what the switch sent when it has finished with it."""

    def close(self) -> None:
        """Stop the switch and free what it held."""
