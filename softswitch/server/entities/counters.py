# SPDX-License-Identifier: MIT
"""CounterEntry and DirectCounterEntry (P4Runtime spec, 9.3)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import Counter
from softswitch.server.entities.base import (
    Context,
    ModifyOnly,
    checked_counts,
    checked_index,
)
from softswitch.server.entities.direct import asked_entries, direct_table
from softswitch.server.entities.tables import find_entry, key_message
from softswitch.server.errors import invalid
from softswitch.server.roles import RoleRights


class Counters(ModifyOnly):
    """CounterEntry."""

    what = "a counter"

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Set one cell, or all of them when there is no index."""
        counter = self._counter(ctx, message)
        rights.check_id(counter.id)
        what = f"counter {counter.name!r}"
        cells: Iterator[int] | range = range(counter.size)
        if message.HasField("index"):
            cells = range(i := checked_index(message, counter.size, what), i + 1)
        if not message.HasField("data"):
            return
        packets, octets = checked_counts(message.data, what)
        for index in cells:
            ctx.engine.write_counter(counter, index, packets, octets)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one cell, a counter, or all counters."""
        asked = [self._counter(ctx, message)] if message.counter_id else ctx.program.info.counters
        for counter in asked:
            if not rights.may_read(counter.id):
                continue
            if message.counter_id and message.HasField("index"):
                index = checked_index(message, counter.size, f"counter {counter.name!r}")
                pairs = [(index, ctx.engine.read_counter(counter, index))]
            else:
                pairs = list(enumerate(ctx.engine.read_counters(counter)))
            for index, (packets, octets) in pairs:
                yield p4r.Entity(
                    counter_entry=p4r.CounterEntry(
                        counter_id=counter.id,
                        index=p4r.Index(index=index),
                        data=p4r.CounterData(packet_count=packets, byte_count=octets),
                    )
                )

    @staticmethod
    def _counter(ctx: Context, message: Any) -> Counter:
        counter = ctx.program.info.counters.by_id.get(message.counter_id)
        if counter is None:
            raise invalid(f"the program has no counter {message.counter_id:#010x}")
        return counter


class DirectCounters(ModifyOnly):
    """DirectCounterEntry."""

    what = "a direct counter"

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Set the counter of an entry."""
        table = direct_table(ctx, message, ctx.program.info.direct_counters, "direct counter")
        rights.check_id(table.table.id)
        if message.table_entry.is_default_action:
            raise invalid(f"table {table.table.name!r}: v1model's default entries have no counter")
        _, entry = find_entry(ctx, table, message.table_entry)
        if not message.HasField("data"):
            return
        packets, octets = checked_counts(message.data, f"table {table.table.name!r}")
        ctx.engine.set_entry_counter(table, entry.handle, packets, octets)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the counter of an entry, of a table's entries, or of all entries."""
        counters = ctx.program.info.direct_counters
        for table, key, entry in asked_entries(ctx, message, counters, "direct counter", rights):
            packets, octets = ctx.engine.entry_counter(table, entry.handle)
            yield p4r.Entity(
                direct_counter_entry=p4r.DirectCounterEntry(
                    table_entry=key_message(table, key, entry),
                    data=p4r.CounterData(packet_count=packets, byte_count=octets),
                )
            )
