# SPDX-License-Identifier: MIT
"""The user's side: `comm = connect(job, rank)`, `comm.allreduce(array)`.

In the style of mpi4py and torch.distributed: every worker calls the same operations in the same
order; handles of several operations may be open at a time. Packets move while somebody waits;
there is no thread.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.addresses import Addressing, HostAddress
from hosts.aggregation.worker import Worker
from hosts.driver import RingTransport, Transport
from hosts.errors import AllReduceTimeout, SumOverflowError
from hosts.job import JobDescription
from hosts.quantise import BlockFloat, FixedPoint
from hosts.ring import Ring, RingOptions
from hosts.wire.esa import ESA_UDP_PORT, Op

Array: TypeAlias = NDArray[Any]
Scheme: TypeAlias = Literal["fixed", "blocks"]
OPERATIONS = {"sum": Op.SUM, "or": Op.OR, "max": Op.MAX, "min": Op.MIN}
_SHOWN = 5


@dataclass(frozen=True)
class _Stage:
    """Integers to reduce; after the `last` stage of an operation the next one may begin."""

    values: NDArray[np.int32]
    op: Op
    last: bool


_Program: TypeAlias = Generator[_Stage, NDArray[np.int32], Array]


class Handle:
    """An all-reduce under way."""

    def __init__(
        self, communicator: Communicator, program: _Program, priority: int, layer: int
    ) -> None:
        self.priority = priority
        self.layer = layer
        self._communicator = communicator
        self._program = program
        self._result: Array | None = None
        self._error: Exception | None = None

    @property
    def done(self) -> bool:
        """The result is there, or an error."""
        return self._result is not None or self._error is not None

    def wait(self) -> Array:
        """The reduced array, in the shape and dtype of the operand.

        Raises:
            AllReduceTimeout: no fragment completed within the job's deadline.
            SumOverflowError: a sum left the range of int32.
            NonFiniteError: NaN or infinity inside (block scheme: on any worker).
        """
        self._communicator._drive(self)
        if self._error is not None:
            raise self._error
        assert self._result is not None
        return self._result

    def _feed(self, sums: NDArray[np.int32] | None) -> _Stage | None:
        """Run the program to its next stage; None at its end."""
        try:
            return next(self._program) if sums is None else self._program.send(sums)
        except StopIteration as end:
            self._result = end.value
        except Exception as error:
            self._error = error
        return None


class Communicator:
    """One worker's end of a job."""

    def __init__(
        self, job: JobDescription, rank: int, worker: Worker, transport: Transport
    ) -> None:
        self.job = job
        self.rank = rank
        self.worker = worker
        self.transport = transport
        self._fixed = FixedPoint(len(job.workers), job.bound)
        self._blocks = BlockFloat(len(job.workers), job.elements)
        self._queue: deque[Handle] = deque()
        # Stages on their way: who waits, how many fragments, how many values.
        self._stages: deque[tuple[Handle, int, int]] = deque()
        self._parts: list[NDArray[np.int32]] = []
        self._collected = 0
        self._blocker: Handle | None = None
        self._iteration = 0

    @property
    def size(self) -> int:
        """Number of workers."""
        return len(self.job.workers)

    def allreduce(
        self,
        array: Array,
        op: str = "sum",
        scheme: Scheme = "fixed",
        *,
        priority: int | None = None,
        layer: int = 0,
    ) -> Array:
        """Reduce over all workers; see `iallreduce`."""
        return self.iallreduce(array, op, scheme, priority=priority, layer=layer).wait()

    def iallreduce(
        self,
        array: Array,
        op: str = "sum",
        scheme: Scheme = "fixed",
        *,
        priority: int | None = None,
        layer: int = 0,
    ) -> Handle:
        """Begin to reduce `array` (any shape) over all workers.

        Integers (as int32) are reduced exactly, with `op` sum, or, max or min. Floats are summed
        as fixed point with the job's bound, or with one exponent per fragment ("blocks").
        `priority` (1 to 255, default the job's) decides who keeps a slot in the switch; `layer` is
        for people who read packets.

        Raises:
            NonFiniteError, RangeError: see `hosts.quantise.FixedPoint.quantise`.
            ValueError: unknown operation, or one that floats do not have.
        """
        if op not in OPERATIONS:
            raise ValueError(f"operation {op!r}: give one of {', '.join(OPERATIONS)}")
        if not np.issubdtype(array.dtype, np.floating):
            program = self._integers(array, OPERATIONS[op])
        elif op != "sum":
            raise ValueError(f"operation {op!r} on {array.dtype}: floats have only sum")
        elif scheme == "blocks":
            program = self._block_floats(array)
        else:
            # Outside the program, so that a bad value is an error of this call.
            program = self._fixed_floats(array, self._fixed.quantise(array))
        handle = Handle(self, program, priority or self.job.priority, layer)
        self._queue.append(handle)
        self._begin()
        return handle

    def barrier(self) -> None:
        """Return when every worker has called this."""
        self.allreduce(np.zeros(1, np.int32))

    def _integers(self, array: Array, op: Op) -> _Program:
        sums = yield _Stage(array.astype(np.int32).reshape(-1), op, last=True)
        return sums.reshape(array.shape).astype(array.dtype)

    def _fixed_floats(self, array: Array, values: NDArray[np.int32]) -> _Program:
        sums = yield _Stage(values.reshape(-1), Op.SUM, last=True)
        return self._fixed.dequantise(sums).reshape(array.shape).astype(array.dtype)

    def _block_floats(self, array: Array) -> _Program:
        blocks = _fragments(array.reshape(-1), self.job.elements)
        shared = yield _Stage(self._blocks.exponents(blocks), Op.MAX, last=False)
        mantissas = self._blocks.quantise(blocks, shared)
        sums = yield _Stage(mantissas.reshape(-1), Op.SUM, last=True)
        floats = self._blocks.dequantise(sums.reshape(blocks.shape), shared)
        return floats.reshape(-1)[: array.size].reshape(array.shape).astype(array.dtype)

    def _begin(self) -> None:
        """Start queued operations, in order: all workers must send in one order."""
        while self._queue and self._blocker is None:
            self._next_stage(self._queue.popleft(), None)

    def _next_stage(self, handle: Handle, sums: NDArray[np.int32] | None) -> None:
        stage = handle._feed(sums)
        if self._blocker is handle or not (stage is None or stage.last):
            self._blocker = None if stage is None or stage.last else handle
        if stage is None:
            return
        fragments = _fragments(stage.values, self.job.elements)
        count = len(stage.values)
        self._stages.append((handle, len(fragments), count))
        if len(fragments):
            last = count - (len(fragments) - 1) * self.job.elements
            self._iteration += 1
            self.worker.offer(
                fragments,
                op=stage.op,
                priority=handle.priority,
                layer=handle.layer,
                iteration=self._iteration,
                last_len=last,
            )

    def _deliver(self) -> None:
        """Hand complete stages to their programs."""
        fresh = self.worker.collect()
        if len(fresh):
            self._parts.append(fresh)
            self._collected += len(fresh)
        while self._stages and self._collected >= self._stages[0][1]:
            handle, fragments, count = self._stages.popleft()
            have = np.concatenate(self._parts) if self._parts else self.worker.collect()
            self._parts = [have[fragments:]]
            self._collected -= fragments
            self._next_stage(handle, have[:fragments].reshape(-1)[:count])
            self._begin()

    def _drive(self, handle: Handle) -> None:
        deadline_us = self.job.deadline_us
        position, since = self.worker.received, self.transport.now()
        self._deliver()
        while not handle.done:
            self.transport.step(deadline_us)
            if self.worker.received != position:
                position, since = self.worker.received, self.transport.now()
                self._deliver()
            elif self.transport.now() - since >= deadline_us:
                raise AllReduceTimeout(self._explain(self.transport.now() - since))
        if self.worker.counters["overflow"]:
            raise SumOverflowError(
                f"job {self.job.job}: {self.worker.counters['overflow']} fragments left the range "
                "of int32; send smaller values"
            )

    def _explain(self, waited_us: int) -> str:
        stuck = self.worker.stuck(self.transport.now())
        shown = []
        for fragment in stuck[:_SHOWN]:
            names = "unknown workers"
            if fragment.seen is not None:
                missing = [r for r in range(self.size) if not fragment.seen >> r & 1]
                names = ", ".join(f"{r} ({self.job.workers[r].host})" for r in missing)
            shown.append(f"{fragment.seq} lacks {names}")
        more = f" and {len(stuck) - _SHOWN} more" if len(stuck) > _SHOWN else ""
        return (
            f"job {self.job.job}: worker {self.rank} had no progress for {waited_us / 1e6:.1f} s; "
            f"fragments stuck: {'; '.join(shown) or 'none'}{more}; see `inca status`"
        )

    def close(self) -> None:
        """Release the interface."""
        self.transport.close()

    def __enter__(self) -> Communicator:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _fragments(values: NDArray[Any], elements: int) -> NDArray[Any]:
    """`values` (k,) in rows of `elements`, the last one filled up with zeros."""
    rows = -(-len(values) // elements)
    padded = np.zeros(rows * elements, values.dtype)
    padded[: len(values)] = values
    return padded.reshape(rows, elements)


def connect(job: JobDescription | str | Path, rank: int) -> Communicator:
    """Open worker `rank`'s end of a job, in its host's network namespace. Needs root.

    Raises:
        AgentConfigError: the description is wrong.
        InterfaceError: the host's interface cannot be used.
    """
    description = job if isinstance(job, JobDescription) else JobDescription.read(Path(job))
    config = description.worker_config(rank)
    member = description.workers[rank]
    addressing = Addressing(
        HostAddress(member.mac, member.ip, member.gateway_mac),
        peer=description.server.ip,
        workers=(),
        elements=description.elements,
        udp_source=ESA_UDP_PORT,
    )
    heads = addressing.worker_heads()
    ring = Ring(RingOptions(member.interface, elements=description.elements))
    worker = Worker(config)
    return Communicator(description, rank, worker, RingTransport(ring, worker, lambda _: heads))
