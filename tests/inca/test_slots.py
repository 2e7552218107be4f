# SPDX-License-Identifier: MIT
"""The commands that look into switches, on a real server without interfaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

import topologies
from controller import AggregatorConfig, JobBook, JobRequest, Program, SyncController
from controller.inspection import question
from hosts.wire.esa import ENCAPSULATION, ESA, MessageType
from inca import running
from inca.cli import aggregators, status
from softswitch.frontend import compile_p4
from softswitch.server.local import LocalDataPlane
from softswitch.server.options import ServerOptions
from softswitch.server.process import SwitchProcess

ESA_P4 = Path(__file__).parents[2] / "p4src" / "esa.p4"


@dataclass
class Running:
    plane: LocalDataPlane

    def gradient(self, rank: int, seq: int) -> None:
        head = ESA.pack(
            msg_type=MessageType.GRAD, job=1, seq=seq, bitmap=1 << rank, src_worker=rank, len=4,
            prio=7,
        )  # fmt: skip
        plain = question(0, 4)
        frame = plain[:ENCAPSULATION] + head.tobytes() + plain[ENCAPSULATION + 24 :]
        self.plane.process(rank + 1, frame)


@pytest.fixture
def network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    topology = topologies.load("star4")
    program = Program(tmp_path / "esa.json", tmp_path / "esa.p4info.txtpb")
    compile_p4(ESA_P4, defines={"LANES": "4", "AGGREGATORS": "64"}).write(
        program.json_path, program.p4info_path
    )
    book = JobBook(topology, AggregatorConfig(aggregators=50), register_depth=64)
    book.admit(JobRequest("a", ("h1", "h2", "h3"), "ps"))
    options = ServerOptions(
        device_id=1, grpc_address="127.0.0.1:0", dataplane_address="127.0.0.1:0", cpu_port=510
    )
    with SwitchProcess(options) as process:
        process.start()
        with SyncController(topology, {"s1": process.address}) as controller:
            controller.push(program)
            controller.apply(book.states())
        where: dict[str, Any] = {"grpc": process.address, "device_id": 1}
        hosts = {host.name: {"ip": host.ip} for host in topology.hosts}
        monkeypatch.setattr(running, "newest", lambda _number=None: ({"s1": where}, hosts))
        monkeypatch.setattr(running, "switch", lambda name, _number=None: {"s1": where}[name])
        assert isinstance(process.device, LocalDataPlane)
        yield Running(process.device)


def invoke(command: Any, *words: str) -> Result:
    return CliRunner().invoke(command, words, catch_exceptions=False)


def test_slots_and_stuck_fragments_name_who_is_missing(network: Running) -> None:
    network.gradient(0, 5)
    network.gradient(2, 5)
    network.gradient(1, 9)
    slots = json.loads(invoke(aggregators.command, "s1", "--json").output)
    assert {(s["seq"], tuple(s["missing"])) for s in slots} == {(5, ("h2",)), (9, ("h1", "h3"))}
    assert {s["priority"] for s in slots} == {7}
    shown = invoke(aggregators.command, "s1").output
    assert "s1: 2 of 50 slots held" in shown
    assert "h1, h3" in shown

    (job,) = json.loads(invoke(status.command, "--stuck", "0", "--json").output)
    assert job["job"] == 1
    assert job["workers"] == ["h1", "h2", "h3"]
    assert job["events"] == {"s1": {"allocate": 2, "merge": 1}}
    assert sorted(s["fragment"] for s in job["stuck"]) == [5, 9]
    assert "no fragment is stuck" in invoke(status.command, "--stuck", "1e6").output
    assert "h1, h3" in invoke(status.command, "1", "--stuck", "0").output


def test_flush_frees_old_slots(network: Running) -> None:
    network.gradient(0, 5)
    assert "0 of 1 held" in invoke(aggregators.command, "s1", "--flush", "1000").output
    assert "1 of 1 held" in invoke(aggregators.command, "s1", "--flush", "0").output
    assert json.loads(invoke(aggregators.command, "s1", "--json").output) == []


def test_unknown_job_is_named(network: Running) -> None:
    with pytest.raises(Exception, match="no switch knows job 7: known jobs: 1"):
        invoke(status.command, "7")
