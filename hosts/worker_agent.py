# SPDX-License-Identifier: MIT
"""A worker as a process: `python -m hosts.worker_agent JOB.json --rank N`.

Run it in the worker's network namespace. The job's `task` says what to do:

- `{"kind": "train", ...}` with the fields of `hosts.training.task.TrainingOptions`;
- `{"kind": "allreduce", "elements": N, "repeat": R, "seed": S}`: all-reduce random integers and
  compare each result with the exact sum.

Standard output has JSON lines: `ready`, `progress` (one per step), `result`, `error`.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from hosts.collective import Communicator, connect
from hosts.driver import RingTransport
from hosts.errors import AgentConfigError, HostError
from hosts.events import emit, run
from hosts.job import JobDescription
from hosts.ring import Ring

_VALUE_LIMIT = 1 << 24


class WrongSumError(HostError):
    """An aggregated value differs from the exact sum."""


def training_task(comm: Communicator) -> dict[str, Any]:
    """Train; a `progress` event per step with loss, accuracy, digest and times."""
    from hosts.training.task import Trainer, TrainingOptions, train

    given = {k: v for k, v in comm.job.task.items() if k != "kind"}
    unknown = sorted(set(given) - {f.name for f in fields(TrainingOptions)})
    if unknown:
        raise AgentConfigError(f"task: unknown training option {unknown[0]!r}")
    options = TrainingOptions(**{"bound": comm.job.bound, **given})
    trainer = Trainer(options, comm.size)
    spent = 0

    def reduce(values: np.ndarray[Any, np.dtype[np.int32]]) -> Any:
        nonlocal spent
        begin = time.monotonic_ns()
        sums = comm.allreduce(values)
        spent += time.monotonic_ns() - begin
        return sums

    comm.barrier()
    begin = last = time.monotonic_ns()
    before = 0
    for step in train(trainer, comm.rank, reduce):
        now = time.monotonic_ns()
        score = trainer.test_accuracy() if comm.rank == 0 else None
        emit(
            "progress",
            step=step.number,
            steps=options.steps,
            loss=step.loss,
            accuracy=score,
            digest=step.digest,
            step_us=(now - last) // 1000,
            communication_us=(spent - before) // 1000,
            gradient_bytes=options.shape.parameters * 4,
        )
        last, before = now, spent
    return {
        "accuracy": trainer.test_accuracy(),
        "seconds": (time.monotonic_ns() - begin) / 1e9,
        "communication_seconds": spent / 1e9,
        "gradient_bytes": options.shape.parameters * 4,
        "steps": options.steps,
    }


def allreduce_task(comm: Communicator) -> dict[str, Any]:
    """All-reduce random integers; every worker derives all contributions from the seed."""
    task = comm.job.task
    elements, repeat = int(task.get("elements", 1 << 16)), int(task.get("repeat", 10))
    seed = int(task.get("seed", 1))
    parts = [
        np.random.default_rng((seed, rank)).integers(
            -_VALUE_LIMIT, _VALUE_LIMIT, elements, dtype=np.int32
        )
        for rank in range(comm.size)
    ]
    expected = np.stack(parts).astype(np.int64).sum(axis=0)
    comm.barrier()
    times = []
    for number in range(repeat):
        begin = time.monotonic_ns()
        sums = comm.allreduce(parts[comm.rank])
        times.append((time.monotonic_ns() - begin) / 1e9)
        wrong = np.flatnonzero(sums != expected)
        if len(wrong):
            raise WrongSumError(
                f"job {comm.job.job}: all-reduce {number}: {len(wrong)} wrong sums, the first at "
                f"element {wrong[0]}: {sums[wrong[0]]} instead of {expected[wrong[0]]}"
            )
        emit("progress", step=number, steps=repeat, seconds=times[-1], bytes=elements * 4)
    return {"bytes": elements * 4, "seconds": times, "exact": True}


TASKS: dict[str, Callable[[Communicator], dict[str, Any]]] = {
    "train": training_task,
    "allreduce": allreduce_task,
}


def work(job: JobDescription, rank: int) -> int:
    """Connect and do the job's task."""
    if not 0 <= rank < len(job.workers):
        raise AgentConfigError(f"rank {rank}: job {job.job} has {len(job.workers)} workers")
    kind = job.task.get("kind", "allreduce")
    if kind not in TASKS:
        raise AgentConfigError(f"task {kind!r}: give one of {', '.join(TASKS)}")
    with connect(job, rank) as comm:
        emit("ready", role="worker", rank=rank, host=job.workers[rank].host, job=job.job)
        result = TASKS[kind](comm)
        emit("result", rank=rank, **result, counters=dict(comm.worker.counters), ring=_ring(comm))
    return 0


def _ring(comm: Communicator) -> dict[str, int]:
    transport = comm.transport
    ring: Ring | None = transport.ring if isinstance(transport, RingTransport) else None
    return {**ring.counters, "dropped": ring.dropped()} if ring else {}


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m hosts.worker_agent", description=__doc__)
    parser.add_argument("job", type=Path, metavar="JOB.json")
    parser.add_argument("--rank", type=int, required=True, help="position in the job's workers")
    given = parser.parse_args(arguments)
    return run(lambda: work(JobDescription.read(given.job), given.rank))


if __name__ == "__main__":
    sys.exit(main())
