# SPDX-License-Identifier: MIT
"""Collectives of one group on a network, from host processes, checked against NumPy."""

from __future__ import annotations

import json
import statistics
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from controller.groups import Admission, GroupBook, GroupGrant, GroupRequest
from hosts.collectives.tasks import TASKS
from inca import control, programs, records
from inca.experiments.agents import AgentEvent, Agents
from topologies import LinkModel, Network, NetworkOptions, Topology

_PROGRAM = "epic_translated"
#: Patience of hosts that share a processor; much more than a round trip.
_RTO_US = 50_000


@dataclass(frozen=True)
class CollectiveRun:
    """What to run.

    Attributes:
        in_network: False: the ring of hosts.
        faults: of every link, both directions.
    """

    topology: Topology
    members: tuple[str, ...]
    collectives: tuple[str, ...]
    sizes: tuple[int, ...]
    in_network: bool = True
    repeat: int = 3
    seed: int = 1
    window: int = 16
    target: str = "softswitch"
    faults: LinkModel | None = None


@dataclass(frozen=True)
class Measurement:
    """One collective at one size; `seconds` is the median over repeats of the slowest rank."""

    collective: str
    size: int
    members: int
    seconds: float
    resent: int

    @property
    def algbw(self) -> float:
        """Bytes per second, as nccl-tests defines it."""
        return self.size / self.seconds

    @property
    def busbw(self) -> float:
        """Bytes per second that a ring would have to move over each link."""
        return self.algbw * TASKS[self.collective].bus_factor(self.members)


def run(
    options: CollectiveRun, results: Path, phase: Callable[[str], None] = lambda _: None
) -> tuple[Path, GroupGrant, list[Measurement]]:
    """Bring the network up, run everything, take it down; logs go to a new folder in `results`.

    Raises:
        controller.GroupRejectedError, topologies.NetworkError, AgentError: as they say.
    """
    admission = Admission.SPATIAL if options.in_network else Admission.NONE
    book = GroupBook(options.topology, admission=admission)
    grant = book.create(GroupRequest("group", options.members, options.window))
    phase("compiling the switch program")
    program = programs.build(_PROGRAM, options.target)
    folder = records.new_folder(results, "collective", records.now())
    path = folder / "group.json"
    path.write_text(json.dumps(_document(options, grant), indent=2) + "\n", encoding="utf-8")
    choices = NetworkOptions(logs=folder / "logs", seed=options.seed, extra=options.faults)
    phase("starting the network")
    with Network(options.topology, options.target, choices) as network:
        phase("loading the switches")
        with control.controlled(network, program) as controller:
            controller.apply(book.states())
            return folder, grant, _measure(network, path, options, phase)


def _document(options: CollectiveRun, grant: GroupGrant) -> dict[str, Any]:
    task = {
        "collectives": options.collectives,
        "sizes": options.sizes,
        "repeat": options.repeat,
        "seed": options.seed,
    }
    return {"group": asdict(replace(grant.description, rto_us=_RTO_US)), "task": task}


def _measure(
    network: Network, path: Path, options: CollectiveRun, phase: Callable[[str], None]
) -> list[Measurement]:
    agents = Agents(network, path.parent / "logs")
    for rank, host in enumerate(options.members):
        agents.start(host, "hosts.collective_agent", [str(path), "--rank", str(rank)])
    reports: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)

    def on_event(event: AgentEvent) -> None:
        if event.name == "progress":
            phase(f"{event.fields['collective']} {event.fields['bytes']}")
            reports[event.fields["collective"], event.fields["bytes"]].append(event.fields)

    agents.collect("result", options.members, on_event)
    for host in options.members:
        agents.terminate(host)
    return [
        Measurement(
            name,
            size,
            len(options.members),
            statistics.median(map(max, zip(*(r["seconds"] for r in ranks), strict=True))),
            sum(r["resent"] for r in ranks),
        )
        for (name, size), ranks in reports.items()
    ]
