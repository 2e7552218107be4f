# SPDX-License-Identifier: MIT
"""Measurements of a forwarding process.

Two cores are shared by the load generator and the switch, so a single number
would measure their quarrel as much as the switch.  Therefore three views:

* **drain**: the process is stopped, its receive rings are filled, it is let go;
  packets per second until the last frame is out.  The generator is silent.
* **live**: the generator sends at the same time, with a window of frames on
  their way as hosts have; packets per second that come out, and processor time per packet.
* **latency**: one frame at a time into a switch that sleeps.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from inca.bench.namespace import BenchError, Link, received
from inca.bench.targets import Target
from inca.bench.tools import blast, probe

DRAIN_ROUNDS = 15
WINDOW = 2048
"""Less than what the receive rings hold: nothing is lost."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Figures of one process in one round."""

    drain_pps: float | None
    """None when the process cannot hold a full set of frames."""
    live_pps: float
    cpu_ns: float
    """Processor time per forwarded packet under live load."""


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and range of several figures."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one value."""
        return cls(statistics.median(values), min(values), max(values))

    def __truediv__(self, other: Spread) -> float:
        return self.median / other.median


def drain(target: Target, links: Sequence[Link], frames: Path, count: int) -> float:
    """Packets per second of one full set of rings; every frame sent must come out."""
    load = tuple(link.load for link in links)
    target.pause()
    before = received(load)
    sent, _ = blast(frames, load, count=count)
    started = time.perf_counter()
    target.go_on()
    deadline = started + 10
    while (forwarded := received(load) - before) < sent:
        if time.perf_counter() > deadline:
            raise BenchError(f"{target.name}: only {forwarded} of {sent} frames came out")
    return sent / (time.perf_counter() - started)


def live(
    target: Target, links: Sequence[Link], frames: Path, seconds: float
) -> tuple[float, float]:
    """Packets per second that come out under full load, and processor nanoseconds for each."""
    load = tuple(link.load for link in links)
    before, cpu = received(load), target.cpu_seconds()
    _, elapsed = blast(frames, load, seconds=seconds, window=WINDOW)
    forwarded = received(load) - before
    _settle(load)
    total = max(1, received(load) - before)
    return forwarded / elapsed, (target.cpu_seconds() - cpu) * 1e9 / total


def _settle(interfaces: tuple[str, ...]) -> None:
    """Wait until no more frames come."""
    last = -1
    while (current := received(interfaces)) != last:
        last = current
        time.sleep(0.02)


def sample(
    target: Target, links: Sequence[Link], frames: Path, count: int, seconds: float
) -> Sample:
    """One round of drain and live load."""
    drained = None
    if target.rings_hold:
        drain(target, links, frames, count)  # caches, page faults
        rates = [drain(target, links, frames, count) for _ in range(DRAIN_ROUNDS)]
        drained = statistics.median(rates)
    forwarded, cpu = live(target, links, frames, seconds)
    return Sample(drained, forwarded, cpu)


def latency(links: Sequence[Link], frame: bytes, count: int) -> list[int]:
    """Nanoseconds from port 1 to port 2, sorted; frames that got lost are an error."""
    times = sorted(probe(links[0].load, links[1].load, frame, count))
    if times[0] < 0:
        raise BenchError(f"latency: {sum(t < 0 for t in times)} of {count} frames got lost")
    return times


def percentile(ordered: Sequence[int], share: float) -> int:
    """The value below which ``share`` of the sorted values lie."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
