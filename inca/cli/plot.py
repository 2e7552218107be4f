# SPDX-License-Identifier: MIT
"""``inca plot``: make a run's plots again, from its record."""

from __future__ import annotations

from pathlib import Path

import click

from inca import plots, records
from inca.cli.boundary import CommandError
from inca.paths import shown


@click.command("plot")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
def command(runs: tuple[Path, ...]) -> None:
    """Make the plots of RUNs (folders of results/) again, from their records."""
    for run in runs:
        record = records.read(run)
        files = plots.draw(record, run if run.is_dir() else run.parent)
        if not files:
            raise CommandError(f"{run}: no plot for records of kind {record['kind']!r}")
        for file in files:
            click.echo(shown(file))
