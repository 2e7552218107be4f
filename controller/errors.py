# SPDX-License-Identifier: MIT
"""Errors of this package: one line each, saying what, where and what to do."""

from __future__ import annotations


class ControllerError(Exception):
    """Something the controller was asked to do cannot be done, or failed.

    Args:
        what: what went wrong.
        where: a switch, host or job; empty if it is the whole network.
        hint: what to do about it.
    """

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        self.what = what
        self.where = where
        self.hint = hint
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}: {hint}" if hint else text)


class SwitchUnavailableError(ControllerError):
    """A switch does not answer, or went away."""


class WriteError(ControllerError):
    """A switch refused an update."""


class NotPrimaryError(WriteError):
    """Another controller of higher election id has the right to write at present."""


class ProgramError(ControllerError):
    """The program on a switch is not the one a request needs."""


class JobRejectedError(ControllerError):
    """A job does not fit: the text says which limit, and what is in its way."""


class PeekTimeoutError(ControllerError):
    """A switch did not answer PEEK or FLUSH packets."""


class GroupRejectedError(ControllerError):
    """A request for a group is wrong. (One that only lacks room gets number 0.)"""
