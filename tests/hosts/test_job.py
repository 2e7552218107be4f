# SPDX-License-Identifier: MIT
"""Job descriptions: round trip, and one clear line for what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hosts.errors import AgentConfigError
from hosts.job import JobDescription, Member

MEMBER = {"host": "h1", "interface": "eth0", "mac": "m", "ip": "10.0.0.1", "gateway_mac": "g"}
GOOD: dict[str, Any] = {"job": 1, "workers": [MEMBER, MEMBER], "server": MEMBER}


def test_round_trip(tmp_path: Path) -> None:
    job = JobDescription(3, (Member(**MEMBER),), Member(**MEMBER), task={"kind": "train"})
    job.write(tmp_path / "job.json")
    assert JobDescription.read(tmp_path / "job.json") == job


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"job": 0}, "job 0: give a number from 1 to 65535"),
        ({"workers": [MEMBER] * 33}, "33 workers: give 1 to 32"),
        ({"window": 0}, "window 0: give at least 1"),
        ({"windw": 3}, "unknown key 'windw'"),
        ({"workers": [{}]}, "missing 5 required"),
        ({"rto_us": 10_000_000}, "rto_us must not exceed rto_max_us"),
    ],
)
def test_what_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(AgentConfigError, match=message):
        JobDescription.from_json(json.dumps({**GOOD, **change}))


def test_a_missing_key_and_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(AgentConfigError, match="key 'server' is missing"):
        JobDescription.from_json(json.dumps({k: v for k, v in GOOD.items() if k != "server"}))
    with pytest.raises(AgentConfigError, match=r"nowhere.json: No such file"):
        JobDescription.read(tmp_path / "nowhere.json")
    with pytest.raises(AgentConfigError, match=r"job.json:2: not JSON"):
        JobDescription.from_json("{\n,", "job.json")
