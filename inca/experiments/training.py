# SPDX-License-Identifier: MIT
"""The main job: data-parallel training through the in-network aggregator, checked at every step."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from controller import AggregatorConfig, JobBook, JobGrant, JobRequest, SyncController
from controller.aggregation import EVENTS, EVENTS_PER_JOB, Event
from hosts.job import JobDescription, Member
from hosts.training.task import TrainingOptions
from inca import control, plots, programs, records
from inca.experiments.agents import AgentEvent, Agents
from inca.experiments.meter import Meter
from topologies import Host, LinkModel, LinkUsage, Network, NetworkOptions, Topology
from topologies.model import FAULTS

_NAME = "digits"
_PROGRAM = "esa"


class ExperimentError(Exception):
    """An experiment cannot be run as asked."""


@dataclass(frozen=True)
class TrainingRun:
    """What to run."""

    topology: Topology
    results: Path
    target: str = "softswitch"
    aggregators: int | None = None
    """Slots that switches may use; None: all that the program has."""
    faults: LinkModel | None = None
    """Loss, duplication and reordering of every link, both directions."""
    seed: int = 1
    steps: int = 200
    window: int = 256
    """Fragments that a worker has in flight."""
    pcap: bool = False

    @property
    def task(self) -> TrainingOptions:
        """What the workers do."""
        return TrainingOptions(steps=self.steps, seed=self.seed)


@dataclass
class Progress:
    """Steps so far, as all workers have reported them; `Observer.step` is called with it."""

    steps: int
    workers: int
    losses: list[float] = field(default_factory=list)
    digests: list[set[str]] = field(default_factory=list)
    accuracy: list[tuple[int, float]] = field(default_factory=list)
    allreduce_s: list[float] = field(default_factory=list)
    gradient_bytes: int = 0
    _open: dict[int, list[dict[str, Any]]] = field(default_factory=dict)

    def take(self, report: dict[str, Any]) -> bool:
        """Take one worker's report; True when it completes a step."""
        step = int(report["step"])
        reports = self._open.setdefault(step, [])
        reports.append(report)
        if report["accuracy"] is not None:
            self.accuracy.append((step + 1, float(report["accuracy"])))
        if len(reports) < self.workers:
            return False
        del self._open[step]
        self.losses.append(sum(r["loss"] for r in reports) / self.workers)
        self.digests.append({r["digest"] for r in reports})
        microseconds = sum(r["communication_us"] for r in reports) / self.workers
        self.allreduce_s.append(microseconds / 1e6)
        self.gradient_bytes = int(report["gradient_bytes"])
        return True

    @property
    def goodput_bps(self) -> float:
        """Gradient bits per second of all-reduce, per worker."""
        spent = sum(self.allreduce_s)
        return 8 * self.gradient_bytes * len(self.allreduce_s) / spent if spent else 0.0

    def mismatched(self, expected: list[str]) -> list[int]:
        """Steps (from 1) at which some worker did not hold the exact sum."""
        pairs = zip(self.digests, expected, strict=False)
        wrong = [number for number, (got, want) in enumerate(pairs, 1) if got != {want}]
        return wrong + list(range(len(self.digests) + 1, len(expected) + 1))


@dataclass(frozen=True)
class Observer:
    """Who watches a run; by default nobody."""

    phase: Callable[[str], None] = lambda _text: None
    step: Callable[[Progress], None] = lambda _progress: None


@dataclass
class _Outcome:
    """What was measured while the network was up."""

    progress: Progress
    grant: JobGrant
    meter: Meter
    results: dict[str, dict[str, Any]]
    usage: list[LinkUsage]
    events: dict[str, dict[str, int]]


def run(options: TrainingRun, observer: Observer | None = None) -> Path:
    """Train, check every sum, write the record and the plots; returns the run's folder.

    Raises:
        ExperimentError: the topology has no workers or no parameter server.
        topologies.NetworkError, controller.ControllerError, AgentError: as they say.
    """
    observer = observer or Observer()
    workers, server = _members(options.topology)
    started, clock = records.now(), time.monotonic()
    folder = records.new_folder(options.results, "training", started)
    try:
        outcome = _on_the_network(options, workers, server, folder, observer)
    except BaseException:
        _discard_if_empty(folder)
        raise
    observer.phase("checking every sum in one process")
    record = {
        "kind": "training",
        "run": folder.name,
        "started": started.isoformat(timespec="seconds"),
        "target": options.target,
        "program": _PROGRAM,
        "seed": options.seed,
        "options": _options_as_json(options),
        **records.environment(),
        "topology": records.topology_as_json(options.topology),
        "jobs": [_job_as_json(options, outcome)],
        "links": records.usage_as_json(outcome.usage),
        "switches": {name: {"events": {_NAME: e}} for name, e in outcome.events.items()},
        "cpu": {"busy_share": round(outcome.meter.busy_share, 3)},
        "logs": "logs",
        "pcaps": "pcaps" if options.pcap else None,
        "seconds": round(time.monotonic() - clock, 3),
    }
    records.write(folder, record)
    observer.phase("drawing")
    plots.draw(record, folder)
    return folder


def _members(topology: Topology) -> tuple[tuple[Host, ...], Host]:
    workers, servers = topology.with_role("worker"), topology.with_role("ps")
    if not workers or not servers:
        raise ExperimentError(
            f"topology {topology.name} needs hosts of role worker and one of role ps: "
            'write "h1": {"role": "worker"}'
        )
    return workers, servers[0]


def _discard_if_empty(folder: Path) -> None:
    """A run that failed before it logged anything leaves no folder."""
    if not any(path.is_file() for path in folder.rglob("*")):
        shutil.rmtree(folder, ignore_errors=True)


