# SPDX-License-Identifier: MIT
"""How much gradient per second the agents reduce through the emulated network."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from controller import AggregatorConfig, JobBook, JobRequest
from hosts.job import JobDescription, Member
from inca import control, programs
from inca.experiments.agents import Agents
from topologies import Network, NetworkOptions, Topology

_PROGRAM = "esa"


@dataclass(frozen=True)
class GoodputRun:
    """All-reduces of `elements` int32, `repeat` times, by the topology's first `workers` workers.

    Every result is compared with the exact sum.
    """

    topology: Topology
    target: str = "softswitch"
    workers: int = 4
    elements: int = 1 << 18
    repeat: int = 5
    window: int = 256
    aggregators: int | None = None


def measure(run: GoodputRun) -> list[float]:
    """Gradient bits per second of each repetition, by its slowest worker.

    Raises:
        topologies.NetworkError, controller.ControllerError, AgentError: as they say.
    """
    program = programs.build(_PROGRAM, run.target)
    hosts = [host.name for host in run.topology.with_role("worker")[: run.workers]]
    server = run.topology.with_role("ps")[0].name
    book = JobBook(run.topology, AggregatorConfig(aggregators=run.aggregators))
    grant = book.admit(JobRequest("goodput", tuple(hosts), server))

    def member(name: str) -> Member:
        host = run.topology.host(name)
        return Member(name, "eth0", host.mac, host.ip, host.gateway_mac)

    job = JobDescription(
        grant.job,
        tuple(member(name) for name in hosts),
        member(server),
        window=run.window,
        task={"kind": "allreduce", "elements": run.elements, "repeat": run.repeat},
    )
    with tempfile.TemporaryDirectory(prefix="inca-goodput-") as folder:
        path = Path(folder) / "job.json"
        job.write(path)
        options = NetworkOptions(logs=Path(folder) / "logs")
        with (
            Network(run.topology, run.target, options) as network,
            control.controlled(network, program) as controller,
        ):
            controller.apply(book.states())
            agents = Agents(network, options.logs)
            agents.start(server, "hosts.server_agent", [str(path)])
            agents.collect("ready", [server])
            for rank, name in enumerate(hosts):
                agents.start(name, "hosts.worker_agent", [str(path), "--rank", str(rank)])
            results = agents.collect("result", hosts)
            agents.terminate(server)
            agents.collect("result", [server])
    slowest = [max(times) for times in zip(*(r["seconds"] for r in results.values()), strict=True)]
    return [32 * run.elements / seconds for seconds in slowest]
