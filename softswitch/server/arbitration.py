# SPDX-License-Identifier: MIT
"""Client arbitration (P4Runtime spec, section 5): who is primary for which role.

No sockets, clocks or threads: the owner serialises the calls and sends the messages that they
return.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from finsy.proto import p4r

from softswitch.server.errors import Code, P4RuntimeError, denied, invalid, not_found, precondition
from softswitch.server.roles import FULL_ACCESS, RoleRights, rights_of

MAX_CLIENTS = 48

C = TypeVar("C", bound=Hashable)


@dataclass(slots=True)
class _Role(Generic[C]):
    """One role of the device: its clients' election ids and what has been seen."""

    name: str
    message: Any = None
    rights: RoleRights = FULL_ACCESS
    highest: int | None = None
    clients: dict[C, int | None] = field(default_factory=dict)

    def primary(self) -> C | None:
        if self.highest is None:
            return None
        for client, election_id in self.clients.items():
            if election_id == self.highest:
                return client
        return None


class Arbiter(Generic[C]):
    """The controllers of one device.  `C` identifies a stream."""

    def __init__(self, device_id: int, max_clients: int = MAX_CLIENTS) -> None:
        self._device_id = device_id
        self._max_clients = max_clients
        self._roles: dict[str, _Role[C]] = {}
        self._role_of: dict[C, str] = {}

    def update(self, client: C, request: Any) -> list[tuple[C, Any]]:
        """Handle a MasterArbitrationUpdate; return what to send to whom, in order.

        Raises P4RuntimeError when the stream has to be terminated; nothing has changed then.
        """
        name, config = _role_name(request), request.role.config
        self._check_identity(client, request, name)
        role = self._roles.get(name) or _Role(name)
        election_id = _election_id(request) if request.HasField("election_id") else None
        if election_id is not None:
            for other, used in role.clients.items():
                if other != client and used == election_id:
                    raise invalid(f"election id {election_id} is already used by another client")
        rights = rights_of(config) if request.role.HasField("config") else FULL_ACCESS

        self._roles[name] = role
        self._role_of[client] = name
        before = role.primary()
        role.clients[client] = election_id
        if election_id is not None and (role.highest is None or election_id >= role.highest):
            role.highest = election_id
            role.rights = rights
            role.message = request.role if request.HasField("role") else None
            # The new primary hears last: by then every other knows that it is a backup.
            others = [c for c in role.clients if c != client]
            return self._notify(role, [*others, client])
        if before == client:
            return self._notify(role, list(role.clients))
        return self._notify(role, [client])

    def remove(self, client: C) -> list[tuple[C, Any]]:
        """Forget a client whose stream ended; return what to send to whom."""
        name = self._role_of.pop(client, None)
        if name is None:
            return []
        role = self._roles[name]
        was_primary = role.primary() == client
        del role.clients[client]
        return self._notify(role, list(role.clients)) if was_primary else []

    def check_write(self, request: Any) -> RoleRights:
        """Check that a Write or SetForwardingPipelineConfig comes from a primary."""
        if request.device_id != self._device_id:
            raise not_found(f"this is device {self._device_id}, not {request.device_id}")
        role = self._roles.get(request.role)
        if role is None:
            if request.role:
                raise not_found(f"no client has the role {request.role!r}")
            raise denied("no primary client: open a stream and send an arbitration update first")
        if role.primary() is None:
            raise denied("no primary client: send an arbitration update first")
        if not request.HasField("election_id"):
            raise denied("the request has no election id; only the primary client may do this")
        election_id = _election_id(request)
        if election_id != role.highest:
            raise denied(f"election id {election_id} is not the primary's, {role.highest}")
        return role.rights

    def primaries(self) -> Iterator[tuple[C, RoleRights]]:
        """The primary client of each role that has one."""
        for role in self._roles.values():
            client = role.primary()
            if client is not None:
                yield client, role.rights

    def rights_if_primary(self, client: C) -> RoleRights | None:
        """The rights of `client` if it is a primary, else None."""
        name = self._role_of.get(client)
        if name is None:
            return None
        role = self._roles[name]
        return role.rights if role.primary() == client else None

    def rights_of_role(self, name: str) -> RoleRights:
        """The rights of a role for reading; raise NOT_FOUND for a role nobody has."""
        role = self._roles.get(name)
        if role is None:
            if name:
                raise not_found(f"no client has the role {name!r}")
            return FULL_ACCESS
        return role.rights

    def _check_identity(self, client: C, request: Any, name: str) -> None:
        known = self._role_of.get(client)
        if known is None:
            if request.device_id != self._device_id:
                raise not_found(f"this is device {self._device_id}, not {request.device_id}")
            if len(self._role_of) >= self._max_clients:
                raise P4RuntimeError(
                    Code.RESOURCE_EXHAUSTED, f"{self._max_clients} clients are connected already"
                )
            return
        if request.device_id != self._device_id:
            raise precondition(f"the stream is for device {self._device_id}: open another one")
        if name != known:
            raise precondition(f"the stream is for the role {known!r}: open another one")

    def _notify(self, role: _Role[C], clients: list[C]) -> list[tuple[C, Any]]:
        primary = role.primary()
        messages = []
        for client in clients:
            update = p4r.MasterArbitrationUpdate(device_id=self._device_id)
            if role.message is not None:
                update.role.CopyFrom(role.message)
            elif role.name:
                update.role.name = role.name
            if role.highest is not None:
                update.election_id.high = role.highest >> 64
                update.election_id.low = role.highest & 0xFFFFFFFFFFFFFFFF
            if primary is None:
                update.status.code = Code.NOT_FOUND
                update.status.message = "there is no primary client"
            elif client == primary:
                update.status.code = Code.OK
                update.status.message = "this client is the primary"
            else:
                update.status.code = Code.ALREADY_EXISTS
                update.status.message = "another client is the primary"
            messages.append((client, update))
        return messages


def _role_name(request: Any) -> str:
    name: str = request.role.name
    if not name and request.role.id:
        # Deprecated in 1.4: clients of earlier versions name roles by number.
        return str(request.role.id)
    return name


def _election_id(request: Any) -> int:
    return int(request.election_id.high) << 64 | int(request.election_id.low)
