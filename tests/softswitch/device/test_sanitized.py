# SPDX-License-Identifier: MIT
"""The tests of this folder once more, with the C parts under AddressSanitizer and UBSan."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    where = subprocess.run(
        ["gcc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True
    )
    environment = os.environ | {
        "INCA_SANITIZE": "1",
        "LD_PRELOAD": where.stdout.strip(),
        # The interpreter itself does not free everything at exit.
        "ASAN_OPTIONS": "detect_leaks=0",
        "UBSAN_OPTIONS": "print_stacktrace=1",
    }
    return subprocess.run(
        [sys.executable, *arguments],
        env=environment,
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    "test", ["test_sim.py", pytest.param("test_device.py", marks=pytest.mark.root)]
)
def test_under_sanitizers(test: str):
    done = run("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(HERE / test))
    if done.returncode != 0 or " passed" not in done.stdout:
        pytest.fail(done.stdout[-6000:] + done.stderr[-3000:], pytrace=False)


def test_the_sanitizer_is_really_on():
    code = (
        "import ctypes; from softswitch.device.native import native;"
        "native().lib.dev_sim_take(ctypes.create_string_buffer(8), 0)"
    )
    errors = run("-c", code).stderr
    assert "AddressSanitizer" in errors or "runtime error" in errors
