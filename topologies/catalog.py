# SPDX-License-Identifier: MIT
"""The topologies that ship with the project, and finding one by name or path."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from topologies.datacenters import DataCenters
from topologies.errors import TopologyError
from topologies.model import Topology
from topologies.reader import read, read_scaled

_SHIPPED = Path(__file__).parent


def names() -> list[str]:
    """Names of the shipped topologies."""
    return sorted(path.stem for path in _SHIPPED.glob("*.json"))


def load(name_or_path: str | Path) -> Topology:
    """The topology of a shipped name (``star4``) or of a file.

    Raises:
        TopologyError: no such name or file, or the file is wrong.
    """
    return read(_find(str(name_or_path)))


def load_datacenters(name_or_path: str | Path, scale: float | None = None) -> DataCenters:
    """The network between datacenters of a shipped name (``dc8``) or of a file, unscaled.

    Args:
        scale: instead of the file's.

    Raises:
        TopologyError: no such name or file, or the file is wrong.
    """
    return read_scaled(_find(str(name_or_path)), scale)


def _find(text: str) -> Path:
    if text in names():
        return _SHIPPED / f"{text}.json"
    path = Path(text)
    if path.suffix == ".json" or path.exists() or "/" in text:
        return path
    close = get_close_matches(text, names(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"shipped: {', '.join(names())}"
    raise TopologyError(f"no topology {text!r}", hint=f"{hint}; or give a path")
