# SPDX-License-Identifier: MIT
"""When to look whether a table entry has become idle (P4Runtime spec, 9.1.9 and 16.4).

No clocks and no threads: time is an argument, in nanoseconds.
"""

from __future__ import annotations

import heapq
import itertools
from typing import NamedTuple

from softswitch.server.state import EntryKey

# Shorter timeouts are treated as this one.
SHORTEST_NS = 10_000_000


class Watch(NamedTuple):
    """An entry to look at; `timer` tells it from later ones with the same key."""

    deadline_ns: int
    timer: int
    table_id: int
    key: EntryKey


class IdleTimers:
    """A heap of entries by the time at which each could be idle at the earliest.

    Entries that were deleted or modified meanwhile stay in the heap until their time comes; the
    owner finds that they are gone and drops them.
    """

    def __init__(self) -> None:
        self._heap: list[Watch] = []
        self._numbers = itertools.count(1)

    def start(self, table_id: int, key: EntryKey, ttl_ns: int, now_ns: int) -> int:
        """Watch an entry from now on; return the number of the timer."""
        timer = next(self._numbers)
        self.schedule(Watch(now_ns + max(ttl_ns, SHORTEST_NS), timer, table_id, key))
        return timer

    def schedule(self, watch: Watch) -> None:
        """Look at an entry at its deadline."""
        heapq.heappush(self._heap, watch)

    def next_deadline(self) -> int | None:
        """When the next entry has to be looked at."""
        return self._heap[0].deadline_ns if self._heap else None

    def take_due(self, now_ns: int) -> list[Watch]:
        """Remove and return the entries whose time has come."""
        due = []
        while self._heap and self._heap[0].deadline_ns <= now_ns:
            due.append(heapq.heappop(self._heap))
        return due
