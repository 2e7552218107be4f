# SPDX-License-Identifier: MIT
"""The rows that make switches serve a job: tables of p4src/common by name, and nothing else.

Numbering, so that a restarted controller can read jobs back from the switches: a job's index is
its counter row; its groups are 4 * index + 0..2; its replicas (egress_rid) are 64 * index + rank
for workers, + 32 for the way to the parameter server and + 33.. for child switches.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import IntEnum, StrEnum

from controller.desired import Action, Key, Replica, SwitchState, row
from controller.routing import ip_value, mac_value
from controller.trees import AggregationTree, Child, TreeNode
from topologies import Topology

JOBS = "IncaIngress.job_lookup.jobs"
POOLS = "IncaIngress.slot.pools"
PS_ROUTE = "IncaIngress.reply.ps_route"
REPLICAS = "IncaEgress.copies.replicas"
CONFIG = "IncaIngress.switch_config.aggregator_config"
EVENTS = "IncaIngress.job_events.events"

MAX_JOBS = 1024
MAX_WORKERS = 32
MAX_REPLICAS = 4096
EVENTS_PER_JOB = 16

_GROUPS_PER_JOB = 4
RIDS_PER_JOB = 64
RID_SERVER = 32
RID_SWITCHES = 33
_NEVER = (1 << 48) - 1


class ResultPath(StrEnum):
    """How a complete sum reaches the workers."""

    DIRECT = "direct"  # multicast by the switch; the parameter server keeps a copy for repair
    SERVER = "server"  # to the parameter server, which has it multicast


class Downgrade(IntEnum):
    """What a colliding fragment that loses does to the holder's priority (section 1.4)."""

    NONE = 0
    HALVE = 1
    DECREMENT = 2
    AGE = 3


class Event(IntEnum):
    """What became of an aggregation packet; as job_event_t in p4src/common/types.p4."""

    FORWARD = 0
    ALLOCATE = 1
    MERGE = 2
    DUPLICATE = 3
    EMIT = 4
    PREEMPT = 5
    PASS_THROUGH = 6
    EXPIRE = 7
    REMIND_HIT = 8
    REMIND_MISS = 9
    RESEND = 10
    REJECTED = 11
    RESULT = 12
    BYPASS = 13
    STALE = 14
    REPLAY = 15


@dataclass(frozen=True)
class AggregatorConfig:
    """What holds for all jobs of a switch.

    Attributes:
        aggregators: slots in use; 0: none, every fragment is completed by its parameter server;
            None: all that the program was compiled with.
        downgrade: what happens to the priority of a holder that wins.
        age_after_us: AGE: holders count as priority 0 after so many microseconds; None: never.
        expire_after_us: any fragment may displace a holder after so many microseconds; None: never.
        ecn_threshold: packets in an egress queue from which packets are marked; 0: never.
    """

    aggregators: int | None = None
    downgrade: Downgrade = Downgrade.NONE
    age_after_us: int | None = None
    expire_after_us: int | None = None
    ecn_threshold: int = 0

    def state(self, depth: int) -> SwitchState:
        """As a default action; `depth` is the size of the program's register arrays."""
        used = depth if self.aggregators is None else min(self.aggregators, depth)
        action = Action(
            "IncaIngress.switch_config.configure",
            (
                ("aggregators", used),
                ("downgrade", int(self.downgrade)),
                ("age_after", _NEVER if self.age_after_us is None else self.age_after_us),
                ("expire_after", _NEVER if self.expire_after_us is None else self.expire_after_us),
                ("ecn_threshold", self.ecn_threshold),
            ),
        )
        return SwitchState(defaults={CONFIG: action})


@dataclass(frozen=True)
class Pool:
    """A SwitchML-style job's slots, the same on all its switches.

    Attributes:
        base: first slot of each half of the register arrays.
        slots: how many; the workers' window.
        with_round: False: as published, without the round number (wrong under reordering).
    """

    base: int
    slots: int
    with_round: bool = True


@dataclass(frozen=True)
class JobPlan:
    """Everything needed to write a job's rows.

    Attributes:
        job: id on the wire, from 1, never used twice.
        index: row of counters, groups and replicas, from 1; used again after the job has left.
        ranks: (worker host, bit number).
        server: host of the parameter server.
        active: bits of the workers that take part at present.
        result_path: how sums reach the workers.
        free_on_complete: free slots when the sum leaves rather than when the result passes.
        aggregate: False: switches only relay (the baseline without aggregation).
        pool: slots of a SwitchML-style job; None for programs that allocate per fragment.
    """

    job: int
    index: int
    ranks: tuple[tuple[str, int], ...]
    server: str
    active: int
    result_path: ResultPath = ResultPath.DIRECT
    free_on_complete: bool = False
    aggregate: bool = True
    pool: Pool | None = None

    def with_active(self, active: int) -> JobPlan:
        """The same job with other workers taking part."""
        return replace(self, active=active)


