# SPDX-License-Identifier: MIT
"""TableEntry, and the default entry of a table (P4Runtime spec, 9.1)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.server.codec import BoundAction
from softswitch.server.entities import oneshot
from softswitch.server.entities.base import Context, checked_counts
from softswitch.server.entities.rates import rates_message, rates_of
from softswitch.server.errors import already_exists, denied, exhausted, invalid, not_found
from softswitch.server.errors import unimplemented as unimplemented_error
from softswitch.server.program import TableCodec
from softswitch.server.roles import RoleRights
from softswitch.server.state import (
    DefaultEntry,
    Entry,
    EntryKey,
    GroupRef,
    MemberRef,
    OneShot,
    Target,
)


def table_of(ctx: Context, message: Any) -> TableCodec:
    """The table that a TableEntry names; raise INVALID_ARGUMENT."""
    table = ctx.program.tables.get(message.table_id)
    if table is None:
        raise invalid(f"the program has no table {message.table_id:#010x}")
    return table


def entry_key(table: TableCodec, message: Any) -> EntryKey:
    """Match and priority of a TableEntry; raise INVALID_ARGUMENT."""
    priority: int = message.priority
    if table.needs_priority:
        if priority <= 0:
            raise invalid(
                f"table {table.table.name!r} has ternary, range or optional keys: "
                "the priority must be above 0"
            )
    elif priority:
        raise invalid(
            f"table {table.table.name!r} has no ternary, range or optional key: "
            "the priority must be 0"
        )
    key, arg = table.match.decode(message.match)
    return key, arg, priority


def find_entry(ctx: Context, table: TableCodec, message: Any) -> tuple[EntryKey, Entry]:
    """The entry that a message's match and priority name; raise NOT_FOUND."""
    key = entry_key(table, message)
    entry = ctx.state.entries.get(table.table.id, {}).get(key)
    if entry is None:
        raise not_found(f"table {table.table.name!r} has no entry with this match and priority")
    return key, entry


