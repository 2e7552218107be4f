# SPDX-License-Identifier: MIT
"""Floats as int32 that cannot overflow when `workers` of them are added.

Both schemes multiply by a power of two, so scaling itself is exact and the only error is the
rounding to an integer: at most half a unit per worker.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hosts.errors import NonFiniteError, RangeError

INT32_MAX = 2**31 - 1
#: Exponent that says "this block is not finite"; MAX carries it to every worker.
NOT_FINITE = 1 << 20
#: Exponent of a block of zeros: below that of any float64.
ZERO_BLOCK = -1100


@dataclass(frozen=True)
class FixedPoint:
    """One scale for all values, none of which may exceed `bound` in size.

    Error of a sum of `workers` values: at most `error_bound` = workers / (2 * scale).
    """

    workers: int
    bound: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.bound) and self.bound > 0):
            raise RangeError(f"fixed point: bound {self.bound}: give a positive number")

    @cached_property
    def scale(self) -> float:
        """The largest power of two with workers * round(bound * scale) <= 2**31 - 1."""
        limit = INT32_MAX // self.workers
        exponent = math.frexp(limit / self.bound)[1]
        while round(math.ldexp(self.bound, exponent)) > limit:
            exponent -= 1
        return math.ldexp(1.0, exponent)

    @property
    def error_bound(self) -> float:
        """Largest error of an element of the sum."""
        return self.workers / (2 * self.scale)

    def quantise(self, values: NDArray[Any]) -> NDArray[np.int32]:
        """Integers of the same shape.

        Raises:
            NonFiniteError: NaN or infinity inside.
            RangeError: a value beyond the bound.
        """
        wide = values.astype(np.float64)
        # One reduction answers both questions: NaN and infinity fail the comparison.
        largest = float(np.abs(wide).max(initial=0.0))
        if not largest <= self.bound:
            _require_finite(wide)
            raise RangeError(
                f"fixed point: value of size {largest:.6g} exceeds the bound {self.bound:g}; "
                "raise the bound, clip, or use the block scheme"
            )
        return np.rint(wide * self.scale).astype(np.int32)

    def dequantise(self, sums: NDArray[np.integer[Any]]) -> NDArray[np.float64]:
        """Floats of the same shape."""
        return sums.astype(np.float64) / self.scale


@dataclass(frozen=True)
class BlockFloat:
    """One exponent per block of `block` values, the largest among the workers.

    `exponents` are all-reduced with MAX first, then the mantissas with SUM. With e the shared
    exponent of a block (|x| < 2**e on every worker) and c = ceil(log2(workers)), the scale is
    2**(30 - c - e): the sum of integers is at most 2**30, and an element of the sum is wrong by at
    most workers / 2 * 2**(e + c - 30).
    """

    workers: int
    block: int

    @property
    def _bits(self) -> int:
        return 30 - (self.workers - 1).bit_length()

    def exponents(self, blocks: NDArray[Any]) -> NDArray[np.int32]:
        """Per row of `blocks` (n, block) the smallest e with |x| < 2**e; shape (n,)."""
        largest = np.abs(blocks.astype(np.float64)).max(axis=1, initial=0.0)
        finite = np.isfinite(largest)
        exponents = np.frexp(np.where(finite, largest, 0.0))[1].astype(np.int32)
        exponents[largest == 0.0] = ZERO_BLOCK
        exponents[~finite] = NOT_FINITE
        return exponents

    def quantise(self, blocks: NDArray[Any], shared: NDArray[np.int32]) -> NDArray[np.int32]:
        """Mantissas, shape (n, block), for the shared exponents (n,).

        Raises:
            NonFiniteError: some worker's block holds NaN or infinity; raised on every worker.
        """
        bad = np.flatnonzero(shared == NOT_FINITE)
        if len(bad):
            raise NonFiniteError(
                f"all-reduce: {len(bad)} blocks with NaN or infinity on some worker, the first "
                f"is elements {bad[0] * self.block} to {(bad[0] + 1) * self.block - 1}"
            )
        shift = (self._bits - shared)[:, None]
        return np.rint(np.ldexp(blocks.astype(np.float64), shift)).astype(np.int32)

    def dequantise(self, sums: NDArray[np.int32], shared: NDArray[np.int32]) -> NDArray[np.float64]:
        """Floats (n, block); a block of zeros on all workers gives zeros."""
        shift = np.where(shared == ZERO_BLOCK, 0, shared - self._bits)[:, None]
        return np.ldexp(sums.astype(np.float64), shift)

    def error_bound(self, shared: NDArray[np.int32]) -> NDArray[np.float64]:
        """Largest error of an element of the sum, per block."""
        return np.ldexp(self.workers / 2, shared - self._bits)


def _require_finite(values: NDArray[np.float64]) -> None:
    bad = np.flatnonzero(~np.isfinite(values.reshape(-1)))
    if len(bad):
        raise NonFiniteError(
            f"all-reduce: {len(bad)} values are NaN or infinite, the first at flat index {bad[0]}"
        )
