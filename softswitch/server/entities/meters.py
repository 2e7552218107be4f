# SPDX-License-Identifier: MIT
"""MeterEntry and DirectMeterEntry (P4Runtime spec, 9.4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import Meter
from softswitch.server.entities.base import Context, ModifyOnly, checked_index
from softswitch.server.entities.direct import asked_entries, direct_table
from softswitch.server.entities.rates import rates_message, rates_of
from softswitch.server.entities.tables import find_entry, key_message
from softswitch.server.errors import invalid, unimplemented
from softswitch.server.roles import RoleRights


class Meters(ModifyOnly):
    """MeterEntry."""

    what = "a meter"

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Configure one cell, or all when there is no index; no config means always green."""
        meter = self._meter(ctx, message)
        rights.check_id(meter.id)
        _refuse_colours(message)
        cells = range(meter.size)
        if message.HasField("index"):
            index = checked_index(message, meter.size, f"meter {meter.name!r}")
            cells = range(index, index + 1)
        rates = rates_of(message.config) if message.HasField("config") else None
        configured = ctx.state.meters.setdefault(meter.id, {})
        for index in cells:
            ctx.engine.set_meter(meter, index, rates)
            if rates is None:
                configured.pop(index, None)
            else:
                configured[index] = rates

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the configuration of one cell, a meter, or all meters."""
        _refuse_colours(message)
        asked = [self._meter(ctx, message)] if message.meter_id else ctx.program.info.meters
        for meter in asked:
            if not rights.may_read(meter.id):
                continue
            cells = range(meter.size)
            if message.meter_id and message.HasField("index"):
                index = checked_index(message, meter.size, f"meter {meter.name!r}")
                cells = range(index, index + 1)
            configured = ctx.state.meters.get(meter.id, {})
            for index in cells:
                entry = p4r.MeterEntry(meter_id=meter.id, index=p4r.Index(index=index))
                if index in configured:
                    entry.config.CopyFrom(rates_message(configured[index]))
                yield p4r.Entity(meter_entry=entry)

    @staticmethod
    def _meter(ctx: Context, message: Any) -> Meter:
        meter = ctx.program.info.meters.by_id.get(message.meter_id)
        if meter is None:
            raise invalid(f"the program has no meter {message.meter_id:#010x}")
        return meter


def _refuse_colours(message: Any) -> None:
    if message.HasField("counter_data"):
        raise unimplemented("counter_data: meters have no counters per colour")


class DirectMeters(ModifyOnly):
    """DirectMeterEntry."""

    what = "a direct meter"

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Configure the meter of an entry."""
        _refuse_colours(message)
        table = direct_table(ctx, message, ctx.program.info.direct_meters, "direct meter")
        rights.check_id(table.table.id)
        if message.table_entry.is_default_action:
            raise invalid(f"table {table.table.name!r}: v1model's default entries have no meter")
        key, entry = find_entry(ctx, table, message.table_entry)
        rates = rates_of(message.config) if message.HasField("config") else None
        ctx.engine.set_entry_meter(table, entry.handle, rates)
        ctx.state.entries[table.table.id][key] = entry._replace(meter=rates)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the meter of an entry, of a table's entries, or of all entries."""
        _refuse_colours(message)
        meters = ctx.program.info.direct_meters
        for table, key, entry in asked_entries(ctx, message, meters, "direct meter", rights):
            result = p4r.DirectMeterEntry(table_entry=key_message(table, key, entry))
            if entry.meter is not None:
                result.config.CopyFrom(rates_message(entry.meter))
            yield p4r.Entity(direct_meter_entry=result)
