# SPDX-License-Identifier: MIT
"""Every packet test, on our front end and engine."""

from collections.abc import Callable
from pathlib import Path

import pytest

from softswitch.stf.cases import CaseOptions, read_script
from softswitch.stf.inprocess import InProcessTarget
from softswitch.stf.runner import run_script
from tests.p4src.conftest import Loaded
from tests.p4src.registry import stf_files

STF_FILES = sorted(stf_files())


@pytest.mark.parametrize("stf", STF_FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_packets(stf: Path, load: Callable[[str], Loaded]) -> None:
    loaded = load(stf.parent.name)
    run_script(read_script(stf, CaseOptions()), loaded.info, InProcessTarget(loaded.fresh()))
