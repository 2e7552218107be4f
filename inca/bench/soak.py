# SPDX-License-Identifier: MIT
"""``inca soak``: hours in minutes.  Packets, table writes and pipeline swaps at once.

Holds when every frame is accounted for and memory stays flat: frames sent =
received + refused by the full ring; received = sent on + drops by cause;
sent on = arrived at the other ends.
"""

from __future__ import annotations

import gc
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from inca.bench import namespace, workloads
from inca.bench.measure import WINDOW
from inca.bench.namespace import received
from inca.bench.tools import Blast, write_frames
from inca.bench.workloads import Entry, Workload
from inca.programs import compile_program
from softswitch.device import Device, PortConfig
from softswitch.engine import Exact, Lpm, Pipeline

MEMORY_SLACK = 8 << 20
"""Growth in bytes that is noise: allocator arenas, the interpreter."""
CHURN_BASE = 0x0600_0000_0000
CHURN_ENTRIES = 2000


@dataclass
class Soak:
    """What happened; ``faults`` is empty when everything held."""

    seconds: float = 0.0
    frames_sent: int = 0
    frames_forwarded: int = 0
    table_writes: int = 0
    swaps: int = 0
    drops: dict[str, int] = field(default_factory=dict)
    longest_stall_us: float = 0.0
    """The longest time that a table write or a swap kept the packets waiting."""
    memory_start: int = 0
    memory_end: int = 0
    faults: list[str] = field(default_factory=list)


def resident_bytes() -> int:
    """Resident memory of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    return 0


def insert(pipeline: Pipeline, entry: Entry) -> None:
    """Put one entry of a workload into the pipeline."""
    value, prefix = entry.match
    key = Exact(value) if prefix is None else Lpm(value, prefix)
    pipeline.tables[entry.table].insert([key], entry.action, entry.params)


class _Churn:
    """Writes to the tables of the pipeline that runs, and replaces it now and then."""

    def __init__(self, device: Device, config: Path, workload: Workload, seed: int) -> None:
        self._device = device
        self._config = config
        self._workload = workload
        self._random = random.Random(seed)
        self._handles: list[int] = []
        self._pipeline = self.fresh()
        self.writes = 0
        self.swaps = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="churn")
        self.error: BaseException | None = None

    def fresh(self) -> Pipeline:
        """A new pipeline with the workload's entries, running."""
        pipeline = Pipeline.load(self._config)
        for entry in self._workload.entries:
            insert(pipeline, entry)
        self._device.load(pipeline)
        self._handles = []
        return pipeline

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and raise what went wrong."""
        self._stop.set()
        self._thread.join()
        if self.error is not None:
            raise self.error

    def _write(self) -> None:
        table = self._pipeline.tables["BenchIngress.addresses"]
        with self._device.locked():
            if len(self._handles) < CHURN_ENTRIES:
                address = CHURN_BASE + self._random.getrandbits(40)
                self._handles.append(table.insert([Exact(address)], "BenchIngress.forward", [1]))
            else:
                table.delete(self._handles.pop(self._random.randrange(len(self._handles))))
        self.writes += 1

    def _run(self) -> None:
        try:
            while not self._stop.wait(0.02):
                for _ in range(50):
                    self._write()
                if self.writes % 5000 == 0:
                    old, self._pipeline = self._pipeline, self.fresh()
                    old.close()
                    del old
                    gc.collect()  # what the collector can free is no leak
                    self.swaps += 1
        except BaseException as error:
            self.error = error


def run(
    seconds: float, *, seed: int = 1, progress: Callable[[Soak], None] = lambda soak: None
) -> Soak:
    """Soak for that long; ``progress`` is called about once a second."""
    # As the server does: whoever holds the switch's lock gets the interpreter back soon.
    sys.setswitchinterval(0.0005)
    namespace.enter()
    links = namespace.make_links(workloads.PORTS)
    workload = workloads.l2_forward()
    soak = Soak()
    with tempfile.TemporaryDirectory(prefix="inca-soak-") as folder, Device() as device:
        config = Path(folder) / "l2_forward.json"
        compile_program(workload.source, config)
        frames = write_frames(Path(folder) / "frames", workload.frames)
        for number, link in enumerate(links, 1):
            device.add_port(PortConfig(number, link.switch))
        churn = _Churn(device, config, workload, seed)
        device.start()
        churn.start()
        try:
            _send(soak, seconds, frames, [link.load for link in links], churn, progress)
        finally:
            churn.stop()
        _account(soak, device, [link.load for link in links])
    return soak


def _send(
    soak: Soak,
    seconds: float,
    frames: Path,
    interfaces: Sequence[str],
    churn: _Churn,
    progress: Callable[[Soak], None],
) -> None:
    # One process for all the time: starting one keeps the interpreter busy for milliseconds.
    generator = Blast(frames, interfaces, seconds=seconds, window=WINDOW)
    started = time.monotonic()
    warm = min(20.0, seconds / 4)
    try:
        while generator.running():
            time.sleep(min(1.0, seconds / 20))
            soak.seconds = time.monotonic() - started
            soak.table_writes, soak.swaps = churn.writes, churn.swaps
            soak.memory_end = resident_bytes()
            if soak.seconds < warm:
                soak.memory_start = soak.memory_end  # caches fill first
            soak.frames_sent = received(tuple(interfaces))
            progress(soak)
        soak.frames_sent, _ = generator.finish()
    finally:
        generator.abort()


def _account(soak: Soak, device: Device, interfaces: Sequence[str]) -> None:
    """Compare the books of generator, switch and kernel."""

    def totals() -> dict[str, int]:
        sums: dict[str, int] = {}
        for number in device.ports:
            for name, value in device.port_counters(number).items():
                sums[name] = sums.get(name, 0) + value
        return sums

    deadline = time.monotonic() + 5
    while True:
        sums = totals()
        seen = sums["rx_packets"] + sums["drop_rx_ring"]
        if seen == soak.frames_sent or time.monotonic() > deadline:
            break
        time.sleep(0.01)
    soak.frames_forwarded = sums["tx_packets"]
    soak.drops = {name: n for name, n in sums.items() if name.startswith("drop_") and n}
    switch = device.stats()["switch"]
    assert isinstance(switch, dict)
    soak.longest_stall_us = switch["longest_wait_ns"] / 1000
    inside = sum(n for name, n in soak.drops.items() if name != "drop_rx_ring")
    consumed = sums["program_consumed"] + sums["egress_consumed"]
    checks = {
        "frames sent and frames seen by the switch": (soak.frames_sent, seen),
        "frames received and frames sent on or dropped with a cause": (
            sums["rx_packets"],
            sums["tx_packets"] + inside + consumed,
        ),
        "frames the program dropped though it had an entry for each": (0, consumed),
        "frames sent on and frames that arrived": (
            sums["tx_packets"],
            received(tuple(interfaces)),
        ),
    }
    for what, (expected, found) in checks.items():
        if expected != found:
            soak.faults.append(f"{what}: {expected} and {found}")
    growth = soak.memory_end - soak.memory_start
    if growth > MEMORY_SLACK:
        soak.faults.append(f"memory grew by {growth / 2**20:.1f} MiB")
