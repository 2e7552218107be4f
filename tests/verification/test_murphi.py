# SPDX-License-Identifier: MIT
"""A second opinion: hand-written models in another checker, Debian's rumur, agree."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import verification
from verification.explorer import explore
from verification.model import UNLIMITED, Environment
from verification.systems.slot import slot
from verification.verdict import Outcome

MODELS = Path(verification.__file__).parent / "murphi"
pytestmark = pytest.mark.skipif(
    shutil.which("rumur") is None, reason="rumur is not installed (apt install rumur)"
)


def second_opinion(model: str, folder: Path, *, reorder: bool, faults: bool) -> Outcome:
    text = (MODELS / f"{model}.m").read_text(encoding="utf-8")
    for name, value in (("reorder", reorder), ("faults", faults)):
        text, found = re.subn(rf"^  {name}: [01];", f"  {name}: {int(value)};", text, flags=re.M)
        assert found == 1
    source, made, program = folder / "model.m", folder / "model.c", folder / "model"
    source.write_text(text, encoding="utf-8")
    for command in (
        ["rumur", "--deadlock-detection", "off", "--threads", "1", "--output", made, source],
        ["cc", "-std=c11", "-O1", "-mcx16", "-o", program, made, "-lpthread", "-latomic"],
    ):
        subprocess.run([str(word) for word in command], check=True, timeout=120)
    done = subprocess.run([program], capture_output=True, text=True, timeout=120, check=False)
    if "No error found." in done.stdout:
        return Outcome.HOLDS
    assert "wrong sum" in done.stdout, done.stdout + done.stderr
    return Outcome.VIOLATED


@pytest.mark.parametrize(
    ("model", "reorder", "faults", "expected"),
    [
        ("slot_bit", False, False, Outcome.HOLDS),
        ("slot_bit", True, False, Outcome.VIOLATED),
        ("slot_bit", False, True, Outcome.HOLDS),
        ("slot_full", True, False, Outcome.HOLDS),
        ("slot_full", True, True, Outcome.HOLDS),
    ],
)
def test_both_checkers_agree(
    model: str, reorder: bool, faults: bool, expected: Outcome, tmp_path: Path
) -> None:
    budget = UNLIMITED if faults else 0
    environment = Environment(
        loss=budget,
        duplicate=budget,
        timeout=UNLIMITED,
        reorder="any" if reorder else "none",
        capacity=2,
    )
    verdict = explore(slot(full=model == "slot_full"), environment)
    assert verdict.outcome is expected
    assert second_opinion(model, tmp_path, reorder=reorder, faults=faults) is expected
