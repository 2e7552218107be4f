# SPDX-License-Identifier: MIT
"""The prompt of ``make topo``, fed from a pipe: the embedded switch forwards, all is taken down."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from inca.paths import ROOT
from topologies import state

pytestmark = [pytest.mark.root, pytest.mark.timeout(300)]
UP = [sys.executable, "-m", "inca", "topo", "up"]


def test_commands_are_read_from_a_pipe_and_hosts_reach_each_other() -> None:
    done = subprocess.run(
        [*UP, "two-rack"], input="h1 ping -c 1 -W 5 h8\nps ping -c 1 -W 5 h3\n", cwd=ROOT,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.count("1 received") == 2
    assert "127.0.0.1:" in done.stdout


def test_a_program_of_your_own_is_loaded_without_entries(tmp_path: Path) -> None:
    source = tmp_path / "reflect.p4"
    source.write_text(REFLECT)
    done = subprocess.run(
        [*UP, "star2", "--program", str(source)], cwd=ROOT,
        input="h1 arping -c 1 -w 5 10.0.1.77; ping -c 1 -W 2 10.0.1.1\n",
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "1 received" in done.stdout
    assert "reflect" in (ROOT / "build" / "reflect.json").name


def test_sigterm_takes_the_network_down() -> None:
    process = subprocess.Popen(
        [*UP, "star2", "--program", "none"], cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert any("127.0.0.1:" in line for line in process.stdout)
    (ours,) = (n for n in state.running() if n.owner.pid == process.pid)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 128 + signal.SIGTERM
    assert not ours.path.exists()
    assert not any(name in os.listdir("/sys/class/net") for name in ours.interfaces)


def test_an_unknown_program_is_named_before_anything_is_started() -> None:
    done = subprocess.run(
        [*UP, "star2", "--program", "ess"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr == ("error: no P4 program 'ess': did you mean 'esa'?\n")


REFLECT = """
#include <core.p4>
#include <v1model.p4>
header ethernet_t { bit<48> dst; bit<48> src; bit<16> kind; }
struct headers_t { ethernet_t ethernet; }
struct metadata_t { }
parser P(packet_in p, out headers_t h, inout metadata_t m, inout standard_metadata_t s) {
    state start { p.extract(h.ethernet); transition accept; }
}
control V(inout headers_t h, inout metadata_t m) { apply { } }
control I(inout headers_t h, inout metadata_t m, inout standard_metadata_t s) {
    apply { s.egress_spec = s.ingress_port; }
}
control E(inout headers_t h, inout metadata_t m, inout standard_metadata_t s) { apply { } }
control C(inout headers_t h, inout metadata_t m) { apply { } }
control D(packet_out p, in headers_t h) { apply { p.emit(h.ethernet); } }
V1Switch(P(), V(), I(), E(), C(), D()) main;
"""
