# SPDX-License-Identifier: MIT
"""Traffic: the published flow files, flow-size distributions, and seeded Poisson arrivals."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt


class TrafficError(ValueError):
    """A flow or distribution file is wrong; the text names file and line."""


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """One flow: host ids, bytes of payload, start in seconds, priority group, port."""

    source: int
    destination: int
    size: int
    start: float
    priority: int = 3
    dport: int = 100


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    data = path.read_bytes()
    with io.StringIO((gzip.decompress(data) if path.suffix == ".gz" else data).decode()) as text:
        for number, line in enumerate(text, 1):
            fields = line.split("#", 1)[0].split()
            if fields:
                yield number, fields


def read_flows(path: Path, hosts: Sequence[int] | None = None) -> list[FlowSpec]:
    """Read a flow file: a count, then ``src dst pg dport bytes start_s`` per line.

    ``hosts`` are the known host ids; an unknown one is an error.
    """
    lines = _lines(path)
    first = next(lines, None)
    if first is None:
        raise TrafficError(f"{path}: empty flow file; the first line must be the number of flows")
    known = None if hosts is None else set(hosts)
    flows = [_flow(path, number, fields, known) for number, fields in lines]
    try:
        declared = int(first[1][0])
    except ValueError:
        raise TrafficError(f"{path}:{first[0]}: expected the number of flows") from None
    if declared != len(flows):
        raise TrafficError(f"{path}:{first[0]}: {declared} flows declared, {len(flows)} found")
    return flows


def _flow(path: Path, number: int, fields: list[str], known: set[int] | None) -> FlowSpec:
    where = f"{path}:{number}"
    try:
        source, destination, priority, dport, size = (int(f) for f in fields[:5])
        start = float(fields[5])
    except (ValueError, IndexError):
        raise TrafficError(f"{where}: expected 'src dst pg dport bytes start_s'") from None
    for host in (source, destination):
        if known is not None and host not in known:
            raise TrafficError(f"{where}: unknown host {host}; the topology does not have it")
    if source == destination or size <= 0 or start < 0:
        raise TrafficError(f"{where}: a flow needs two hosts, bytes > 0 and a start >= 0")
    return FlowSpec(source, destination, size, start, priority, dport)


@dataclass(frozen=True, slots=True)
class SizeDistribution:
    """A flow-size distribution with linear interpolation between its points."""

    sizes: tuple[float, ...]
    percent: tuple[float, ...]

    @classmethod
    def read(cls, path: Path) -> SizeDistribution:
        """Read ``size_bytes cumulative_percent`` lines; percents rise from 0 to 100."""
        rows: list[tuple[float, float]] = []
        for number, fields in _lines(path):
            try:
                size, percent = (float(f) for f in fields)
            except ValueError:
                raise TrafficError(f"{path}:{number}: expected 'bytes percent'") from None
            if rows and (percent < rows[-1][1] or size < rows[-1][0]):
                raise TrafficError(f"{path}:{number}: sizes and percents must not fall")
            rows.append((size, percent))
        if not rows or rows[0][1] != 0 or rows[-1][1] != 100:
            raise TrafficError(f"{path}: percents must run from 0 to 100")
        return cls(tuple(r[0] for r in rows), tuple(r[1] for r in rows))

    def mean(self) -> float:
        """The mean size in bytes."""
        sizes, percent = np.array(self.sizes), np.array(self.percent)
        return float(np.sum((sizes[1:] + sizes[:-1]) / 2 * np.diff(percent)) / 100)

    def sample(self, random: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        """``count`` sizes in bytes, at least 1."""
        drawn = np.interp(random.uniform(0, 100, count), self.percent, self.sizes)
        return np.maximum(drawn.astype(np.int64), 1)


def poisson_flows(
    pairs: Sequence[tuple[int, int]],
    distribution: SizeDistribution,
    *,
    load: float,
    rate_bps: float,
    seconds: float,
    seed: int,
) -> list[FlowSpec]:
    """Poisson arrivals on random pairs over ``seconds``, at ``load`` of ``rate_bps`` in all."""
    if load <= 0 or rate_bps <= 0:
        raise TrafficError("traffic: load and rate must be above zero")
    random = np.random.default_rng(seed)
    per_second = load * rate_bps / 8 / distribution.mean()
    count = int(random.poisson(per_second * seconds))
    starts = np.sort(random.uniform(0, seconds, count))
    sizes = distribution.sample(random, count)
    chosen = random.integers(0, len(pairs), count)
    return [
        FlowSpec(pairs[pair][0], pairs[pair][1], int(size), float(start))
        for pair, size, start in zip(chosen, sizes, starts, strict=True)
    ]
