# SPDX-License-Identifier: MIT
"""The training job: its options, a worker's loop, and the same sums computed aside.

A step's batch is cut into contiguous shards, one per worker. Each worker quantises the gradient of
its shard, the integers are all-reduced, and every worker takes the same step; so all of them hold
bit-identical parameters, and one process can repeat the whole run exactly.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from hosts.quantise import FixedPoint
from hosts.training.data import Digits, batches, load
from hosts.training.model import Floats, Momentum, Shape, accuracy, gradient, initial

Integers: TypeAlias = NDArray[np.int32]
#: Turns a worker's integers into the sum over all workers.
Reduce: TypeAlias = Callable[[Integers], Integers]


@dataclass(frozen=True)
class TrainingOptions:
    """Options of a run; the same for all workers."""

    steps: int = 200
    batch: int = 128
    hidden: int = 64
    rate: float = 0.1
    momentum: float = 0.9
    seed: int = 1
    bound: float = 64.0

    @property
    def shape(self) -> Shape:
        """Widths of the network."""
        return Shape((64, self.hidden, 10))


@dataclass(frozen=True)
class Step:
    """What a worker knows after a step. `digest`: SHA-256 of the aggregated integers."""

    number: int
    loss: float
    digest: str


class Trainer:
    """One worker's replica. `shards` of the batch, of which this one is `rank`."""

    def __init__(self, options: TrainingOptions, shards: int) -> None:
        # The number of BLAS threads may change the order of additions, hence the last bits.
        threadpool_limits(limits=1, user_api="blas")
        self.options = options
        self.shards = shards
        self.digits: Digits = load(options.seed)
        shape = options.shape
        self.parameters = initial(shape, options.seed)
        self._optimiser = Momentum(options.rate, options.momentum, shape.parameters)
        self._fixed = FixedPoint(shards, options.bound)
        self._rows = batches(len(self.digits.labels), options.batch, options.steps, options.seed)

    def contribution(self, step: int, rank: int) -> tuple[Integers, float]:
        """Quantised gradient of one shard (parameters,), and its summed loss."""
        rows = np.array_split(self._rows[step], self.shards)[rank]
        slope, loss = gradient(
            self.options.shape, self.parameters, self.digits.inputs[rows], self.digits.labels[rows]
        )
        return self._fixed.quantise(slope), loss

    def apply(self, sums: Integers) -> str:
        """Take the step that the aggregated integers say; returns their digest."""
        mean = self._fixed.dequantise(sums) / self.options.batch
        self._optimiser.step(self.parameters, mean.astype(np.float32))
        return hashlib.sha256(sums.astype("<i4").tobytes()).hexdigest()

    def test_accuracy(self) -> float:
        """Share of the test digits that are recognised."""
        digits = self.digits
        return accuracy(self.options.shape, self.parameters, digits.test_inputs, digits.test_labels)


def train(trainer: Trainer, rank: int, reduce: Reduce) -> Iterator[Step]:
    """One worker's run, step by step."""
    for number in range(trainer.options.steps):
        values, loss = trainer.contribution(number, rank)
        digest = trainer.apply(reduce(values))
        share = len(np.array_split(np.empty(trainer.options.batch), trainer.shards)[rank])
        yield Step(number, loss / share, digest)


def expected_digests(options: TrainingOptions, workers: int) -> list[str]:
    """The digests every worker must report: all shards in this process, summed in 64 bits.

    Raises:
        OverflowError: a sum does not fit int32, which the bound excludes.
    """
    trainer = Trainer(options, workers)
    digests = []
    for step in range(options.steps):
        parts = [trainer.contribution(step, rank)[0].astype(np.int64) for rank in range(workers)]
        total = np.sum(parts, axis=0)
        if np.abs(total).max() > np.iinfo(np.int32).max:
            raise OverflowError(f"step {step}: a sum leaves the range of int32")
        digests.append(trainer.apply(total.astype(np.int32)))
    return digests


def single_process(options: TrainingOptions) -> tuple[float, Floats]:
    """The same training without workers, quantisation or network: accuracy and parameters."""
    trainer = Trainer(options, 1)
    optimiser = Momentum(options.rate, options.momentum, options.shape.parameters)
    digits = trainer.digits
    rows = batches(len(digits.labels), options.batch, options.steps, options.seed)
    for step in range(options.steps):
        slope, _ = gradient(
            options.shape, trainer.parameters, digits.inputs[rows[step]], digits.labels[rows[step]]
        )
        optimiser.step(trainer.parameters, slope / np.float32(options.batch))
    return trainer.test_accuracy(), trainer.parameters
