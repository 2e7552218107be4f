# SPDX-License-Identifier: MIT
import dataclasses
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from topologies import state
from topologies.state import NetworkState, Process


@pytest.fixture(autouse=True)
def own_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCA_STATE_DIR", str(tmp_path / "state"))


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(["sleep", "600"], start_new_session=True)
    yield process
    process.kill()
    process.wait()


def allocate(tmp_path: Path) -> NetworkState:
    return state.allocate(tmp_path, "star4", "softswitch", tmp_path)


def dead_owner() -> Process:
    done = subprocess.Popen(["true"])
    owner = Process.of(done.pid)
    done.wait()
    return owner


def test_a_later_process_with_the_same_pid_is_another(sleeper: subprocess.Popen[bytes]) -> None:
    process = Process.of(sleeper.pid)
    assert process.alive
    other = dataclasses.replace(process, start=process.start - 1)
    assert not other.alive
    assert other.session() == []
    assert not dataclasses.replace(process, boot="another").alive


def test_numbers_are_not_shared_while_a_network_lives(tmp_path: Path) -> None:
    first, second = allocate(tmp_path), allocate(tmp_path)
    assert first.number != second.number
    first.forget()
    assert allocate(tmp_path).number not in (first.number, second.number)


def test_numbers_are_used_again_when_all_have_been_used(tmp_path: Path) -> None:
    kept = allocate(tmp_path)
    seen = set()
    for _ in range(state._MAX_NETWORKS):
        made = allocate(tmp_path)
        seen.add(made.number)
        made.forget()
    assert seen == set(range(1, state._MAX_NETWORKS)) - {kept.number}


def test_a_state_file_reads_back(tmp_path: Path, sleeper: subprocess.Popen[bytes]) -> None:
    made = allocate(tmp_path)
    made.interfaces.append("inca1-s1-1")
    made.hosts["h1"] = {"pid": 1}
    made.add_session(sleeper.pid)
    assert NetworkState.read(made.path) == made


def test_sweep_ends_what_a_dead_owner_left_and_nothing_else(
    tmp_path: Path, sleeper: subprocess.Popen[bytes]
) -> None:
    living = allocate(tmp_path)
    left = allocate(tmp_path)
    left.owner = dead_owner()
    left.add_session(sleeper.pid)
    assert [s.number for s in state.sweep()] == [left.number]
    assert sleeper.wait(10) != 0
    assert [s.number for s in state.running()] == [living.number]


def test_ending_a_session_ends_children_whose_leader_has_gone(tmp_path: Path) -> None:
    shell = subprocess.Popen(
        ["sh", "-c", "trap '' TERM HUP; sleep 600 & echo $!; read x"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert shell.stdout is not None
    child = Process.of(int(shell.stdout.readline()))
    leader = Process.of(shell.pid)
    shell.kill()
    shell.wait()
    assert child.alive
    state.end_sessions([leader])
    assert not child.alive


def test_stop_asks_a_living_owner_to_take_its_network_down(tmp_path: Path) -> None:
    code = (
        "import signal, sys; from pathlib import Path; from topologies import state\n"
        "made = state.allocate(Path('/'), 'star4', 'softswitch', Path('/'))\n"
        "signal.signal(signal.SIGTERM, lambda *_: (made.forget(), sys.exit(7)))\n"
        "print('up', flush=True); signal.pause()"
    )
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    assert owner.stdout.readline() == b"up\n"
    (network,) = state.running()
    state.stop(network)
    assert owner.wait(10) == 7
    assert state.running() == []


def test_the_folder_is_the_machines_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("INCA_STATE_DIR")
    assert state.state_folder() == Path("/run/inca")
    assert "INCA_STATE_DIR" not in os.environ
