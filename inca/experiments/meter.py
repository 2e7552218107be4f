# SPDX-License-Identifier: MIT
"""How busy the machine was, so that nobody mistakes a slow CPU for a slow network."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

_IDLE_FIELDS = (3, 4)  # idle, iowait: proc_stat(5)


@dataclass(frozen=True)
class CpuTimes:
    """Clock ticks of all cores since the machine started."""

    busy: int
    total: int

    @classmethod
    def now(cls) -> CpuTimes:
        """What the kernel counts at present."""
        fields = [int(f) for f in Path("/proc/stat").read_text().splitlines()[0].split()[1:9]]
        total = sum(fields)
        return cls(total - sum(fields[i] for i in _IDLE_FIELDS), total)

    def busy_share_since(self, before: CpuTimes) -> float:
        """Share of all cores' time that was used, 0 to 1."""
        total = self.total - before.total
        return (self.busy - before.busy) / total if total else 0.0


class Meter:
    """Time and CPU use between its making and `stop`."""

    def __init__(self) -> None:
        self._cpu = CpuTimes.now()
        self._start = time.monotonic()
        self.seconds = 0.0
        self.busy_share = 0.0

    def stop(self) -> None:
        """Take the second reading."""
        self.seconds = time.monotonic() - self._start
        self.busy_share = CpuTimes.now().busy_share_since(self._cpu)
