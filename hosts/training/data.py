# SPDX-License-Identifier: MIT
"""The UCI optical recognition of handwritten digits data set, as scikit-learn ships it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hosts.training.model import Floats, Labels

_PIXEL_MAX = 16.0
_TEST_SHARE = 0.2


@dataclass(frozen=True)
class Digits:
    """Rows of 64 pixels in 0..1 and their labels 0..9."""

    inputs: Floats
    labels: Labels
    test_inputs: Floats
    test_labels: Labels


def load(seed: int) -> Digits:
    """1797 digits, shuffled by `seed`; a fifth of them is for testing."""
    # Late, since importing scikit-learn takes seconds.
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(seed).permutation(len(labels))
    inputs = (pixels[order] / _PIXEL_MAX).astype(np.float32)
    labels = labels[order].astype(np.int64)
    cut = int(len(labels) * _TEST_SHARE)
    return Digits(inputs[cut:], labels[cut:], inputs[:cut], labels[:cut])


def batches(samples: int, batch: int, steps: int, seed: int) -> NDArray[np.int64]:
    """Rows of each step's batch, shape (steps, batch): epochs of shuffled samples."""
    random = np.random.default_rng(seed + 1)
    per_epoch = samples // batch
    epochs = -(-steps // per_epoch)
    rows = [random.permutation(samples)[: per_epoch * batch] for _ in range(epochs)]
    return np.concatenate(rows).reshape(-1, batch)[:steps]
