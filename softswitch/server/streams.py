# SPDX-License-Identifier: MIT
"""The sending side of a StreamChannel: one queue per client."""

from __future__ import annotations

import itertools
import queue
import threading
from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.server.errors import ERROR_SPACE, P4RuntimeError

# Messages that wait for a client that doesn't read; what comes then is dropped and counted.
MAX_WAITING = 8192

_numbers = itertools.count(1)


class Stream:
    """A connected client.  Threads `send`, the stream's own thread iterates."""

    def __init__(self, peer: str = "") -> None:
        self.number = next(_numbers)
        self.peer = peer
        self.dropped = 0
        self.closed = threading.Event()
        self.error: P4RuntimeError | None = None
        self._queue: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def send(self, *, important: bool = False, **update: Any) -> bool:
        """Queue a StreamMessageResponse; False when too many wait (never so if `important`)."""
        if self.closed.is_set():
            return False
        if not important and self._queue.qsize() >= MAX_WAITING:
            self.dropped += 1
            return False
        self._queue.put(p4r.StreamMessageResponse(**update))
        return True

    def send_error(self, error: P4RuntimeError, **details: Any) -> None:
        """Report a bad message of the client (spec, 16.6)."""
        self.send(
            error=p4r.StreamError(
                canonical_code=error.code,
                message=error.message,
                space=ERROR_SPACE,
                code=error.code,
                **details,
            )
        )

    def close(self, error: P4RuntimeError | None = None) -> None:
        """End the stream, after what waits, with an error if there is one; idempotent."""
        if not self.closed.is_set():
            self.error = error
            self.closed.set()
            self._queue.put(None)

    def __iter__(self) -> Iterator[Any]:
        while (message := self._queue.get()) is not None:
            yield message
