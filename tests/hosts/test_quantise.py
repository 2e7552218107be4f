# SPDX-License-Identifier: MIT
"""Error bounds, no overflow, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hosts.errors import NonFiniteError, RangeError
from hosts.quantise import INT32_MAX, NOT_FINITE, ZERO_BLOCK, BlockFloat, FixedPoint

WORKERS = st.integers(1, 32)


@given(workers=WORKERS, bound=st.floats(1e-30, 1e30))
def test_fixed_point_uses_the_range_and_cannot_overflow(workers: int, bound: float) -> None:
    fixed = FixedPoint(workers, bound)
    extreme = fixed.quantise(np.array([bound, -bound]))
    assert workers * int(extreme[0]) <= INT32_MAX
    # One more bit would overflow.
    assert workers * round(bound * fixed.scale * 2) > INT32_MAX


@given(workers=WORKERS, data=st.data())
def test_fixed_point_error_bound(workers: int, data: st.DataObject) -> None:
    fixed = FixedPoint(workers, 8.0)
    values = data.draw(hnp.arrays(np.float32, (workers, 5), elements=st.floats(-8, 8, width=32)))
    total = np.sum([fixed.quantise(v).astype(np.int64) for v in values], axis=0)
    exact = values.astype(np.float64).sum(axis=0)
    assert np.abs(fixed.dequantise(total) - exact).max() <= fixed.error_bound * (1 + 1e-9)


@settings(deadline=None)
@given(workers=WORKERS, data=st.data())
def test_block_float_error_bound_over_all_magnitudes(workers: int, data: st.DataObject) -> None:
    blocks = BlockFloat(workers, 4)
    finite = st.floats(width=32, allow_nan=False, allow_infinity=False)
    values = data.draw(hnp.arrays(np.float32, (workers, 3, 4), elements=finite))
    shared = np.max([blocks.exponents(v) for v in values], axis=0)
    total = np.sum([blocks.quantise(v, shared).astype(np.int64) for v in values], axis=0)
    assert np.abs(total).max() <= INT32_MAX
    got = blocks.dequantise(total.astype(np.int32), shared)
    exact = values.astype(np.float64).sum(axis=0)
    bound = np.where(shared == ZERO_BLOCK, 0, blocks.error_bound(shared))[:, None]
    assert (np.abs(got - exact) <= bound * (1 + 1e-6)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite(bad: float) -> None:
    values = np.array([0.5, bad, 1.0, bad], np.float32)
    with pytest.raises(NonFiniteError, match=r"2 values .* the first at flat index 1"):
        FixedPoint(4, 2.0).quantise(values)
    blocks = BlockFloat(4, 2)
    exponents = blocks.exponents(values.reshape(2, 2))
    assert exponents.tolist() == [NOT_FINITE, NOT_FINITE]
    with pytest.raises(NonFiniteError, match=r"2 blocks .* elements 0 to 1"):
        blocks.quantise(values.reshape(2, 2), exponents)


def test_values_beyond_the_bound() -> None:
    with pytest.raises(RangeError, match=r"size 3 exceeds the bound 2"):
        FixedPoint(4, 2.0).quantise(np.array([1.0, -3.0]))
    with pytest.raises(RangeError, match="give a positive number"):
        FixedPoint(4, 0.0)
