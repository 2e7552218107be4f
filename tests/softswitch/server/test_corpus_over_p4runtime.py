# SPDX-License-Identifier: MIT
"""A part of the conformance corpus through P4Runtime: entities and packets over gRPC.

`inca stf --target bmv2` does the same with the whole corpus and the real simple_switch_grpc.
"""

import sys

import pytest

from softswitch.p4info import P4Info
from softswitch.stf.cases import CaseOptions, read_json, read_script
from softswitch.stf.remote import RemoteTarget
from softswitch.stf.runner import run_script
from tests.softswitch.server.switch_process import ROOT
from tests.softswitch.test_conformance import CASES

CHOSEN = [
    "profiles/action_selector",
    "tables/range",
    "tables/ternary_priority",
    "v1model/clone_i2e",
    "v1model/multicast",
    "externs/direct_counter",
    "externs/register_control",
]


@pytest.mark.skipif(not CASES, reason="no conformance corpus: set INCA_CONFORMANCE to its folder")
@pytest.mark.parametrize("name", CHOSEN)
def test_over_p4runtime(name, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    case = next(c for c in CASES if c.name == name)
    info = P4Info.load(case.p4info)
    target = RemoteTarget(read_json(case.json), info, [sys.executable, "-m", "softswitch.server"])
    try:
        run_script(read_script(case.stf, CaseOptions()), info, target)
    finally:
        target.close()
