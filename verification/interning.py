# SPDX-License-Identifier: MIT
"""Local states, packets and events as small integers, and the real code behind their steps."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from verification.model import Event, Fault, Packet, Permutation, State, Status, Step, System
from verification.native import FREE, INTERNAL, MAX_NODES, NONE


class ModelError(Exception):
    """The system's description contradicts what its nodes do."""


@dataclass(frozen=True, slots=True)
class Message:
    """A packet in flight: on which directed channel, to which node and port."""

    channel: int
    node: int
    port: int
    packet: Packet


@dataclass(slots=True)
class Interner:
    """Numbers everything a :class:`System` can do; asks each node once per distinct question."""

    system: System
    permutations: list[Permutation]
    skip_hops: bool = False
    states: list[tuple[int, State]] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    events: list[tuple[int, Event]] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    _state_ids: dict[tuple[int, State], int] = field(default_factory=dict)
    _message_ids: dict[tuple[int, int, Packet], int] = field(default_factory=dict)
    _event_ids: dict[tuple[int, Event], int] = field(default_factory=dict)
    _signatures: dict[State, int] = field(default_factory=dict)
    _ends: dict[tuple[int, int], tuple[int, int, int]] = field(default_factory=dict)
    _channels: list[tuple[int, int]] = field(default_factory=list)
    _ports: list[int] = field(default_factory=list)
    _between: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        index = {node.name: i for i, node in enumerate(self.system.nodes)}
        if len(index) > MAX_NODES:
            raise ModelError(f"system {self.system.name}: more than {MAX_NODES} nodes")
        for link in self.system.links:
            for name in (link.a, link.b):
                if name not in index:
                    raise ModelError(f"system {self.system.name}: link names unknown node {name!r}")
            a, b = index[link.a], index[link.b]
            for source, port, target, target_port in (
                (a, link.a_port, b, link.b_port),
                (b, link.b_port, a, link.a_port),
            ):
                if (source, port) in self._ends:
                    name = self.system.nodes[source].name
                    raise ModelError(f"system {self.system.name}: {name} port {port} has two links")
                channel = len(self._channels)
                self._channels.append((source, target))
                self._ports.append(port)
                self._ends[source, port] = (channel, target, target_port)
                self._between[source, target] = (channel, target_port)

    def node_map(self, perm: Permutation) -> list[int]:
        """Where each node goes under a renaming of the workers."""
        index = {node.name: i for i, node in enumerate(self.system.nodes)}
        result = list(range(len(self.system.nodes)))
        for worker, name in enumerate(self.system.workers):
            result[index[name]] = index[self.system.workers[perm[worker]]]
        return result

    def followers(self) -> list[int]:
        """For each node the next one of its group of interchangeable workers, or NONE."""
        index = {node.name: i for i, node in enumerate(self.system.nodes)}
        result = [NONE] * len(self.system.nodes)
        for group in self.system.groups:
            names = [index[self.system.workers[worker]] for worker in sorted(group)]
            for one, following in itertools.pairwise(names):
                result[one] = following
        return result

    def signature(self, state: int) -> int:
        """A number shared by the states of interchangeable workers that differ in name only."""
        node, local = self.states[state]
        name = self.system.nodes[node].name
        for group in self.system.groups:
            first = min(group)
            for worker in group:
                if self.system.workers[worker] == name:
                    swap = list(range(len(self.system.workers)))
                    swap[worker], swap[first] = first, worker
                    image = self.system.nodes[node].rename(local, tuple(swap))
                    return self._signatures.setdefault(image, len(self._signatures))
        return 0

    def state(self, node: int, state: State) -> int:
        """The number of a node's local state."""
        known = self._state_ids.get((node, state))
        if known is None:
            known = self._state_ids[node, state] = len(self.states)
            self.states.append((node, state))
        return known

    def message(self, channel: int, node: int, port: int, packet: Packet) -> int:
        """The number of a packet in flight."""
        known = self._message_ids.get((channel, port, packet))
        if known is None:
            known = self._message_ids[channel, port, packet] = len(self.messages)
            self.messages.append(Message(channel, node, port, packet))
        return known

    def event(self, node: int, event: Event) -> int:
        """The number of an internal event."""
        known = self._event_ids.get((node, event))
        if known is None:
            known = self._event_ids[node, event] = len(self.events)
            self.events.append((node, event))
        return known | INTERNAL

    def source(self, message: int) -> str:
        """The node that sent a packet in flight."""
        return self.system.nodes[self._channels[self.messages[message].channel][0]].name

    def out_port(self, message: int) -> int:
        """The port by which its sender sent a packet in flight."""
        return self._ports[self.messages[message].channel]

    def enabled(self, state: int) -> list[tuple[int, int]]:
        """Internal events of a local state as (event, class)."""
        node, local = self.states[state]
        return [
            (self.event(node, e), FREE if e.fault is None else int(e.fault))
            for e in self.system.nodes[node].events(local)
        ]

    def status(self, state: int) -> Status:
        """Flags of a local state."""
        node, local = self.states[state]
        return self.system.nodes[node].status(local)

    def step(self, state: int, event: int) -> list[tuple[int, list[int], str | None]]:
        """Run the real code: outcomes as (next state, messages sent, violated property)."""
        node, local = self.states[state]
        actor = self.system.nodes[node]
        if event & INTERNAL:
            steps: Sequence[Step] = actor.fire(local, self.events[event & ~INTERNAL][1])
        else:
            message = self.messages[event]
            steps = actor.deliver(local, message.port, message.packet)
        if not steps:
            raise ModelError(f"{actor.name}: an event without an outcome")
        return [(self.state(node, s.state), self._sent(node, s), s.violation) for s in steps]

    def ignored(self, state: int, message: int) -> bool:
        """Whether a packet changes nothing at a node, now and in all states that follow."""
        node, local = self.states[state]
        flying, actor = self.messages[message], self.system.nodes[node]
        if not actor.ignores(local, flying.port, flying.packet):
            return False
        for step in actor.deliver(local, flying.port, flying.packet):
            if step.state != local or step.sends or step.violation:
                raise ModelError(f"{actor.name}: reacts to a packet that it says it ignores")
        return True

    def _sent(self, node: int, step: Step) -> list[int]:
        result = []
        for port, packet in step.sends:
            end = self._ends.get((node, port))
            if self.skip_hops and end is not None:
                end, packet = self._skipped(end, packet)
            if end is not None:  # a port without a link leads nowhere
                result.append(self.message(*end, packet))
        return result

    def _skipped(
        self, end: tuple[int, int, int], packet: Packet
    ) -> tuple[tuple[int, int, int] | None, Packet]:
        """Follow a packet over the nodes that it just passes."""
        following: tuple[int, int, int] | None = end
        for _ in self.system.nodes:  # at most once through each
            if following is None:
                break
            _, node, port = following
            passed = self.system.nodes[node].passes(port, packet)
            if passed is None:
                break
            port, packet = passed
            following = self._ends.get((node, port))
        return following, packet

    def renamed_state(self, state: int, permutation: int) -> int:
        """A local state under a renaming of the workers, at the node it then belongs to."""
        perm = self.permutations[permutation]
        if _identity(perm):
            return state
        node, local = self.states[state]
        target = self.node_map(perm)[node]
        return self.state(target, self.system.nodes[node].rename(local, perm))

    def renamed_message(self, message: int, permutation: int) -> int:
        """A packet in flight under a renaming of the workers."""
        perm = self.permutations[permutation]
        if _identity(perm):
            return message
        old = self.messages[message]
        nodes = self.node_map(perm)
        source, target = self._channels[old.channel]
        channel, port = self._between[nodes[source], nodes[target]]
        return self.message(
            channel, nodes[target], port, self.system.rename_packet(old.packet, perm)
        )

    def renamed_event(self, event: int, permutation: int) -> int:
        """An event id under a renaming: the same thing happening to the renamed node."""
        if not event & INTERNAL:
            return self.renamed_message(event, permutation)
        node, inner = self.events[event & ~INTERNAL]
        return self.event(self.node_map(self.permutations[permutation])[node], inner)


def _identity(perm: Permutation) -> bool:
    return perm == tuple(range(len(perm)))


__all__ = ["Fault", "Interner", "Message", "ModelError"]
