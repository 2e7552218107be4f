# SPDX-License-Identifier: MIT
"""A real client: p4runtime-shell, in the environment of its own that `make shell` uses."""

import os
import subprocess

import pytest
from google.protobuf import text_format

from tests.softswitch.server.conftest import PROGRAMS
from tests.softswitch.server.switch_process import ROOT, SwitchProcess

PYTHON = ROOT / ".venv-shell" / "bin" / "python"


@pytest.fixture(scope="module")
def shell_python():
    """The environment's Python; made first if need be, which takes a moment."""
    made = subprocess.run(
        [ROOT / "tools" / "setup", "shell"], capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stderr
    return PYTHON


@pytest.mark.timeout(300)
def test_p4runtime_shell(tmp_path, shell_python, entities_config):
    config, p4info = tmp_path / "p.json", tmp_path / "p.p4info.txtpb"
    config.write_bytes(entities_config.p4_device_config)
    p4info.write_text(text_format.MessageToString(entities_config.p4info))
    with SwitchProcess(
        "--device-id", 1, "--no-p4", "--", "--grpc-server-addr", "127.0.0.1:0", "--cpu-port", 510
    ) as switch:
        session = subprocess.run(
            [shell_python, PROGRAMS / "shell_session.py", switch.address, p4info, config],
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONPATH": ""},
        )
    assert session.returncode == 0, session.stderr
    lines = session.stdout.splitlines()
    assert "Ig.exact_t" in lines[0]
    assert "entry: 01 Ig.set" in lines
    assert "counter: 7 0" in lines
    assert lines[-2:] == ["left: 0", "error: True"]
