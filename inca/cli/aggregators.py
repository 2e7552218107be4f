# SPDX-License-Identifier: MIT
"""``inca aggregators``: the slots of a running switch."""

from __future__ import annotations

from typing import Any

import click

from inca import running
from inca.cli import options
from inca.cli.output import console, print_json, table


@click.command("aggregators")
@click.argument("switch")
@click.option(
    "--flush", "older_s", type=click.FloatRange(min=0), metavar="SECONDS",
    help="Free the slots that have been held for longer than so many seconds.",
)  # fmt: skip
@options.network
@options.as_json
def command(switch: str, older_s: float | None, network: int | None, as_json: bool) -> None:
    """List the aggregator slots of the running SWITCH: owner, priority, who is missing, age.

    The switch answers in-band, so this works on BMv2 as well. A flushed partial sum is lost;
    the workers of its job repeat what it held.
    """
    from inca import slots

    where = running.switch(switch, network)
    (view,) = slots.look({switch: where})
    _, nodes = running.newest(network)
    hosts = {host["ip"]: name for name, host in nodes.items()}
    jobs = slots.plans([view], hosts)
    if older_s is not None:
        old = [s.index for s in view.slots if s.age_us > older_s * 1e6]
        slots.flush(switch, where, old)
        console().print(f"{len(old)} of {len(view.slots)} held slots freed")
        return
    rows: list[dict[str, Any]] = []
    for slot in view.slots:
        missing = slot.missing(view.full_mask(slot.job))
        ranks = {rank: name for name, rank in jobs[slot.job].ranks} if slot.job in jobs else {}
        rows.append(
            {
                "slot": slot.index,
                "job": slot.job,
                "seq": slot.seq,
                "priority": slot.prio,
                "workers": slot.bitmap.bit_count(),
                "missing": [ranks.get(rank, str(rank)) for rank in missing],
                "age_ms": slot.age_us / 1000,
            }
        )
    if as_json:
        print_json(rows)
        return
    made = table(
        [("slot", "right"), ("job", "right"), ("fragment", "right"), ("priority", "right"),
         ("workers", "right"), ("missing", "left"), ("age", "right")],
        title=f"{switch}: {len(view.slots)} of {view.used} slots held",
    )  # fmt: skip
    for row in rows:
        made.add_row(
            str(row["slot"]), str(row["job"] or "-"), str(row["seq"] or "-"),
            str(row["priority"]), str(row["workers"]), ", ".join(row["missing"]) or "-",
            f"{row['age_ms']:.1f} ms" if row["job"] else "-",
        )  # fmt: skip
    console().print(made)
