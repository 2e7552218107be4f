# SPDX-License-Identifier: MIT
"""Programs that p4c compiled: recorded packets, and packets that nobody would send."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softswitch.engine import PacketAssertError, Pipeline
from softswitch.stf.cases import CaseOptions, run_case

from .programs import DATA, action, const, document, field, fixed_table
from .stf_cases import case, disturb

STF = sorted(DATA.glob("*.stf"))
RANDOM = document(
    [["a", 8, False]],
    [
        action(
            0,
            {
                "op": "modify_field_rng_uniform",
                "parameters": [field("h", "a"), const(3), const(9)],
            },
        )
    ],
    [fixed_table("t", 0, None)],
)
REPOSITORY = Path(__file__).resolve().parents[3]


@cache
def pipeline(name: str) -> Pipeline:
    p = Pipeline.load(DATA / f"{name}.bmv2.json")
    p.pre.set_multicast_group(1, [(1, 0), (2, 7), (511, 1)])
    p.pre.set_clone_session(5, [(3, 1), (4, 2)], truncate=9)
    return p


@pytest.mark.parametrize("stf", STF, ids=lambda p: p.stem)
def test_recorded_packets(stf: Path) -> None:
    run_case(case(stf), CaseOptions())


def outcome(p: Pipeline, port: int, data: bytes, now: int) -> list[tuple[int, bytes]] | str:
    try:
        return p.process(port, data, now)
    except PacketAssertError as e:
        return str(e)


@pytest.mark.parametrize("stf", STF, ids=lambda p: p.stem)
@settings(max_examples=30, deadline=None)
@given(port=st.integers(0, 511), data=st.binary(max_size=300), now=st.integers(0, 2**63))
def test_any_packet_leaves_the_switch_sane(stf: Path, port: int, data: bytes, now: int) -> None:
    p = pipeline(stf.stem)
    start = p.snapshot()
    first = outcome(p, port, data, now)
    p.restore(start)
    assert outcome(p, port, data, now) == first, "the same state and packet give the same result"


def truncations() -> list[bytes]:
    text = (DATA / "ipv4_router.stf").read_text()
    packets = [line.split()[2:] for line in text.splitlines() if line.startswith("packet")]
    whole = [bytes.fromhex("".join(p)) for p in packets]
    return [w[:n] for w in whole[:3] for n in range(len(w))]


def test_truncated_packets() -> None:
    p = Pipeline.load(DATA / "ipv4_router.bmv2.json")
    for packet in truncations():
        p.process(1, packet)
    assert p.stats()["received"] == len(truncations())
    assert p.stats()["parser_errors"] > 0


def sanitizer_libraries() -> str:
    names = ("libasan.so", "libubsan.so")
    found = [
        subprocess.run(["gcc", f"-print-file-name={n}"], capture_output=True, text=True, check=True)
        for n in names
    ]
    return ":".join(f.stdout.strip() for f in found)


def test_under_address_and_undefined_behaviour_sanitizer() -> None:
    env = {**os.environ, "LD_PRELOAD": sanitizer_libraries(), "ASAN_OPTIONS": "detect_leaks=0",
           "PYTHONPATH": str(REPOSITORY)}  # fmt: skip
    script = Path(__file__).with_name("stf_cases.py")
    done = subprocess.run(
        [sys.executable, str(script), *map(str, STF)],
        env=env, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ok ") == len(STF)


def test_instances_do_not_share_state() -> None:
    a = Pipeline.load(DATA / "aggregator.bmv2.json")
    b = a.clone()
    a.registers["Ig.bitmap"][3] = 5
    a.pre.set_multicast_group(1, [(1, 0)])
    assert b.registers["Ig.bitmap"][3] == 0
    disturb(a, 2, 200)
    assert b.stats()["received"] == 0


def test_random_is_a_function_of_the_seed() -> None:
    def run(seed: int) -> list[list[tuple[int, bytes]]]:
        p = Pipeline.load(RANDOM, seed=seed)
        return [p.process(0, bytes(3)) for _ in range(50)]

    assert run(1) == run(1)
    assert run(1) != run(2)
    assert all(3 <= out[0][1][0] <= 9 for out in run(random.getrandbits(64)))
