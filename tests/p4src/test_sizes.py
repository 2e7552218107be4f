# SPDX-License-Identifier: MIT
"""The controller's limits are those of the programs."""

import re
from pathlib import Path

from controller.aggregation import EVENTS_PER_JOB, MAX_JOBS, MAX_REPLICAS
from controller.jobs import JobBook
from hosts.wire.esa import ELEMENTS

SIZES = (Path(__file__).parents[2] / "p4src/common/sizes.p4").read_text()


def size(name: str) -> int:
    found = re.search(rf"#define {name} (\d+)", SIZES)
    assert found is not None
    return int(found.group(1))


def test_sizes() -> None:
    assert size("MAX_JOBS") == MAX_JOBS
    assert size("EVENTS_PER_JOB") == EVENTS_PER_JOB
    assert size("REPLICA_SIZE") == MAX_REPLICAS
    assert size("LANES") == ELEMENTS
    assert size("AGGREGATORS") == JobBook.register_depth
