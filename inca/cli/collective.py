# SPDX-License-Identifier: MIT
"""``inca collective``: collectives of a group of hosts, in the switches or over a ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

import topologies
from inca.cli import options
from inca.cli.output import console, print_json, table
from inca.cli.run import Probability
from inca.cli.signals import ending_cleanly
from inca.paths import RESULTS, shown
from topologies import LinkModel

if TYPE_CHECKING:
    from inca.experiments.collectives import Measurement

NAMES = ("allreduce", "reduce", "broadcast", "allgather", "reduce_scatter", "barrier")
_ABOVE_ZERO = click.IntRange(min=1)


@click.command("collective")
@click.argument("collectives", nargs=-1, type=click.Choice(NAMES), metavar="[COLLECTIVE]...")
@click.option("--topology", default="leaf-spine", show_default=True, help="A name or a path.")
@click.option("--group", help="Members, as h1,h3 in the order of ranks [default: all workers].")
@click.option(
    "--mode",
    type=click.Choice(["translated", "ring"]),
    default="translated",
    show_default=True,
    help="Switches that translate connections (EPIC Mode II), or a ring of hosts.",
)
@click.option(
    "--bytes", "sizes", type=_ABOVE_ZERO, multiple=True, default=(4096, 16384, 65536),
    show_default=True, help="Size; may be given several times.",
)  # fmt: skip
@click.option("--repeat", type=_ABOVE_ZERO, default=3, show_default=True, help="Per size.")
@click.option("--window", type=_ABOVE_ZERO, default=16, show_default=True, help="In packets.")
@click.option("--loss", type=Probability(), default=0.0, help="Of every link and direction.")
@click.option("--duplicate", type=Probability(), default=0.0, help="The same.")
@click.option("--reorder", type=Probability(), default=0.0, help="The same.")
@click.option("--seed", type=int, default=1, show_default=True, help="Of everything random.")
@options.target
@options.as_json
def command(
    collectives: tuple[str, ...],
    topology: str,
    group: str | None,
    mode: str,
    loss: float,
    duplicate: float,
    reorder: float,
    as_json: bool,
    **rest: Any,
) -> None:
    """Run collectives from host processes on a network, all of them if none is named.

    Every result is compared with NumPy's; a wrong one is an error.
    """
    from inca.experiments import collectives as experiment

    network = topologies.load(topology)
    faults = LinkModel(loss=loss, duplicate=duplicate, reorder=reorder)
    members = (
        tuple(group.split(",")) if group else tuple(h.name for h in network.with_role("worker"))
    )
    chosen = experiment.CollectiveRun(
        topology=network,
        members=members,
        collectives=collectives or NAMES,
        in_network=mode != "ring",
        faults=faults if faults.faulty else None,
        **rest,
    )
    with ending_cleanly(), console().status("") as status:
        folder, grant, measured = experiment.run(chosen, RESULTS, status.update)
    if as_json:
        print_json([_as_json(m) for m in measured])
        return
    _show(measured, mode)
    if chosen.in_network and not grant.description.number:
        console().print(f"ring instead of switches: {grant.description.reason}")
    console().print(
        f"{len(members)} members, all results exact; seed {chosen.seed}; logs in {shown(folder)}/"
    )


def _show(measured: list[Measurement], mode: str) -> None:
    columns = [("mode", "left"), ("collective", "left")]
    columns += [(name, "right") for name in ("bytes", "ms", "algbw MB/s", "busbw MB/s", "resent")]
    made = table(columns)
    for m in measured:
        volume = [str(m.size), f"{m.algbw / 1e6:.3f}", f"{m.busbw / 1e6:.3f}"]
        size, algbw, busbw = ["-"] * 3 if m.collective == "barrier" else volume
        time = f"{m.seconds * 1e3:.2f}"
        made.add_row(mode, m.collective, size, time, algbw, busbw, str(m.resent))
    console().print(made)


def _as_json(m: Measurement) -> dict[str, Any]:
    return {
        "collective": m.collective,
        "bytes": m.size,
        "members": m.members,
        "seconds": m.seconds,
        "algbw": m.algbw,
        "busbw": m.busbw,
        "resent": m.resent,
    }
