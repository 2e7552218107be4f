# SPDX-License-Identifier: MIT
"""What finsy says: a log file per switch, and the failures it tells nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
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


class FailureWatch(logging.Handler):
    """Calls back when a switch's task has failed.

    finsy logs the exception and tries again for ever; without this, a program that a switch
    refuses would look like a switch that does not answer.
    """

    def __init__(self, failed: Callable[[str, BaseException], None]) -> None:
        super().__init__(logging.CRITICAL)
        self._failed = failed
        logging.getLogger("finsy").addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        """Pass on switch name and exception; other records are not ours."""
        error = record.exc_info[1] if record.exc_info else None
        task = record.args[0] if isinstance(record.args, tuple) and record.args else ""
        if error is not None and isinstance(task, str) and task.startswith("fy:"):
            self._failed(task.removeprefix("fy:").partition("|")[0], error)

    def close(self) -> None:
        """Stop watching."""
        logging.getLogger("finsy").removeHandler(self)
        super().close()
