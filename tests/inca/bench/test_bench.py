# SPDX-License-Identifier: MIT
"""The benchmarks run and their books are right; nothing here looks at a time."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from inca.bench import measure, workloads
from inca.bench.measure import Spread

ROOT = Path(__file__).resolve().parents[3]


def inca(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "inca", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_workload_has_as_many_frames_from_each_port():
    for workload in workloads.all_workloads():
        assert len(workload.frames) == workloads.FRAMES
        ports = [port for port, _ in workload.frames]
        assert {ports.count(n) for n in range(workloads.PORTS)} == {len(ports) // workloads.PORTS}
        assert workload.source.is_file()


def test_fragments_do_not_share_a_slot():
    frames = [frame for port, frame in workloads.aggregator(32).frames if port == 0]
    keys = [frame[42 + 2 : 42 + 8] for frame in frames]  # job and sequence number
    slots = {zlib.crc32(key) % workloads.AGGREGATORS for key in keys}
    assert len(slots) == len(frames) == workloads.FRAMES // workloads.PORTS


def test_spread_and_percentile():
    assert Spread.of([3.0, 1.0, 2.0]) == Spread(2.0, 1.0, 3.0)
    assert measure.percentile(list(range(100)), 0.99) == 99
    assert measure.percentile([7], 0.5) == 7


@pytest.mark.root
def test_a_case_runs_and_every_frame_comes_out():
    done = inca("bench", "l2_forward", "--rounds", "1", "--seconds", "0.1", "--json")
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    ours = next(r for r in results if r["target"] == "softswitch")
    assert ours["figures"]["drain_pps"]["median"] > 0
    assert ours["cpu_ratio"]["median"] > 0


@pytest.mark.root
def test_soak_holds_and_its_books_are_right():
    done = inca("soak", "--seconds", "3", "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    soak = json.loads(done.stdout)
    assert soak["faults"] == []
    assert soak["frames_sent"] == soak["frames_forwarded"] + sum(soak["drops"].values())
    assert soak["table_writes"] > 0


def test_unknown_case_is_a_usage_error():
    done = inca("bench", "nosuch")
    assert done.returncode == 2
    assert "nosuch" in done.stderr
