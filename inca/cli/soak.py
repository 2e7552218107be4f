# SPDX-License-Identifier: MIT
"""``inca soak``: packets, table writes and pipeline swaps for a long time."""

from __future__ import annotations

import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from inca.cli import options
from inca.cli.output import console, print_json, table

if TYPE_CHECKING:
    from inca.bench.soak import Soak


def _print(soak: Soak) -> None:
    rows = table([("what", "left"), ("value", "right")])
    rows.add_row("seconds", f"{soak.seconds:.0f}")
    rows.add_row("frames sent", str(soak.frames_sent))
    rows.add_row("frames forwarded", str(soak.frames_forwarded))
    for name, count in soak.drops.items():
        rows.add_row(name.replace("_", " "), str(count))
    rows.add_row("table writes", str(soak.table_writes))
    rows.add_row("pipeline swaps", str(soak.swaps))
    rows.add_row("longest stall of packets", f"{soak.longest_stall_us:.0f} us")
    rows.add_row("memory after warm-up", f"{soak.memory_start / 2**20:.1f} MiB")
    rows.add_row("memory at the end", f"{soak.memory_end / 2**20:.1f} MiB")
    rows.add_row("verdict", "; ".join(soak.faults) or "held")
    console().print(rows)


@click.command("soak")
@click.option(
    "--seconds", default=600.0, show_default=True, type=click.FloatRange(1.0), help="How long."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the table writes.")
@options.as_json
def command(seconds: float, seed: int, as_json: bool) -> int:
    """Forward packets under table writes and pipeline swaps, and check the books (needs root).

    Exits with 1 when a frame is unaccounted for or memory grows.
    """
    from inca.bench import soak

    def progress(state: Soak) -> None:
        if sys.stderr.isatty():
            line = (
                f"\r{state.seconds:.0f}/{seconds:.0f} s, {state.frames_sent} frames,"
                f" {state.table_writes} writes, {state.swaps} swaps,"
                f" {state.memory_end / 2**20:.1f} MiB "
            )
            print(line, end="", file=sys.stderr, flush=True)

    print(f"soak: seed {seed}", file=sys.stderr)
    result = soak.run(seconds, seed=seed, progress=progress)
    if as_json:
        print_json(asdict(result))
    else:
        _print(result)
    return 1 if result.faults else 0
