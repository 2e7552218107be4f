# SPDX-License-Identifier: MIT
"""The C helpers of the benchmarks: the bare forwarding loop, the load generator, the probe."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Iterable, Sequence
from pathlib import Path

from inca.bench.namespace import BenchError
from softswitch.device.native import RUNTIME, build

NATIVE = Path(__file__).parent / "native"
FLAGS = [
    *("-std=c11", "-D_GNU_SOURCE", "-O2", "-pthread", f"-I{RUNTIME}"),
    *("-Wall", "-Wextra", "-Wshadow", "-Werror"),
]


def tool(name: str) -> Path:
    """Path of a helper, compiled when needed."""
    sources = [NATIVE / f"{name}.c"]
    if name == "bare_loop":
        sources.append(RUNTIME / "device_ring.c")
    return build(sources, name, FLAGS, [RUNTIME / "device_ring.h"])


def write_frames(path: Path, frames: Iterable[tuple[int, bytes]]) -> Path:
    """A file for ``blast``: frames, each with the index of the interface to send it from."""
    with path.open("wb") as out:
        for interface, frame in frames:
            out.write(struct.pack("=HH", interface, len(frame)) + frame)
    return path


def blast(
    frames: Path,
    interfaces: Sequence[str],
    *,
    count: int = 0,
    seconds: float = 0.0,
    window: int = 0,
) -> tuple[int, float]:
    """Send frames as fast as possible; return how many were sent, and in how many seconds.

    ``window`` (0: none) bounds how many frames are on their way at a time.
    """
    limits = [str(count), str(seconds), str(window)]
    command = [str(tool("blast")), str(frames), *limits, *interfaces]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise BenchError(done.stderr.strip() or "blast: failed")
    sent, elapsed = done.stdout.split()
    return int(sent), float(elapsed)


def probe(source: str, sink: str, frame: bytes, count: int, gap_us: int = 200) -> list[int]:
    """Nanoseconds that each of ``count`` single frames took from ``source`` to ``sink``."""
    done = subprocess.run(
        [str(tool("probe")), source, sink, str(count), str(gap_us)],
        input=frame,
        capture_output=True,
        check=False,
    )
    if done.returncode != 0:
        raise BenchError(done.stderr.decode().strip() or "probe: failed")
    return [int(word) for word in done.stdout.split()]
