# SPDX-License-Identifier: MIT
"""Counterexamples can be read, and followed again on the nodes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.verification.toy import toy
from verification.explorer import Reductions, explore
from verification.export import pytest_source, text
from verification.model import UNLIMITED, Environment
from verification.replay import ReplayError, replay

BROKEN = Environment(timeout=UNLIMITED, capacity=2, reorder="any")


@pytest.mark.parametrize("reductions", [Reductions(), Reductions.none()])
def test_a_counterexample_replays_to_its_violation(reductions: Reductions) -> None:
    verdict = explore(toy(full=False), BROKEN, reductions=reductions)
    steps = [(s.kind, s.source, s.node, s.what) for s in verdict.trace]
    assert replay(toy(full=False), BROKEN, steps) == verdict.prop
    with pytest.raises(ReplayError, match="step 1 is not possible"):
        replay(toy(full=False), BROKEN, steps[4:])
    assert replay(toy(full=False), BROKEN, steps[:-1]) is None


def test_the_text_has_a_line_per_step_and_what_follows() -> None:
    verdict = explore(toy(full=False), BROKEN)
    told = text(verdict)
    assert told.splitlines()[0].endswith("has a wrong sum")
    assert f"{len(verdict.trace):3}  " in told
    assert "sends to" in told


def test_the_exported_pytest_runs(tmp_path: Path) -> None:
    verdict = explore(toy(full=False), BROKEN)
    source = pytest_source(verdict, "toy(full=False)", "from tests.verification.toy import toy")
    test = tmp_path / "test_exported.py"
    test.write_text(source)
    namespace: dict[str, object] = {}
    exec(compile(source, str(test), "exec"), namespace)
    run = namespace["test_replays_to_the_violation"]
    assert callable(run)
    run()
