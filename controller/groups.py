# SPDX-License-Identifier: MIT
"""Groups on a network: EPIC's CreateGroup and DestroyGroup as desired state.

As in `controller.jobs`, no switch is talked to: `GroupBook.states()` is what `Controller.apply`
takes. A group that does not fit gets number 0 and a reason; its hosts use their ring.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from controller.collective_rows import group_states
from controller.collective_tree import CollectiveTree, build_collective_tree
from controller.desired import SwitchState
from controller.errors import GroupRejectedError
from controller.routing import Routes
from controller.segments import Segments, power_of_two
from hosts.collectives.description import GroupDescription, GroupMember, channels_of
from topologies import Topology

MAX_CHANNELS = 2048
MAX_FAN_IN = 32
#: Multicast groups of group number g are 64 * g and up.
MAX_GROUPS = 1023
MAX_EPOCH = (1 << 32) - 1


class Admission(StrEnum):
    """Who may use the switches (section 3 of the design notes)."""

    NONE = "none"  # nobody: every group uses its ring
    EDGE_DISJOINT = "edge-disjoint"  # a link between switches belongs to one group
    SPATIAL = "spatial"  # `groups_per_switch` groups at each switch


@dataclass(frozen=True)
class Capability:
    """What the program on a switch can hold; the sizes it was compiled with."""

    slots: int = 8192
    ack_rows: int = 1024
    fan_in: int = MAX_FAN_IN
    elements: int = 32


@dataclass(frozen=True)
class GroupRequest:
    """A group that somebody wants; the position of a member is its rank.

    Attributes:
        window: packets under way per rank and channel, a power of two.
    """

    name: str
    members: tuple[str, ...]
    window: int = 16


@dataclass(frozen=True)
class GroupGrant:
    """A group, and what it owns.

    Attributes:
        tree: its switches; None: it has no resources.
        slots: switch -> first aggregation slot.
        ack_rows: switch -> first row of minimum-aggregated ACKs.
    """

    description: GroupDescription
    tree: CollectiveTree | None = None
    slots: Mapping[str, int] = field(default_factory=dict)
    ack_rows: Mapping[str, int] = field(default_factory=dict)


class GroupBook:
    """The groups of a network."""

    def __init__(
        self,
        topology: Topology,
        capability: Capability = Capability(),
        admission: Admission = Admission.SPATIAL,
        groups_per_switch: int = MAX_GROUPS,
        first_epoch: int = 1,
    ) -> None:
        self.topology = topology
        self.capability = capability
        self.admission = admission
        self.groups_per_switch = groups_per_switch
        self.routes = Routes(topology)
        self._grants: dict[str, GroupGrant] = {}
        self._next_epoch = first_epoch
        self._channels = Segments(MAX_CHANNELS)
        self._channels.allocate(1)  # channel 0 counts packets of no channel
        self._slots = {s.name: Segments(capability.slots) for s in topology.switches}
        self._ack_rows = {s.name: Segments(capability.ack_rows) for s in topology.switches}

    @property
    def grants(self) -> Mapping[str, GroupGrant]:
        """The groups by name."""
        return dict(self._grants)

    def create(self, request: GroupRequest) -> GroupGrant:
        """Set up a group. Without room its number is 0, and it says why.

        Raises:
            GroupRejectedError: the request is wrong.
        """
        self._check(request)
        description = GroupDescription(
            name=request.name,
            number=0,
            epoch=self._next_epoch,
            members=tuple(self._member(host) for host in request.members),
            elements=self.capability.elements,
            window=request.window,
        )
        self._next_epoch += 1
        grant = self._place(description, request.members)
        self._grants[request.name] = grant
        return grant

    def destroy(self, name: str) -> None:
        """Forget a group; its rows go at the next apply.

        Raises:
            GroupRejectedError: no such group.
        """
        if name not in self._grants:
            there = ", ".join(sorted(self._grants)) or "none"
            raise GroupRejectedError("no such group", where=name, hint=f"there are: {there}")
        grant = self._grants.pop(name)
        size = grant.description.size
        slots = _slots_of(grant.description)
        for switch, base in grant.slots.items():
            self._slots[switch].release(base, slots)
        for switch, base in grant.ack_rows.items():
            self._ack_rows[switch].release(base, size)
        if grant.tree is not None:
            self._channels.release(grant.description.first_channel, len(channels_of(size)))

    def states(self) -> dict[str, SwitchState]:
        """Switch -> everything it must hold: routes and the rows of all groups."""
        states = {s.name: self.routes.table(s.name) for s in self.topology.switches}
        for grant in self._grants.values():
            if grant.tree is None:
                continue
            rows = group_states(
                grant.description, grant.tree, self.topology, grant.slots, grant.ack_rows
            )
            for switch, state in rows.items():
                states[switch] = states[switch] | state
        return states

    def _place(self, description: GroupDescription, members: tuple[str, ...]) -> GroupGrant:
        if len(members) == 1:
            return GroupGrant(replace(description, reason="a group of one has nothing to send"))
        tree = build_collective_tree(self.topology, members, description.name)
        reason = self._refusal(tree, description)
        if reason:
            return GroupGrant(replace(description, reason=reason))
        numbers = {g.description.number for g in self._grants.values()}
        first_channel = self._channels.allocate(len(channels_of(len(members))))
        slots = {s: self._slots[s].allocate(_slots_of(description)) for s in tree.nodes}
        ack_rows = {s: self._ack_rows[s].allocate(len(members)) for s in tree.nodes}
        assert first_channel is not None
        granted = replace(
            description,
            number=next(n for n in range(1, MAX_GROUPS + 1) if n not in numbers),
            first_channel=first_channel,
        )
        return GroupGrant(granted, tree, _all_there(slots), _all_there(ack_rows))

    def _refusal(self, tree: CollectiveTree, description: GroupDescription) -> str:
        """Why a tree cannot be had, before anything of it is taken; empty: it can."""
        if self.admission is Admission.NONE:
            return "in-network collectives are switched off"
        others = [g.tree for g in self._grants.values() if g.tree is not None]
        if len(others) >= MAX_GROUPS:
            return f"{MAX_GROUPS} groups are there, multicast groups are used up"
        if self.admission is Admission.EDGE_DISJOINT:
            for other in others:
                for edge in tree.edges & other.edges:
                    return f"link {' - '.join(sorted(edge))} belongs to another group"
        if not _fits(self._channels, len(channels_of(description.size))):
            return f"no {len(channels_of(description.size))} channel numbers are left"
        for switch, node in tree.nodes.items():
            if len(node.neighbours) > self.capability.fan_in:
                return f"switch {switch} has more than {self.capability.fan_in} neighbours in it"
            if sum(switch in other.nodes for other in others) >= self.groups_per_switch:
                return f"switch {switch} serves {self.groups_per_switch} groups already"
            if not _fits(self._slots[switch], _slots_of(description)):
                return f"switch {switch} has no {_slots_of(description)} free slots in a row"
            if not _fits(self._ack_rows[switch], description.size):
                return f"switch {switch} has no {description.size} free ACK rows in a row"
        return ""

    def _member(self, name: str) -> GroupMember:
        host = self.topology.host(name)
        return GroupMember(name, "eth0", host.mac, host.ip, host.gateway_mac, host.gateway)

    def _check(self, request: GroupRequest) -> None:
        where = request.name
        known = {host.name for host in self.topology.hosts}
        for host in request.members:
            if host not in known:
                raise GroupRejectedError(
                    f"no host {host} in topology {self.topology.name}",
                    where=where,
                    hint=f"it has {', '.join(sorted(known))}",
                )
        if where in self._grants:
            raise GroupRejectedError("a group of this name is there", where=where)
        if not request.members:
            raise GroupRejectedError("a group needs at least one member", where=where)
        if len(set(request.members)) < len(request.members):
            raise GroupRejectedError("a host is member twice", where=where)
        if request.window < 1 or power_of_two(request.window) != request.window:
            raise GroupRejectedError(
                f"window {request.window}", where=where, hint="give a power of two"
            )
        if self._next_epoch > MAX_EPOCH:
            raise GroupRejectedError("all epochs are used up", where=where)


def _slots_of(description: GroupDescription) -> int:
    """Slots per switch: twice the window for each channel that aggregates."""
    aggregating = sum(c.primitive != "broadcast" for c in channels_of(description.size))
    return power_of_two(aggregating * 2 * description.window)


def _fits(segments: Segments, count: int) -> bool:
    base = segments.allocate(count)
    if base is not None:
        segments.release(base, count)
    return base is not None


def _all_there(bases: Mapping[str, int | None]) -> dict[str, int]:
    assert None not in bases.values()
    return {switch: base for switch, base in bases.items() if base is not None}
