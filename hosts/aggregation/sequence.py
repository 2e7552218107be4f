# SPDX-License-Identifier: MIT
"""Sequence numbers: 64-bit and ever growing inside, their low 32 bits on the wire."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Sequences = NDArray[np.int64]


def unwrap(wire: NDArray[np.uint32], reference: int) -> Sequences:
    """The full numbers nearest to `reference` whose low 32 bits are `wire` (RFC 1982)."""
    distance = (wire.astype(np.uint32) - np.uint32(reference & 0xFFFFFFFF)).astype(np.int32)
    return distance.astype(np.int64) + reference


def span(first: int, end: int) -> Sequences:
    """first .. end - 1."""
    return np.arange(first, end, dtype=np.int64)
