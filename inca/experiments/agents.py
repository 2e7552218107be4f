# SPDX-License-Identifier: MIT
"""Agent processes on the hosts of a network, and what they tell: JSON lines, see docs/agents.md."""

from __future__ import annotations

import json
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from topologies import Network

_CHECK_SECONDS = 0.5
_EXIT_SECONDS = 10.0


class AgentError(Exception):
    """An agent failed, or is silent."""


@dataclass(frozen=True)
class AgentEvent:
    """One line of an agent."""

    host: str
    name: str
    fields: dict[str, Any]


class Agents:
    """Starts agents, reads their events, and notices when one dies.

    Args:
        network: where they run.
        logs: folder for what they write to standard error.
        silence_s: when no agent has said anything for so long, something hangs.
    """

    def __init__(self, network: Network, logs: Path, *, silence_s: float = 60.0) -> None:
        self._network = network
        self._logs = logs
        self._silence_s = silence_s
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._events: queue.SimpleQueue[AgentEvent] = queue.SimpleQueue()

    def start(self, host: str, module: str, arguments: Sequence[str]) -> None:
        """Start ``python -m module arguments`` on a host."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with self._log_path(host).open("wb") as log:
            process = self._network.spawn(
                host, [sys.executable, "-m", module, *arguments],
                stdout=subprocess.PIPE, stderr=log,
            )  # fmt: skip
        self._processes[host] = process
        assert process.stdout is not None
        threading.Thread(target=self._read, args=(host, process.stdout), daemon=True).start()

    def terminate(self, host: str) -> None:
        """Ask an agent to end; it reports its result first."""
        self._processes[host].send_signal(signal.SIGTERM)

    def events(self) -> Iterator[AgentEvent]:
        """Events as they come, without end.

        Raises:
            AgentError: an agent failed, or all have been silent for too long.
            topologies.NetworkError: a switch has ended.
        """
        last = time.monotonic()
        while True:
            try:
                event = self._events.get(timeout=_CHECK_SECONDS)
            except queue.Empty:
                self._check()
                if time.monotonic() - last > self._silence_s:
                    names = ", ".join(self._processes)
                    raise AgentError(
                        f"{names}: no word for {self._silence_s:g} s: see {self._logs}"
                    ) from None
                continue
            last = time.monotonic()
            if event.name == "error":
                raise AgentError(f"{event.host}: {event.fields.get('message', 'failed')}")
            yield event

    def collect(
        self,
        name: str,
        hosts: Iterable[str],
        on_other: Callable[[AgentEvent], None] = lambda _event: None,
    ) -> dict[str, dict[str, Any]]:
        """Wait until each of some hosts has sent the event of that name; returns them by host."""
        missing = set(hosts)
        found: dict[str, dict[str, Any]] = {}
        for event in self.events():
            if event.name == name and event.host in missing:
                missing.discard(event.host)
                found[event.host] = event.fields
            else:
                on_other(event)
            if not missing:
                break
        return found

    def _check(self) -> None:
        self._network.check()
        for host, process in self._processes.items():
            code = process.poll()
            if code and self._events.empty():
                log = self._log_path(host)
                lines = log.read_text(errors="replace").strip().splitlines()
                last = lines[-1].strip() if lines else "no output"
                raise AgentError(f"{host}: the agent ended (exit {code}): {last}: see {log}")

    def _read(self, host: str, pipe: IO[bytes]) -> None:
        for line in pipe:
            try:
                fields = json.loads(line)
                name = fields.pop("event")
            except (ValueError, KeyError, AttributeError, TypeError):
                text = line.decode(errors="replace").strip()
                name, fields = "error", {"message": f"not an event: {text!r}"}
            self._events.put(AgentEvent(host, name, fields))

    def _log_path(self, host: str) -> Path:
        return self._logs / f"{host}.log"
