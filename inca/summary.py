# SPDX-License-Identifier: MIT
"""Tables of a run, made from its record only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from inca.cli.output import table
from topologies.units import format_rate

if TYPE_CHECKING:
    from rich.table import Table

_MIB = 1 << 20


def tables(record: Mapping[str, Any]) -> list[Table]:
    """What a run came to: jobs, then links."""
    return [*(_job(record, job) for job in record["jobs"]), _links(record)]


def _job(record: Mapping[str, Any], job: Mapping[str, Any]) -> Table:
    rows = table([(f"job {job['name']}", "left"), ("", "left")])
    fragments = job["fragments"]
    wrong = job["mismatched_steps"]
    exact = f"at all {job['steps']} steps" if job["exact"] else f"[red]NO: steps {wrong[:5]} ...[/]"
    step_ms = 1e3 * sum(job["allreduce_s"]) / max(1, len(job["allreduce_s"]))
    for name, value in (
        ("test accuracy", f"{job['final_accuracy']:.4f}"),
        ("  one process, no network", f"{job['reference_accuracy']:.4f}"),
        ("sums exact on all workers", exact),
        ("job completion time", f"{job['jct_s']:.2f} s"),
        ("mean all-reduce", f"{step_ms:.2f} ms for {job['gradient']['bytes'] / 1024:.0f} KiB"),
        ("all-reduce goodput", f"{format_rate(job['goodput_bps'])} per worker"),
        ("fragments", f"{fragments['total']}"),
        ("  completed in the switch", f"{100 * fragments['switch_share']:.2f} %"),
        ("  completed by the PS", f"{100 * fragments['server_share']:.2f} %"),
        ("CPU busy", f"{100 * record['cpu']['busy_share']:.0f} % of {record['machine']['cpus']}"),
    ):
        rows.add_row(name, value)
    return rows


def _links(record: Mapping[str, Any]) -> Table:
    rows = table([
        ("link", "left"), ("packets →", "right"), ("MiB →", "right"),
        ("packets ←", "right"), ("MiB ←", "right"),
    ])  # fmt: skip
    by_link: dict[str, list[Mapping[str, Any]]] = {}
    for usage in record["links"]:
        by_link.setdefault(usage["link"], []).append(usage)
    for name, (there, back) in by_link.items():
        rows.add_row(
            name, str(there["packets"]), f"{there['bytes'] / _MIB:.2f}",
            str(back["packets"]), f"{back['bytes'] / _MIB:.2f}",
        )  # fmt: skip
    return rows
