# SPDX-License-Identifier: MIT
"""The shipped programs and agents, checked at small scope; and that the checker can fail there."""

from __future__ import annotations

import pytest

from hosts.aggregation.window import Window
from verification.explorer import Reductions, explore
from verification.model import Environment
from verification.systems.aggregation import aggregation
from verification.verdict import Outcome


@pytest.mark.parametrize("program", ["esa", "atp"])
@pytest.mark.parametrize(
    "environment",
    [Environment(loss=1), Environment(duplicate=1), Environment(timeout=1)],
    ids=str,
)
def test_every_sum_is_exact_and_every_run_completes(program: str, environment: Environment) -> None:
    verdict = explore(aggregation(program, fragments=1), environment)
    assert verdict.outcome is Outcome.HOLDS, verdict.prop
    assert verdict.statistics.states > 100


@pytest.mark.parametrize("options", [{"jobs": 1}, {"jobs": 2}], ids=str)
def test_reductions_keep_the_verdict(options: dict[str, int]) -> None:
    environment = Environment(loss=1)
    system = aggregation(fragments=1, workers=2, window=1, **options)
    reduced = explore(system, environment)
    plain = explore(system, environment, reductions=Reductions.none())
    assert reduced.outcome is plain.outcome is Outcome.HOLDS
    assert reduced.statistics.states < plain.statistics.states


def test_a_wrong_sum_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that takes partial sums for results: its bitmap check is gone."""
    monkeypatch.setattr(
        "hosts.aggregation.config.JobConfig.full_mask", property(lambda job: 0b01), raising=True
    )
    # The mutant treats workers differently, so they are not interchangeable.
    verdict = explore(aggregation(fragments=1), Environment(loss=1), reductions=Reductions.none())
    assert verdict.outcome is Outcome.VIOLATED


def test_a_window_that_never_repeats_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lost wake-up: the timer fires, but nothing is sent again."""
    repeat = Window.repeat
    monkeypatch.setattr(Window, "repeat", lambda self, seqs, now: repeat(self, seqs[:0], now))
    verdict = explore(aggregation(fragments=1), Environment(loss=1))
    assert verdict.outcome is Outcome.VIOLATED
    assert verdict.prop is not None
    assert "no continuation" in verdict.prop
