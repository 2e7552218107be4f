# SPDX-License-Identifier: MIT
"""Writes and reads of batches (P4Runtime spec, 12 and 13)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from finsy.proto import p4r

from softswitch.server.entities.base import Context, Handler
from softswitch.server.entities.counters import Counters, DirectCounters
from softswitch.server.entities.digests import Digests
from softswitch.server.entities.meters import DirectMeters, Meters
from softswitch.server.entities.profiles import Groups, Members
from softswitch.server.entities.registers import Registers
from softswitch.server.entities.replication import Replication
from softswitch.server.entities.table_runs import LONGEST_RUN, insert_run
from softswitch.server.entities.tables import TableEntries
from softswitch.server.entities.value_sets import ValueSets
from softswitch.server.errors import BatchError, Code, P4RuntimeError, invalid, unimplemented
from softswitch.server.roles import RoleRights

_log = logging.getLogger(__name__)

_HANDLERS: dict[str, Handler] = {
    "table_entry": TableEntries(),
    "action_profile_member": Members(),
    "action_profile_group": Groups(),
    "counter_entry": Counters(),
    "direct_counter_entry": DirectCounters(),
    "meter_entry": Meters(),
    "direct_meter_entry": DirectMeters(),
    "packet_replication_engine_entry": Replication(),
    "value_set_entry": ValueSets(),
    "register_entry": Registers(),
    "digest_entry": Digests(),
}

# Entities of one ReadResponse: large enough to be quick, small enough for gRPC's 4 MB.
READ_CHUNK = 256

# Table writes that keep packets out together; about 0.2 ms.
WRITES_PER_LOCK = 8


def write_batch(ctx: Context, updates: Sequence[Any], atomicity: int, rights: RoleRights) -> None:
    """Carry out `updates`; raise BatchError when one or more of them failed.

    ROLLBACK_ON_ERROR and DATAPLANE_ATOMIC stop at the first failure and undo everything, and no
    packet is processed meanwhile.
    """
    if atomicity == p4r.WriteRequest.CONTINUE_ON_ERROR:
        errors = _write_each(ctx, updates, rights)
        if any(errors):
            raise BatchError("updates", errors)
        return
    if atomicity not in (p4r.WriteRequest.ROLLBACK_ON_ERROR, p4r.WriteRequest.DATAPLANE_ATOMIC):
        raise invalid(f"unknown atomicity {atomicity}")
    _write_all_or_nothing(ctx, list(updates), rights)


def _write_each(
    ctx: Context, updates: Sequence[Any], rights: RoleRights
) -> list[P4RuntimeError | None]:
    """Carry out every update; their errors."""
    errors: list[P4RuntimeError | None] = []
    while len(errors) < len(updates):
        errors += _write_some(ctx, updates, len(errors), rights)
    return errors


def _write_some(
    ctx: Context, updates: Sequence[Any], start: int, rights: RoleRights
) -> list[P4RuntimeError | None]:
    """Carry out one or more updates from `start` on; their errors.

    Taking the switch's lock costs more than a table write, so a few of those share it: few enough
    that packets don't notice.
    """
    done = insert_run(ctx, updates[start : start + LONGEST_RUN], rights)
    if done:
        return done
    group = updates[start : start + WRITES_PER_LOCK]
    if all(u.entity.WhichOneof("entity") == "table_entry" for u in group):
        with ctx.engine.held():
            return [_one(ctx, update, rights) for update in group]
    return [_one(ctx, update, rights) for update in group]


def _write_all_or_nothing(ctx: Context, updates: list[Any], rights: RoleRights) -> None:
    with ctx.engine.held():
        snapshot = ctx.engine.snapshot()
        state = ctx.state.copy()
        for position, update in enumerate(updates):
            error = _one(ctx, update, rights)
            if error is None:
                continue
            ctx.engine.restore(snapshot, list(ctx.program.tables.values()), state)
            ctx.state = state
            undone = P4RuntimeError(
                Code.UNKNOWN, f"not carried out: update {position} of the batch failed"
            )
            errors: list[P4RuntimeError | None] = [undone] * len(updates)
            errors[position] = error
            raise BatchError("updates", errors)


def _one(ctx: Context, update: Any, rights: RoleRights) -> P4RuntimeError | None:
    """Carry out one update; return its error."""
    try:
        kind = update.entity.WhichOneof("entity")
        handler = _HANDLERS.get(kind)
        if handler is None:
            raise _no_handler(kind)
        message = getattr(update.entity, kind)
        if update.type == p4r.Update.INSERT:
            handler.insert(ctx, message, rights)
        elif update.type == p4r.Update.MODIFY:
            handler.modify(ctx, message, rights)
        elif update.type == p4r.Update.DELETE:
            handler.delete(ctx, message, rights)
        else:
            raise invalid("the update has no type: INSERT, MODIFY or DELETE")
    except P4RuntimeError as error:
        return error
    except Exception as error:
        _log.exception("internal error in an update")
        return P4RuntimeError(Code.INTERNAL, f"internal error: {type(error).__name__}: {error}")
    return None


def _no_handler(kind: str | None) -> P4RuntimeError:
    if kind is None:
        return invalid("the entity is empty")
    return unimplemented(f"entities of the kind {kind} are not supported: v1model has none")


def read_batch(ctx: Context, entities: Iterable[Any], rights: RoleRights) -> Iterator[Any]:
    """Yield ReadResponse messages; raise BatchError at the end when a request failed."""
    errors: list[P4RuntimeError | None] = []
    response = p4r.ReadResponse()
    for entity in entities:
        error = None
        try:
            kind = entity.WhichOneof("entity")
            handler = _HANDLERS.get(kind)
            if handler is None:
                raise _no_handler(kind)
            for found in handler.read(ctx, getattr(entity, kind), rights):
                response.entities.append(found)
                if len(response.entities) >= READ_CHUNK:
                    yield response
                    response = p4r.ReadResponse()
        except P4RuntimeError as caught:
            error = caught
        except Exception as caught:
            _log.exception("internal error in a read")
            text = f"internal error: {type(caught).__name__}: {caught}"
            error = P4RuntimeError(Code.INTERNAL, text)
        errors.append(error)
    if response.entities:
        yield response
    if any(errors):
        raise BatchError("read requests", errors)
