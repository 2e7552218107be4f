# SPDX-License-Identifier: MIT
"""The training job without a network: gradient, accuracy, and exactness of the sums."""

from __future__ import annotations

import numpy as np
import pytest

from hosts.training.data import batches, load
from hosts.training.model import Shape, gradient, initial, logits
from hosts.training.task import Trainer, TrainingOptions, expected_digests, single_process, train


def test_the_gradient_is_that_of_the_loss() -> None:
    shape = Shape((5, 4, 3))
    random = np.random.default_rng(2)
    flat = initial(shape, 2)
    inputs = random.normal(size=(6, 5)).astype(np.float32)
    labels = random.integers(0, 3, 6)
    slope, _ = gradient(shape, flat, inputs, labels)

    def loss(parameters: np.ndarray) -> float:  # type: ignore[type-arg]
        scores = logits(shape, parameters, inputs.astype(np.float64))[-1]
        scores = scores - scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return float(-logs[np.arange(6), labels].sum())

    for index in range(shape.parameters):
        step = np.zeros(shape.parameters)
        step[index] = 1e-5
        numeric = (loss(flat + step) - loss(flat - step)) / 2e-5
        assert slope[index] == pytest.approx(numeric, abs=1e-3)


def test_shards_and_batches_cover_each_sample_once_per_epoch() -> None:
    rows = batches(100, 20, 5, seed=3)
    assert sorted(rows.reshape(-1).tolist()) == list(range(100))
    assert rows.tolist() != batches(100, 20, 5, seed=4).tolist()


@pytest.mark.parametrize("seed", [1, 2])
def test_four_workers_learn_as_well_as_one_process(seed: int) -> None:
    options = TrainingOptions(seed=seed)
    alone, _ = single_process(options)
    trainers = [Trainer(options, 4) for _ in range(4)]
    expected = expected_digests(options, 4)
    for step in range(options.steps):
        total = np.sum([t.contribution(step, r)[0] for r, t in enumerate(trainers)], axis=0)
        assert {t.apply(total.astype(np.int32)) for t in trainers} == {expected[step]}
    parameters = [t.parameters.tobytes() for t in trainers]
    assert len(set(parameters)) == 1
    accuracy = trainers[0].test_accuracy()
    assert accuracy >= 0.95
    assert abs(accuracy - alone) <= 0.005


def test_a_wrong_sum_changes_the_digest() -> None:
    options = TrainingOptions(steps=3)
    good = expected_digests(options, 1)

    def off_by_one(values: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
        wrong = values.copy()
        wrong[17] += 1
        return wrong

    bad = [s.digest for s in train(Trainer(options, 1), 0, off_by_one)]
    assert bad[0] != good[0]
    assert [s.digest for s in train(Trainer(options, 1), 0, lambda v: v)] == good


def test_the_split_is_a_partition() -> None:
    digits = load(1)
    assert (len(digits.labels), len(digits.test_labels)) == (1438, 359)
    assert digits.inputs.max() <= 1.0
