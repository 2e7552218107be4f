# SPDX-License-Identifier: MIT
"""A log file per switch: what finsy and the controller say about it, requests included."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

_LOGGERS = ("finsy", "inca.controller")


class SwitchLogs:
    """Handlers that sort log records by the switch named in front of them.

    finsy puts the task's name, which starts with the switch's, in brackets before each message.
    """

    def __init__(self, folder: Path, switches: Iterable[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handlers = [self._handler(folder, name) for name in switches]
        self._levels = {name: logging.getLogger(name).level for name in _LOGGERS}
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(logging.INFO)
            for handler in self._handlers:
                logger.addHandler(handler)

    def close(self) -> None:
        """Remove the handlers and close the files."""
        for name in _LOGGERS:
            logger = logging.getLogger(name)
            logger.setLevel(self._levels[name])
            for handler in self._handlers:
                logger.removeHandler(handler)
        for handler in self._handlers:
            handler.close()

    @staticmethod
    def _handler(folder: Path, switch: str) -> logging.Handler:
        handler = logging.FileHandler(folder / f"{switch}-controller.log", delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        marks = (f"[{switch}]", f"[{switch}|")
        handler.addFilter(lambda record: record.getMessage().startswith(marks))
        return handler
