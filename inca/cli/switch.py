# SPDX-License-Identifier: MIT
"""``inca switch``: run the embedded switch with simple_switch_grpc's options."""

from __future__ import annotations

import click


@click.command(
    "switch",
    context_settings={"ignore_unknown_options": True, "help_option_names": []},
    add_help_option=False,
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Run a P4 switch with a P4Runtime server; takes simple_switch_grpc's options."""
    from softswitch.server.options import parse
    from softswitch.server.process import run

    run(parse(arguments, prog="inca switch"))
    return 0
