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


class Blast:
    """The load generator as a process: ``start``, then ``finish``.

    It sends as fast as the kernel takes frames, at most ``count`` (0: no limit) for at most
    ``seconds`` (0: no limit); ``window`` (0: none) bounds how many are on their way at a time.
    """

    def __init__(
        self,
        frames: Path,
        interfaces: Sequence[str],
        *,
        count: int = 0,
        seconds: float = 0.0,
        window: int = 0,
    ) -> None:
        limits = [str(count), str(seconds), str(window)]
        self._process = subprocess.Popen(
            [str(tool("blast")), str(frames), *limits, *interfaces],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def running(self) -> bool:
        """True until it has sent all."""
        return self._process.poll() is None

    def finish(self) -> tuple[int, float]:
        """Wait for it; frames sent, and in how many seconds."""
        out, errors = self._process.communicate()
        if self._process.returncode != 0:
            raise BenchError(errors.strip() or "blast: failed")
        sent, elapsed = out.split()
        return int(sent), float(elapsed)

    def abort(self) -> None:
        """End it early."""
        if self.running():
            self._process.kill()
        self._process.communicate()


def blast(
    frames: Path,
    interfaces: Sequence[str],
    *,
    count: int = 0,
    seconds: float = 0.0,
    window: int = 0,
) -> tuple[int, float]:
    """Run the load generator to its end; frames sent, and in how many seconds."""
    run = Blast(frames, interfaces, count=count, seconds=seconds, window=window)
    try:
        return run.finish()
    finally:
        run.abort()


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
