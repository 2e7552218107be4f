# SPDX-License-Identifier: MIT
"""Agents as processes in namespaces of their own.

The network is a Linux bridge: all members send to the broadcast address, so nothing aggregates and
the parameter server completes every fragment. What a switch adds is tested elsewhere.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from hosts.job import JobDescription, Member
from hosts.training.task import TrainingOptions, expected_digests

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(os.geteuid() != 0, reason="needs root: network namespaces"),
]

PREFIX = f"ih{os.getpid() % 100000:05d}"
BROADCAST = "ff:ff:ff:ff:ff:ff"
PATIENCE = 60.0


def ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


def name(index: int) -> str:
    return f"{PREFIX}h{index}"


@pytest.fixture
def bridged() -> Iterator[list[Member]]:
    """Three hosts on a bridge; the last one is the parameter server's."""
    with ExitStack() as undo:
        bridge = f"{PREFIX}b"
        ip("link", "add", bridge, "type", "bridge")
        undo.callback(ip, "link", "del", bridge)
        ip("link", "set", bridge, "up")
        members = []
        for index in (1, 2, 3):
            host, mac = name(index), f"02:00:00:00:00:{index:02x}"
            ip("netns", "add", host)
            undo.callback(ip, "netns", "del", host)
            ip("link", "add", f"{host}p", "type", "veth", "peer", "name", "eth0", "netns", host)
            undo.callback(ip, "link", "del", f"{host}p")
            ip("link", "set", f"{host}p", "master", bridge, "up")
            ip("-n", host, "link", "set", "eth0", "address", mac, "up")
            ip("-n", host, "addr", "add", f"10.0.0.{index}/24", "dev", "eth0")
            members.append(Member(host, "eth0", mac, f"10.0.0.{index}", BROADCAST))
        yield members


class Agent:
    """One process in a namespace; always ended."""

    def __init__(self, undo: ExitStack, host: str, module: str, *arguments: str) -> None:
        command = ["ip", "netns", "exec", host, sys.executable, "-m", module, *arguments]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        undo.callback(self.end)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.communicate()

    def line(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        text = self.process.stdout.readline()
        if not text:
            _, errors = self.process.communicate()
            raise AssertionError(f"agent ended: {errors}")
        return dict(json.loads(text))

    def finish(self) -> tuple[int, list[dict[str, Any]], str]:
        out, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, [json.loads(line) for line in out.splitlines()], errors


def describe(members: list[Member], path: Path, **options: Any) -> Path:
    *workers, server = members
    job = JobDescription(job=7, workers=tuple(workers), server=server, **options)
    job.write(path / "job.json")
    return path / "job.json"


def test_training_is_bit_exact(bridged: list[Member], tmp_path: Path) -> None:
    task = {"kind": "train", "steps": 30, "seed": 5}
    path = str(describe(bridged, tmp_path, task=task))
    with ExitStack() as undo:
        server = Agent(undo, name(3), "hosts.server_agent", path)
        assert server.line()["event"] == "ready"
        workers = [
            Agent(undo, name(r + 1), "hosts.worker_agent", path, "--rank", str(r)) for r in (0, 1)
        ]
        digests = expected_digests(TrainingOptions(steps=30, seed=5), 2)
        for worker in workers:
            status, events, errors = worker.finish()
            assert status == 0, errors
            assert [e["digest"] for e in events if e["event"] == "progress"] == digests
            assert events[-1]["event"] == "result"
        server.process.send_signal(signal.SIGTERM)
        status, events, errors = server.finish()
        assert (status, errors) == (0, "")
        assert events[-1]["event"] == "result"
        assert events[-1]["counters"]["published"] >= 30 * 151


def test_a_missing_worker_is_named(bridged: list[Member], tmp_path: Path) -> None:
    path = str(describe(bridged, tmp_path, deadline_us=1_500_000))
    with ExitStack() as undo:
        server = Agent(undo, name(3), "hosts.server_agent", path, "--every", "0.2")
        assert server.line()["event"] == "ready"
        status, events, errors = Agent(
            undo, name(1), "hosts.worker_agent", path, "--rank", "0"
        ).finish()
        assert status == 1
        assert events[-1]["kind"] == "AllReduceTimeout"
        assert f"1 lacks 1 ({name(2)})" in errors
        assert len(errors.splitlines()) == 1
        stuck = next(e["stuck"] for e in iter(server.line, None) if e.get("stuck"))
        assert stuck[0]["missing"] == [name(2)]


def test_a_missing_interface_is_one_line(bridged: list[Member], tmp_path: Path) -> None:
    members = [Member(m.host, "eth7", m.mac, m.ip, m.gateway_mac) for m in bridged]
    path = str(describe(members, tmp_path))
    with ExitStack() as undo:
        agent = Agent(undo, name(1), "hosts.worker_agent", path, "--rank", "0")
        status, _, errors = agent.finish()
        assert status == 1
        assert errors.strip() == (
            "InterfaceError: interface eth7: No such device; see `ip link` in this namespace"
        )
