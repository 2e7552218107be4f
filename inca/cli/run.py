# SPDX-License-Identifier: MIT
"""``inca run``: train a model through the in-network aggregator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

import topologies
from inca import records, summary
from inca.cli import options
from inca.cli.boundary import EXIT_FAILED
from inca.cli.output import console, print_json
from inca.cli.signals import ending_cleanly
from inca.paths import RESULTS, shown
from topologies import LinkModel
from topologies.units import format_rate, parse_probability

if TYPE_CHECKING:
    from inca.experiments.training import Observer, Progress


class Probability(click.ParamType[float]):
    """``0.01`` or ``1%``."""

    name = "probability"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Parse."""
        try:
            return parse_probability(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_ABOVE_ZERO = click.IntRange(min=1)


@click.command("run")
@click.option("--topology", default="star4", show_default=True, help="A shipped name or a path.")
@options.target
@click.option(
    "--aggregators",
    type=click.IntRange(min=0),
    help="Slots that switches may use [default: all]; few of them collide, 0 means none.",
)
@click.option("--loss", type=Probability(), default=0.0, help="Of every link and direction.")
@click.option("--duplicate", type=Probability(), default=0.0, help="The same.")
@click.option("--reorder", type=Probability(), default=0.0, help="The same.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of everything random.")
@click.option("--steps", type=_ABOVE_ZERO, default=200, show_default=True, help="Of training.")
@click.option("--window", type=_ABOVE_ZERO, default=256, show_default=True, help="In fragments.")
@click.option("--pcap", is_flag=True, help="Capture every switch port into the run's pcaps/.")
@options.as_json
def command(
    topology: str,
    target: str,
    loss: float,
    duplicate: float,
    reorder: float,
    as_json: bool,
    **rest: Any,
) -> int:
    """Train a neural network on real handwritten digits through the in-network aggregator.

    Every sum is compared with the exact one. Exits with 1 if one differs.
    """
    from inca.experiments import training

    faults = LinkModel(loss=loss, duplicate=duplicate, reorder=reorder)
    chosen = training.TrainingRun(
        topology=topologies.load(topology),
        results=RESULTS,
        target=target,
        faults=faults if faults.faulty else None,
        **rest,
    )
    with ending_cleanly(), _display(chosen.steps, quiet=as_json) as observer:
        folder = training.run(chosen, observer)
    record = records.read(folder)
    if as_json:
        print_json(record)
    else:
        console().print(*summary.tables(record))
        console().print(f"seed {record['seed']}; record, plot and logs in {shown(folder)}/")
    return 0 if all(job["exact"] for job in record["jobs"]) else EXIT_FAILED


@contextmanager
def _display(steps: int, *, quiet: bool) -> Iterator[Observer]:
    """A progress bar with loss, accuracy and goodput; nothing when quiet."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from inca.experiments.training import Observer

    columns = (
        TextColumn("{task.description:<34}"), BarColumn(bar_width=24), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("{task.fields[state]}"),
    )  # fmt: skip
    with Progress(*columns, console=console(), disable=quiet) as bar:
        task = bar.add_task("", total=steps, state="")
        yield Observer(
            phase=lambda text: bar.update(task, description=text),
            step=lambda progress: bar.update(
                task, completed=len(progress.losses), state=_state(progress)
            ),
        )
        bar.update(task, description="done")


def _state(progress: Progress) -> str:
    accuracy = f"{max(progress.accuracy)[1]:.3f}" if progress.accuracy else "-"
    goodput = format_rate(progress.goodput_bps)
    return f"loss {progress.losses[-1]:.3f}  accuracy {accuracy}  goodput {goodput}"
