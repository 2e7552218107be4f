# SPDX-License-Identifier: MIT
"""The embedded switch, in this process, as the target of a packet test."""

from __future__ import annotations

from collections.abc import Sequence

from softswitch.engine import EngineError, Group, Member, Pipeline
from softswitch.engine.match import Match
from softswitch.p4info import ActionProfile, Counter, Register, Table
from softswitch.stf.commands import MemberRef
from softswitch.stf.target import BoundAction, EntryTarget, TargetError

# Time between two packets of a test; timestamps in the switch are microseconds.
STEP_US = 1000


class InProcessTarget:
    """Drives one `Pipeline` with time standing still while a packet is processed."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._now = 0
        self._handles: dict[tuple[str, tuple[Match, ...], int], int] = {}

    def insert(
        self, table: Table, match: Sequence[Match], target: EntryTarget, priority: int
    ) -> None:
        """Insert an entry and remember its handle for counters and deletion."""
        engine_table = self._pipeline.tables[table.name]
        try:
            if isinstance(target, BoundAction):
                handle = engine_table.insert(match, target.action.name, target.values, priority)
            elif isinstance(target, MemberRef):
                handle = engine_table.insert(match, Member(target.id), (), priority)
            else:
                handle = engine_table.insert(match, Group(target.id), (), priority)
        except EngineError as error:
            raise TargetError(f"the switch refused the entry: {error}") from error
        self._handles[table.name, tuple(match), priority] = handle

    def set_default(self, table: Table, action: BoundAction) -> None:
        """Change the default action."""
        self._pipeline.tables[table.name].set_default(action.action.name, action.values)

    def delete(self, table: Table, match: Sequence[Match], priority: int) -> None:
        """Delete an entry that the test inserted."""
        handle = self._handles.pop((table.name, tuple(match), priority), None)
        if handle is None:
            raise TargetError(f"table {table.name!r} has no such entry")
        self._pipeline.tables[table.name].delete(handle)

    def clear(self, table: Table) -> None:
        """Delete all entries that the test inserted."""
        for key in [k for k in self._handles if k[0] == table.name]:
            self._pipeline.tables[table.name].delete(self._handles.pop(key))

    def add_member(self, profile: ActionProfile, id: int, action: BoundAction) -> None:
        """Add a member."""
        try:
            engine_profile = self._pipeline.action_profiles[profile.name]
            engine_profile.add_member(id, action.action.name, action.values)
        except EngineError as error:
            raise TargetError(f"the switch refused the member: {error}") from error

    def add_group(
        self, profile: ActionProfile, id: int, members: Sequence[tuple[int, int]]
    ) -> None:
        """Add a group."""
        try:
            self._pipeline.action_profiles[profile.name].set_group(id, members)
        except EngineError as error:
            raise TargetError(f"the switch refused the group: {error}") from error

    def set_multicast_group(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a multicast group."""
        self._pipeline.pre.set_multicast_group(id, replicas)

    def set_clone_session(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a clone session."""
        self._pipeline.pre.set_clone_session(id, replicas)

    def write_register(self, register: Register, index: int | None, value: int) -> None:
        """Write one cell, or all of them."""
        array = self._pipeline.registers[register.name]
        if index is None:
            array.write_all([value] * register.size)
        else:
            array[index] = value

    def read_register(self, register: Register, index: int) -> int:
        """Read one cell as its bits."""
        return int(self._pipeline.registers[register.name][index]) & ((1 << register.width) - 1)

    def write_counter(self, counter: Counter, index: int, packets: int, octets: int) -> None:
        """Set one cell."""
        self._pipeline.counters[counter.name][index] = (packets, octets)

    def read_counter(self, counter: Counter, index: int) -> tuple[int, int]:
        """Read one cell of an indirect counter."""
        packets, octets = self._pipeline.counters[counter.name][index]
        return packets, octets

    def read_direct_counter(
        self, counter: Counter, table: Table, match: Sequence[Match], priority: int | None
    ) -> tuple[int, int]:
        """Read the counter of an entry that the test inserted."""
        wanted = tuple(match)
        handles = [
            handle
            for (name, found, prio), handle in self._handles.items()
            if name == table.name and found == wanted and priority in (None, prio)
        ]
        if len(handles) != 1:
            raise TargetError(f"table {table.name!r} has {len(handles)} entries with these keys")
        packets, octets = self._pipeline.tables[table.name].counter(handles[0])
        return packets, octets

    def send(self, port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Run a packet and all its copies to the end."""
        self._now += STEP_US
        return self._pipeline.process(port, data, self._now)

    def close(self) -> None:
        """Nothing to stop: the pipeline goes with its last reference."""
