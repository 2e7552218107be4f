# SPDX-License-Identifier: MIT
"""``inca bench``: speed of the embedded switch, as ratios within one run."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from inca.cli import options
from inca.cli.output import console, table

if TYPE_CHECKING:
    from inca.bench.measure import Spread
    from inca.bench.run import Result

CASES = ("l2_forward", "ipv4_lpm", "aggregator_32", "aggregator_64")


def _spread(value: Spread | None, form: str = "{:.2f}") -> str:
    if value is None:
        return "-"
    low, high = form.format(value.low), form.format(value.high)
    return f"{form.format(value.median)} [{low}-{high}]"


def _kilo(value: Spread | None) -> str:
    if value is None:
        return "-"
    scaled = type(value)(value.median / 1e3, value.low / 1e3, value.high / 1e3)
    return _spread(scaled, "{:.0f}")


def _print_speed(results: list[Result]) -> None:
    rows = table(
        [
            ("case", "left"),
            ("target", "left"),
            ("drain kpps", "right"),
            ("of bare loop", "right"),
            ("live kpps", "right"),
            ("of bare loop", "right"),
            ("cpu ns/packet", "right"),
            ("of bare loop", "right"),
        ],
        title=r"Packets: median \[lowest-highest] over the rounds; ratios are taken within a round",
    )
    for r in results:
        rows.add_row(
            r.title,
            r.target,
            _kilo(r.figures.drain_pps),
            _spread(r.drain_ratio),
            _kilo(r.figures.live_pps),
            _spread(r.live_ratio),
            _spread(r.figures.cpu_ns, "{:.0f}"),
            _spread(r.cpu_ratio),
        )
    console().print(rows)


def _print_rest(results: list[Result]) -> None:
    rows = table(
        [
            ("case", "left"),
            ("target", "left"),
            ("latency p50/p99 us", "right"),
            ("bare loop", "right"),
            ("P4 to JSON", "right"),
            ("to native", "right"),
            ("cached", "right"),
            ("start", "right"),
            ("entries", "right"),
            ("inserts/s", "right"),
            ("memory", "right"),
        ],
        title="One frame into an idle switch; compiling; P4Runtime writes in batches; one process",
    )
    for r in results:
        rows.add_row(
            r.title,
            r.target,
            f"{r.latency_us['p50']:.0f} / {r.latency_us['p99']:.0f}",
            f"{r.bare_latency_us['p50']:.0f} / {r.bare_latency_us['p99']:.0f}",
            f"{r.compile_seconds['front_end']:.2f} s",
            f"{r.compile_seconds['cold']:.2f} s",
            f"{r.compile_seconds['cached']:.3f} s",
            f"{r.start_seconds.median:.2f} s",
            str(r.entries),
            _spread(r.inserts_per_second, "{:.0f}") if r.entries > 1000 else "-",
            f"{r.memory_bytes / 2**20:.0f} MiB",
        )
    console().print(rows)


@click.command("bench")
@click.argument("case", nargs=-1, type=click.Choice(CASES))
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Rounds.")
@click.option(
    "--seconds", default=1.0, show_default=True, type=float, help="Live load in each round."
)
@options.as_json
def command(case: tuple[str, ...], rounds: int, seconds: float, as_json: bool) -> None:
    """Measure the embedded switch against a bare forwarding loop (needs root).

    CASE picks some of the cases.  drain: full receive rings are emptied while
    nobody sends.  live: the load generator sends at the same time.
    """
    from inca.bench import run

    def progress(title: str) -> None:
        print(f"{title} ...", file=sys.stderr)

    results = run.run(run.Plan(rounds, seconds), case, progress)
    if as_json:
        print(run.as_json(results))
        return
    _print_speed(results)
    _print_rest(results)
