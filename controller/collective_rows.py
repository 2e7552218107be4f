# SPDX-License-Identifier: MIT
"""The rows that make switches serve a group: tables of p4src/epic by name, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum

from controller.collective_tree import CollectiveTree, GroupNode
from controller.desired import Action, Key, Replica, SwitchState, row
from controller.routing import ip_value, mac_value
from hosts.collectives.description import (
    Channel,
    GroupDescription,
    Primitive,
    host_qp,
    switch_qp,
)
from topologies import Topology

CONNECTIONS = "IncaIngress.connection.connections"
NEIGHBOURS = "EpicEgress.neighbours"
EVENTS = "IncaIngress.channel_events.events"
_ACTION = "IncaIngress.connection."
_GROUPS_PER_GROUP = 64


class ChannelEvent(IntEnum):
    """What became of a packet; as channel_event_t in p4src/epic/types.p4."""

    FORWARD = 0
    ALLOCATE = 1
    MERGE = 2
    DUPLICATE = 3
    COMPLETE = 4
    REPLAY = 5
    STALE = 6
    RESULT = 7
    REFLECT = 8
    ACK_COPY = 9
    ACK_MINIMUM = 10
    ACK_HELD = 11
    REJECTED = 12


def group_states(
    group: GroupDescription,
    tree: CollectiveTree,
    topology: Topology,
    slots: Mapping[str, int],
    ack_rows: Mapping[str, int],
) -> dict[str, SwitchState]:
    """Switch -> the rows of one group.

    Args:
        slots: switch -> first slot; each aggregating channel takes twice the window.
        ack_rows: switch -> first ACK row; broadcast from rank r uses row r.
    """
    return {
        switch: _NodeRows(group, node, topology, slots[switch], ack_rows[switch]).state()
        for switch, node in tree.nodes.items()
    }


@dataclass(frozen=True)
class _NodeRows:
    group: GroupDescription
    node: GroupNode
    topology: Topology
    first_slot: int
    first_ack_row: int

    def state(self) -> SwitchState:
        rows: dict[Key, Action] = {}
        for index, channel in enumerate(self.group.channels):
            rows |= dict(self._connections(index, channel))
            rows |= dict(self._neighbour(port, index) for port in self.node.neighbours)
        left_out = {self._away(channel) for channel in self.group.channels}
        groups = {
            self._kids(port): frozenset(Replica(p) for p in self.node.others(port))
            for port in left_out
        }
        return SwitchState(rows, {}, groups)

    def _away(self, channel: Channel) -> int | None:
        """The port that a channel's copies do not go to; None: they go to all."""
        if channel.primitive is Primitive.ALLREDUCE:
            return self.node.parent
        return self.node.towards(channel.root)

    def _kids(self, away: int | None) -> int:
        """Multicast group of all the tree's ports but one."""
        position = 0 if away is None else self.node.child(away) + 1
        return _GROUPS_PER_GROUP * self.group.number + position

    def _connections(self, index: int, channel: Channel) -> Iterator[tuple[Key, Action]]:
        away = self._away(channel)
        number = self.group.first_channel + index
        kids = self._kids(away)
        others = self.node.others(away)
        common = {"channel": number, "epoch": self.group.epoch}
        mask = sum(1 << self.node.child(port) for port in others)
        for port in others:
            child = {"child": self.node.child(port), "full_mask": mask, "up_port": away or 0}
            if channel.primitive is Primitive.BROADCAST:
                ack_row = self.first_ack_row + channel.root
                yield self._row(port, number, "receiver", **common, **child, ack_row=ack_row)
                continue
            turns = channel.primitive is Primitive.ALLREDUCE
            yield self._row(
                port,
                number,
                "contributor",
                **common,
                **child,
                op=int(channel.op),
                slot_base=self.first_slot + index * 2 * self.group.window,
                slot_mask=2 * self.group.window - 1,
                reflect=int(turns and self._is_host(port)),
                root=int(away is None),
                kids_group=kids,
            )
        if away is not None:
            action = "destination" if channel.primitive is Primitive.REDUCE else "source"
            yield self._row(away, number, action, channel=number, kids_group=kids)

    def _row(self, port: int, number: int, action: str, **args: int) -> tuple[Key, Action]:
        match = [
            ("sm.ingress_port", port),
            ("hdr.bth.dest_qp", switch_qp(self.group.epoch, number)),
        ]
        return row(CONNECTIONS, match, _ACTION + action, **args)

    def _is_host(self, port: int) -> bool:
        return self.topology.is_host(self.node.neighbours[port].node)

    def _neighbour(self, port: int, index: int) -> tuple[Key, Action]:
        """The connection that packets leave by: addresses and QP of its other end."""
        peer = self.node.neighbours[port].node
        number = self.group.first_channel + index
        if self._is_host(port):
            host = self.topology.host(peer)
            source, target, mac = ip_value(host.gateway), ip_value(host.ip), host.mac
            dest_qp = host_qp(self.group.epoch, number)
        else:
            source, target = self._switch_ip(self.node.switch), self._switch_ip(peer)
            mac = self.topology.switch(peer).mac
            dest_qp = switch_qp(self.group.epoch, number)
        return row(
            NEIGHBOURS,
            [("sm.egress_port", port), ("meta.channel", number)],
            "EpicEgress.to_neighbour",
            src_mac=mac_value(self.topology.switch(self.node.switch).mac),
            dst_mac=mac_value(mac),
            src_ip=source,
            dst_ip=target,
            dest_qp=dest_qp,
        )

    def _switch_ip(self, name: str) -> int:
        """Link-local: packets between switches are not routed by address."""
        return ip_value("169.254.0.0") + self.topology.switch(name).device_id