def _on_the_network(
    options: TrainingRun, workers: tuple[Host, ...], server: Host, folder: Path, observer: Observer
) -> _Outcome:
    observer.phase("compiling the switch program")
    program = programs.build(_PROGRAM, options.target)
    book = JobBook(options.topology, AggregatorConfig(aggregators=options.aggregators))
    grant = book.admit(JobRequest(_NAME, tuple(h.name for h in workers), server.name))
    description = _description(options, grant, workers, server)
    description.write(folder / "job.json")
    observer.phase("starting the network")
    choices = NetworkOptions(
        logs=folder / "logs",
        pcaps=folder / "pcaps" if options.pcap else None,
        seed=options.seed,
        extra=options.faults,
    )
    with Network(options.topology, options.target, choices) as network:
        observer.phase("loading the switches")
        with control.controlled(network, program) as controller:
            controller.apply(book.states())
            outcome = _train(network, grant, description, folder, observer)
            outcome.events = _events(controller, grant)
            return outcome


def _description(
    options: TrainingRun, grant: JobGrant, workers: tuple[Host, ...], server: Host
) -> JobDescription:
    def member(host: Host) -> Member:
        return Member(host.name, "eth0", host.mac, host.ip, host.gateway_mac)

    return JobDescription(
        grant.job,
        tuple(member(host) for host in workers),
        member(server),
        window=options.window,
        task={"kind": "train", **asdict(options.task)},
    )


def _train(
    network: Network, grant: JobGrant, job: JobDescription, folder: Path, observer: Observer
) -> _Outcome:
    observer.phase("starting the agents")
    agents = Agents(network, folder / "logs")
    path = str(folder / "job.json")
    hosts = [member.host for member in job.workers]
    agents.start(job.server.host, "hosts.server_agent", [path])
    agents.collect("ready", [job.server.host])
    before = network.usage()
    for rank, host in enumerate(hosts):
        agents.start(host, "hosts.worker_agent", [path, "--rank", str(rank)])
    agents.collect("ready", hosts)
    observer.phase("training")
    progress = Progress(int(job.task["steps"]), len(hosts))
    meter = Meter()

    def on_event(event: AgentEvent) -> None:
        if event.name == "progress" and progress.take(event.fields):
            observer.step(progress)

    results = agents.collect("result", hosts, on_event)
    meter.stop()
    agents.terminate(job.server.host)
    results |= agents.collect("result", [job.server.host])
    usage = records.difference(network.usage(), before)
    return _Outcome(progress, grant, meter, results, usage, {})


def _events(controller: SyncController, grant: JobGrant) -> dict[str, dict[str, int]]:
    """What each switch of the job did with its packets, as the data plane counted."""
    first = grant.plan.index * EVENTS_PER_JOB
    names = {first + event: event.name.lower() for event in Event}

    def read(switch: str) -> dict[str, int]:
        counted = controller.call(lambda c: c.session(switch).read_counters(EVENTS, names))
        return {names[index]: packets for index, packets in counted.items() if packets}

    return {switch: read(switch) for switch in grant.tree.nodes}


def _options_as_json(options: TrainingRun) -> dict[str, Any]:
    faults = {name: getattr(options.faults, name) for name in FAULTS if options.faults}
    return {
        "aggregators": options.aggregators,
        "window": options.window,
        "faults": {name: value for name, value in faults.items() if value},
        "task": asdict(options.task),
    }


def _job_as_json(options: TrainingRun, outcome: _Outcome) -> dict[str, Any]:
    from hosts.training.task import expected_digests, single_process

    progress, grant = outcome.progress, outcome.grant
    workers = [host for host, _ in grant.plan.ranks]
    mismatched = progress.mismatched(expected_digests(options.task, len(workers)))
    reference, _ = single_process(options.task)
    by_worker: list[Mapping[str, Any]] = [outcome.results[host] for host in workers]
    return {
        "job": grant.job,
        "name": _NAME,
        "workers": workers,
        "server": grant.plan.server,
        "jct_s": max(r["seconds"] for r in by_worker),
        "steps": progress.steps,
        "loss": [round(loss, 6) for loss in progress.losses],
        "accuracy": sorted(progress.accuracy),
        "final_accuracy": by_worker[0]["accuracy"],
        "reference_accuracy": reference,
        "exact": not mismatched,
        "mismatched_steps": mismatched,
        "gradient": _gradient(options, progress),
        "allreduce_s": [round(seconds, 6) for seconds in progress.allreduce_s],
        "goodput_bps": round(progress.goodput_bps),
        "fragments": _fragments(options, outcome),
        "agents": {h: _counters(outcome.results[h]) for h in (*workers, grant.plan.server)},
    }


def _gradient(options: TrainingRun, progress: Progress) -> dict[str, int]:
    elements = options.task.shape.parameters
    from hosts.wire.esa import ELEMENTS

    fragments = -(-elements // ELEMENTS)
    return {"elements": elements, "fragments": fragments, "bytes": progress.gradient_bytes}


def _fragments(options: TrainingRun, outcome: _Outcome) -> dict[str, Any]:
    """Who completed the fragments; the barrier before the first step is one of them."""
    total = options.steps * _gradient(options, outcome.progress)["fragments"] + 1
    counters = outcome.results[outcome.grant.plan.server]["counters"]
    by_server = int(counters.get("published", 0))
    in_switch = total - by_server
    return {
        "total": total,
        "in_switch": in_switch,
        "by_server": by_server,
        "switch_share": in_switch / total,
        "server_share": by_server / total,
    }


def _counters(result: Mapping[str, Any]) -> dict[str, Any]:
    return {"counters": result["counters"], "ring": result["ring"]}
