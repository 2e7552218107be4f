# SPDX-License-Identifier: MIT
"""The topologies that ship with the project, and finding one by name or path."""

from __future__ import annotations

from difflib import get_close_matches
from pathlib import Path

from topologies.errors import TopologyError
from topologies.model import Topology
from topologies.reader import read

_SHIPPED = Path(__file__).parent


def names() -> list[str]:
    """Names of the shipped topologies."""
    return sorted(path.stem for path in _SHIPPED.glob("*.json"))


def load(name_or_path: str | Path) -> Topology:
    """The topology of a shipped name (``star4``) or of a file.

    Raises:
        TopologyError: no such name or file, or the file is wrong.
    """
    text = str(name_or_path)
    if text in names():
        return read(_SHIPPED / f"{text}.json")
    path = Path(text)
    if path.suffix == ".json" or path.exists() or "/" in text:
        return read(path)
    close = get_close_matches(text, names(), n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"shipped: {', '.join(names())}"
    raise TopologyError(f"no topology {text!r}", hint=f"{hint}; or give a path")
