# SPDX-License-Identifier: MIT
"""Every seeded defect is caught, as early as it was first, and the code without it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from verification.mutants import MUTANTS, Edit, Mutant, MutantError
from verification.replay import choices, replay
from verification.systems.aggregation import P4SRC
from verification.verdict import Outcome


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_defect_is_caught_with_a_shortest_trace_that_replays(mutant: Mutant) -> None:
    with mutant.system() as system:
        verdict = mutant.explore(system)
        assert verdict.outcome is Outcome.VIOLATED, verdict.reason
        assert verdict.prop is not None
        assert mutant.expected in verdict.prop
        assert len(verdict.trace) == mutant.steps
        found = replay(
            system, mutant.environment, choices(verdict.trace), absorb=mutant.reductions.absorb
        )
        assert found == verdict.prop


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_the_defect_makes_the_difference(mutant: Mutant) -> None:
    with mutant.system(healthy=True) as system:
        verdict = mutant.explore(system)
    assert verdict.outcome is Outcome.HOLDS, verdict.prop


def test_a_program_that_has_changed_is_noticed(tmp_path: Path) -> None:
    source = (P4SRC / "esa" / "policy.p4").read_text(encoding="utf-8")
    (tmp_path / "policy.p4").write_text(source)
    with pytest.raises(MutantError, match="0 times"):
        Edit("policy.p4", "no such text", "").apply(tmp_path)
    with pytest.raises(MutantError, match="not once"):
        Edit("policy.p4", "meta.event", "").apply(tmp_path)
    assert (tmp_path / "policy.p4").read_text() == source
