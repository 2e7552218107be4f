# SPDX-License-Identifier: MIT
"""The one place where errors become a line on the terminal and an exit code."""

from __future__ import annotations

import os
import sys
import tempfile
import traceback

import click

_OUR_PACKAGES = frozenset(
    {"softswitch", "hosts", "controller", "topologies", "verification", "inca"}
)
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class CommandError(Exception):
    """A command cannot do what it was asked; the text says what, where and what to do."""


def report(error: BaseException) -> int:
    """Print an error as one line on standard error; return the exit code."""
    if isinstance(error, SystemExit):
        return error.code if isinstance(error.code, int) else EXIT_FAILED
    if isinstance(error, KeyboardInterrupt | click.Abort):
        _say("interrupted")
        return EXIT_INTERRUPTED
    if os.environ.get("INCA_DEBUG"):
        traceback.print_exception(error)
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx else "inca"
        _say(f"{_one_line(error.format_message())} (see {where} --help)")
        return EXIT_USAGE
    if isinstance(error, click.ClickException):
        _say(_one_line(error.format_message()))
        return error.exit_code
    if type(error).__module__.partition(".")[0] in _OUR_PACKAGES:
        _say(str(error))
        return EXIT_FAILED
    if isinstance(error, PermissionError):
        _say(f"{_describe(error)}: run as root")
        return EXIT_FAILED
    if isinstance(error, BrokenPipeError):
        # The reader of our output went away (inca ... | head): nothing to tell it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_FAILED
    if isinstance(error, OSError):
        _say(_describe(error))
        return EXIT_FAILED
    return _internal(error)


def _say(text: str) -> None:
    click.secho("error", fg="red", bold=True, err=True, nl=False)
    click.echo(f": {text}", err=True)


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(".")


def _describe(error: OSError) -> str:
    what = error.strerror or str(error)
    return f"{error.filename}: {what}" if error.filename else what


def _internal(error: BaseException) -> int:
    handle, path = tempfile.mkstemp(prefix="inca-", suffix=".traceback", text=True)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        traceback.print_exception(error, file=file)
    _say(
        f"internal error: {type(error).__name__}: {_one_line(str(error))}: "
        f"please report it with {path}"
    )
    return EXIT_FAILED
