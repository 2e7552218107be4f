# SPDX-License-Identifier: MIT
"""PacketReplicationEngineEntry: multicast groups and clone sessions (P4Runtime spec, 9.5)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.server.codec import decode_port
from softswitch.server.entities.base import Context
from softswitch.server.errors import already_exists, invalid, not_found, unimplemented
from softswitch.server.roles import RoleRights
from softswitch.server.state import ReplicaEntry

MAX_RID = 0xFFFF  # standard_metadata.egress_rid is bit<16>
MAX_GROUP = 0xFFFF  # standard_metadata.mcast_grp is bit<16>
MAX_SESSION = 0x7FFF  # as in BMv2
MAX_PORT = 511


class Replication:
    """Dispatches to multicast groups or clone sessions."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Add a group or session."""
        kind, entry = self._kind(message)
        kind.write(ctx, entry, insert=True)

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Replace the replicas of a group or session."""
        kind, entry = self._kind(message)
        kind.write(ctx, entry, insert=False)

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Delete a group or session."""
        kind, entry = self._kind(message)
        kind.delete(ctx, entry)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one group or session, or all of that kind."""
        kind, entry = self._kind(message)
        for found in kind.read(ctx, entry):
            yield p4r.Entity(packet_replication_engine_entry=found)

    @staticmethod
    def _kind(message: Any) -> tuple[_Multicast | _Clones, Any]:
        which = message.WhichOneof("type")
        if which == "multicast_group_entry":
            return _MULTICAST, message.multicast_group_entry
        if which == "clone_session_entry":
            return _CLONES, message.clone_session_entry
        raise invalid("packet_replication_engine_entry: no group and no session given")


class _Multicast:
    def write(self, ctx: Context, message: Any, *, insert: bool) -> None:
        id = message.multicast_group_id
        if not 0 < id <= MAX_GROUP:
            raise invalid(f"the multicast group id must be in 1..{MAX_GROUP}, not {id}")
        _check_presence(id in ctx.state.multicast, f"multicast group {id}", insert=insert)
        replicas = _replicas(message, f"multicast group {id}")
        ctx.engine.set_multicast_group(id, replicas)
        ctx.state.multicast[id] = ReplicaEntry(_copy(message))

    def delete(self, ctx: Context, message: Any) -> None:
        id = message.multicast_group_id
        if id not in ctx.state.multicast:
            raise not_found(f"there is no multicast group {id}")
        ctx.engine.delete_multicast_group(id)
        del ctx.state.multicast[id]

    def read(self, ctx: Context, message: Any) -> Iterator[Any]:
        for entry in _asked(ctx.state.multicast, message.multicast_group_id, "multicast group"):
            yield p4r.PacketReplicationEngineEntry(multicast_group_entry=entry.message)


class _Clones:
    def write(self, ctx: Context, message: Any, *, insert: bool) -> None:
        id = message.session_id
        if not 0 < id <= MAX_SESSION:
            raise invalid(f"the clone session id must be in 1..{MAX_SESSION}, not {id}")
        _check_presence(id in ctx.state.clones, f"clone session {id}", insert=insert)
        what = f"clone session {id}"
        if message.class_of_service:
            raise unimplemented(f"{what}: a class of service is not supported")
        if message.packet_length_bytes < 0:
            raise invalid(f"{what}: packet_length_bytes is negative")
        replicas = _replicas(message, what)
        ctx.engine.set_clone_session(id, replicas, message.packet_length_bytes)
        ctx.state.clones[id] = ReplicaEntry(_copy(message))

    def delete(self, ctx: Context, message: Any) -> None:
        id = message.session_id
        if id not in ctx.state.clones:
            raise not_found(f"there is no clone session {id}")
        ctx.engine.delete_clone_session(id)
        del ctx.state.clones[id]

    def read(self, ctx: Context, message: Any) -> Iterator[Any]:
        for entry in _asked(ctx.state.clones, message.session_id, "clone session"):
            yield p4r.PacketReplicationEngineEntry(clone_session_entry=entry.message)


_MULTICAST = _Multicast()
_CLONES = _Clones()


def _asked(entries: dict[int, ReplicaEntry], id: int, what: str) -> list[ReplicaEntry]:
    if not id:
        return list(entries.values())
    if id not in entries:
        raise not_found(f"there is no {what} {id}")
    return [entries[id]]


def _check_presence(present: bool, what: str, *, insert: bool) -> None:
    if insert and present:
        raise already_exists(f"{what} exists already")
    if not insert and not present:
        raise not_found(f"there is no {what}")


def _replicas(message: Any, what: str) -> list[tuple[int, int]]:
    """The (port, instance) pairs of a group or session, each once."""
    replicas: dict[tuple[int, int], None] = {}
    for replica in message.replicas:
        if replica.backup_replicas:
            raise unimplemented(f"{what}: backup replicas are not supported")
        which = replica.WhichOneof("port_kind")
        if which == "port":
            port = decode_port(replica.port, f"{what}: a replica's port")
        elif which == "egress_port":
            port = replica.egress_port
        else:
            raise invalid(f"{what}: a replica has no port")
        if port > MAX_PORT:
            raise invalid(f"{what}: the replica's port {port} is above {MAX_PORT}")
        if replica.instance > MAX_RID:
            raise invalid(f"{what}: the replica's instance {replica.instance} is above {MAX_RID}")
        pair = (port, replica.instance)
        if pair in replicas:
            raise invalid(f"{what}: port {port} with instance {pair[1]} is given twice")
        replicas[pair] = None
    return list(replicas)


def _copy(message: Any) -> Any:
    copy = type(message)()
    copy.CopyFrom(message)
    return copy
