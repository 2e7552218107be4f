# SPDX-License-Identifier: MIT
"""Writes the way of packets through a running switch to a file (`--trace FILE`)."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TextIO

from softswitch.server.core import Core

_PERIOD_S = 0.1


class Tracer:
    """Takes the trace of the running program out of the switch now and then."""

    def __init__(self, core: Core, path: Path) -> None:
        self._core = core
        self._file: TextIO = path.open("w", encoding="utf-8")
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="trace", daemon=True)

    def start(self) -> None:
        """Start writing."""
        self._thread.start()

    def stop(self) -> None:
        """Write what is left and close the file."""
        self._stopping.set()
        self._thread.join()
        self._take()
        self._file.close()

    def _run(self) -> None:
        while not self._stopping.wait(_PERIOD_S):
            self._take()

    def _take(self) -> None:
        with self._core.lock:
            context = self._core.active
            if context is None:
                return
            events = context.engine.take_trace()
        for event in events:
            self._file.write(f"{event.kind}\t{event.text}\t{event.source}\n")
        self._file.flush()
