# SPDX-License-Identifier: MIT
"""The folders of this checkout."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
P4_SOURCE = ROOT / "p4src"
BUILD = ROOT / "build"
LOGS = ROOT / "logs"
PCAPS = ROOT / "pcaps"
RESULTS = ROOT / "results"


def shown(path: Path) -> str:
    """A path as people read it: relative to where they are, when that is shorter."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
