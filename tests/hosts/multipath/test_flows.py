# SPDX-License-Identifier: MIT
"""Flow files, distributions and completion times."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest

from hosts.multipath.fct import by_size, ideal_fct, percentiles, slowdown
from hosts.multipath.flows import SizeDistribution, TrafficError, poisson_flows, read_flows

FLOWS = "# two flows\n2\n1 2 3 100 17730 2.5\n2 1 3 100 10 2.75\n"


def test_reads_the_published_format(tmp_path: Path) -> None:
    path = tmp_path / "flows.txt"
    path.write_text(FLOWS)
    first, second = read_flows(path, hosts=[1, 2])
    assert (first.source, first.destination, first.size, first.start) == (1, 2, 17730, 2.5)
    assert second.dport == 100


@pytest.mark.parametrize(
    ("text", "hosts", "message"),
    [
        (FLOWS, [1], r"flows.txt:3: unknown host 2"),
        (FLOWS.replace("2\n1", "3\n1"), None, r"flows.txt:2: 3 flows declared, 2 found"),
        (FLOWS.replace("17730", "x"), None, r"flows.txt:3: expected 'src dst"),
        (FLOWS.replace("17730", "0"), None, r"flows.txt:3: a flow needs"),
        ("", None, r"flows.txt: empty flow file"),
    ],
)
def test_bad_files_are_named(
    tmp_path: Path, text: str, hosts: list[int] | None, message: str
) -> None:
    path = tmp_path / "flows.txt"
    path.write_text(text)
    with pytest.raises(TrafficError, match=message):
        read_flows(path, hosts)


def test_poisson_arrivals_meet_the_load_and_repeat_with_the_seed() -> None:
    sizes = SizeDistribution((0, 1000, 30000), (0, 50, 100))
    make = lambda seed: poisson_flows(  # noqa: E731
        [(0, 1), (1, 0)], sizes, load=0.5, rate_bps=1e9, seconds=10, seed=seed
    )
    flows = make(1)
    offered = sum(f.size for f in flows) * 8 / 10
    assert offered == pytest.approx(0.5e9, rel=0.02)
    assert flows == make(1)
    assert flows != make(2)
    assert all(a.start <= b.start for a, b in itertools.pairwise(flows))


def test_mean_of_a_distribution_is_that_of_its_samples() -> None:
    sizes = SizeDistribution((0, 1000, 30000), (0, 50, 100))
    drawn = sizes.sample(np.random.default_rng(3), 200_000)
    assert drawn.mean() == pytest.approx(sizes.mean(), rel=0.01)


def test_ideal_time_of_the_8dc_network() -> None:
    # 20.013 ms + 8 * wire / 25G for DC1 -> DC8 (design reference, section 5)
    access = [100e9, 100e9, 400e9]
    hops = [*access, 25e9, 25e9, *reversed(access)]
    ideal = ideal_fct(1000, 10.006e-3, 25e9, hops)
    assert ideal == pytest.approx(20.013e-3 + 8 * 1048 / 25e9, rel=1e-4)
    assert slowdown(ideal / 2, ideal) == 1.0


def test_percentiles_by_rank_and_bins_of_equal_count() -> None:
    sizes, slow = list(range(1, 101)), [float(s) for s in range(1, 101)]
    overall = percentiles(sizes, slow)
    assert (overall.p50, overall.p99, overall.flows) == (51.0, 100.0, 100)
    bins = by_size(sizes, slow, bins=20)
    assert [b.flows for b in bins] == [5] * 20
    assert bins[0].largest == 5
