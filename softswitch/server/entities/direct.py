# SPDX-License-Identifier: MIT
"""Finding the table entries that direct counters and meters belong to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from softswitch.p4info import Counter, Index, Meter
from softswitch.server.entities.base import Context
from softswitch.server.entities.tables import find_entry, table_of
from softswitch.server.errors import invalid
from softswitch.server.program import TableCodec
from softswitch.server.roles import RoleRights
from softswitch.server.state import Entry, EntryKey


def direct_table(
    ctx: Context, message: Any, resources: Index[Counter] | Index[Meter], what: str
) -> TableCodec:
    """The table of a direct resource's message; raise INVALID_ARGUMENT if it has none."""
    table = table_of(ctx, message.table_entry)
    if not any(r.table_id == table.table.id for r in resources):
        raise invalid(f"table {table.table.name!r} has no {what}")
    return table


def asked_entries(
    ctx: Context,
    message: Any,
    resources: Index[Counter] | Index[Meter],
    what: str,
    rights: RoleRights,
) -> Iterator[tuple[TableCodec, EntryKey, Entry]]:
    """The entries whose direct resource a read asks for."""
    asked = message.table_entry
    if not asked.table_id:
        tables = [ctx.program.tables[r.table_id] for r in resources]
    else:
        tables = [direct_table(ctx, message, resources, what)]
        if asked.is_default_action:
            raise invalid(f"table {tables[0].table.name!r}: default entries have no {what}")
        if asked.match:
            key, entry = find_entry(ctx, tables[0], asked)
            if rights.may_read(asked.table_id):
                yield tables[0], key, entry
            return
    for table in tables:
        if rights.may_read(table.table.id):
            for key, entry in list(ctx.state.entries.get(table.table.id, {}).items()):
                yield table, key, entry
