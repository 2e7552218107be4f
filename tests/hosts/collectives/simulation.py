# SPDX-License-Identifier: MIT
"""Whole groups in one process: compiled P4, the controller's rows, host groups, faulty links."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import topologies
from controller.groups import Admission, Capability, GroupBook, GroupGrant, GroupRequest
from controller.inprocess import install
from hosts.collectives.group import Group, Handle
from hosts.direct import DirectNetwork, End, Faults
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4

ROOT = Path(__file__).parents[3]
CAPABILITY = Capability(slots=1024, ack_rows=64, fan_in=8, elements=4)
_DEFINES = {"LANES": "4", "SLOTS": "1024", "ACK_ROWS": "64", "FAN_IN": "8"}


@cache
def pipeline() -> Pipeline:
    """The program with few lanes, to clone."""
    return Pipeline.load(compile_p4(ROOT / "p4src/epic_translated.p4", defines=_DEFINES).bmv2_json)


class GroupSystem:
    """A topology with groups, given by their members."""

    def __init__(
        self,
        topology: str,
        members: Sequence[Sequence[str]],
        *,
        faults: Faults = Faults(),  # noqa: B008
        seed: int = 0,
        window: int = 8,
        admission: Admission = Admission.SPATIAL,
        **description: Any,
    ) -> None:
        self.topology = topologies.load(topology)
        self.book = GroupBook(self.topology, CAPABILITY, admission)
        self.grants = [
            self.book.create(GroupRequest(f"g{i}", tuple(hosts), window))
            for i, hosts in enumerate(members)
        ]
        self.network = DirectNetwork(seed)
        self.pipelines: dict[str, Pipeline] = {}
        for name, state in self.book.states().items():
            self.pipelines[name] = pipeline().clone()
            install(self.pipelines[name], state)
            self.network.add_switch(name, self.pipelines[name])
        for link in self.topology.links:
            self.network.link(End(link.a.node, link.a.port), End(link.b.node, link.b.port), faults)
        self.groups = [self.join(grant, **description) for grant in self.grants]

    def join(self, grant: GroupGrant, **description: Any) -> list[Group]:
        """Every member's end of a group."""
        group = replace(grant.description, **description)
        ends = []
        for rank, member in enumerate(group.members):
            end = Group(group, rank, self.network.transport(member.host))
            self.network.add_process(member.host, end)
            ends.append(end)
        return ends

    def replace_group(self, members: Sequence[str]) -> None:
        """Destroy the first group and create another; registers keep what they hold."""
        self.network.settle()
        self.book.destroy("g0")
        self.grants[0] = self.book.create(GroupRequest("g0", tuple(members), 8))
        for name, state in self.book.states().items():
            old, new = self.pipelines[name], pipeline().clone()
            for register in old.registers:
                new.registers[register].write_all(old.registers[register].read_all())
            install(new, state)
            self.pipelines[name] = new
            self.network.add_switch(name, new)
        self.groups[0] = self.join(self.grants[0])

    def call(self, begin: Callable[[Group], Handle], group: int = 0) -> list[Any]:
        """One collective at every member; results by rank."""
        handles = [begin(end) for end in self.groups[group]]
        self.wake()
        return [handle.wait() for handle in handles]

    def wake(self) -> None:
        """Let all members send what they have begun."""
        for host in sorted({m.host for grant in self.grants for m in grant.description.members}):
            self.network.wake(host)
