# SPDX-License-Identifier: MIT
"""What the control plane has written: the server's own record beside the switch.

The switch keeps what packets need; the record keeps what reads must return as well (metadata,
one-shot actions, watch ports) and makes reads independent of the switch's data structures.
Values are immutable, so a copy of the record is cheap and a batch can be undone.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from softswitch.server.codec import BoundAction

EntryKey = tuple[bytes, bytes, int]  # key, arg, priority
MeterRates = tuple[int, int, int, int, int]  # cir, cburst, pir, pburst, eburst


class MemberRef(NamedTuple):
    """An entry's action: a member of its action profile."""

    id: int


class GroupRef(NamedTuple):
    """An entry's action: a group of its action selector."""

    id: int


class OneShot(NamedTuple):
    """An entry's action: a set of actions given with it; group and members are the server's."""

    message: Any
    group: int
    members: tuple[int, ...]


Target = BoundAction | MemberRef | GroupRef | OneShot


class Entry(NamedTuple):
    """A table entry."""

    handle: int
    target: Target
    controller_metadata: int = 0
    metadata: bytes = b""
    idle_timeout_ns: int = 0
    const: bool = False
    meter: MeterRates | None = None
    timer: int = 0


class DefaultEntry(NamedTuple):
    """A table's default entry, once a client has changed it."""

    action: BoundAction
    controller_metadata: int = 0
    metadata: bytes = b""


class GroupMember(NamedTuple):
    """A member of a group; at most one of the watches is set."""

    id: int
    weight: int
    watch: int | None = None
    watch_port: bytes | None = None


class Group(NamedTuple):
    """An action selector's group."""

    members: tuple[GroupMember, ...]
    max_size: int = 0


class ReplicaEntry(NamedTuple):
    """A multicast group or clone session as written (without its id)."""

    message: Any


class DigestConfig(NamedTuple):
    """How digests are sent; times in nanoseconds, 0 as P4Runtime defines it."""

    max_timeout_ns: int = 0
    max_list_size: int = 0
    ack_timeout_ns: int = 0


@dataclass(slots=True)
class State:
    """The record of one pipeline.  Keys are P4Info ids, then the entity's own key."""

    entries: dict[int, dict[EntryKey, Entry]] = field(default_factory=dict)
    defaults: dict[int, DefaultEntry] = field(default_factory=dict)
    members: dict[int, dict[int, BoundAction]] = field(default_factory=dict)
    groups: dict[int, dict[int, Group]] = field(default_factory=dict)
    hidden_members: dict[int, set[int]] = field(default_factory=dict)
    hidden_groups: dict[int, set[int]] = field(default_factory=dict)
    member_uses: Counter[tuple[int, int]] = field(default_factory=Counter)
    group_uses: Counter[tuple[int, int]] = field(default_factory=Counter)
    meters: dict[int, dict[int, MeterRates]] = field(default_factory=dict)
    multicast: dict[int, ReplicaEntry] = field(default_factory=dict)
    clones: dict[int, ReplicaEntry] = field(default_factory=dict)
    value_sets: dict[int, tuple[tuple[bytes, bytes], ...]] = field(default_factory=dict)
    digests: dict[int, DigestConfig] = field(default_factory=dict)

    def copy(self) -> State:
        """A record that changes independently."""
        return State(
            {k: dict(v) for k, v in self.entries.items()},
            dict(self.defaults),
            {k: dict(v) for k, v in self.members.items()},
            {k: dict(v) for k, v in self.groups.items()},
            {k: set(v) for k, v in self.hidden_members.items()},
            {k: set(v) for k, v in self.hidden_groups.items()},
            Counter(self.member_uses),
            Counter(self.group_uses),
            {k: dict(v) for k, v in self.meters.items()},
            dict(self.multicast),
            dict(self.clones),
            dict(self.value_sets),
            dict(self.digests),
        )
