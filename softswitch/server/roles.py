# SPDX-License-Identifier: MIT
"""What a controller role may do.

P4Runtime leaves the format of role configurations open.  An unset configuration means full
access; the other format that this server knows is stratum's P4RoleConfig, the one finsy sends.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from finsy.proto import stratum

from softswitch.server.errors import denied, invalid


@dataclass(frozen=True, slots=True)
class RoleRights:
    """The P4Info ids a role may write and what else it may do; `ids` None means all."""

    ids: frozenset[int] | None = None
    receives_packet_ins: bool = True
    can_push_pipeline: bool = True
    packet_in_field: int = 0
    packet_in_value: bytes = b""

    def check_id(self, id: int) -> None:
        """Raise PERMISSION_DENIED unless the role may write the object with this P4Info id."""
        if self.ids is not None and id not in self.ids:
            raise denied(f"the role has no access to the object {id:#010x}")

    def may_read(self, id: int) -> bool:
        """Whether reads of this role return the object."""
        return self.ids is None or id in self.ids

    def wants_packet_in(self, metadata: dict[int, bytes]) -> bool:
        """Whether a packet with this controller metadata (canonical values) is for this role."""
        if not self.receives_packet_ins:
            return False
        if not self.packet_in_field:
            return True
        return metadata.get(self.packet_in_field) == self.packet_in_value


FULL_ACCESS = RoleRights()


def rights_of(config: Any) -> RoleRights:
    """Decode a role configuration (google.protobuf.Any)."""
    role = stratum.P4RoleConfig()
    if not config.Is(role.DESCRIPTOR):
        raise invalid(f"role.config: unknown type {config.type_url[:80]!r}; use P4RoleConfig")
    try:
        config.Unpack(role)
    except Exception as error:  # protobuf's DecodeError differs between its implementations
        raise invalid(f"role.config: {error}") from None
    ids = frozenset(role.exclusive_p4_ids) | frozenset(role.shared_p4_ids)
    return RoleRights(
        ids=ids or None,
        receives_packet_ins=role.receives_packet_ins,
        can_push_pipeline=role.can_push_pipeline,
        packet_in_field=role.packet_in_filter.metadata_id,
        packet_in_value=bytes(role.packet_in_filter.value),
    )
