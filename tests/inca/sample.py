# SPDX-License-Identifier: MIT
"""A training record as docs/experiments.md describes it."""

from typing import Any


def training_record() -> dict[str, Any]:
    return {
        "kind": "training",
        "run": "20260101-000000-training",
        "started": "2026-01-01T00:00:00+00:00",
        "seconds": 12.5,
        "command": ["inca", "run"],
        "target": "softswitch",
        "program": "esa",
        "seed": 1,
        "options": {},
        "versions": {"python": "3.11.2"},
        "machine": {"cpus": 2, "kernel": "6.1.0"},
        "topology": {"name": "star2", "hosts": {}, "switches": {}, "links": []},
        "jobs": [
            {
                "job": 1,
                "name": "digits",
                "workers": ["h1", "h2"],
                "server": "ps",
                "jct_s": 3.25,
                "steps": 3,
                "loss": [2.3, 1.2, 0.4],
                "accuracy": [[0, 0.1], [3, 0.9625]],
                "final_accuracy": 0.9625,
                "reference_accuracy": 0.961,
                "exact": True,
                "mismatched_steps": [],
                "gradient": {"elements": 64, "fragments": 2, "bytes": 256},
                "allreduce_s": [0.001, 0.002, 0.003],
                "goodput_bps": 12.5e6,
                "fragments": {
                    "total": 6,
                    "in_switch": 5,
                    "by_server": 1,
                    "switch_share": 5 / 6,
                    "server_share": 1 / 6,
                },
                "agents": {},
            }
        ],
        "links": [
            {"link": link, "from": ends[0], "to": ends[1], "packets": 7, "bytes": size}
            for link, ends, size in (
                ("h1 - s1-p1", ("h1", "s1-p1"), 3 << 20),
                ("h1 - s1-p1", ("s1-p1", "h1"), 2 << 20),
                ("h2 - s1-p2", ("h2", "s1-p2"), 1 << 20),
                ("h2 - s1-p2", ("s1-p2", "h2"), 0),
            )
        ],
        "switches": {},
        "cpu": {"busy_share": 0.5},
        "logs": "logs",
        "pcaps": None,
    }
