# SPDX-License-Identifier: MIT
"""Jobs on a network: who gets what, what does not fit, and the state that all of it makes.

No switch is talked to here: `JobBook.states()` is what `Controller.apply` takes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from controller.aggregation import (
    MAX_JOBS,
    MAX_REPLICAS,
    MAX_WORKERS,
    AggregatorConfig,
    JobPlan,
    Pool,
    ResultPath,
    job_states,
)
from controller.desired import SwitchState
from controller.errors import JobRejectedError
from controller.recovery import recover_plans
from controller.routing import Routes, ip_value
from controller.trees import AggregationTree, build_tree
from topologies import Topology

MAX_JOB_ID = 0xFFFF


@dataclass(frozen=True)
class JobRequest:
    """A job that somebody wants to run.

    Attributes:
        name: for people; one running job per name.
        workers: their hosts; the position is the rank, hence the bit in bitmaps.
        server: host of the parameter server.
        result_path: how sums reach the workers.
        free_on_complete: see `JobPlan`.
        aggregate: False: the parameter server does all the work (a baseline).
        pool_slots: slots to own, for the program switchml: the workers' window. 0: no pool.
        with_round: see `Pool`.
    """

    name: str
    workers: tuple[str, ...]
    server: str
    result_path: ResultPath = ResultPath.DIRECT
    free_on_complete: bool = False
    aggregate: bool = True
    pool_slots: int = 0
    with_round: bool = True


@dataclass(frozen=True)
class JobGrant:
    """A job that has been let in.

    Attributes:
        plan: ids, ranks and options.
        tree: its switches.
    """

    name: str
    plan: JobPlan
    tree: AggregationTree

    @property
    def job(self) -> int:
        """Id on the wire."""
        return self.plan.job

    @property
    def full_mask(self) -> int:
        """Bits of the workers that take part."""
        return self.plan.active


@dataclass(frozen=True)
class Limits:
    """What one network gives to jobs."""

    jobs: int = MAX_JOBS - 1
    workers_per_job: int = MAX_WORKERS
    replicas_per_switch: int = MAX_REPLICAS


@dataclass
class JobBook:
    """The jobs of a network.

    Args:
        topology: the network.
        config: what holds for all jobs.
        register_depth: size of the program's register arrays.
        limits: admission limits.
    """

    topology: Topology
    config: AggregatorConfig = field(default_factory=AggregatorConfig)
    register_depth: int = 8192
    limits: Limits = field(default_factory=Limits)

    def __post_init__(self) -> None:
        self.routes = Routes(self.topology)
        self._grants: dict[str, JobGrant] = {}
        self._next_job = 1

    @property
    def grants(self) -> Mapping[str, JobGrant]:
        """The running jobs by name."""
        return dict(self._grants)

    def admit(self, request: JobRequest) -> JobGrant:
        """Let a job in.

        Raises:
            JobRejectedError: it does not fit, or the request is wrong.
        """
        self._check(request)
        indexes = {grant.plan.index for grant in self._grants.values()}
        index = next(i for i in range(1, MAX_JOBS) if i not in indexes)
        ranks = {host: rank for rank, host in enumerate(request.workers)}
        plan = JobPlan(
            job=self._next_job,
            index=index,
            ranks=tuple(ranks.items()),
            server=request.server,
            active=(1 << len(ranks)) - 1,
            result_path=request.result_path,
            free_on_complete=request.free_on_complete,
            aggregate=request.aggregate,
            pool=self._pool(request),
        )
        grant = JobGrant(request.name, plan, build_tree(self.routes, ranks, request.server))
        self._check_replicas(grant)
        self._next_job += 1
        self._grants[request.name] = grant
        return grant

    def remove(self, name: str) -> None:
        """Forget a job; its rows go at the next apply. Its slots expire or are flushed.

        Raises:
            JobRejectedError: no such job.
        """
        self._grant(name)
        del self._grants[name]

    def set_active(self, name: str, workers: Iterable[str]) -> JobGrant:
        """Go on with some of a job's workers (between two iterations).

        Raises:
            JobRejectedError: no such job, a host that is not its worker, or nobody left.
        """
        grant = self._grant(name)
        ranks = dict(grant.plan.ranks)
        mask = 0
        for host in workers:
            if host not in ranks:
                raise JobRejectedError(f"{host} is not a worker of this job", where=name)
            mask |= 1 << ranks[host]
        if mask == 0:
            raise JobRejectedError("no worker is left", where=name, hint="remove the job")
        changed = JobGrant(name, grant.plan.with_active(mask), grant.tree)
        self._grants[name] = changed
        return changed

    def states(self) -> dict[str, SwitchState]:
        """Switch -> everything it must hold: routes, settings and the rows of all jobs."""
        settings = self.config.state(self.register_depth)
        states = {s.name: self.routes.table(s.name) | settings for s in self.topology.switches}
        for grant in self._grants.values():
            for switch, state in job_states(grant.plan, grant.tree, self.topology).items():
                states[switch] = states[switch] | state
        return states

    def recover(self, states: Mapping[str, SwitchState]) -> list[JobGrant]:
        """Take over the jobs that switches hold, after the controller's own restart.

        Jobs are named ``job-<id>``, since names are not kept on switches. Job ids go on behind
        the largest one found.
        """
        hosts = {ip_value(host.ip): host.name for host in self.topology.hosts}
        found = []
        for plan in recover_plans(states, hosts):
            tree = build_tree(self.routes, dict(plan.ranks), plan.server)
            grant = JobGrant(f"job-{plan.job}", plan, tree)
            self._grants[grant.name] = grant
            self._next_job = max(self._next_job, plan.job + 1)
            found.append(grant)
        return found

    def _pool(self, request: JobRequest) -> Pool | None:
        """First fit; each slot exists twice, so half the register arrays can be given away."""
        if not request.pool_slots:
            return None
        taken = sorted(
            (grant.plan.pool.base, grant.plan.pool.slots)
            for grant in self._grants.values()
            if grant.plan.pool is not None
        )
        used = self.register_depth
        if self.config.aggregators is not None:
            used = min(used, self.config.aggregators)
        base = 0
        for other, slots in [*taken, (used // 2, 0)]:
            if base + request.pool_slots <= other:
                return Pool(base, request.pool_slots, request.with_round)
            base = max(base, other + slots)
        free = used // 2 - sum(slots for _, slots in taken)
        raise JobRejectedError(
            f"a pool of {request.pool_slots} slots does not fit: {free} of {used // 2} are free",
            where=request.name,
            hint="ask for a smaller window, or wait for a job to end",
        )

    def _grant(self, name: str) -> JobGrant:
        if name not in self._grants:
            running = ", ".join(sorted(self._grants)) or "none"
            raise JobRejectedError("no such job", where=name, hint=f"running: {running}")
        return self._grants[name]

    def _check_replicas(self, grant: JobGrant) -> None:
        for switch, node in grant.tree.nodes.items():
            used = sum(
                len(other.tree.nodes[switch].children) + 1
                for other in self._grants.values()
                if switch in other.tree.nodes
            )
            needed = len(node.children) + 1
            if used + needed > self.limits.replicas_per_switch:
                raise JobRejectedError(
                    f"switch {switch} has room for {self.limits.replicas_per_switch} copies of "
                    f"packets: {used} are taken, this job needs {needed}",
                    where=grant.name,
                    hint="wait for a job to end",
                )

    def _check(self, request: JobRequest) -> None:
        where = request.name
        known = {host.name for host in self.topology.hosts}
        for host in (*request.workers, request.server):
            if host not in known:
                raise JobRejectedError(
                    f"no host {host} in topology {self.topology.name}",
                    where=where,
                    hint=f"it has {', '.join(sorted(known))}",
                )
        if request.name in self._grants:
            raise JobRejectedError("a job of this name is running", where=where)
        if not request.workers:
            raise JobRejectedError("a job needs at least one worker", where=where)
        if len(set(request.workers)) < len(request.workers):
            raise JobRejectedError("a host is worker twice", where=where)
        if request.server in request.workers:
            raise JobRejectedError(f"{request.server} is worker and parameter server", where=where)
        if len(request.workers) > self.limits.workers_per_job:
            raise JobRejectedError(
                f"{len(request.workers)} workers, at most {self.limits.workers_per_job} fit "
                "into a bitmap",
                where=where,
            )
        if len(self._grants) >= self.limits.jobs:
            raise JobRejectedError(
                f"{len(self._grants)} jobs are running, switches have rows for no more",
                where=where,
                hint="wait for one to end",
            )
        if self._next_job > MAX_JOB_ID:
            raise JobRejectedError(
                f"all {MAX_JOB_ID} job ids have been used, and ids are never used twice",
                where=where,
                hint="push the program again and start a new controller",
            )
