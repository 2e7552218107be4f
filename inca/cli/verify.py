# SPDX-License-Identifier: MIT
"""``inca verify``: model-check the programs and agents that run."""

from __future__ import annotations

from pathlib import Path

import click

from inca.cli import options


class Budget(click.ParamType[int]):
    """A number of faults, or ``any``."""

    name = "number|any"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> int:
        """Parse."""
        from verification.model import UNLIMITED

        if value in ("any", UNLIMITED):
            return UNLIMITED
        if not str(value).isdigit() or int(str(value)) >= UNLIMITED:
            self.fail(f"{value!r} is not a number from 0 to {UNLIMITED - 1} or 'any'", param, ctx)
        return int(str(value))


def _reorder(ctx: click.Context, param: click.Parameter, value: str) -> str | int:
    if value in ("none", "any"):
        return value
    if not value.isdigit() or int(value) > 14:
        raise click.BadParameter("give none, any, or how often in all (0 to 14)")
    return int(value)


def _settings(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> dict[str, int]:
    made = {}
    for item in value:
        name, _, number = item.partition("=")
        if not number.isdigit():
            raise click.BadParameter(f"{item!r}: give NAME=NUMBER")
        made[name] = int(number)
    return made


def _faults(function: click.decorators.FC) -> click.decorators.FC:
    for name, what in reversed(
        (
            ("loss", "packets lost"),
            ("duplicate", "packets duplicated"),
            ("timeout", "timers that fire early"),
            ("reboot", "switch reboots"),
            ("crash", "crashes of a parameter server"),
            ("link", "links that go down"),
            ("other", "further faults of the system"),
        )
    ):
        function = click.option(
            f"--{name}", type=Budget(), default=0, show_default=True, help=f"How many {what}."
        )(function)
    return function


@click.command("verify")
@click.argument("system", required=False)
@_faults
@click.option(
    "--reorder",
    default="none",
    show_default=True,
    callback=_reorder,
    help="none, any, or how often a packet may overtake others.",
)
@click.option(
    "--capacity", type=click.IntRange(0), default=0, help="Packets per link; 0: no limit."
)
@click.option("--workers", type=click.IntRange(1), help="Workers of the system.")
@click.option("--set", "settings", multiple=True, callback=_settings, help="NAME=NUMBER: options.")
@click.option("--seconds", type=float, default=600.0, show_default=True, help="Time bound.")
@click.option("--states", type=int, default=20_000_000, show_default=True, help="State bound.")
@click.option("--no-reduction", is_flag=True, help="Search without symmetry and other reductions.")
@click.option(
    "--export",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write a counterexample to this folder: text, pytest, and packets as pcap and STF.",
)
@click.option("--list", "listing", is_flag=True, help="List the systems.")
@options.as_json
def command(
    system: str | None,
    reorder: str | int,
    capacity: int,
    workers: int | None,
    settings: dict[str, int],
    seconds: float,
    states: int,
    no_reduction: bool,
    export: Path | None,
    listing: bool,
    as_json: bool,
    **budgets: int,
) -> int:
    """Check SYSTEM in all runs that the given faults allow; without SYSTEM, the standard set.

    Exit code 0: holds; 1: violated (the shortest trace is printed); 3: not established, because a
    bound was reached. The standard set fails when any verdict is not the expected one.
    """
    from inca.verify import Request, list_systems, run_one, run_standard
    from verification.explorer import Limits, Reductions
    from verification.model import Environment

    limits = Limits(states=states, seconds=seconds)
    if listing:
        return list_systems()
    if system is None:
        return run_standard(limits, as_json=as_json)
    chosen: dict[str, int] = settings if workers is None else {**settings, "workers": workers}
    request = Request(
        system=system,
        options=chosen,
        environment=Environment(reorder=reorder, capacity=capacity, **budgets),  # type: ignore[arg-type]
        limits=limits,
        reductions=Reductions.none() if no_reduction else Reductions(),
    )
    return run_one(request, folder=export, as_json=as_json)
