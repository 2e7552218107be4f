# SPDX-License-Identifier: MIT
import json
import subprocess
import sys
from pathlib import Path

import pytest

from topologies import Network, NetworkOptions, load, network, targets

pytestmark = pytest.mark.root
STANDIN = Path(__file__).parents[1] / "topologies" / "standin_switch.py"
SNIFF = [sys.executable, "-m", "inca", "sniff"]
SEND = """
import socket
from hosts.wire.esa_scapy import template
frame = bytearray(template(src_mac="08:00:00:00:01:01", dst_mac="08:00:00:00:01:02",
    src_ip="10.0.1.1", dst_ip="10.0.1.2", elements=4, udp_source=9))
frame[42] = 0x11
frame[49] = 5
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as out:
    out.bind(("eth0", 0))
    out.send(bytes(frame))
"""


@pytest.mark.parametrize("node", ["h1", "s1"])
def test_sniff_decodes_live_traffic(
    node: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (targets, network):
        monkeypatch.setattr(module, "executable", lambda _t: [sys.executable, str(STANDIN)])
    with Network(load("star2"), options=NetworkOptions(logs=tmp_path)) as net:
        net_port = net.switches["s1"].interfaces[1]
        sniffer = subprocess.Popen(
            [*SNIFF, node, "--count", "1", "--json", "--network", str(net.number)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert sniffer.stderr is not None
        assert sniffer.stderr.readline().startswith("listening on ")
        assert net.spawn("h1", [sys.executable, "-c", SEND]).wait(60) == 0
        output, _ = sniffer.communicate(timeout=60)
    packet = json.loads(output)
    assert packet["layers"]["ESA"]["seq"] == 5
    assert packet["layers"]["ESA values"]["values"] == [0, 0, 0, 0]
    assert packet["interface"] == net_port


def test_an_unknown_node_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INCA_STATE_DIR", str(tmp_path))
    done = subprocess.run([*SNIFF, "h1"], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "error: no network is running: start one with make topo TOPO=star4\n"
