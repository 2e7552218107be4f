# SPDX-License-Identifier: MIT
"""All packet tests of the shipped programs: (program, name) -> STF text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

FOLDER = Path(__file__).parent


class HasText(Protocol):
    """A scenario of any program."""

    def text(self) -> str:
        """The STF file."""


Maker = Callable[[], HasText]
_MAKERS: dict[tuple[str, str], Maker] = {}


def packet_test(*programs: str) -> Callable[[Maker], Maker]:
    """Register a scenario for the programs that must all behave so."""

    def register(maker: Maker) -> Maker:
        for program in programs:
            _MAKERS[program, maker.__name__] = maker
        return maker

    return register


def all_tests() -> dict[tuple[str, str], Maker]:
    """Every registered scenario."""
    from tests.p4src import (  # noqa: F401  registers them
        atp_scenarios,
        checks_scenarios,
        epic_scenarios,
        esa_scenarios,
        sml_scenarios,
        tree_scenarios,
    )

    return dict(_MAKERS)


def stf_files() -> set[Path]:
    """The STF files on disk of the programs that scenarios are written for."""
    programs = {program for program, _ in all_tests()}
    return {path for program in programs for path in (FOLDER / program).glob("*.stf")}


def stf_path(program: str, name: str) -> Path:
    """Where a scenario's STF file is kept."""
    return FOLDER / program / f"{name}.stf"
