# SPDX-License-Identifier: MIT
"""What running networks have made on this machine, kept where a crash cannot lose it.

Each network has a number and a file ``net-<number>.json`` in the state folder,
written before a thing is made and removed when all is gone.  A file whose owner
no longer lives is left over from a crash; `sweep` removes what it names and
nothing else.  Processes are known by pid and start time, so that a reused pid
is never touched; interfaces by names that carry the network's number.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from topologies.errors import NetworkError

_MAX_NETWORKS = 100
_OWNER_SECONDS = 15.0
_TERMINATE_SECONDS = 5.0
_KILL_SECONDS = 5.0
_POLL_SECONDS = 0.01


def state_folder() -> Path:
    """Where state files are; interfaces are the machine's, so this is too."""
    return Path(os.environ.get("INCA_STATE_DIR", "/run/inca"))


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for a later one with the same pid."""

    pid: int
    start: int
    """Start time, in clock ticks since the machine started."""
    boot: str
    """Which start of the machine."""

    @classmethod
    def of(cls, pid: int) -> Process:
        """The process that has this pid now.

        Raises:
            ProcessLookupError: there is none.
        """
        stat = _stat(pid)
        if stat is None:
            raise ProcessLookupError(f"no process {pid}")
        return cls(pid, int(stat[19]), _boot_id())

    @property
    def alive(self) -> bool:
        """Whether it still runs (a zombie does not)."""
        stat = _stat(self.pid)
        same = stat is not None and int(stat[19]) == self.start and self.boot == _boot_id()
        return same and stat is not None and stat[0] != "Z"

    def signal(self, number: int) -> None:
        """Send it a signal, if it still runs."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def session(self) -> list[Process]:
        """What runs in the session that it started, itself included.

        While the session has members the kernel does not reuse its number; so
        when the pid belongs to another process now, the session is gone.
        """
        stat = _stat(self.pid)
        reused = stat is not None and int(stat[19]) != self.start
        if reused or self.boot != _boot_id():
            return []
        members = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit():
                fields = _stat(int(entry.name))
                if fields is not None and int(fields[3]) == self.pid and fields[0] != "Z":
                    members.append(Process(int(entry.name), int(fields[19]), self.boot))
        return members


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the third (state) on."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return text.rpartition(")")[2].split()


def _boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


@dataclass
class NetworkState:
    """One running network, as its file has it."""

    number: int
    owner: Process
    checkout: str
    topology: str
    target: str
    logs: str
    sessions: list[Process] = field(default_factory=list)
    """Leaders of the sessions that hosts, switches and agents run in."""
    interfaces: list[str] = field(default_factory=list)
    switches: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> grpc (its address), device_id, interfaces."""
    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    """Name -> pid of its shell, ip, mac, role, interface (the switch's end of its link)."""

    @property
    def path(self) -> Path:
        """Its file."""
        return state_folder() / f"net-{self.number}.json"

    def save(self) -> None:
        """Write the file; a reader sees the old one or the new one."""
        scratch = self.path.with_suffix(f".{os.getpid()}.tmp")
        scratch.write_text(json.dumps(asdict(self), indent=1))
        scratch.replace(self.path)

    def forget(self) -> None:
        """Remove the file: nothing of this network is left."""
        self.path.unlink(missing_ok=True)

    def add_session(self, pid: int) -> None:
        """Note a process that leads a session of its own."""
        self.sessions.append(Process.of(pid))
        self.save()

    @classmethod
    def read(cls, path: Path) -> NetworkState:
        """What a file says."""
        values = json.loads(path.read_text())
        values["owner"] = Process(**values["owner"])
        values["sessions"] = [Process(**s) for s in values["sessions"]]
        return cls(**values)


def running() -> list[NetworkState]:
    """Networks whose files exist, living or left over, by number."""
    found = []
    for path in state_folder().glob("net-*.json"):
        with contextlib.suppress(FileNotFoundError):
            found.append(NetworkState.read(path))
    return sorted(found, key=lambda state: state.number)


@contextlib.contextmanager
def locked() -> Iterator[None]:
    """Only one process at a time looks at and changes what networks share."""
    try:
        state_folder().mkdir(parents=True, exist_ok=True)
        file = (state_folder() / "lock").open("w")
    except PermissionError:
        raise NetworkError(f"cannot write {state_folder()}: run as root") from None
    with file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def allocate(checkout: Path, topology: str, target: str, logs: Path) -> NetworkState:
    """Clear what crashes left, and take a free network number.

    Raises:
        NetworkError: not root, or too many networks.
    """
    with locked():
        _sweep()
        taken = {state.number for state in running()}
        number = next((n for n in _numbers() if n not in taken), None)
        if number is None:
            raise NetworkError(f"{len(taken)} networks run already: end some with inca stop")
        owner = Process.of(os.getpid())
        (state_folder() / "last").write_text(str(number))
        state = NetworkState(number, owner, str(checkout), topology, target, str(logs))
        state.save()
        return state


def _numbers() -> Iterator[int]:
    """All numbers, those that have not been used for longest first: names stay unambiguous."""
    try:
        last = int((state_folder() / "last").read_text())
    except (OSError, ValueError):
        last = 0
    yield from range(last + 1, _MAX_NETWORKS)
    yield from range(1, min(last + 1, _MAX_NETWORKS))


def sweep() -> list[NetworkState]:
    """Remove what networks without a living owner left; return them."""
    with locked():
        return _sweep()


def _sweep() -> list[NetworkState]:
    dead = [state for state in running() if not state.owner.alive]
    for state in dead:
        clear(state)
    return dead


def stop(state: NetworkState) -> None:
    """End a network from outside: ask its owner to take it down, else do it for it."""
    state.owner.signal(signal.SIGTERM)
    if wait_until(lambda: not state.path.exists(), _OWNER_SECONDS):
        return
    state.owner.signal(signal.SIGKILL)
    wait_until(lambda: not state.owner.alive, _KILL_SECONDS)
    with locked():
        if state.path.exists():
            clear(NetworkState.read(state.path))


def clear(state: NetworkState) -> None:
    """End the processes and delete the interfaces that a network made."""
    end_sessions(state.sessions)
    # -force: a pair is gone already when the namespace of its host end is.
    lines = "".join(f"link del {name}\n" for name in state.interfaces if _exists(name))
    if lines:
        subprocess.run(
            ["ip", "-force", "-batch", "-"], input=lines.encode(), check=False, capture_output=True
        )
    wait_until(lambda: not any(_exists(name) for name in state.interfaces), _KILL_SECONDS)
    state.forget()


def _exists(interface: str) -> bool:
    return Path("/sys/class/net", interface).exists()


def end_sessions(leaders: Iterable[Process]) -> None:
    """End all that runs in some sessions: ask first, then kill."""
    leaders = list(leaders)
    for number, seconds in ((signal.SIGTERM, _TERMINATE_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
        members = [member for leader in leaders for member in leader.session()]
        for member in members:
            member.signal(number)
            # A stopped process takes no SIGTERM; an interactive bash ignores it.
            member.signal(signal.SIGCONT)
            if number == signal.SIGTERM:
                member.signal(signal.SIGHUP)
        wait_until(lambda members=members: not any(m.alive for m in members), seconds)


def wait_until(condition: Any, seconds: float) -> bool:
    """Poll a condition until it holds; False when the time is over."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True
