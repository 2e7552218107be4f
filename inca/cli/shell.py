# SPDX-License-Identifier: MIT
"""``inca shell``: p4runtime-shell on a running switch."""

from __future__ import annotations

import os
from typing import Any

import click

from inca import running
from inca.cli import options
from inca.cli.boundary import CommandError
from inca.paths import ROOT

_PYTHON = ROOT / ".venv-shell" / "bin" / "python"


@click.command("shell", context_settings={"ignore_unknown_options": True})
@click.argument("switch")
@click.option(
    "--election-id",
    help="HIGH,LOW of arbitration.  [default: that of the last controller when it has gone, so "
    "that the shell may write; 0,1 while one is connected]",
)
@options.network
@click.argument("arguments", nargs=-1)
def command(
    switch: str, election_id: str | None, network: int | None, arguments: tuple[str, ...]
) -> None:
    """Open p4runtime-shell on the running SWITCH; further ARGUMENTS are passed on to it.

    It has an environment of its own: its pins clash with current grpcio and protobuf.
    """
    if not _PYTHON.exists():
        raise CommandError("p4runtime-shell is not installed: tools/setup shell installs it")
    where = running.switch(switch, network)
    election_id = election_id or free_election_id(where["grpc"], where["device_id"])
    # fmt: off
    words = [
        str(_PYTHON), "-m", "p4runtime_sh", "--grpc-addr", where["grpc"],
        "--device-id", str(where["device_id"]), "--election-id", election_id, *arguments,
    ]
    # fmt: on
    os.execv(words[0], words)


def free_election_id(address: str, device_id: int) -> str:
    """An election id for the shell, which should not push a running controller aside.

    A switch remembers the highest election id (P4Runtime specification, section 5): with a lower
    one the shell could only read, even when nobody else is connected.
    """
    import grpc
    from finsy.proto import p4r, p4r_grpc

    request = p4r.StreamMessageRequest()
    # Without an election id a client only listens, so that asking changes nothing.
    request.arbitration.device_id = device_id
    with grpc.insecure_channel(address) as channel:
        stub = p4r_grpc.P4RuntimeStub(channel)
        call: Any = stub.StreamChannel(iter([request]), timeout=10)
        try:
            answer = next(call).arbitration
        except grpc.RpcError as error:
            raise CommandError(f"{address}: no answer to arbitration: {error.details()}") from None
    if answer.status.code == grpc.StatusCode.ALREADY_EXISTS.value[0]:
        click.echo(
            "a controller is connected: the shell can read; --election-id takes over", err=True
        )
        return "0,1"
    return f"{answer.election_id.high},{max(answer.election_id.low, 1)}"
