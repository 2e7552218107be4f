# SPDX-License-Identifier: MIT
"""In-network aggregation: the compiled programs of ``p4src/`` with the host agents around them.

Properties: every sum that a worker accepts is the sum of exactly one contribution of each worker to
that very fragment (so all workers hold the same); no slot is held at quiescence; and every run
completes once faults stop.

The network is a star: workers and parameter servers around one switch, whose tables hold what the
controller writes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from controller.aggregation import AggregatorConfig, Downgrade, ResultPath
from controller.inprocess import install
from controller.jobs import JobBook, JobRequest
from hosts.aggregation.config import JobConfig
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4
from topologies import Topology, parse
from verification.agents import JobModel, ServerNode, WorkerNode
from verification.frames import ELEMENTS, Frames, rename_bitmap, rename_values
from verification.model import Link, Node, Packet, Permutation, System
from verification.switch import Registers, SwitchNode, View

P4SRC = Path(__file__).parents[2] / "p4src"
_SLOT = "IncaIngress.slot."


@cache
def _compiled(source: Path, depth: int, defines: tuple[str, ...]) -> Pipeline:
    names: Mapping[str, str | None] = {
        "LANES": str(ELEMENTS),
        "AGGREGATORS": str(depth),
        **dict.fromkeys(defines, None),
    }
    return Pipeline.load(compile_p4(source, defines=names).bmv2_json)


@dataclass(frozen=True)
class Options:
    """What a check of aggregation is about; small numbers suffice."""

    workers: int = 2
    fragments: int = 2
    window: int = 2
    aggregators: int = 1
    jobs: int = 1
    first_seq: int = 1
    via_server: int = 0
    downgrade: int = 0


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
    return _star(program, P4SRC / f"{program}.p4", options)


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


def _star(name: str, source: Path, options: Options, defines: Sequence[str] = ()) -> System:
    topology = _topology(options.jobs, options.workers)
    book = JobBook(
        topology,
        AggregatorConfig(options.aggregators, Downgrade(options.downgrade)),
        options.aggregators,
    )
    path = ResultPath.SERVER if options.via_server else ResultPath.DIRECT
    nodes: list[Node] = []
    names: list[str] = []
    for number in range(options.jobs):
        workers = tuple(f"h{number}{w}" for w in range(options.workers))
        grant = book.admit(JobRequest(f"job{number}", workers, f"hps{number}", result_path=path))
        config = JobConfig(grant.job, options.workers, options.window, ELEMENTS, options.first_seq)
        model = JobModel(
            config,
            tuple(topology.host(w) for w in workers),
            topology.host(f"hps{number}"),
            options.fragments,
            _priority(number),
        )
        frames = Frames(topology, workers)
        nodes += [WorkerNode(model, rank, frames) for rank in range(options.workers)]
        nodes.append(ServerNode(model, frames))
        names += workers
    frames = Frames(topology, tuple(names))
    pipeline = _compiled(source, options.aggregators, tuple(defines)).clone()
    install(pipeline, book.states()["s1"])
    nodes.append(SwitchNode("s1", pipeline, _view(frames.repeated, bypass=name == "esa")))
    symmetric = options.jobs == 1
    return System(
        name=_title(name, options),
        nodes=tuple(nodes),
        links=tuple(
            Link(link.peer("s1").node, 0, "s1", link.end("s1").port) for link in topology.links
        ),
        workers=tuple(names) if symmetric else (),
        groups=(tuple(range(options.workers)),) if symmetric else (),
        rename_packet=frames.rename,
        describe_packet=frames.describe,
        # A late packet may take a slot again: such a ghost goes by expiry or by a collision.
        check_idle=False,
    )


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
    told.append(f"{options.aggregators} slots")
    return ", ".join(told)


def _view(passes: Callable[[Packet], bool], *, bypass: bool) -> View:
    return View(
        holds=_holds,
        rename=_rename,
        describe=_describe,
        tidy=_tidy,
        passes=passes if bypass else _no,
    )


def _no(packet: Packet) -> bool:
    return False


def _cells(registers: Registers, kind: str) -> list[int]:
    return registers[_SLOT + kind]


def _owners(registers: Registers) -> list[int]:
    """Of each slot; the array has spare cells at its end, for reading 32 at a time."""
    return _cells(registers, "owner")[: len(_cells(registers, "bitmap"))]


def _lanes(registers: Registers) -> list[str]:
    return [name for name in registers if ".lanes.lane_" in name]


def _holds(registers: Registers) -> bool:
    return any(_owners(registers))


def _tidy(registers: Registers) -> None:
    """A free slot's other cells are written before they are read again."""
    for slot, owner in enumerate(_owners(registers)):
        if not owner:
            for cells in registers.values():
                if slot < len(cells):
                    cells[slot] = 0


def _rename(registers: Registers, perm: Permutation) -> None:
    import numpy as np

    bitmap = _cells(registers, "bitmap")
    bitmap[:] = [rename_bitmap(b, perm) for b in bitmap]
    for name in _lanes(registers):
        values = np.array(registers[name], np.uint32).view(np.int32)
        moved = rename_values(values, perm).view(">u4")
        registers[name][:] = [int(v) for v in moved]


def _describe(registers: Registers) -> str:
    told = []
    for slot, owner in enumerate(_owners(registers)):
        if not owner:
            told.append(f"slot {slot} free")
            continue
        bitmap = _cells(registers, "bitmap")[slot]
        members = ",".join(str(w) for w in range(32) if bitmap >> w & 1)
        told.append(f"slot {slot}: job {owner >> 32} seq {owner & 0xFFFFFFFF} of {{{members}}}")
    return "; ".join(told)
