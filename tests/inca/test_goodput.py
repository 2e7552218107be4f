# SPDX-License-Identifier: MIT
import os

import pytest

import topologies
from inca.experiments.goodput import GoodputRun, measure

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: network namespaces"),
    pytest.mark.xdist_group("training"),
]


@pytest.mark.parametrize("aggregators", [None, 0])
def test_every_round_is_exact_and_counted(aggregators: int | None) -> None:
    run = GoodputRun(
        topologies.load("star4"), workers=2, elements=5000, repeat=3, aggregators=aggregators
    )
    rates = measure(run)
    assert len(rates) == 3
    assert min(rates) > 0
