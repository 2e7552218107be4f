# SPDX-License-Identifier: MIT
"""What the modules of this package share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from softswitch.server.bridge import Engine
from softswitch.server.errors import P4RuntimeError, exhausted, invalid, out_of_range
from softswitch.server.idle import IdleTimers
from softswitch.server.program import Program
from softswitch.server.roles import RoleRights
from softswitch.server.state import State


@dataclass(slots=True)
class Context:
    """One loaded pipeline with the record of what was written to it."""

    program: Program
    engine: Engine
    state: State
    timers: IdleTimers = field(default_factory=IdleTimers)


class Handler(Protocol):
    """Writes and reads one kind of entity.  Each method raises P4RuntimeError or does all."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Carry out an INSERT."""

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Carry out a MODIFY."""

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Carry out a DELETE."""

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the p4.v1.Entity messages that `message` asks for."""


class ModifyOnly:
    """An entity that is always there: INSERT and DELETE are refused."""

    what = "this entity"

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Refuse."""
        raise self._refusal()

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Refuse."""
        raise self._refusal()

    def _refusal(self) -> P4RuntimeError:
        return invalid(f"{self.what} can only be modified, not inserted or deleted")


# Slots of one selector group, each weight taking as many; BMv2's groups are lists of slots, too.
MAX_GROUP_SLOTS = 1 << 16


def checked_weights(total: int, limit: int, what: str) -> None:
    """Check the weights of a group against P4Info's maximum (0: none) and the switch's."""
    most = min(limit or MAX_GROUP_SLOTS, MAX_GROUP_SLOTS)
    if total > most:
        raise exhausted(f"{what}: the weights add up to {total}, at most {most} are allowed")


def checked_index(message: Any, size: int, what: str) -> int:
    """The index of an array entity; raise INVALID_ARGUMENT or OUT_OF_RANGE."""
    index: int = message.index.index
    if index < 0:
        raise invalid(f"{what}: the index {index} is negative")
    if index >= size:
        raise out_of_range(f"{what} has {size} cells, there is no {index}")
    return index


def checked_counts(data: Any, what: str) -> tuple[int, int]:
    """(packets, bytes) of a CounterData; raise INVALID_ARGUMENT for negative ones."""
    if data.packet_count < 0 or data.byte_count < 0:
        raise invalid(f"{what}: a count is negative")
    return data.packet_count, data.byte_count
