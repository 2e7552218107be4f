# SPDX-License-Identifier: MIT
"""Errors of this package: one line each, saying what, where and what to do."""

from __future__ import annotations

from pathlib import Path


class TopologyError(ValueError):
    """A topology description is wrong.

    Args:
        message: what is wrong.
        source: the file, when the description came from one.
        key: where in the document, for example ``links[2]``.
        hint: what to do about it.
    """

    def __init__(
        self, message: str, *, source: Path | None = None, key: str = "", hint: str = ""
    ) -> None:
        self.message = message
        self.source = source
        self.key = key
        self.hint = hint
        where = ": ".join(str(part) for part in (source, key) if part)
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text}: {hint}" if hint else text)


class NetworkError(RuntimeError):
    """A network could not be brought up, or something in it has died."""
