# SPDX-License-Identifier: MIT
"""``inca sniff``: decode live traffic of a host or a switch."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from inca import running
from inca.cli import options
from topologies import NetworkError


@click.command("sniff")
@click.argument("node")
@click.option("-c", "--count", type=click.IntRange(1), help="Stop after so many packets.")
@click.option("--all", "every", is_flag=True, help="Other packets than the project's too.")
@click.option("-v", "--full", is_flag=True, help="Every field of every layer.")
@click.option("-w", "--pcap", type=click.Path(path_type=Path), help="Also write a capture file.")
@options.network
@options.as_json
def command(
    node: str,
    count: int | None,
    every: bool,
    full: bool,
    pcap: Path | None,
    network: int | None,
    as_json: bool,
) -> None:
    """Decode the traffic of NODE, a running host or switch, until Ctrl-C.

    --json prints one JSON object a line.
    """
    if os.geteuid() != 0:
        raise NetworkError("sniffing needs root: run the command with sudo")
    words = [sys.executable, "-m", "inca.sniff", *_interfaces(node, network)]
    for flag, chosen in (("--all", every), ("--full", full), ("--json", as_json)):
        words += [flag] if chosen else []
    words += ["--count", str(count)] if count else []
    words += ["--pcap", str(pcap)] if pcap else []
    os.execvp(words[0], words)


def _interfaces(node: str, network: int | None) -> list[str]:
    """A switch's ports; of a host, the switch's end of its link.

    At the host's own end the kernel does not show what agents send: they bypass its queues.
    """
    if node in running.names("switches", network):
        interfaces: list[str] = running.switch(node, network)["interfaces"]
        return interfaces
    return [running.host(node, network)["interface"]]
