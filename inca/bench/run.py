# SPDX-License-Identifier: MIT
"""``inca bench``: run the cases, collect the figures."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from inca.bench import measure, namespace, targets, workloads
from inca.bench.measure import Sample, Spread
from inca.bench.namespace import Link
from inca.bench.tools import write_frames
from inca.bench.workloads import Workload
from inca.programs import compile_program
from softswitch.engine import Pipeline

LATENCY_PROBES = 500


@dataclass(frozen=True, slots=True)
class Plan:
    """How much to measure."""

    rounds: int = 5
    seconds: float = 1.0
    """Live load in each round."""


def _spread(values: Sequence[float | None]) -> Spread | None:
    known = [value for value in values if value is not None]
    return Spread.of(known) if known else None


@dataclass(frozen=True, slots=True)
class Figures:
    """Medians and ranges over the rounds of one process."""

    drain_pps: Spread | None
    live_pps: Spread
    cpu_ns: Spread

    @classmethod
    def of(cls, samples: Sequence[Sample]) -> Figures:
        """Of the samples of all rounds."""
        return cls(
            _spread([s.drain_pps for s in samples]),
            Spread.of([s.live_pps for s in samples]),
            Spread.of([s.cpu_ns for s in samples]),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One process in one case, with the ratios to the bare loop of the same rounds."""

    case: str
    title: str
    target: str
    """``softswitch`` or ``BMv2``."""
    figures: Figures
    bare: Figures
    drain_ratio: Spread | None
    """Target / bare loop, packets per second (1: the program costs nothing)."""
    live_ratio: Spread
    cpu_ratio: Spread
    """Bare loop / target, processor time per packet."""
    latency_us: dict[str, float]
    bare_latency_us: dict[str, float]
    compile_seconds: dict[str, float]
    """``front_end``: P4 to JSON; ``cold``: JSON to a loaded pipeline; ``cached``: again."""
    start_seconds: Spread
    """From starting the process until its program runs, pushed over P4Runtime, compiled before."""
    inserts_per_second: Spread
    """Over P4Runtime, in batches."""
    entries: int
    memory_bytes: int


@dataclass
class _Record:
    """What one target gave, round by round."""

    samples: list[Sample] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    fills: list[float] = field(default_factory=list)
    starts: list[float] = field(default_factory=list)
    memory: int = 0


def compile_case(workload: Workload, folder: Path) -> tuple[Path, dict[str, float]]:
    """The program's JSON in ``folder``, and how long compiling took."""
    config = folder / f"{workload.name}.json"
    began = time.perf_counter()
    compile_program(
        workload.source, config, config.with_suffix(".p4info.txtpb"), defines=workload.defines
    )
    times = {"front_end": time.perf_counter() - began}
    for kind in ("cold", "cached"):
        began = time.perf_counter()
        Pipeline.load(config, cache_dir=folder / f"cache-{workload.name}")
        times[kind] = time.perf_counter() - began
    return config, times


def _percentiles(nanoseconds: Sequence[int]) -> dict[str, float]:
    return {
        name: measure.percentile(nanoseconds, share) / 1000
        for name, share in (("p50", 0.5), ("p99", 0.99))
    }


def _round(
    target: targets.Target,
    record: _Record,
    workload: Workload,
    links: Sequence[Link],
    frames: Path,
    plan: Plan,
) -> None:
    with target:
        sampled = measure.sample(target, links, frames, len(workload.frames), plan.seconds)
        record.samples.append(sampled)
        probes = max(20, LATENCY_PROBES // plan.rounds)
        record.waits += measure.latency(links, workload.probe, probes)
        if isinstance(target, targets.Switch):
            record.fills.append(target.fill_seconds)
            record.starts.append(target.report["start"] + target.report["push"])
            record.memory = target.memory_bytes()


def run_case(
    workload: Workload, links: Sequence[Link], folder: Path, plan: Plan
) -> Iterator[Result]:
    """Measure a case, the bare loop and the switches in turns."""
    config, compile_seconds = compile_case(workload, folder)
    frames = write_frames(folder / f"{workload.name}.frames", workload.frames)
    ends = [link.switch for link in links]
    records: dict[str, _Record] = {}
    for _ in range(plan.rounds):
        for target in (
            targets.bare_loop(ends),
            targets.softswitch(workload, config, ends),
            targets.bmv2(workload, config, ends),
        ):
            if target is not None:
                record = records.setdefault(target.name, _Record())
                _round(target, record, workload, links, frames, plan)
    bare = records.pop("bare loop")
    for name, record in records.items():
        pairs = list(zip(record.samples, bare.samples, strict=True))
        yield Result(
            case=workload.name,
            title=workload.title,
            target=name,
            figures=Figures.of(record.samples),
            bare=Figures.of(bare.samples),
            drain_ratio=_spread(
                [s.drain_pps / b.drain_pps for s, b in pairs if s.drain_pps and b.drain_pps]
            ),
            live_ratio=Spread.of([s.live_pps / b.live_pps for s, b in pairs]),
            cpu_ratio=Spread.of([b.cpu_ns / s.cpu_ns for s, b in pairs]),
            latency_us=_percentiles(sorted(record.waits)),
            bare_latency_us=_percentiles(sorted(bare.waits)),
            compile_seconds=compile_seconds,
            start_seconds=Spread.of(record.starts),
            inserts_per_second=Spread.of([len(workload.entries) / s for s in record.fills]),
            entries=len(workload.entries),
            memory_bytes=record.memory,
        )


def run(
    plan: Plan, names: Sequence[str], progress: Callable[[str], None] = lambda title: None
) -> list[Result]:
    """Run the named cases (none: all) in a network namespace of their own."""
    chosen = [w for w in workloads.all_workloads() if not names or w.name in names]
    namespace.enter()
    links = namespace.make_links(workloads.PORTS)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="inca-bench-") as folder:
        for workload in chosen:
            progress(workload.title)
            results.extend(run_case(workload, links, Path(folder), plan))
    return results


def as_json(results: Sequence[Result]) -> str:
    """All figures for machines; times in the units of their names."""
    return json.dumps([asdict(result) for result in results], indent=2)
