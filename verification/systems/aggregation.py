# SPDX-License-Identifier: MIT
"""In-network aggregation: the compiled programs of ``p4src/`` with the host agents around them.

Properties: every sum that a worker accepts is the sum of exactly one contribution of each worker to
that very fragment (so all workers hold the same); indexes stay inside the register arrays; and
every run completes once faults stop.

The network is a star: workers and parameter servers around one switch, whose tables hold what the
controller writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from controller.aggregation import AggregatorConfig, Downgrade, ResultPath
from controller.inprocess import install, stf_tables
from controller.jobs import JobBook, JobGrant, JobRequest
from hosts.aggregation.config import JobConfig
from softswitch.engine import Pipeline
from softswitch.frontend import Compiled, compile_p4
from topologies import Topology, parse
from verification.agents import JobModel, ServerNode, WorkerNode
from verification.frames import ELEMENTS, Frames
from verification.model import Artefact, Link, Node, System
from verification.switch import SwitchNode
from verification.systems.registers import pool_view, slot_view

P4SRC = Path(__file__).parents[2] / "p4src"


@dataclass(frozen=True)
class Options:
    """What a check of aggregation is about; small numbers suffice.

    Attributes:
        folder: where the programs are; another one than P4SRC holds a mutant.
        tidy: see `View`; off for programs that read cells of a free slot.
        pool: slots of each job, for switchml; then there is no parameter server.
        versioned: whether switchml's slots compare round numbers.
    """

    workers: int = 2
    fragments: int = 2
    window: int = 2
    aggregators: int = 1
    jobs: int = 1
    first_seq: int = 1
    via_server: int = 0
    downgrade: int = 0
    pool: int = 0
    versioned: int = 1
    folder: Path = P4SRC
    tidy: bool = True


def aggregation(
    program: str = "esa",
    workers: int = 2,
    fragments: int = 2,
    window: int = 2,
    aggregators: int = 1,
    jobs: int = 1,
    first_seq: int = 1,
    via_server: int = 0,
    downgrade: int = 0,
) -> System:
    """`p4src/esa.p4` (preemptive, ESA-inspired) or `p4src/atp.p4` (first come, first served)."""
    options = Options(
        workers, fragments, window, aggregators, jobs, first_seq, via_server, downgrade
    )
    return star(program, options)


def switchml(
    workers: int = 2,
    fragments: int = 3,
    pool: int = 1,
    jobs: int = 1,
    first_seq: int = 1,
    versioned: int = 1,
) -> System:
    """`p4src/switchml.p4`: each slot twice, workers repeat, nobody else keeps anything.

    ``versioned=0`` is the published one-bit version.
    """
    options = Options(
        workers=workers,
        fragments=fragments,
        window=pool,
        aggregators=2 * pool * jobs,
        jobs=jobs,
        first_seq=first_seq,
        pool=pool,
        versioned=versioned,
    )
    return star("switchml", options)


@cache
def _compiled(source: Path, depth: int) -> tuple[Compiled, Pipeline]:
    names: Mapping[str, str | None] = {"LANES": str(ELEMENTS), "AGGREGATORS": str(depth)}
    compiled = compile_p4(source, defines=names)
    return compiled, Pipeline.load(compiled.bmv2_json)


def _topology(jobs: int, workers: int) -> Topology:
    hosts = [f"h{j}{w}" for j in range(jobs) for w in range(workers)]
    servers = [f"hps{j}" for j in range(jobs)]
    names = [*hosts, *servers]
    return parse(
        {
            "hosts": {name: {} for name in names},
            "switches": {"s1": {}},
            "links": [[name, f"s1-p{port}"] for port, name in enumerate(names, 1)],
        },
        name="verification",
    )


def star(program: str, options: Options) -> System:
    """The system of one program: its name in the options' folder."""
    topology = _topology(options.jobs, options.workers)
    settings = AggregatorConfig(options.aggregators, Downgrade(options.downgrade))
    book = JobBook(topology, settings, options.aggregators)
    nodes: list[Node] = []
    for number in range(options.jobs):
        nodes += _job_nodes(topology, _admit(book, number, options), number, options)
    names = tuple(node.name for node in nodes if isinstance(node, WorkerNode))
    frames = Frames(topology, names)
    compiled, loaded = _compiled(options.folder / f"{program}.p4", options.aggregators)
    pipeline, state = loaded.clone(), book.states()["s1"]
    install(pipeline, state)
    passes = frames.repeated if program == "esa" else None
    view = pool_view() if options.pool else slot_view(passes, tidy=options.tidy)
    nodes.append(SwitchNode("s1", pipeline, view, reboots=True))
    present = {node.name for node in nodes}
    links = [(link.peer("s1").node, link.end("s1").port) for link in topology.links]
    symmetric = options.jobs == 1
    return System(
        name=_title(program, options),
        nodes=tuple(nodes),
        links=tuple(Link(host, 0, "s1", port) for host, port in links if host in present),
        workers=names if symmetric else (),
        groups=(tuple(range(options.workers)),) if symmetric else (),
        rename_packet=frames.rename,
        describe_packet=frames.describe,
        # A late packet may take a slot again: such a ghost goes by expiry or by a collision.
        check_idle=False,
        artefacts={"s1": Artefact(program, tuple(stf_tables(state)), compiled.write)},
    )


def _admit(book: JobBook, number: int, options: Options) -> JobGrant:
    return book.admit(
        JobRequest(
            f"job{number}",
            tuple(f"h{number}{w}" for w in range(options.workers)),
            f"hps{number}",
            result_path=ResultPath.SERVER if options.via_server else ResultPath.DIRECT,
            pool_slots=options.pool,
            with_round=bool(options.versioned),
        )
    )


def _job_nodes(
    topology: Topology, grant: JobGrant, number: int, options: Options
) -> list[WorkerNode | ServerNode]:
    workers = tuple(host for host, _ in grant.plan.ranks)
    model = JobModel(
        JobConfig(
            grant.job,
            options.workers,
            options.window,
            ELEMENTS,
            options.first_seq,
            options.pool,
        ),
        tuple(topology.host(worker) for worker in workers),
        topology.host(grant.plan.server),
        options.fragments,
        _priority(number),
    )
    frames = Frames(topology, workers)
    members = [WorkerNode(model, rank, frames) for rank in range(options.workers)]
    return [*members] if options.pool else [*members, ServerNode(model, frames)]


class _priority:
    """Job n's fragments have priority n + 1: later jobs displace earlier ones."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __call__(self, seq: int) -> int:
        return self.number + 1


def _title(name: str, options: Options) -> str:
    told = [name, f"{options.workers} workers", f"{options.fragments} fragments"]
    if options.jobs > 1:
        told.insert(1, f"{options.jobs} jobs")
    told.append(f"{options.pool or options.aggregators} slots")
    if not options.versioned:
        told.append("one version bit")
    if options.first_seq != 1:
        told.append(f"from {options.first_seq}")
    return ", ".join(told)
