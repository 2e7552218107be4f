# SPDX-License-Identifier: MIT
"""How fast are the agents? `python -m hosts.bench`; a benchmark, not a test.

- `cores`: fragments a second through the worker's and the server's state machine, no I/O;
- `one way`: a ring sends as fast as it can over a veth pair, a ring in another process receives;
- `both ways`: two agents with 1024 frames in flight between them, each sends and receives.

Figures depend on the machine: compare those of one run, and look at the spread.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np

from hosts.addresses import Addressing, HostAddress
from hosts.aggregation.config import JobConfig, ServerConfig, WorkerConfig
from hosts.aggregation.server import ParameterServer
from hosts.aggregation.worker import Worker
from hosts.errors import InterfaceError
from hosts.ring import Ring, RingOptions
from hosts.wire.esa import ESA_UDP_PORT, MessageType, message_dtype, ver_type

_BATCH = 256
_FLIGHT = 1024
_MACS = ("02:00:00:00:be:01", "02:00:00:00:be:02")
_IPS = ("10.99.0.1", "10.99.0.2")


def core_rates(fragments: int = 50_000, workers: int = 4) -> dict[str, float]:
    """Fragments a second of one worker; contributions a second of the server, all added by it."""
    job = JobConfig(1, workers, window=1024)
    server = ParameterServer(ServerConfig(job))
    members = [Worker(WorkerConfig(job, rank)) for rank in range(workers)]
    values = np.arange(fragments * job.elements, dtype=np.int32).reshape(fragments, -1)
    spent = {"worker": 0.0, "server": 0.0}

    def timed(who: str, call: Any, *arguments: Any) -> Any:
        begin = time.perf_counter()
        result = call(*arguments)
        spent[who] += time.perf_counter() - begin
        return result

    for member in members:
        timed("worker", member.offer, values)
    while not all(member.idle for member in members):
        for member in members:
            out = timed("worker", member.poll, _BATCH)
            timed("server", server.on_packets, out, 0)
        sums = timed("server", server.poll, 2 * _BATCH)
        for member in members:
            timed("worker", member.on_packets, sums, 0)
    return {who: fragments * workers / seconds for who, seconds in spent.items()}


@contextmanager
def _veth_pair() -> Iterator[tuple[str, str]]:
    """Two namespaces joined by a veth pair; gone afterwards."""
    prefix = f"inca-bench-{os.getpid()}"
    names = (f"{prefix}-a", f"{prefix}-b")
    with ExitStack() as undo:
        for name in names:
            _ip("netns", "add", name)
            undo.callback(_ip, "netns", "del", name)
        _ip("-n", names[0], "link", "add", "eth0", "type", "veth", "peer", "name", "eth0",
            "netns", names[1])  # fmt: skip
        for name, mac, address in zip(names, _MACS, _IPS, strict=True):
            _ip("-n", name, "link", "set", "eth0", "address", mac, "up")
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
        yield names


def _ip(*words: str) -> None:
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise InterfaceError(f"ip {' '.join(words)}: {done.stderr.strip()}; run as root")


def _role(namespace: str, role: str, seconds: float) -> subprocess.Popen[str]:
    command = ["ip", "netns", "exec", namespace, sys.executable, "-m", "hosts.bench"]
    return subprocess.Popen(
        [*command, "--role", role, "--seconds", str(seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def ring_rates(seconds: float, roles: tuple[str, str]) -> dict[str, float]:
    """Packets a second sent and received by the two processes."""
    with _veth_pair() as names, ExitStack() as undo:
        processes = [_role(n, r, seconds) for n, r in zip(names, roles, strict=True)]
        for process in processes:
            undo.callback(_reap, process)
        for process in processes:
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes:
            assert process.stdin is not None
            process.stdin.write("go\n")
            process.stdin.flush()
        first, second = (json.loads(p.communicate(timeout=seconds + 30)[0]) for p in processes)
    return {
        "sent": first["tx"] / seconds,
        "received": second["rx"] / seconds,
        "returned": first["rx"] / seconds,
        "per core, sender": (first["tx"] + first["rx"]) / first["busy"],
        "per core, peer": (second["tx"] + second["rx"]) / second["busy"],
    }


def _reap(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
        process.communicate()


def _play(role: str, seconds: float) -> None:
    """One process of `ring_rates`; role: send, receive, start (of both ways) or echo."""
    own = 0 if role in ("send", "start") else 1
    addressing = Addressing(
        HostAddress(_MACS[own], _IPS[own], _MACS[1 - own]), _IPS[1 - own], (), 32, ESA_UDP_PORT
    )
    heads = addressing.worker_heads()
    messages = np.zeros(_BATCH, message_dtype())
    messages["esa"]["ver_type"] = ver_type(MessageType.GRAD)
    with Ring(RingOptions("eth0", rx_slots=8192)) as ring:
        print("ready", flush=True)
        sys.stdin.readline()
        end = time.perf_counter() + seconds
        before = time.process_time()
        flight = _FLIGHT if role == "start" else 0
        while time.perf_counter() < end:
            if role == "send":
                _send(ring, messages, heads, _BATCH)
                continue
            got = len(ring.receive(_FLIGHT))
            if role != "receive":
                flight += got
                flight -= _send(ring, messages, heads, flight)
            if not got and not flight:
                ring.wait(1000)
        busy = time.process_time() - before
        print(json.dumps({"tx": 0, "rx": 0, "busy": busy, **ring.counters}))


def _send(ring: Ring, messages: Any, heads: Any, wanted: int) -> int:
    count = min(ring.room(), wanted, _BATCH)
    if count:
        ring.send(messages[:count], heads)
    else:
        ring.flush()
    return count


def measure(repeat: int = 3, seconds: float = 2.0) -> dict[str, dict[str, list[float]]]:
    """All benchmarks `repeat` times: name -> figure -> values."""
    found: dict[str, dict[str, list[float]]] = {}
    for _ in range(repeat):
        runs = {
            "cores": core_rates(),
            "one way": ring_rates(seconds, ("send", "receive")),
            "both ways": ring_rates(seconds, ("start", "echo")),
        }
        del runs["one way"]["returned"]
        for name, figures in runs.items():
            for figure, value in figures.items():
                found.setdefault(name, {}).setdefault(figure, []).append(value)
    return found


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m hosts.bench", description=__doc__)
    parser.add_argument("--role", choices=["send", "receive", "start", "echo"])
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="for machines")
    given = parser.parse_args()
    if given.role:
        _play(given.role, given.seconds)
        return 0
    found = measure(given.repeat, given.seconds)
    if given.json:
        print(json.dumps(found))
        return 0
    print(f"{'benchmark':<12}{'figure':<18}{'median':>12}{'lowest':>12}{'highest':>12}  packets/s")
    for name, figures in found.items():
        for figure, values in figures.items():
            middle = statistics.median(values)
            print(
                f"{name:<12}{figure:<18}{middle:>12,.0f}{min(values):>12,.0f}{max(values):>12,.0f}"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
