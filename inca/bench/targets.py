# SPDX-License-Identifier: MIT
"""The processes that are compared: each forwards between the switch's ends of the links."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType

from inca.bench.namespace import BenchError
from inca.bench.p4rt import Client
from inca.bench.tools import tool
from inca.bench.workloads import Workload

START_SECONDS = 60.0
ADDRESS = "127.0.0.1:9559"
"""In our own network namespace, where no port is taken."""
ROOT = Path(__file__).resolve().parent.parent.parent


class Target:
    """A forwarding process; a context manager that ends it.

    ``ready_seconds`` is the time from its start until it forwarded.
    """

    _stdout = subprocess.PIPE
    rings_hold = True
    """Its receive rings hold all frames of a drain; BMv2's buffers do not."""

    def __init__(self, name: str, command: Sequence[str], cwd: Path | None = None) -> None:
        self.name = name
        self._command = list(command)
        self._cwd = cwd
        self._process: subprocess.Popen[str] | None = None
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process
        self.ready_seconds = 0.0
        self.report: dict[str, float] = {}

    def __enter__(self) -> Target:
        started = time.monotonic()
        self._process = subprocess.Popen(
            self._command,
            cwd=self._cwd,
            stdin=subprocess.DEVNULL,
            stdout=self._stdout,
            stderr=self._log,
            text=True,
        )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        self.ready_seconds = time.monotonic() - started
        return self

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        ready, _, _ = select.select([self._process.stdout], [], [], START_SECONDS)
        line = self._process.stdout.readline() if ready else ""
        if not line.startswith("ready"):
            raise BenchError(f"{self.name}: did not start: {self._last_words() or line}")

    def _last_words(self) -> str:
        self._log.seek(0)
        return (self._log.read().strip().splitlines() or [""])[-1]

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        process = self._process
        if process is None:
            return
        process.send_signal(signal.SIGCONT)
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdout is not None:
            process.stdout.close()
        self._log.close()

    @property
    def pid(self) -> int:
        """Process id."""
        assert self._process is not None
        return self._process.pid

    def pause(self) -> None:
        """Stop it; frames gather in its receive rings.  Returns when it stands still."""
        os.kill(self.pid, signal.SIGSTOP)
        deadline = time.monotonic() + 5
        while _state(self.pid) != "T":
            if time.monotonic() > deadline:
                raise BenchError(f"{self.name}: does not stop")
            time.sleep(0.0005)

    def go_on(self) -> None:
        """Let it run again."""
        os.kill(self.pid, signal.SIGCONT)

    def cpu_seconds(self) -> float:
        """Processor time of all its threads so far."""
        tasks = Path(f"/proc/{self.pid}/task").glob("*/schedstat")
        return sum(int(task.read_text().split()[0]) for task in tasks) * 1e-9

    def memory_bytes(self) -> int:
        """Resident memory of its own (private pages and its share of others)."""
        for line in Path(f"/proc/{self.pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
        return 0


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def bare_loop(interfaces: Sequence[str]) -> Target:
    """The forwarding loop without a program."""
    return Target("bare loop", [str(tool("bare_loop")), *interfaces])


class Switch(Target):
    """A switch with the command line of ``simple_switch_grpc``, driven over P4Runtime."""

    _stdout = subprocess.DEVNULL

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        workload: Workload,
        config: Path,
        interfaces: Sequence[str],
    ) -> None:
        ports = [word for n, i in enumerate(interfaces, 1) for word in ("-i", f"{n}@{i}")]
        options = ["--device-id", "1", "--no-p4", *ports, "--", "--grpc-server-addr", ADDRESS]
        super().__init__(name, [*command, *options], cwd=ROOT)
        self._workload = workload
        self._config = config
        self.fill_seconds = 0.0

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        self._wait_until_it_listens()
        with Client(ADDRESS) as client:
            connected = time.monotonic()
            names = client.push(self._config, self._config.with_suffix(".p4info.txtpb"))
            pushed = time.monotonic()
            self.fill_seconds = client.fill(self._workload, names)
        self.report = {"start": connected - began, "push": pushed - connected}

    def _wait_until_it_listens(self) -> None:
        host, port = ADDRESS.split(":")
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise BenchError(f"{self.name}: did not start: {self._last_words()}") from None
                time.sleep(0.005)


def softswitch(workload: Workload, config: Path, interfaces: Sequence[str]) -> Switch:
    """The embedded switch, as ``inca switch`` starts it."""
    command = [sys.executable, "-m", "softswitch.server"]
    return Switch("softswitch", command, workload, config, interfaces)


def bmv2(workload: Workload, config: Path, interfaces: Sequence[str]) -> Switch | None:
    """The real BMv2 when it is on PATH."""
    command = shutil.which("simple_switch_grpc")
    if command is None:
        return None
    switch = Switch("BMv2", [command, "--log-level", "off"], workload, config, interfaces)
    switch.rings_hold = False
    return switch
