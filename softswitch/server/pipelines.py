# SPDX-License-Identifier: MIT
"""Loading programs: the actions of SetForwardingPipelineConfig (P4Runtime spec, 14)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from finsy.proto import p4r

from softswitch.engine.errors import BuildError, EngineError
from softswitch.server.batch import read_batch, write_batch
from softswitch.server.bridge import Engine
from softswitch.server.dataplane import DataPlane
from softswitch.server.entities.base import Context
from softswitch.server.errors import BatchError, Code, P4RuntimeError, invalid
from softswitch.server.program import Program
from softswitch.server.roles import FULL_ACCESS
from softswitch.server.state import Entry, State

if TYPE_CHECKING:
    from softswitch.engine import Pipeline

LoadPipeline = Callable[[Mapping[str, Any]], "Pipeline"]


def load_context(config: Any, load: LoadPipeline, device: DataPlane) -> Context:
    """Make a pipeline of `config`, with the program's own entries in the record.

    Raises INVALID_ARGUMENT when the program cannot be realised.
    """
    program = Program.of(config)
    try:
        pipeline = load(program.json)
    except BuildError as error:
        raise P4RuntimeError(Code.INTERNAL, str(error)) from error
    except EngineError as error:
        raise invalid(f"config.p4_device_config: {error}") from error
    context = Context(program, Engine(pipeline, device), State())
    context.engine.prepare(program.tables.values())
    for table in program.tables.values():
        found = context.engine.initial_entries(table)
        if found:
            context.state.entries[table.table.id] = {
                key: Entry(handle, action, const=const) for key, handle, action, const in found
            }
    return context


# What is carried over to a new program, in the order in which it can be written.
_INSERTED = [
    p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
    p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
    p4r.Entity(table_entry=p4r.TableEntry()),
    p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(
            multicast_group_entry=p4r.MulticastGroupEntry()
        )
    ),
    p4r.Entity(
        packet_replication_engine_entry=p4r.PacketReplicationEngineEntry(
            clone_session_entry=p4r.CloneSessionEntry()
        )
    ),
    p4r.Entity(digest_entry=p4r.DigestEntry()),
]
_MODIFIED = [
    p4r.Entity(value_set_entry=p4r.ValueSetEntry()),
    p4r.Entity(meter_entry=p4r.MeterEntry()),
    p4r.Entity(direct_meter_entry=p4r.DirectMeterEntry()),
    p4r.Entity(counter_entry=p4r.CounterEntry()),
    p4r.Entity(direct_counter_entry=p4r.DirectCounterEntry()),
    p4r.Entity(register_entry=p4r.RegisterEntry()),
]


def reconcile(old: Context, new: Context) -> None:
    """Write everything that `old` holds to `new`; raise INVALID_ARGUMENT when it doesn't fit."""
    updates = list(_removals(new))
    for kind in _INSERTED:
        for entity in _read(old, kind):
            if entity.WhichOneof("entity") == "table_entry" and entity.table_entry.is_const:
                continue
            updates.append(p4r.Update(type=p4r.Update.INSERT, entity=entity))
    for id, default in old.state.defaults.items():
        entry = p4r.TableEntry(
            table_id=id,
            is_default_action=True,
            controller_metadata=default.controller_metadata,
            metadata=default.metadata,
            action=p4r.TableAction(action=default.action.message()),
        )
        entity = p4r.Entity(table_entry=entry)
        updates.append(p4r.Update(type=p4r.Update.MODIFY, entity=entity))
    for kind in _MODIFIED:
        for entity in _read(old, kind):
            if not _is_zero(entity):
                updates.append(p4r.Update(type=p4r.Update.MODIFY, entity=entity))
    try:
        write_batch(new, updates, p4r.WriteRequest.CONTINUE_ON_ERROR, FULL_ACCESS)
    except BatchError as error:
        raise invalid(f"the forwarding state cannot be kept: {error.message}") from error


def _read(context: Context, kind: Any) -> Iterator[Any]:
    for response in read_batch(context, [kind], FULL_ACCESS):
        yield from response.entities


def _removals(new: Context) -> Iterator[Any]:
    """Deletes the entries that a program starts with and that clients may have changed."""
    for entity in _read(new, p4r.Entity(table_entry=p4r.TableEntry())):
        if not entity.table_entry.is_const:
            yield p4r.Update(type=p4r.Update.DELETE, entity=entity)


def _is_zero(entity: Any) -> bool:
    """Whether an object holds what it holds in a new program anyway."""
    match entity.WhichOneof("entity"):
        case "counter_entry":
            return not entity.counter_entry.data.ByteSize()
        case "direct_counter_entry":
            return not entity.direct_counter_entry.data.ByteSize()
        case "meter_entry":
            return not entity.meter_entry.HasField("config")
        case "direct_meter_entry":
            return not entity.direct_meter_entry.HasField("config")
        case "value_set_entry":
            return not entity.value_set_entry.members
        case "register_entry":
            return bool(entity.register_entry.data.bitstring == b"\0")
    return False
