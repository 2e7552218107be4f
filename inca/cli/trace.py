# SPDX-License-Identifier: MIT
"""``inca trace``: the way of packets through a program."""

from __future__ import annotations

from pathlib import Path

import click

from inca.cli import options

_PATH = click.Path(exists=True, dir_okay=False, path_type=Path)


class InPacket(click.ParamType[tuple[int, bytes]]):
    """``PORT:HEX``."""

    name = "port:hex"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, bytes]:
        """Parse."""
        port, _, digits = str(value).partition(":")
        try:
            return int(port), bytes.fromhex(digits)
        except ValueError:
            self.fail(f"{str(value)!r} is not PORT:HEX, for example 1:ffffffffffff", param, ctx)


@click.command("trace")
@click.argument("program", type=_PATH)
@click.argument("packets", type=InPacket(), nargs=-1, metavar="[PORT:HEX]...")
@click.option("--stf", type=_PATH, help="Run this packet test first: it fills the tables.")
@click.option("-D", "defines", multiple=True, help="NAME[=VALUE] for the preprocessor.")
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of the switch.")
@options.as_json
def command(
    program: Path,
    packets: tuple[tuple[int, bytes], ...],
    stf: Path | None,
    defines: tuple[str, ...],
    seed: int,
    as_json: bool,
) -> None:
    """Print what PROGRAM does with packets: parser states, tables, actions, registers, copies.

    Each line names the place in the P4 source. The packets of --stf are traced, too.
    """
    from inca.trace import run

    run(program, packets, stf, defines, seed, as_json=as_json)
