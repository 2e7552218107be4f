# SPDX-License-Identifier: MIT
"""A whole system in one process: compiled P4, the controller's rows, protocol cores, links."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from controller.aggregation import AggregatorConfig, Downgrade, Event, ResultPath
from controller.inprocess import install
from controller.jobs import JobBook, JobGrant, JobRequest
from hosts.addresses import Addressing, HostAddress
from hosts.aggregation.server import ParameterServer
from hosts.aggregation.worker import Worker
from hosts.collective import Communicator
from hosts.direct import DirectNetwork, End, Faults
from hosts.job import JobDescription, Member
from hosts.wire.esa import ESA_UDP_PORT
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4
from topologies import Topology, load

ROOT = Path(__file__).parent.parent.parent
DEPTH = 256
LANES = 4


@cache
def compiled(program: str) -> tuple[dict[str, object], Pipeline]:
    """The program's JSON, and a pipeline to clone. Few lanes, so that it builds fast."""
    result = compile_p4(
        ROOT / f"p4src/{program}.p4", defines={"AGGREGATORS": str(DEPTH), "LANES": str(LANES)}
    )
    return result.bmv2_json, Pipeline.load(result.bmv2_json)


@dataclass
class Job:
    """A running job."""

    grant: JobGrant
    description: JobDescription
    communicators: list[Communicator]
    server: ParameterServer


class System:
    """A topology with jobs: `jobs` gives for each one the worker hosts and the server's host."""

    def __init__(
        self,
        topology: str,
        jobs: Sequence[tuple[Sequence[str], str]],
        *,
        program: str = "esa",
        aggregators: int = DEPTH,
        downgrade: Downgrade = Downgrade.HALVE,
        expire_after_us: int | None = None,
        result_path: ResultPath = ResultPath.DIRECT,
        free_on_complete: bool = False,
        faults: Faults = Faults(),  # noqa: B008
        seed: int = 0,
        window: int = 16,
        pool: int = 0,
        with_round: bool = True,
        **description: Any,
    ) -> None:
        self.topology: Topology = load(ROOT / f"topologies/{topology}.json")
        config = AggregatorConfig(
            aggregators=aggregators, downgrade=downgrade, expire_after_us=expire_after_us
        )
        book = JobBook(self.topology, config, register_depth=DEPTH)
        grants = [
            book.admit(
                JobRequest(
                    f"job{i}",
                    tuple(workers),
                    server,
                    result_path,
                    free_on_complete,
                    pool_slots=pool,
                    with_round=with_round,
                )
            )
            for i, (workers, server) in enumerate(jobs)
        ]
        self.network = DirectNetwork(seed)
        self.pipelines: dict[str, Pipeline] = {}
        for name, state in book.states().items():
            self.pipelines[name] = compiled(program)[1].clone()
            install(self.pipelines[name], state)
            self.network.add_switch(name, self.pipelines[name])
        for link in self.topology.links:
            self.network.link(End(link.a.node, link.a.port), End(link.b.node, link.b.port), faults)
        self.jobs = [self._job(g, window, {"pool": pool, **description}) for g in grants]

    def _member(self, name: str) -> Member:
        host = self.topology.host(name)
        return Member(name, "eth0", host.mac, host.ip, host.gateway_mac)

    def _job(self, grant: JobGrant, window: int, options: dict[str, Any]) -> Job:
        ranks = [host for host, _ in grant.plan.ranks]
        workers = tuple(self._member(host) for host in ranks)
        server_member = self._member(grant.plan.server)
        job = JobDescription(
            grant.job, workers, server_member, elements=LANES, window=window, **options
        )
        server = ParameterServer(job.server_config())
        heads = self._addressing(server_member, job, server=True).server_heads
        self.network.add_core(server_member.host, server, heads, LANES)
        communicators = []
        for rank, member in enumerate(workers):
            worker = Worker(job.worker_config(rank))
            own = self._addressing(member, job, server=False).worker_heads()
            self.network.add_core(member.host, worker, lambda _, own=own: own, LANES)
            transport = self.network.transport(member.host)
            communicators.append(Communicator(job, rank, worker, transport))
        return Job(grant, job, communicators, server)

    def _addressing(self, member: Member, job: JobDescription, server: bool) -> Addressing:
        ips = tuple(m.ip for m in job.workers)
        return Addressing(
            HostAddress(member.mac, member.ip, member.gateway_mac),
            peer=ips[0] if server else job.server.ip,
            workers=ips if server else (),
            elements=LANES,
            udp_source=ESA_UDP_PORT,
        )

    def events(self, switch: str, job: Job) -> dict[str, int]:
        """The switch's counters of a job."""
        counter = self.pipelines[switch].counters["IncaIngress.job_events.events"]
        index = job.grant.plan.index
        return {e.name: counter[index * 16 + e][0] for e in Event}

    def owned(self, switch: str) -> int:
        """Slots that are held."""
        return sum(
            v != 0 for v in self.pipelines[switch].registers["IncaIngress.slot.owner"].read_all()
        )

    def allreduce(self, length: int, op: str = "sum", seed: int = 0) -> list[list[Any]]:
        """One all-reduce in every job at once; returns the results, checked to be exact."""
        functions = {"sum": np.add, "or": np.bitwise_or, "max": np.maximum, "min": np.minimum}
        handles, expected = [], []
        for number, job in enumerate(self.jobs):
            random = np.random.default_rng((seed, number))
            parts = [
                random.integers(-(2**24), 2**24, length, dtype=np.int32) for _ in job.communicators
            ]
            expected.append(functions[op].reduce(parts))
            handles.append(
                [c.iallreduce(p, op) for c, p in zip(job.communicators, parts, strict=True)]
            )
            for member in job.description.workers:
                self.network.wake(member.host)
        results = []
        for wanted, row in zip(expected, handles, strict=True):
            got = [h.wait() for h in row]
            for rank, array in enumerate(got):
                assert array.tolist() == wanted.tolist(), f"wrong sum at worker {rank}"
            results.append(got)
        return results
