# SPDX-License-Identifier: MIT
"""PTF against the running target: `tests/ptf` on veths, as P4 people run it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf import text_format

from tests.softswitch.server.switch_process import ROOT, SwitchProcess

PTF = Path(sys.executable).parent / "ptf"


@pytest.mark.root
def test_ptf(tmp_path, other_config, veths):
    config, p4info = tmp_path / "p.json", tmp_path / "p.p4info.txtpb"
    config.write_bytes(other_config.p4_device_config)
    p4info.write_text(text_format.MessageToString(other_config.p4info))
    (a0, a1), (b0, b1) = veths
    with SwitchProcess(
        "-i", f"1@{a0}", "-i", f"2@{b0}", "--no-p4", "--", "--grpc-server-addr", "127.0.0.1:0"
    ) as switch:
        params = f"grpcaddr='{switch.address}';p4info='{p4info}';config='{config}'"
        done = subprocess.run(
            [PTF, "--test-dir", ROOT / "tests" / "ptf", "--interface", f"1@{a1}",
             "--interface", f"2@{b1}", "--test-params", params, "--log-dir", tmp_path / "logs"],
            cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "forward.Forward ... ok" in done.stdout + done.stderr
