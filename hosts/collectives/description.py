# SPDX-License-Identifier: MIT
"""What a member must know of its group: the controller's answer to a request."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from hosts.wire.esa import Op

#: Host QPs have this bit, those of switches do not.
HOST_QP = 0x800
_EPOCH_BITS = 12


class Primitive(StrEnum):
    """What the switches do; all collectives are made of these."""

    ALLREDUCE = "allreduce"
    REDUCE = "reduce"
    BROADCAST = "broadcast"


@dataclass(frozen=True)
class Channel:
    """One primitive of one group, with its own QPs and PSNs.

    Attributes:
        primitive: what it does.
        op: how contributions combine.
        root: rank that a reduce goes to or a broadcast comes from; -1 for an all-reduce.
    """

    primitive: Primitive
    op: Op = Op.SUM
    root: int = -1

    def sends(self, rank: int) -> bool:
        """Whether a rank puts data into it. (A reduce's root adds its own part itself.)"""
        return self.primitive is Primitive.ALLREDUCE or (
            (self.primitive is Primitive.BROADCAST) == (rank == self.root)
        )

    def receives(self, rank: int) -> bool:
        """Whether a rank gets data out of it."""
        return self.primitive is Primitive.ALLREDUCE or not self.sends(rank)


def channels_of(members: int) -> tuple[Channel, ...]:
    """The channels of every group of that size, in the order of their numbers."""
    ranks = range(members)
    return (
        *(Channel(Primitive.ALLREDUCE, op) for op in (Op.SUM, Op.MAX, Op.MIN)),
        *(Channel(Primitive.REDUCE, Op.SUM, rank) for rank in ranks),
        *(Channel(Primitive.BROADCAST, Op.SUM, rank) for rank in ranks),
    )


def switch_qp(epoch: int, channel: int) -> int:
    """QP number of a channel at switches: low bits of the epoch, channel number."""
    return (epoch % (1 << _EPOCH_BITS)) << 12 | channel


def host_qp(epoch: int, channel: int) -> int:
    """QP number of a channel at hosts. Channel 0 is the ring's."""
    return switch_qp(epoch, channel) | HOST_QP


@dataclass(frozen=True)
class GroupMember:
    """A host of the group, and its first switch."""

    host: str
    interface: str
    mac: str
    ip: str
    gateway_mac: str
    gateway_ip: str


@dataclass(frozen=True)
class GroupDescription:
    """A group, in the order of ranks.

    Attributes:
        number: from 1; 0: the switches have no room, calls use the ring.
        epoch: unlike that of any other group of the network, before or after.
        first_channel: number of the group's first channel at the switches.
        reason: number 0: why.
        elements: int32 per packet.
        window: packets that a rank may have under way per channel, a power of two.
        rto_us: a packet without an answer is repeated after so long.
        deadline_us: a call without any progress for so long fails.
        start_psn: number of the first packet of every channel.
    """

    name: str
    number: int
    epoch: int
    members: tuple[GroupMember, ...]
    first_channel: int = 0
    reason: str = ""
    elements: int = 32
    window: int = 16
    rto_us: int = 5_000
    deadline_us: int = 10_000_000
    start_psn: int = 0

    @property
    def size(self) -> int:
        """Number of members."""
        return len(self.members)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Channels in the switches; none: the ring is used."""
        return channels_of(self.size) if self.number else ()
