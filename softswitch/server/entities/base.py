# SPDX-License-Identifier: MIT
"""What the modules of this package share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from softswitch.server.bridge import Engine
from softswitch.server.errors import P4RuntimeError, invalid, out_of_range
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
