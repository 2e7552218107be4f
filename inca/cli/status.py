# SPDX-License-Identifier: MIT
"""``inca status``: what running jobs wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from inca import running
from inca.cli import options
from inca.cli.boundary import CommandError
from inca.cli.output import console, print_json, table

if TYPE_CHECKING:
    from controller.aggregation import JobPlan
    from inca.slots import SwitchSlots


@click.command("status")
@click.argument("job", type=click.IntRange(min=1), required=False)
@click.option(
    "--stuck", "stuck_ms", type=click.FloatRange(min=0), default=100.0, show_default=True,
    metavar="MS", help="A fragment that has waited so long in a slot is stuck.",
)  # fmt: skip
@options.network
@options.as_json
def command(job: int | None, stuck_ms: float, network: int | None, as_json: bool) -> None:
    """Name the stuck fragments of JOB (a number; all jobs without it), and who is missing."""
    from inca import slots

    switches, hosts = running.newest(network)
    views = slots.look(switches)
    plans = slots.plans(views, {host["ip"]: name for name, host in hosts.items()})
    if job is not None and job not in plans:
        known = ", ".join(map(str, plans)) or "none"
        raise CommandError(f"no switch knows job {job}: known jobs: {known}")
    chosen = [plans[job]] if job is not None else list(plans.values())
    report = [_describe(plan, views, stuck_ms) for plan in chosen]
    if as_json:
        print_json(report)
        return
    if not report:
        console().print("no job on any switch")
    for one in report:
        _print(one)


def _describe(plan: JobPlan, views: list[SwitchSlots], stuck_ms: float) -> dict[str, object]:
    names = {rank: name for name, rank in plan.ranks}
    stuck = [
        {
            "switch": view.switch,
            "slot": slot.index,
            "fragment": slot.seq,
            "missing": [names.get(r, str(r)) for r in slot.missing(view.full_mask(plan.job))],
            "age_ms": slot.age_us / 1000,
        }
        for view in views
        for slot in view.slots
        if slot.job == plan.job and slot.age_us > stuck_ms * 1000
    ]
    events = {
        view.switch: {
            event.name.lower(): count
            for event, count in view.events.get(view.job_index(plan.job), {}).items()
            if count
        }
        for view in views
        if view.job_index(plan.job)
    }
    return {
        "job": plan.job,
        "workers": [name for name, rank in plan.ranks if plan.active >> rank & 1],
        "server": plan.server,
        "stuck": stuck,
        "events": events,
    }


def _print(report: dict[str, object]) -> None:
    workers, stuck, events = report["workers"], report["stuck"], report["events"]
    assert isinstance(workers, list)
    assert isinstance(stuck, list)
    assert isinstance(events, dict)
    console().print(
        f"job {report['job']}: workers {', '.join(workers)}; parameter server {report['server']}"
    )
    for switch, counts in events.items():
        told = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        console().print(f"  {switch}: {told or 'no packet yet'}")
    if not stuck:
        console().print("  no fragment is stuck in a switch")
        return
    made = table(
        [("switch", "left"), ("slot", "right"), ("fragment", "right"), ("missing", "left"),
         ("age", "right")]
    )  # fmt: skip
    for row in stuck:
        made.add_row(
            row["switch"], str(row["slot"]), str(row["fragment"]),
            ", ".join(row["missing"]) or "nobody: waits for the result",
            f"{row['age_ms']:.0f} ms",
        )  # fmt: skip
    console().print(made)
