# SPDX-License-Identifier: MIT
"""Every packet test with the real p4c and BMv2, where they are installed."""

from pathlib import Path

import pytest

from softswitch.stf.cases import Case, CaseOptions, run_case
from tests.p4src.conftest import P4SRC
from tests.p4src.test_packets import STF_FILES

pytestmark = pytest.mark.bmv2


@pytest.mark.parametrize("stf", STF_FILES, ids=lambda p: f"{p.parent.name}-{p.stem}")
def test_packets_on_bmv2(stf: Path) -> None:
    case = Case(stf.stem, P4SRC / f"{stf.parent.name}.p4", stf=stf)
    run_case(case, CaseOptions(target="bmv2"))
