# SPDX-License-Identifier: MIT
"""``inca lcmp``: cost-aware multipath between datacenters against its baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from inca import plots, programs, records
from inca.cli import options
from inca.cli.boundary import EXIT_FAILED, CommandError
from inca.cli.output import console, print_json, table
from inca.paths import RESULTS, shown

if TYPE_CHECKING:
    from hosts.multipath.decision import Policy
    from inca.experiments.longhaul import LinkFailure
    from topologies import DataCenters


@click.group("lcmp")
def command() -> None:
    """Cost-aware multipath between datacenters: LCMP against ECMP and UCMP."""


@command.command("run")
@click.option("--topology", default="dc8", show_default=True, help="dc8, dc13 or a path.")
@click.option(
    "--flows", "path", type=click.Path(path_type=Path), help="A flow file [default: the network's]."
)
@click.option("--count", type=click.IntRange(min=1), help="Only the first flows of the file.")
@click.option("--scale", type=click.FloatRange(0, min_open=True), help="Instead of the topology's.")
@click.option(
    "--mode",
    type=click.Choice(["parity", "corrected"]),
    default="parity",
    show_default=True,
    help="The published behaviour with its quirks, or what the idea asks for.",
)
@click.option("--fail", metavar="A-B", help="Cut the link between datacenters A and B, as 1-4.")
@click.option("--fail-at", type=float, default=0.1, show_default=True, help="Seconds after start.")
@options.as_json
def run(
    topology: str,
    path: Path | None,
    count: int | None,
    scale: float | None,
    mode: str,
    fail: str | None,
    fail_at: float,
    as_json: bool,
) -> int:
    """Run the three policies on the same flows; write a table, plots and a record.

    The switches are the compiled program behind the embedded target's queues, in virtual time: no
    root, no network devices, the same figures every time. With dc8 and Fig 1's flows, exits with 1
    if the medians do not come out as LCMP < ECMP < UCMP, as the authors report.
    """
    import topologies
    from inca.experiments import lcmp
    from softswitch.engine import Pipeline

    network = topologies.load_datacenters(topology, scale)
    flows = lcmp.flows_of(network, path)[:count]
    if not flows:
        raise CommandError(f"{path}: no flows: add some")
    start_ns = round(1e9 * min(flow.start for flow in flows))
    failure = _failure(network, fail, start_ns + round(1e9 * fail_at)) if fail else None
    plan = lcmp.Plan(network, flows, mode == "parity", failure)
    pipeline = Pipeline.load(programs.build("lcmp").json_path)
    started = records.now()
    with _display(len(flows), quiet=as_json) as progress:
        runs = lcmp.compare(plan, pipeline, progress)
    folder = records.new_folder(RESULTS, "lcmp", started)
    record = {
        "run": folder.name,
        "kind": "lcmp",
        "started": started.isoformat(timespec="seconds"),
        **records.environment(),
        "topology": records.topology_as_json(network.topology()),
        **lcmp.as_record(plan, runs),
    }
    if topology == "dc8" and path is None and count is None and failure is None:
        record["published"] = lcmp.published()
    records.write(folder, record)
    lcmp.write_flows(folder, runs)
    plots.draw(record, folder)
    if as_json:
        print_json(record)
    else:
        _show(record)
        console().print(f"record, flows and plots in {shown(folder)}/")
    medians = [record["policies"][name]["slowdown"]["p50"] for name in ("LCMP", "ECMP", "UCMP")]
    as_published = "published" not in record or medians == sorted(set(medians))
    return 0 if as_published else EXIT_FAILED


def _failure(network: DataCenters, text: str, at_ns: int) -> LinkFailure:
    from inca.experiments.longhaul import LinkFailure

    try:
        a, b = sorted(int(word) - 1 for word in text.split("-"))
    except ValueError:
        raise CommandError(f"--fail {text}: give two datacenters, for example 1-4") from None
    known = [(link.a, link.b) for link in network.links]
    if (a, b) not in known:
        links = ", ".join(f"{x + 1}-{y + 1}" for x, y in known)
        raise CommandError(f"--fail {text}: no such link: {network.name} has {links}")
    return LinkFailure(a, b, at_ns)


@contextmanager
def _display(flows: int, *, quiet: bool) -> Iterator[Callable[[Policy, int], None]]:
    """A progress bar for each policy; nothing when quiet."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description:<6}"), BarColumn(bar_width=32), MofNCompleteColumn(),
        TextColumn("flows"), TimeElapsedColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console(), disable=quiet) as bars:
        tasks: dict[str, Any] = {}

        def progress(policy: Policy, done: int) -> None:
            if policy.name not in tasks:
                tasks[policy.name] = bars.add_task(policy.name, total=flows)
            bars.update(tasks[policy.name], completed=done)

        yield progress


def _show(record: Mapping[str, Any]) -> None:
    policies = record["policies"]
    title = (
        f"{record['network']}, {record['flows']} flows, {record['mode']} mode, "
        f"rates and sizes divided by {record['scale']:g}, virtual time"
    )
    rows = table(
        [("slowdown", "left"), *((name, "right") for name in ("p50", "p95", "p99", "mean"))],
        title=title,
    )
    for name, run in policies.items():
        rows.add_row(
            name, *(f"{run['slowdown'][key]:.2f}" for key in ("p50", "p95", "p99", "mean"))
        )
    console().print(rows)
    hops = list(dict.fromkeys(hop for run in policies.values() for hop in run["shares"]))
    shares = table([("data bytes by", "left"), *((hop, "right") for hop in sorted(hops, key=_dc))])
    for name, run in policies.items():
        shares.add_row(
            name, *(f"{100 * run['shares'].get(hop, 0):.1f} %" for hop in sorted(hops, key=_dc))
        )
    console().print(shares)
    _show_reductions(record)
    for name, run in policies.items():
        if "recovery" in run:
            console().print(f"{name}: {_recovery(run['recovery'], run['retransmitted'])}")


def _show_reductions(record: Mapping[str, Any]) -> None:
    claims = record["claims"]
    rows = table([("LCMP lowers", "left"), ("median by", "right"), ("p99 by", "right")])
    for name, by in record["reductions"].items():
        rows.add_row(f"{name}'s", *(f"{100 * by[key]:.0f} %" for key in ("p50", "p99")))
    rows.add_row("claim", *(f"{100 * claims[key]:.0f} %" for key in ("p50", "p99")))
    console().print(rows)


def _recovery(figures: Mapping[str, Any], retransmitted: int) -> str:
    if not figures["flows"]:
        return "no flow lost packets to the failure"
    return (
        f"all flows complete; {figures['flows']} lost packets to the failure "
        f"({retransmitted} sent again) and went on {figures['median_s']:.3f} s (median), "
        f"{figures['longest_s']:.3f} s (longest) after it"
    )


def _dc(name: str) -> int:
    return int(name.removeprefix("DC"))
