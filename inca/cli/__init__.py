# SPDX-License-Identifier: MIT
"""The ``inca`` command: subcommands are imported only when they are called.

A subcommand is a module of this package with a click command named
``command``; `_COMMANDS` gives its line in ``inca --help``.
"""

from __future__ import annotations

import importlib
import sys
from difflib import get_close_matches
from importlib.metadata import version

import click

from inca.cli.boundary import report

_COMMANDS = {
    "bench": "Measure the embedded switch against a bare forwarding loop.",
    "aggregators": "List the aggregator slots of a running switch.",
    "bench-agents": "Measure the host agents: packets per second, all-reduce goodput.",
    "build": "Compile the project's P4 programs into build/.",
    "collective": "Run collectives of a group of hosts in the switches, and check them.",
    "compile": "Compile one P4_16 program to BMv2 JSON and P4Info.",
    "doctor": "Say what is missing on this machine, and how to get it.",
    "lcmp": "Compare cost-aware multipath between datacenters with its baselines.",
    "plot": "Make the plots of a run again, from its record.",
    "run": "Train a model through the in-network aggregator.",
    "shell": "Open p4runtime-shell on a running switch.",
    "sniff": "Decode live traffic of a host or a switch.",
    "status": "Name stuck fragments of running jobs, and who is missing.",
    "soak": "Forward packets under table writes and pipeline swaps, and check the books.",
    "stf": "Run packet tests from text files.",
    "stop": "End the networks that this checkout started.",
    "switch": "Run the embedded switch; takes the options of simple_switch_grpc.",
    "topo": "Bring networks up, list and describe them.",
    "trace": "Print the way of packets through a program, with source lines.",
    "verify": "Model-check the programs and agents that run.",
}


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names, in alphabetical order."""
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, importing its module."""
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"inca.cli.{cmd_name.replace('-', '_')}")
        command = module.command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command, or say which name comes closest."""
        if args and not args[0].startswith("-") and args[0] not in _COMMANDS:
            close = get_close_matches(args[0], _COMMANDS, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "see inca --help"
            ctx.fail(f"no command {args[0]!r}: {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


@click.command(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("inca"), prog_name="inca")
def inca() -> None:
    """In-network collectives and aggregation on P4 switches."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command; every error ends here, as one line and an exit code."""
    try:
        result = inca.main(arguments, prog_name="inca", standalone_mode=False)
    except BaseException as error:
        sys.exit(report(error))
    sys.exit(result if isinstance(result, int) else 0)
