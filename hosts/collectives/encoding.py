# SPDX-License-Identifier: MIT
"""Arrays as rows of int32 and back."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from hosts.collectives.endpoint import Rows
from hosts.errors import NonFiniteError, RangeError

Array: TypeAlias = NDArray[Any]


def rows_of(values: NDArray[np.int32], elements: int) -> Rows:
    """Any shape as (n, elements), the last row filled up with zeros."""
    flat = values.reshape(-1)
    count = -(-len(flat) // elements)
    rows = np.zeros((count, elements), np.int32)
    rows.reshape(-1)[: len(flat)] = flat
    return rows


def blocks_of(values: Array, elements: int) -> Array:
    """The same for floats, as float64."""
    flat = values.reshape(-1).astype(np.float64)
    blocks = np.zeros((-(-len(flat) // elements), elements))
    blocks.reshape(-1)[: len(flat)] = flat
    return blocks


def integers(array: Array) -> NDArray[np.int32]:
    """An integer array as int32.

    Raises:
        RangeError: a value does not fit.
    """
    limits = np.iinfo(np.int32)
    if array.size and not limits.min <= int(array.min()) <= int(array.max()) <= limits.max:
        raise RangeError("collective: a value is beyond int32: use a narrower range, or floats")
    return array.astype(np.int32)


def bits(array: Array) -> NDArray[np.int32]:
    """The bytes of an array of any dtype, filled up to whole words."""
    data = np.ascontiguousarray(array).tobytes()
    return np.frombuffer(data + bytes(-len(data) % 4), np.int32)


def from_bits(words: NDArray[np.int32], like: Array) -> Array:
    """The array of `like`'s shape and dtype that `bits` made into these words."""
    return np.frombuffer(words.tobytes()[: like.nbytes], like.dtype).reshape(like.shape).copy()


def ordered(array: Array) -> NDArray[np.int32]:
    """float32 as int32 of the same order, so that min and max are exact; its own inverse.

    Raises:
        NonFiniteError: NaN, which has no order.
    """
    if np.isnan(array).any():
        raise NonFiniteError("collective: NaN has no minimum or maximum")
    return flip(np.ascontiguousarray(array, np.float32).view(np.int32))


def flip(words: NDArray[np.int32]) -> NDArray[np.int32]:
    """Between the bits of float32 and integers of the same order."""
    return words ^ ((words >> 31) & np.int32(0x7FFFFFFF))
