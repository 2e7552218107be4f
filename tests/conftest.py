# SPDX-License-Identifier: MIT
"""What tests need of the machine; a test that cannot run here says why."""

import os
import shutil

import pytest


def _lacking(marker: str) -> str | None:
    """Why tests of a marker cannot run on this machine; None if they can."""
    if marker == "root":
        return None if os.geteuid() == 0 else "needs root (network namespaces)"
    missing = [tool for tool in ("p4c", "simple_switch_grpc") if shutil.which(tool) is None]
    return f"needs {' and '.join(missing)} on PATH" if missing else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for marker in ("root", "bmv2"):
        reason = _lacking(marker)
        if reason is None:
            continue
        for item in items:
            if item.get_closest_marker(marker):
                item.add_marker(pytest.mark.skip(reason=reason))