class TableEntries:
    """TableEntry."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Insert an entry."""
        table = self._writable(ctx, message, rights)
        info = table.table
        if message.is_default_action:
            raise invalid(f"table {info.name!r}: the default entry can only be modified")
        if not info.fields:
            raise invalid(f"table {info.name!r} has no key: it has no entries but the default")
        if info.const:
            raise denied(f"table {info.name!r} has const entries")
        key = entry_key(table, message)
        entries = ctx.state.entries.setdefault(info.id, {})
        if key in entries:
            raise already_exists(f"table {info.name!r} has an entry with this match already")
        if len(entries) >= info.size > 0:
            raise exhausted(f"table {info.name!r} is full: it has {info.size} entries")
        if not message.HasField("action"):
            raise invalid(f"table {info.name!r}: the entry has no action")
        self._check_resources(table, message)
        target = self._target(ctx, table, message.action)
        try:
            handle = ctx.engine.insert(table, key, target)
        except Exception:
            oneshot.release(ctx, table, target)
            raise
        _count_use(ctx, table, target, 1)
        entry = Entry(
            handle,
            target,
            message.controller_metadata,
            message.metadata,
            message.idle_timeout_ns,
        )
        entries[key] = entry
        entries[key] = self._write_resources(ctx, table, key, entry, message, reset_meter=False)

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Modify an entry or the default entry."""
        table = self._writable(ctx, message, rights)
        if message.is_default_action:
            self._modify_default(ctx, table, message)
            return
        key, entry = find_entry(ctx, table, message)
        self._check_resources(table, message)
        if entry.const and message.HasField("action"):
            raise denied(f"table {table.table.name!r}: the entry is const, its action stays")
        if message.HasField("action"):
            target = self._target(ctx, table, message.action)
            try:
                ctx.engine.modify(table, entry.handle, target)
            except Exception:
                oneshot.release(ctx, table, target)
                raise
            _count_use(ctx, table, target, 1)
            _count_use(ctx, table, entry.target, -1)
            oneshot.release(ctx, table, entry.target)
            entry = entry._replace(target=target)
        entry = entry._replace(
            controller_metadata=message.controller_metadata,
            metadata=message.metadata,
            idle_timeout_ns=message.idle_timeout_ns,
        )
        entries = ctx.state.entries[table.table.id]
        entries[key] = entry
        entries[key] = self._write_resources(ctx, table, key, entry, message, reset_meter=True)

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Delete an entry; fields other than match and priority don't matter."""
        table = self._writable(ctx, message, rights)
        if message.is_default_action:
            raise invalid(f"table {table.table.name!r}: the default entry can only be modified")
        key, entry = find_entry(ctx, table, message)
        if entry.const:
            raise denied(f"table {table.table.name!r}: the entry is const")
        ctx.engine.delete(table, entry.handle)
        del ctx.state.entries[table.table.id][key]
        _count_use(ctx, table, entry.target, -1)
        oneshot.release(ctx, table, entry.target)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the entries that pass the filters of `message`."""
        if message.table_id:
            tables = [table_of(ctx, message)]
            self._check_read(tables[0], message)
        else:
            tables = list(ctx.program.tables.values())
        for table in tables:
            if not rights.may_read(table.table.id):
                continue
            if message.is_default_action:
                default = self._read_default(ctx, table)
                if default is not None:
                    yield p4r.Entity(table_entry=default)
                continue
            for key, entry in self._selected(ctx, table, message):
                if self._passes(entry, key, message):
                    yield p4r.Entity(table_entry=self._encode(ctx, table, key, entry, message))

    # -- writing

    def _writable(self, ctx: Context, message: Any, rights: RoleRights) -> TableCodec:
        table = table_of(ctx, message)
        rights.check_id(table.table.id)
        if message.is_const:
            raise invalid(f"table {table.table.name!r}: is_const must not be set in a write")
        return table

    def _target(self, ctx: Context, table: TableCodec, action: Any) -> Target:
        """Decode a TableAction; for a one-shot, create its group and members."""
        which = action.WhichOneof("type")
        info = table.table
        profile_id = info.implementation_id
        if not profile_id:
            if which != "action":
                raise invalid(f"table {info.name!r} has no action profile: give an action")
            return table.decode_action(action.action, default=False)
        profile = ctx.program.info.profiles.by_id[profile_id]
        if which == "action_profile_member_id":
            member = action.action_profile_member_id
            if member not in ctx.state.members.get(profile_id, {}):
                raise not_found(f"action profile {profile.name!r} has no member {member}")
            return MemberRef(member)
        if which == "action_profile_group_id":
            group = action.action_profile_group_id
            if group not in ctx.state.groups.get(profile_id, {}):
                raise not_found(f"action selector {profile.name!r} has no group {group}")
            return GroupRef(group)
        if which == "action_profile_action_set" and profile.with_selector:
            return oneshot.create(ctx, table, profile, action.action_profile_action_set)
        raise invalid(
            f"table {info.name!r} uses {profile.name!r}: give a member"
            + (", a group or an action set" if profile.with_selector else "")
        )

    def _check_resources(self, table: TableCodec, message: Any) -> None:
        info = table.table
        if message.HasField("meter_counter_data"):
            raise unimplemented_error("meter_counter_data: meters have no counters per colour")
        if message.HasField("counter_data"):
            if not _has_counter(table):
                raise invalid(f"table {info.name!r} has no direct counter")
            checked_counts(message.counter_data, f"table {info.name!r}")
        if message.HasField("meter_config"):
            if not _has_meter(table):
                raise invalid(f"table {info.name!r} has no direct meter")
            rates_of(message.meter_config)
        if message.HasField("time_since_last_hit"):
            raise invalid("time_since_last_hit must not be set in a write")
        if message.idle_timeout_ns:
            if not info.idle_timeout:
                raise invalid(f"table {info.name!r} does not support idle timeouts")
            if message.idle_timeout_ns < 0:
                raise invalid(f"table {info.name!r}: the idle timeout is negative")

    def _write_resources(
        self,
        ctx: Context,
        table: TableCodec,
        key: EntryKey,
        entry: Entry,
        message: Any,
        *,
        reset_meter: bool,
    ) -> Entry:
        """Set counter, meter and idle timeout as the message says; return the entry with them."""
        if message.HasField("counter_data"):
            data = message.counter_data
            ctx.engine.set_entry_counter(table, entry.handle, data.packet_count, data.byte_count)
        if message.HasField("meter_config"):
            rates = rates_of(message.meter_config)
            ctx.engine.set_entry_meter(table, entry.handle, rates)
            entry = entry._replace(meter=rates)
        elif reset_meter and entry.meter is not None:
            ctx.engine.set_entry_meter(table, entry.handle, None)
            entry = entry._replace(meter=None)
        ttl = message.idle_timeout_ns
        if table.table.idle_timeout and (ttl or entry.timer):
            ctx.engine.set_entry_timeout(table, entry.handle, ttl)
            now = ctx.engine.now_ns()
            timer = 0
            if ttl:
                timer = ctx.timers.start(table.table.id, key, ttl, now)
            entry = entry._replace(timer=timer)
        return entry

    def _modify_default(self, ctx: Context, table: TableCodec, message: Any) -> None:
        info = table.table
        if message.match or message.priority:
            raise invalid(f"table {info.name!r}: the default entry has no match and no priority")
        if message.idle_timeout_ns or message.HasField("time_since_last_hit"):
            raise invalid(f"table {info.name!r}: the default entry has no idle timeout")
        if info.const_default_action_id:
            raise denied(f"table {info.name!r}: the default action is const")
        if info.implementation_id:
            raise denied(f"table {info.name!r} has an action profile: its default action is const")
        for resource in ("counter_data", "meter_config", "meter_counter_data"):
            if message.HasField(resource):
                raise invalid(f"table {info.name!r}: v1model's default entries have no {resource}")
        if not message.HasField("action"):
            ctx.engine.reset_default(table)
            ctx.state.defaults.pop(info.id, None)
            return
        if message.action.WhichOneof("type") != "action":
            raise invalid(f"table {info.name!r}: the default entry needs an action")
        action = table.decode_action(message.action.action, default=True)
        ctx.engine.set_default(table, action)
        ctx.state.defaults[info.id] = DefaultEntry(
            action, message.controller_metadata, message.metadata
        )

    # -- reading

    def _check_read(self, table: TableCodec, message: Any) -> None:
        info = table.table
        if message.HasField("meter_counter_data"):
            raise unimplemented_error("meter_counter_data: meters have no counters per colour")
        if message.HasField("time_since_last_hit") and not info.idle_timeout:
            raise invalid(f"table {info.name!r} does not support idle timeouts")
        if message.is_default_action and (message.match or message.priority):
            raise invalid(f"table {info.name!r}: the default entry has no match and no priority")
        if message.HasField("action") and (
            info.implementation_id or message.action.WhichOneof("type") != "action"
        ):
            raise invalid(f"table {info.name!r}: only the action id of direct tables can be asked")

    def _selected(
        self, ctx: Context, table: TableCodec, message: Any
    ) -> Iterator[tuple[EntryKey, Entry]]:
        """Entries with the match asked for; all of them when none is."""
        entries = ctx.state.entries.get(table.table.id, {})
        if not message.table_id or not message.match:
            yield from list(entries.items())
            return
        if table.needs_priority and not message.priority:
            pair = table.match.decode(message.match)
            yield from [(k, e) for k, e in entries.items() if (k[0], k[1]) == pair]
            return
        key = entry_key(table, message)
        if key in entries:
            yield key, entries[key]

    @staticmethod
    def _passes(entry: Entry, key: EntryKey, message: Any) -> bool:
        if not message.table_id:
            return True
        if message.priority and key[2] != message.priority:
            return False
        if message.controller_metadata and entry.controller_metadata != message.controller_metadata:
            return False
        if message.metadata and entry.metadata != message.metadata:
            return False
        if message.HasField("action"):
            target = entry.target
            return isinstance(target, BoundAction) and (
                target.codec.id == message.action.action.action_id
            )
        return True

    def _encode(
        self, ctx: Context, table: TableCodec, key: EntryKey, entry: Entry, asked: Any
    ) -> Any:
        message = key_message(table, key, entry)
        message.action.CopyFrom(target_message(entry.target))
        message.is_const = entry.const
        if asked.HasField("meter_config") and entry.meter is not None:
            message.meter_config.CopyFrom(rates_message(entry.meter))
        if asked.HasField("counter_data") and _has_counter(table):
            packets, octets = ctx.engine.entry_counter(table, entry.handle)
            message.counter_data.packet_count = packets
            message.counter_data.byte_count = octets
        if asked.HasField("time_since_last_hit") and table.table.idle_timeout:
            message.time_since_last_hit.elapsed_ns = ctx.engine.entry_idle_ns(table, entry.handle)
        return message

    def _read_default(self, ctx: Context, table: TableCodec) -> Any:
        info = table.table
        message = p4r.TableEntry(table_id=info.id, is_default_action=True)
        message.is_const = bool(info.const_default_action_id)
        written = ctx.state.defaults.get(info.id)
        if written is not None:
            message.controller_metadata = written.controller_metadata
            message.metadata = written.metadata
        action = written.action if written is not None else ctx.engine.default_action(table)
        if action is None:
            return None
        message.action.action.CopyFrom(action.message())
        return message


def key_message(table: TableCodec, key: EntryKey, entry: Entry) -> Any:
    """The TableEntry with the key fields of an entry, its metadata and idle timeout."""
    return p4r.TableEntry(
        table_id=table.table.id,
        match=table.match.encode(key[0], key[1]),
        priority=key[2],
        controller_metadata=entry.controller_metadata,
        metadata=entry.metadata,
        idle_timeout_ns=entry.idle_timeout_ns,
    )


def target_message(target: Target) -> Any:
    """The TableAction of an entry."""
    if isinstance(target, BoundAction):
        return p4r.TableAction(action=target.message())
    if isinstance(target, MemberRef):
        return p4r.TableAction(action_profile_member_id=target.id)
    if isinstance(target, GroupRef):
        return p4r.TableAction(action_profile_group_id=target.id)
    return p4r.TableAction(action_profile_action_set=target.message)


def _count_use(ctx: Context, table: TableCodec, target: Target, change: int) -> None:
    """Keep count of what entries refer to, so that it cannot be deleted meanwhile."""
    profile = table.table.implementation_id
    if isinstance(target, MemberRef):
        ctx.state.member_uses[profile, target.id] += change
    elif isinstance(target, GroupRef):
        ctx.state.group_uses[profile, target.id] += change
    elif isinstance(target, OneShot):
        ctx.state.group_uses[profile, target.group] += change


def _has_counter(table: TableCodec) -> bool:
    return any(id >> 24 == 0x13 for id in table.table.direct_resource_ids)


def _has_meter(table: TableCodec) -> bool:
    return any(id >> 24 == 0x15 for id in table.table.direct_resource_ids)
