# SPDX-License-Identifier: MIT
"""``inca shell``: p4runtime-shell on a running switch."""

from __future__ import annotations

import os

import click

from inca import running
from inca.cli import options
from inca.cli.boundary import CommandError
from inca.paths import ROOT

_PYTHON = ROOT / ".venv-shell" / "bin" / "python"


@click.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("switch")
@click.option("--election-id", default="0,1", show_default=True, help="HIGH,LOW of arbitration.")
@options.network
@click.argument("arguments", nargs=-1)
def command(switch: str, election_id: str, network: int | None, arguments: tuple[str, ...]) -> None:
    """Open p4runtime-shell on the running SWITCH; further ARGUMENTS are passed on to it.

    It has an environment of its own: its pins clash with current grpcio and protobuf.
    """
    if not _PYTHON.exists():
        raise CommandError("p4runtime-shell is not installed: tools/setup shell installs it")
    where = running.switch(switch, network)
    # fmt: off
    words = [
        str(_PYTHON), "-m", "p4runtime_sh", "--grpc-addr", where["grpc"],
        "--device-id", str(where["device_id"]), "--election-id", election_id, *arguments,
    ]
    # fmt: on
    os.execv(words[0], words)
