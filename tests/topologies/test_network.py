# SPDX-License-Identifier: MIT
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from topologies import Network, NetworkError, NetworkOptions, load, network, parse, state, targets

pytestmark = pytest.mark.root
STANDIN = [sys.executable, str(Path(__file__).with_name("standin_switch.py"))]


@pytest.fixture(autouse=True)
def standin_switch(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (targets, network):
        monkeypatch.setattr(module, "executable", lambda _target: STANDIN)


def interfaces() -> set[str]:
    return {name for name in os.listdir("/sys/class/net") if name.startswith("inca")}


def options(tmp_path: Path) -> NetworkOptions:
    return NetworkOptions(logs=tmp_path / "logs")


def test_hosts_have_one_quiet_interface_with_the_described_addresses(tmp_path: Path) -> None:
    with Network(load("star2"), options=options(tmp_path)) as net:
        h1 = net.mininet["h1"]
        shown = h1.cmd("ip -br addr show eth0; ip -br link show eth0; ip neigh; ip route")
        assert "10.0.1.1/24" in shown
        assert "08:00:00:00:01:01" in shown
        assert "10.0.1.2 dev eth0 lladdr 08:00:00:00:01:02 PERMANENT" in shown
        assert "default via 10.0.1.254" in shown
        assert "fe80" not in shown
        offloads = h1.cmd("ethtool -k eth0")
        for name in ("tx-checksumming", "tcp-segmentation-offload", "generic-receive-offload"):
            assert f"{name}: off" in offloads
        assert all(use.packets == 0 for use in net.usage())


def test_usage_counts_what_a_host_sends(tmp_path: Path) -> None:
    with Network(load("star2"), options=options(tmp_path)) as net:
        ping = net.spawn("h1", ["ping", "-c", "3", "-i", "0.1", "-W", "0.1", "10.0.1.2"])
        assert ping.wait(20) == 1
        sent = {str(use.source): (use.packets, use.bytes) for use in net.usage()}
        assert sent["h1"] == (3, 3 * 98)
        assert sent["h2"] == (0, 0)


def test_nothing_is_left_after_leaving(tmp_path: Path) -> None:
    with Network(load("two-rack"), options=options(tmp_path)) as net:
        made = {name for switch in net.switches.values() for name in switch.interfaces.values()}
        assert len(made) == 13
        assert made <= interfaces()
        sleeper = net.spawn("h3", ["sleep", "600"])
        shells = [node.pid for node in net.mininet.hosts]
    assert sleeper.returncode != 0
    assert not made & interfaces()
    assert not any(os.path.exists(f"/proc/{pid}") for pid in shells)
    assert not any(n.owner.pid == os.getpid() for n in state.running())


def test_a_killed_owner_leaves_nothing_that_the_next_start_does_not_clear(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from topologies import *; import time\n"
        "from topologies import network, targets\n"
        f"targets.executable = network.executable = lambda _t: {STANDIN!r}\n"
        f"with Network(load('star2'), options=NetworkOptions(logs=Path({str(tmp_path)!r}))) as n:\n"
        "    agent = n.spawn('h1', ['sleep', '600'])\n"
        "    print(agent.pid, *n.switches['s1'].interfaces.values(), flush=True)\n"
        "    sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert owner.stdout is not None
    pid, *ports = owner.stdout.readline().split()
    agent = state.Process.of(int(pid))
    owner.send_signal(signal.SIGKILL)
    owner.wait()
    # Not asserted here that something is left: any other start may have cleared it already.
    with Network(load("star2"), options=options(tmp_path)):
        assert not agent.alive
    assert not set(ports) & interfaces()
    assert not any(n.owner.pid == owner.pid for n in state.running())


def test_two_networks_live_side_by_side(tmp_path: Path) -> None:
    first_options, second_options = options(tmp_path / "1"), options(tmp_path / "2")
    with (
        Network(load("star2"), options=first_options) as first,
        Network(load("star2"), options=second_options) as second,
    ):
        assert first.switches["s1"].grpc_address != second.switches["s1"].grpc_address
        ours = set(first.switches["s1"].interfaces.values())
        assert not ours & set(second.switches["s1"].interfaces.values())


def test_a_switch_that_does_not_start_says_why_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    allocated: list[state.NetworkState] = []
    monkeypatch.setattr(
        state,
        "allocate",
        lambda *a, _real=state.allocate: allocated.append(_real(*a)) or allocated[0],
    )
    monkeypatch.setattr(targets, "executable", lambda _target: [*STANDIN, "--fail"])
    with pytest.raises(NetworkError, match=r"^s1: the switch ended \(exit 1\): standin: told to"):
        Network(load("star2"), options=options(tmp_path)).start()
    assert len(allocated[0].interfaces) == 3
    assert not set(allocated[0].interfaces) & interfaces()
    assert not allocated[0].path.exists()


def test_check_notices_a_switch_that_died(tmp_path: Path) -> None:
    with Network(load("star2"), options=options(tmp_path)) as net:
        net.check()
        process = net.mininet["s1"].process
        process.kill()
        process.wait()
        with pytest.raises(NetworkError, match=r"s1: the switch ended"):
            net.check()


def test_a_link_rate_limits_what_the_host_sends(tmp_path: Path) -> None:
    topology = parse(
        {
            "hosts": {"h1": {}, "h2": {}},
            "switches": {"s1": {}},
            "links": [["h1", "s1-p1", {"rate": "8Mbit", "queue": 10}], ["h2", "s1-p2"]],
        }
    )
    with Network(topology, options=options(tmp_path)) as net:
        assert "rate 8Mbit" in net.mininet["h1"].cmd("tc qdisc show dev eth0")
        assert "tbf" not in net.mininet["h2"].cmd("tc qdisc show dev eth0")
        words = (tmp_path / "logs" / "s1.log").read_text()
        assert "--port-config 1:rate=8000000,queue=10" in words
        assert "--port-config 2" not in words


def test_faults_of_a_run_reach_every_port_with_seeds_of_their_own(tmp_path: Path) -> None:
    extra = targets.LinkModel(loss=0.25)
    choices = NetworkOptions(logs=tmp_path, seed=3, extra=extra)
    with Network(load("star2"), options=choices):
        words = (tmp_path / "s1.log").read_text().split()
    configs = [word for word in words if ":loss=" in word]
    assert configs == [
        f"{port}:loss=0.25,seed={2 * link + 1},in_loss=0.25,in_seed={2 * link}"
        for port, link in ((1, 9), (2, 10), (3, 11))
    ]


def test_networks_started_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    errors: list[BaseException] = []

    def once(number: int) -> None:
        script = (
            "from pathlib import Path; from topologies import *\n"
            "from topologies import network, targets\n"
            f"targets.executable = network.executable = lambda _t: {STANDIN!r}\n"
            f"o = NetworkOptions(logs=Path({str(tmp_path / str(number))!r}))\n"
            "with Network(load('star2'), options=o): pass"
        )
        try:
            subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=once, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_without_root_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(NetworkError, match="need root"):
        Network(load("star2"), options=options(tmp_path)).start()


def test_an_absent_bmv2_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PATH", "/usr/bin:/usr/sbin:/bin:/sbin")
    with pytest.raises(NetworkError, match="simple_switch_grpc is not on PATH"):
        Network(load("star2"), "bmv2", options(tmp_path)).start()
