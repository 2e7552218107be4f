# SPDX-License-Identifier: MIT
"""Runs of plain inserts into one table: decoded first, then handed to the switch in one call.

This is what a controller sends when it fills a table.  Whatever is not plain, and whatever is
wrong, ends the run: the update goes the way of single ones (`TableEntries`), which knows all cases
and the error of each.  So there is nothing here that could report an error differently.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from contextlib import suppress
from typing import Any

from finsy.proto import p4r

from softswitch.server.codec import BoundAction
from softswitch.server.entities.base import Context
from softswitch.server.entities.tables import entry_key
from softswitch.server.errors import P4RuntimeError
from softswitch.server.program import TableCodec
from softswitch.server.roles import RoleRights
from softswitch.server.state import Entry, EntryKey

# Inserts that keep packets out together: about 1 us each in the switch, and several where it has
# to compare masks first.
LONGEST_RUN = 128
LONGEST_MASKED_RUN = 32

_INSERT = p4r.Update.INSERT
_Plan = dict[EntryKey, tuple[BoundAction, Any]]


def insert_run(
    ctx: Context, updates: Sequence[Any], rights: RoleRights
) -> list[P4RuntimeError | None]:
    """Carry out the plain inserts that `updates` starts with, if any; their errors.

    Only the switch itself can refuse one of these, without effect on those after it.
    """
    table = ctx.program.tables.get(updates[0].entity.table_entry.table_id)
    if table is None or not _takes_runs(ctx, table, rights):
        return []
    info = table.table
    entries = ctx.state.entries.setdefault(info.id, {})
    longest = LONGEST_MASKED_RUN if table.needs_priority else LONGEST_RUN
    if info.size > 0:
        longest = min(longest, max(info.size - len(entries), 0))
    plan: _Plan = {}
    with suppress(Exception):  # what cannot be decoded comes again, as a single update
        _plan(table, updates[:longest], entries, plan)
    if not plan:
        return []
    handles = ctx.engine.insert_many(table, ((key, target) for key, (target, _) in plan.items()))
    errors: list[P4RuntimeError | None] = []
    for (key, (target, message)), handle in zip(plan.items(), handles, strict=True):
        if isinstance(handle, P4RuntimeError):
            errors.append(handle)
            continue
        entries[key] = Entry(handle, target, message.controller_metadata, message.metadata)
        errors.append(None)
    return errors


def _takes_runs(ctx: Context, table: TableCodec, rights: RoleRights) -> bool:
    info = table.table
    if info.const or not info.fields or info.implementation_id:
        return False
    return ctx.engine.packs(table) and (rights.ids is None or info.id in rights.ids)


def _plan(
    table: TableCodec, updates: Sequence[Any], taken: Container[EntryKey], plan: _Plan
) -> None:
    """Decode updates into `plan` up to the first that is not plain or is wrong."""
    table_id = table.table.id
    # Many entries, few next hops: most actions of a run were there before.
    decoded: dict[bytes, BoundAction] = {}
    for update in updates:
        message = update.entity.table_entry
        if update.type != _INSERT or message.table_id != table_id or not _plain(message):
            return
        key = entry_key(table, message)
        if key in taken or key in plan:
            return
        action = message.action
        wire = action.SerializeToString()
        target = decoded.get(wire)
        if target is None:
            if action.WhichOneof("type") != "action":
                return
            target = decoded[wire] = table.decode_action(action.action, default=False)
        plan[key] = (target, message)


def _plain(message: Any) -> bool:
    """Whether a TableEntry has a match, an action, metadata, and nothing else."""
    has = message.HasField
    return not (
        message.is_default_action
        or message.is_const
        or message.idle_timeout_ns
        or has("counter_data")
        or has("meter_config")
        or has("meter_counter_data")
        or has("time_since_last_hit")
    )
