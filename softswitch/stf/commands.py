# SPDX-License-Identifier: MIT
"""The commands of a packet test, as written: names and numbers, nothing looked up yet.

Both dialects parse into these; `resolve.py` checks them against the program's P4Info.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Value:
    """A plain number: exact; all bits of an lpm, ternary, range or optional key."""

    value: int


@dataclass(frozen=True, slots=True)
class Prefix:
    """`value/length`."""

    value: int
    length: int


@dataclass(frozen=True, slots=True)
class Masked:
    """`value &&& mask`."""

    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class DigitMask:
    """A 0x, 0b or 0o number, maybe with `*` digits (p4c dialect).

    `mask` has ones for the digits given.  As in p4c's runner, bits above the digits written
    are free in a ternary key, and the number of bits given is an lpm key's prefix length.
    """

    value: int
    mask: int
    starred: bool = False


@dataclass(frozen=True, slots=True)
class Between:
    """`low..high`, both included."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Anything:
    """`*`."""


MatchText = Value | Prefix | Masked | DigitMask | Between | Anything


@dataclass(frozen=True, slots=True)
class Key:
    """One key field of an entry."""

    field: str
    match: MatchText


@dataclass(frozen=True, slots=True)
class ActionCall:
    """An action with its arguments by parameter name, in the order written."""

    name: str
    args: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class MemberRef:
    """`member(id)` as the target of an entry."""

    id: int


@dataclass(frozen=True, slots=True)
class GroupRef:
    """`group(id)` as the target of an entry."""

    id: int


Target = ActionCall | MemberRef | GroupRef


@dataclass(frozen=True, slots=True)
class Add:
    """Insert a table entry; `handle` names it for later lines (p4c dialect)."""

    line: int
    table: str
    priority: int | None
    keys: tuple[Key, ...]
    target: Target
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class SetDefault:
    """Change the default action of a table."""

    line: int
    table: str
    action: ActionCall


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the entry with a handle, or all entries when it is None (p4c dialect)."""

    line: int
    handle: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Add a member to an action profile or selector."""

    line: int
    profile: str
    id: int
    action: ActionCall


@dataclass(frozen=True, slots=True)
class Group:
    """Add a group to an action selector; members are (id, weight)."""

    line: int
    profile: str
    id: int
    members: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class MulticastGroup:
    """Create or replace a multicast group; replicas are (port, rid)."""

    line: int
    id: int
    replicas: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CloneSession:
    """Create or replace a clone session; replicas are (port, rid)."""

    line: int
    id: int
    replicas: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CloneToGroup:
    """A clone session that replicates to a multicast group (p4c's `mirroring_add_mc`)."""

    line: int
    session: int
    group: int


@dataclass(frozen=True, slots=True)
class CloneDelete:
    """`mirroring_delete SESSION` (p4c dialect)."""

    line: int
    session: int


@dataclass(frozen=True, slots=True)
class McGroupCreate:
    """`mc_mgrp_create ID` (p4c dialect)."""

    line: int
    group: int


@dataclass(frozen=True, slots=True)
class McNodeCreate:
    """`mc_node_create RID PORT...`: the nth node created has handle n (p4c dialect).

    With `replaces`, `mc_node_update`: that node gets these ports and keeps its rid.
    """

    line: int
    rid: int
    ports: tuple[int, ...]
    replaces: int | None = None


@dataclass(frozen=True, slots=True)
class McNodeAssociate:
    """`mc_node_associate GROUP NODE` (p4c dialect)."""

    line: int
    group: int
    node: int


@dataclass(frozen=True, slots=True)
class RegisterWrite:
    """Write one cell; `index` None means every cell."""

    line: int
    register: str
    index: int | None
    value: int


@dataclass(frozen=True, slots=True)
class RegisterRead:
    """Read one cell and, unless `value` is None, compare it."""

    line: int
    register: str
    index: int
    value: int | None


Comparison = Literal["==", "!=", "<", "<=", ">", ">="]


@dataclass(frozen=True, slots=True)
class CounterCheck:
    """Compare a cell of an indirect counter, or of a direct counter by the entry's keys.

    `where` is an index, the keys of an entry, or the handle of one (p4c dialect).  Without a
    `unit` nothing is compared, but the counter must exist.
    """

    line: int
    counter: str
    where: int | tuple[Key, ...] | str
    unit: Literal["packets", "bytes"] | None
    comparison: Comparison
    value: int


@dataclass(frozen=True, slots=True)
class CounterWrite:
    """Set one cell of an indirect counter (p4c dialect)."""

    line: int
    counter: str
    index: int
    packets: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Packet:
    """Inject a packet and wait until the switch has finished with it."""

    line: int
    port: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Expect:
    """Take the oldest packet of a port and compare it.

    `pattern` has one character per nibble, `*` for any; None accepts any packets there.
    """

    line: int
    port: int
    pattern: str | None
    exact_length: bool


@dataclass(frozen=True, slots=True)
class NoPacket:
    """Demand that no packet is left: on any port, or on `port` (p4c dialect)."""

    line: int
    port: int | None = None


Command = (
    Add
    | SetDefault
    | Remove
    | Member
    | Group
    | MulticastGroup
    | CloneSession
    | CloneToGroup
    | CloneDelete
    | McGroupCreate
    | McNodeCreate
    | McNodeAssociate
    | RegisterWrite
    | RegisterRead
    | CounterCheck
    | CounterWrite
    | Packet
    | Expect
    | NoPacket
)


@dataclass(frozen=True, slots=True)
class Script:
    """A packet test: where it came from and its commands in order.

    `p4c` selects the looser rules of p4c's runner for names, keys and expected packets.  With
    `smaller_priority_wins` priorities are ordered as in BMv2's own tables, else as in P4Runtime.
    """

    name: str
    commands: tuple[Command, ...]
    p4c: bool = False
    smaller_priority_wins: bool = False


class StfError(Exception):
    """A packet test that cannot be run, or that failed; the text is one line."""


class StfSyntaxError(StfError):
    """A line that does not follow the grammar."""


class StfFailure(StfError):
    """A packet test ran and the switch did something else than expected."""
