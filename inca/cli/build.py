# SPDX-License-Identifier: MIT
"""``inca build``: the project's P4 programs into build/."""

from __future__ import annotations

import click

from inca import programs
from inca.cli import options
from inca.cli.boundary import CommandError
from inca.cli.output import console
from inca.paths import P4_SOURCE, shown


@click.command("build")
@click.argument("names", nargs=-1, metavar="[PROGRAM]...")
@options.target
def command(names: tuple[str, ...], target: str) -> None:
    """Compile PROGRAMs (default: all) of p4src/ into build/."""
    chosen = names or tuple(programs.sources())
    if not chosen:
        raise CommandError(f"no P4 program in {shown(P4_SOURCE)}: nothing to build")
    for name in chosen:
        compiled = programs.build(name, target)
        console().print(f"{name:<16} {shown(compiled.json_path)}  {shown(compiled.p4info_path)}")
