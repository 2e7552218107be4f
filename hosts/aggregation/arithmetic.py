# SPDX-License-Identifier: MIT
"""Element-wise operations as the switch does them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hosts.wire.esa import Op

INT32 = np.iinfo(np.int32)


def combine(
    ops: NDArray[np.uint8], left: NDArray[np.int32], right: NDArray[np.int32]
) -> tuple[NDArray[np.int32], NDArray[np.bool_]]:
    """`left (op) right` row by row, and whether a sum of the row left the range of int32.

    Shapes: `ops` (n,), `left` and `right` (n, E). Sums saturate, as the switch's do.
    """
    wide = left.astype(np.int64) + right
    result = np.clip(wide, INT32.min, INT32.max)
    overflow = (ops == Op.SUM) & (result != wide).any(axis=1)
    out = result.astype(np.int32)
    if (ops != Op.SUM).any():
        for op, function in ((Op.OR, np.bitwise_or), (Op.MAX, np.maximum), (Op.MIN, np.minimum)):
            rows = ops == op
            out[rows] = function(left[rows], right[rows])
    return out, overflow
