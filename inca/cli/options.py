# SPDX-License-Identifier: MIT
"""Options that several commands share."""

from __future__ import annotations

import click

target = click.option(
    "--target",
    type=click.Choice(["softswitch", "bmv2"]),
    default="softswitch",
    show_default=True,
    help="The embedded P4 target, or the machine's p4c and simple_switch_grpc.",
)

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")

network = click.option(
    "--network",
    type=int,
    help="Number of the network, when several run [default: the newest of this checkout].",
)
