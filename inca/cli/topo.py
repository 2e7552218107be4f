# SPDX-License-Identifier: MIT
"""``inca topo``: list and describe topologies, and bring networks up."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

import topologies
from inca import programs
from inca.cli import options
from inca.cli.output import console, print_json, table
from inca.cli.signals import ending_cleanly
from inca.paths import LOGS, PCAPS, shown
from topologies.model import FAULTS
from topologies.units import format_delay, format_rate


@click.group("topo")
def command() -> None:
    """List and describe topologies, and bring networks up."""


@command.command("list")
@options.as_json
def list_(as_json: bool) -> None:
    """List the topologies that ship with the project."""
    found = [topologies.load(name) for name in topologies.names()]
    if as_json:
        keys = ("hosts", "switches", "links")
        print_json([{"name": t.name, **{k: len(getattr(t, k)) for k in keys}} for t in found])
        return
    rows = table([("name", "left"), ("hosts", "right"), ("switches", "right"), ("links", "right")])
    for t in found:
        rows.add_row(t.name, str(len(t.hosts)), str(len(t.switches)), str(len(t.links)))
    console().print(rows)


@command.command("show")
@click.argument("topology")
def show(topology: str) -> None:
    """Describe TOPOLOGY, a shipped name or a path."""
    chosen = topologies.load(topology)
    hosts = table([("host", "left"), ("role", "left"), ("ip", "left"), ("mac", "left")])
    for host in chosen.hosts:
        hosts.add_row(host.name, host.role, str(host.interface), host.mac)
    links = table(
        [
            ("link", "left"),
            ("rate", "right"),
            ("delay", "right"),
            ("queue", "right"),
            ("faults", "left"),
        ]
    )
    for link in chosen.links:
        model = link.model
        faults = [f"{name} {getattr(model, name):.3g}" for name in FAULTS if getattr(model, name)]
        links.add_row(
            link.name,
            format_rate(model.rate_bps) if model.rate_bps else "-",
            format_delay(model.delay_us) if model.delay_us else "-",
            str(model.queue_packets or "-"),
            ", ".join(faults) or "-",
        )
    console().print(hosts, links)


@command.command("up")
@click.argument("topology")
@options.target
@click.option(
    "--program",
    default="esa",
    show_default=True,
    help="P4 program for every switch: a name of p4src/ or a path; 'none' loads none.",
)
@click.option("--pcap", is_flag=True, help="Capture every switch port into pcaps/.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of link faults.")
def up(topology: str, target: str, program: str, pcap: bool, seed: int) -> None:
    """Bring TOPOLOGY up with a Mininet prompt; Ctrl-D takes it down.

    The project's programs get routes to all hosts; the tables of a program of your own stay empty,
    for your controller to fill. Without a terminal, commands are read from standard input.
    """
    chosen = topologies.load(topology)
    compiled = None if program == "none" else programs.build(program, target)
    choices = topologies.NetworkOptions(logs=LOGS, pcaps=PCAPS if pcap else None, seed=seed)
    with ending_cleanly(), topologies.Network(chosen, target, choices) as network:
        if compiled is not None:
            _load(network, compiled)
        _announce(network)
        _prompt(network)


def _load(network: topologies.Network, program: programs.CompiledProgram) -> None:
    from controller import JobBook
    from inca import control

    control.load(network, program, JobBook(network.topology).states())


def _announce(network: topologies.Network) -> None:
    rows = table(
        [("switch", "left"), ("P4Runtime", "left"), ("device id", "right"), ("log", "left")]
    )
    for switch in network.switches.values():
        rows.add_row(
            switch.name, switch.grpc_address, str(switch.device_id), shown(Path(switch.log))
        )
    console().print(rows)
    console().print(f"network {network.number}; logs in {shown(network.options.logs)}/")


def _prompt(network: topologies.Network) -> None:
    from mininet.cli import CLI
    from mininet.log import lg, setLogLevel

    setLogLevel("output")
    for handler in lg.handlers:  # standard error unless told otherwise
        handler.setStream(sys.stdout)
    if sys.stdin.isatty():
        CLI(network.mininet)
        return
    # Mininet would feed what follows a command to that command; let it read commands as a script,
    # with a standard input that never has anything.
    reading, writing = os.pipe()
    with os.fdopen(reading) as silent, os.fdopen(writing, "w"):
        CLI(network.mininet, stdin=silent, script="/dev/stdin")
