# SPDX-License-Identifier: MIT
"""Errors of the engine; the text of each is one line: what, where, what to do."""

from __future__ import annotations


class EngineError(Exception):
    """Base class of everything that the engine raises on purpose."""


class ConfigError(EngineError):
    """The BMv2 JSON is broken or needs something that is not supported.

    ``where`` is the path inside the document, e.g. ``parsers[0].parse_states[2]``.
    """

    def __init__(self, where: str, what: str) -> None:
        self.where = where
        self.what = what
        super().__init__(f"{where}: {what}" if where else what)


class BuildError(EngineError):
    """The C compiler is missing or did not accept the generated code."""


class WriteError(EngineError, ValueError):
    """A control-plane write was refused; nothing was changed."""


class NotFoundError(WriteError, LookupError):
    """No object, entry, member, group or session of this name or number."""


class ExistsError(WriteError):
    """An entry with this match and priority, or a member with this id, is already there."""


class FullError(WriteError):
    """The table or profile holds as many entries as its size allows."""


class ConstError(WriteError):
    """Constant entries or a constant default action cannot be changed."""


class InUseError(WriteError):
    """A member or group that table entries still point to."""


class InvalidError(WriteError):
    """A value, mask, index or length out of range."""


class ActionError(WriteError):
    """The action is not in the list of this table or profile."""


class PacketAssertError(EngineError):
    """assert() or assume() of the P4 program failed while a packet was processed."""
