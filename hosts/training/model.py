# SPDX-License-Identifier: MIT
"""A multilayer perceptron in NumPy: ReLU, softmax, cross-entropy, SGD with momentum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float32]
Labels: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True)
class Shape:
    """Layer widths, input first."""

    widths: tuple[int, ...] = (64, 64, 10)

    @property
    def parameters(self) -> int:
        """Weights and biases of all layers."""
        return sum(a * b + b for a, b in zip(self.widths, self.widths[1:], strict=False))


def initial(shape: Shape, seed: int) -> Floats:
    """He initialisation as one flat vector, (parameters,)."""
    random = np.random.default_rng(seed)
    parts: list[Floats] = []
    for fan_in, fan_out in zip(shape.widths, shape.widths[1:], strict=False):
        weights = random.standard_normal((fan_in, fan_out)) * np.sqrt(2.0 / fan_in)
        parts += [weights.astype(np.float32).reshape(-1), np.zeros(fan_out, np.float32)]
    return np.concatenate(parts)


def _layers(shape: Shape, flat: Floats) -> list[tuple[Floats, Floats]]:
    """Views of the weights (in, out) and biases (out,) of each layer."""
    layers, position = [], 0
    for a, b in zip(shape.widths, shape.widths[1:], strict=False):
        weights = flat[position : position + a * b].reshape(a, b)
        position += a * b
        layers.append((weights, flat[position : position + b]))
        position += b
    return layers


def logits(shape: Shape, flat: Floats, inputs: Floats) -> list[Floats]:
    """Inputs of each layer and the last layer's output, rows are samples."""
    activations = [inputs]
    layers = _layers(shape, flat)
    for index, (weights, bias) in enumerate(layers):
        out = activations[-1] @ weights + bias
        activations.append(out if index == len(layers) - 1 else np.maximum(out, np.float32(0)))
    return activations


def gradient(shape: Shape, flat: Floats, inputs: Floats, labels: Labels) -> tuple[Floats, float]:
    """Summed (not averaged) cross-entropy over the rows: its gradient (parameters,), the loss."""
    activations = logits(shape, flat, inputs)
    scores = activations[-1] - activations[-1].max(axis=1, keepdims=True)
    exponentials = np.exp(scores)
    probabilities = exponentials / exponentials.sum(axis=1, keepdims=True)
    rows = np.arange(len(labels))
    loss = float(-np.log(np.maximum(probabilities[rows, labels], 1e-12)).sum())
    delta = probabilities
    delta[rows, labels] -= 1
    parts: list[Floats] = []
    layers = _layers(shape, flat)
    for index in range(len(layers) - 1, -1, -1):
        below = activations[index]
        parts += [delta.sum(axis=0), (below.T @ delta).reshape(-1)]
        if index:
            delta = (delta @ layers[index][0].T) * (below > 0)
    return np.concatenate(parts[::-1]).astype(np.float32), loss


def accuracy(shape: Shape, flat: Floats, inputs: Floats, labels: Labels) -> float:
    """Share of rows whose largest logit is the label's."""
    guess = logits(shape, flat, inputs)[-1].argmax(axis=1)
    return float((guess == labels).mean())


class Momentum:
    """SGD with momentum on a flat parameter vector."""

    def __init__(self, rate: float, momentum: float, parameters: int) -> None:
        self._rate, self._momentum = np.float32(rate), np.float32(momentum)
        self._velocity = np.zeros(parameters, np.float32)

    def step(self, flat: Floats, gradient: Floats) -> None:
        """Change `flat` in place."""
        self._velocity = self._momentum * self._velocity + gradient
        flat -= self._rate * self._velocity