def job_states(plan: JobPlan, tree: AggregationTree, topology: Topology) -> dict[str, SwitchState]:
    """Switch -> what it must hold for a job."""
    return {
        name: _NodeRows(plan, tree, node, topology).state() for name, node in tree.nodes.items()
    }


class _NodeRows:
    """The rows of one job on one switch."""

    def __init__(
        self, plan: JobPlan, tree: AggregationTree, node: TreeNode, topology: Topology
    ) -> None:
        self.plan = plan
        self.tree = tree
        self.node = node
        self.topology = topology
        self.ranks = dict(plan.ranks)
        self.server = topology.host(plan.server)
        self.is_root = tree.root == node.switch
        self.aggregates = node.aggregates and plan.aggregate

    def state(self) -> SwitchState:
        groups = self._groups()
        rows = dict(self._replica_row(child) for child in enumerate(self.node.children))
        key, action = self._server_replica_row()
        rows[key] = action
        key, action = self._ps_row() if self.plan.pool is None else self._pool_row(self.plan.pool)
        rows[key] = action
        key, action = self._job_row({group for group, copies in groups.items() if copies})
        rows[key] = action
        return SwitchState(rows=rows, groups={g: c for g, c in groups.items() if c})

    def _ps_row(self) -> tuple[Key, Action]:
        return row(
            PS_ROUTE,
            [("hdr.agg.job", self.plan.job)],
            "IncaIngress.reply.to_ps",
            dst_addr=ip_value(self.server.ip),
        )

    def _pool_row(self, pool: Pool) -> tuple[Key, Action]:
        return row(
            POOLS,
            [("hdr.agg.job", self.plan.job)],
            "IncaIngress.slot.pool",
            pool_base=pool.base,
            pool_size=pool.slots,
            pool_fan_in=sum(1 for child in self.node.children if child.mask & self.plan.active),
            with_round=int(pool.with_round),
        )

    def _group(self, which: int) -> int:
        return self.plan.index * _GROUPS_PER_JOB + which

    def _rid(self, which: int) -> int:
        return self.plan.index * RIDS_PER_JOB + which

    def _replica(self, numbered: tuple[int, Child]) -> Replica:
        position, child = numbered
        which = self.ranks[child.node] if child.is_host else RID_SWITCHES + position
        return Replica(child.port, self._rid(which))

    def _groups(self) -> dict[int, frozenset[Replica]]:
        numbered = list(enumerate(self.node.children))
        children = frozenset(
            self._replica((i, child)) for i, child in numbered if child.mask & self.plan.active
        )
        server = Replica(self.node.up.port, self._rid(RID_SERVER))
        below = frozenset(
            self._replica((i, child))
            for i, child in numbered
            if not child.is_host and self.plan.aggregate and self.tree.aggregates_below(child.node)
        )
        return {
            self._group(0): children,
            self._group(1): children | {server} if self._direct else frozenset(),
            self._group(2): below | {server} if self.aggregates else below,
        }

    @property
    def _direct(self) -> bool:
        return self.is_root and self.aggregates and self.plan.result_path is ResultPath.DIRECT

    def _job_row(self, groups: set[int]) -> tuple[Key, Action]:
        def group(which: int) -> int:
            return self._group(which) if self._group(which) in groups else 0

        common = {
            "job_index": self.plan.index,
            "full_mask": self.node.mask & self.plan.active,
            "children_group": group(0),
            "remind_group": group(2),
        }
        match = [("hdr.agg.job", self.plan.job)]
        if not self.aggregates:
            return row(JOBS, match, "IncaIngress.job_lookup.relay", **common)
        # A direct result does not pass its own switch again, so nothing else would free the slot.
        free = self.plan.free_on_complete or self._direct
        return row(
            JOBS,
            match,
            "IncaIngress.job_lookup.aggregate",
            direct=int(self._direct),
            free_on_complete=int(free),
            result_group=group(1),
            **common,
        )

    def _replica_row(self, numbered: tuple[int, Child]) -> tuple[Key, Action]:
        _, child = numbered
        match = [("sm.egress_rid", self._replica(numbered).instance)]
        if child.is_host:
            host = self.topology.host(child.node)
            return row(
                REPLICAS,
                match,
                "IncaEgress.copies.to_host",
                dst_addr=mac_value(host.mac),
                ip_addr=ip_value(host.ip),
            )
        mac = mac_value(self.topology.switch(child.node).mac)
        return row(REPLICAS, match, "IncaEgress.copies.to_switch", dst_addr=mac)

    def _server_replica_row(self) -> tuple[Key, Action]:
        match = [("sm.egress_rid", self._rid(RID_SERVER))]
        adjacent = self.node.up.peer.node == self.plan.server
        return row(
            REPLICAS,
            match,
            "IncaEgress.copies.to_host" if adjacent else "IncaEgress.copies.to_server",
            dst_addr=mac_value(self.node.up.mac),
            ip_addr=ip_value(self.server.ip),
        )
