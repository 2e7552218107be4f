# SPDX-License-Identifier: MIT
"""One switch over P4Runtime: `desired` values to and from finsy entities."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, cast

import finsy as fy

from controller.desired import Action, Difference, Key, Replica, SwitchState
from controller.errors import NotPrimaryError, ProgramError, WriteError

_BATCH = 500  # updates per request, well below gRPC's 4 MB message limit


class Session:
    """Reads and writes the state of one connected switch.

    Args:
        switch: a finsy switch whose channel is ready.
    """

    def __init__(self, switch: fy.Switch) -> None:
        self.switch = switch

    @property
    def _schema(self) -> fy.P4Schema:
        return self.switch.p4info

    def check(self, want: SwitchState) -> None:
        """Check that the program on the switch has all that a state names.

        Raises:
            ProgramError: a table, action, key or parameter is not in its P4Info.
        """
        tables = {table.name for table in self._schema.tables}
        for table in {key.table for key in want.rows} | set(want.defaults):
            if table not in tables:
                raise ProgramError(
                    f"the program has no table {table}",
                    where=self.switch.name,
                    hint="push another program",
                )
        try:
            for key, action in want.rows.items():
                _entry(key, action).encode(self._schema)
            for table, action in want.defaults.items():
                _default(table, action).encode(self._schema)
        except ValueError as error:
            raise ProgramError(str(error), where=self.switch.name) from error

    def register_depth(self, name: str) -> int | None:
        """Size of a register array of the program; None if it has none of that name."""
        for register in self._schema.registers:
            if register.name == name:
                return int(register.size)
        return None

    async def read(self) -> SwitchState:
        """What the switch holds: rows, default actions and groups that a controller may write."""
        writable = [table for table in self._schema.tables if not table.is_const]
        names = {table.name for table in writable}
        rows = {}
        async for entity in self._read(fy.P4TableEntry()):
            if not entity.is_default_action and not entity.is_const:
                key, action = self._row(entity)
                if key.table in names:
                    rows[key] = action
        groups: dict[int, frozenset[Replica]] = {}
        async for group in self._read(fy.P4MulticastGroupEntry()):
            groups[group.multicast_group_id] = frozenset(_replica(r) for r in group.replicas)
        defaults = await self._defaults(
            t.name for t in writable if t.const_default_action is None and not t.action_profile
        )
        return SwitchState(rows=rows, defaults=defaults, groups=groups)

    async def write(self, updates: Difference) -> None:
        """Carry a difference out.

        Raises:
            WriteError: the switch refuses an update.
        """
        try:
            await self._batches(self.switch.delete, map(_key_entry, updates.delete_rows))
            await self._batches(self.switch.insert, map(_group_entry, updates.insert_groups))
            await self._batches(self.switch.modify, map(_group_entry, updates.modify_groups))
            await self._batches(
                self.switch.modify, (_default(*default) for default in updates.set_defaults)
            )
            await self._batches(self.switch.modify, (_entry(*r) for r in updates.modify_rows))
            await self._batches(self.switch.insert, (_entry(*r) for r in updates.insert_rows))
            await self._batches(
                self.switch.delete, (fy.P4MulticastGroupEntry(g) for g in updates.delete_groups)
            )
        except fy.P4ClientError as error:
            denied = error.code is fy.GRPCStatusCode.PERMISSION_DENIED
            kind = NotPrimaryError if denied else WriteError
            raise kind(_refusal(error), where=self.switch.name) from error

    async def read_counters(self, counter: str, indexes: Iterable[int]) -> dict[int, int]:
        """Packets counted in cells of an indirect counter."""
        cells = [fy.P4CounterEntry(counter, index=index) for index in indexes]
        found: dict[int, int] = {}
        async for cell in self._read(cells):
            if cell.index is not None:
                found[cell.index] = cell.packet_count
        return found

    async def clear_counters(self, counter: str, indexes: Iterable[int]) -> None:
        """Set cells of an indirect counter to zero."""
        zero = fy.P4CounterData(packet_count=0, byte_count=0)
        await self.switch.modify(
            [fy.P4CounterEntry(counter, index=index, data=zero) for index in indexes]
        )

    def _read(self, entities: Any) -> AsyncIterator[Any]:
        # finsy's overloads declare a coroutine, but it is an asynchronous generator.
        reader: Any = self.switch.read
        return cast(AsyncIterator[Any], reader(entities))

    async def _batches(self, write: Any, entities: Iterable[Any]) -> None:
        pending: list[Any] = list(entities)
        for start in range(0, len(pending), _BATCH):
            await write(pending[start : start + _BATCH])

    async def _defaults(self, tables: Iterable[str]) -> dict[str, Action]:
        queries: Sequence[fy.P4TableEntry] = [
            fy.P4TableEntry(table, is_default_action=True) for table in tables
        ]
        defaults = {}
        async for entity in self._read(queries):
            key, action = self._row(entity)
            defaults[key.table] = action
        return defaults

    def _row(self, entity: fy.P4TableEntry) -> tuple[Key, Action]:
        table = self._schema.tables[entity.table_id]
        match = tuple(
            sorted(
                (table.match_fields[alias].name, value)
                for alias, value in (entity.match or {}).items()
            )
        )
        key = Key(table.name, match, entity.priority)
        if not isinstance(entity.action, fy.Action):
            return key, Action("")
        action = table.actions[entity.action.name]
        args = tuple((name, int(value)) for name, value in entity.action.args.items())
        return key, Action(action.name, args)


def _entry(key: Key, action: Action) -> fy.P4TableEntry:
    return fy.P4TableEntry(
        key.table,
        match=fy.Match(dict(key.match)),
        action=fy.Action(action.name, **dict(action.args)),
        priority=key.priority,
    )


def _key_entry(key: Key) -> fy.P4TableEntry:
    return fy.P4TableEntry(key.table, match=fy.Match(dict(key.match)), priority=key.priority)


def _default(table: str, action: Action) -> fy.P4TableEntry:
    return fy.P4TableEntry(
        table, action=fy.Action(action.name, **dict(action.args)), is_default_action=True
    )


def _group_entry(group: tuple[int, frozenset[Replica]]) -> fy.P4MulticastGroupEntry:
    number, copies = group
    return fy.P4MulticastGroupEntry(
        number, replicas=[(copy.port, copy.instance) for copy in sorted(copies)]
    )


def _replica(replica: Any) -> Replica:
    if isinstance(replica, int):
        return Replica(replica)
    return Replica(replica.port, replica.instance)


def _refusal(error: fy.P4ClientError) -> str:
    """The first refused update of a batch, in one line."""
    for index, detail in sorted(error.details.items()):
        return f"update {index} refused: {detail.canonical_code.name}: {detail.message}"
    return f"{error.code.name}: {error.message}".replace("\n", " ")
