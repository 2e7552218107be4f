# SPDX-License-Identifier: MIT
"""Recorded BMv2 JSON on the engine: the packets must be those that BMv2 sent.

The corpus is found through INCA_CONFORMANCE or beside the repository, in shared/conformance.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from softswitch.stf.cases import CaseOptions, find_cases, run_case

ROOT = Path(__file__).resolve().parents[2]


def corpus() -> Path | None:
    named = os.environ.get("INCA_CONFORMANCE")
    places = (
        [Path(named)]
        if named
        else [p / "shared" / "conformance" for p in (ROOT.parent, ROOT.parent.parent)]
    )
    return next((p for p in places if p.is_dir()), None)


CORPUS = corpus()
CASES = [] if CORPUS is None else find_cases(CORPUS, recorded=True)


@pytest.mark.skipif(not CASES, reason="no conformance corpus: set INCA_CONFORMANCE to its folder")
@pytest.mark.parametrize("name", [c.name for c in CASES] or ["none"])
def test_recorded_json_behaves_as_on_bmv2(name: str) -> None:
    run_case(next(c for c in CASES if c.name == name), CaseOptions())
