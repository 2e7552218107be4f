# SPDX-License-Identifier: MIT
"""``inca doctor``: what is missing, and how to get it."""

from __future__ import annotations

from dataclasses import asdict

import click

from inca.cli import options
from inca.cli.boundary import EXIT_FAILED
from inca.cli.output import console, print_json, table
from inca.doctor import examine


@click.command("doctor")
@options.as_json
def command(as_json: bool) -> int:
    """Say what this machine lacks, and how to get it; exit 1 if something required is missing."""
    findings = list(examine())
    missing = [f for f in findings if f.required and not f.found]
    if as_json:
        print_json({"ok": not missing, "findings": [asdict(f) for f in findings]})
        return EXIT_FAILED if missing else 0
    rows = table([("", "left"), ("what", "left"), ("found", "left"), ("how to get it", "left")])
    for finding in findings:
        mark = (
            "[green]✓[/]" if finding.found else "[red]✗[/]" if finding.required else "[yellow]–[/]"
        )
        optional = "" if finding.required else " (optional)"
        rows.add_row(
            mark, finding.name + optional, finding.detail, "" if finding.found else finding.hint
        )
    console().print(rows)
    verdict = f"{len(missing)} required missing" if missing else "everything required is here"
    console().print(verdict)
    return EXIT_FAILED if missing else 0
