# SPDX-License-Identifier: MIT
"""``inca bench-agents``: packets per second of the host agents, goodput of all-reduce."""

from __future__ import annotations

import sys
from statistics import median

import click

import topologies
from inca.cli import options
from inca.cli.output import console, print_json
from inca.cli.signals import ending_cleanly
from topologies.units import format_rate


@click.command("bench-agents")
@click.option("--topology", default="star4", show_default=True, help="A shipped name or a path.")
@options.target
@click.option("--rounds", default=3, show_default=True, type=click.IntRange(1), help="Rounds.")
@click.option("--seconds", default=1.0, show_default=True, type=float, help="Of packets per round.")
@options.as_json
def command(topology: str, target: str, rounds: int, seconds: float, as_json: bool) -> None:
    """Measure the host agents (needs root).

    cores: fragments through the protocol without I/O.  one way, both ways: frames between two
    packet rings.  allreduce: gradient bits per second through the emulated network, 2 and 4
    workers, with all aggregators and with none.
    """
    from hosts import bench
    from inca.experiments import goodput

    print("packet rings ...", file=sys.stderr)
    figures = bench.measure(rounds, seconds)
    network = topologies.load(topology)
    rates: dict[str, list[float]] = {}
    with ending_cleanly():
        for workers, aggregators in ((2, None), (4, None), (4, 0)):
            title = f"{workers} workers, {'by the PS' if aggregators == 0 else 'in the switch'}"
            print(f"all-reduce, {title} ...", file=sys.stderr)
            run = goodput.GoodputRun(
                network, target, workers=workers, aggregators=aggregators, repeat=rounds
            )
            rates[title] = goodput.measure(run)
    if as_json:
        print_json({**figures, "allreduce_bps": rates})
        return
    _show(figures, rates)


def _show(figures: dict[str, dict[str, list[float]]], rates: dict[str, list[float]]) -> None:
    from rich.table import Table

    table = Table("benchmark", "figure", "median", "lowest", "highest", box=None)
    for name, group in figures.items():
        for figure, values in group.items():
            table.add_row(name, figure, *(f"{v:,.0f}/s" for v in _spread(values)))
    for title, values in rates.items():
        table.add_row("allreduce", title, *(format_rate(v) for v in _spread(values)))
    console().print(table)


def _spread(values: list[float]) -> tuple[float, float, float]:
    return median(values), min(values), max(values)
