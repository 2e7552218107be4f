# SPDX-License-Identifier: MIT
"""``inca stop``: end running networks, and clear what crashed ones left."""

from __future__ import annotations

import click

from inca.paths import ROOT
from topologies import state


@click.command("stop")
@click.option("--all", "every", is_flag=True, help="Networks of other checkouts too.")
def command(every: bool) -> None:
    """End the networks that this checkout started; clear what crashed ones left."""
    left_over = state.sweep()
    for network in left_over:
        click.echo(f"cleared what network {network.number} ({network.topology}) had left")
    living = [n for n in state.running() if every or n.checkout == str(ROOT)]
    for network in living:
        state.stop(network)
        click.echo(f"stopped network {network.number} ({network.topology})")
    if not living and not left_over:
        click.echo("no network is running")
