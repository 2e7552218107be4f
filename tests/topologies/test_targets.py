# SPDX-License-Identifier: MIT
from pathlib import Path

import pytest

from topologies import Endpoint, Link, LinkModel, NetworkError, Switch, targets
from topologies.targets import PortModel, SwitchCommand, netem_arguments, port_config

BETWEEN = Link(Endpoint("s1", 2), Endpoint("s2", 3))
TO_HOST = Link(Endpoint("h1", 0), Endpoint("s1", 1))


def test_a_port_without_a_model_has_no_option() -> None:
    assert port_config(PortModel.of(TO_HOST, "s1", LinkModel())) == ""


def test_rate_delay_and_queue_are_the_sending_ports() -> None:
    model = LinkModel(rate_bps=10**7, delay_us=1500, queue_packets=32)
    text = "rate=10000000,delay=1500us,queue=32"
    assert port_config(PortModel.of(TO_HOST, "s1", model)) == text
    assert port_config(PortModel.of(BETWEEN, "s2", model), priorities=8) == f"{text},priorities=8"


def test_faults_of_what_a_host_sends_are_applied_where_it_arrives() -> None:
    model = LinkModel(loss=0.5, duplicate=0.25, seed=7)
    assert port_config(PortModel.of(TO_HOST, "s1", model)) == (
        "loss=0.5,duplicate=0.25,seed=15,in_loss=0.5,in_duplicate=0.25,in_seed=14"
    )


def test_between_switches_each_applies_faults_to_what_it_sends() -> None:
    model = LinkModel(reorder=0.1, seed=7)
    assert port_config(PortModel.of(BETWEEN, "s1", model)) == "reorder=0.1,seed=14"
    assert port_config(PortModel.of(BETWEEN, "s2", model)) == "reorder=0.1,seed=15"


def test_our_port_options_are_understood_by_our_switch() -> None:
    parse = pytest.importorskip("softswitch.server.port_config").parse_port_config
    model = LinkModel(rate_bps=10**7, delay_us=1500, queue_packets=32, loss=0.5, corrupt=1, seed=7)
    port, values = parse("1:" + port_config(PortModel.of(TO_HOST, "s1", model), priorities=2))
    assert port == 1
    assert values == {
        "rate_bps": 10**7,
        "delay_us": 1500,
        "queue_packets": 32,
        "priorities": 2,
        "loss": 0.5,
        "corrupt": 1,
        "seed": 15,
        "in_loss": 0.5,
        "in_corrupt": 1,
        "in_seed": 14,
    }


def test_bmv2_gets_its_own_options_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets.shutil, "which", lambda name: f"/opt/{name}")
    model = PortModel.of(TO_HOST, "s1", LinkModel(loss=0.5, seed=1))
    command = SwitchCommand(
        Switch("s1", 4, "08:00:00:00:01:00", cpu_port=255),
        "127.0.0.1:50051",
        {1: "inca1-s1-1"},
        {1: model},
        Path("logs/s1.log"),
    )
    assert command.arguments("bmv2") == [
        "/opt/simple_switch_grpc", "--device-id", "4", "-i", "1@inca1-s1-1",
        "--log-console", "--log-level", "info", "--no-p4",
        "--", "--grpc-server-addr", "127.0.0.1:50051", "--cpu-port", "255",
    ]  # fmt: skip
    ours = command.arguments("softswitch")
    assert ours[ours.index("--port-config") + 1].startswith("1:loss=0.5")


def test_an_unknown_target_is_named() -> None:
    with pytest.raises(NetworkError, match="unknown target 'tofino': one of softswitch, bmv2"):
        targets.executable("tofino")


def test_netem_words() -> None:
    model = LinkModel(delay_us=2000, loss=0.01, queue_packets=9, rate_bps=1000)
    assert " ".join(netem_arguments(model)) == "delay 2000us limit 9 loss 1% rate 1000bit"
    assert netem_arguments(LinkModel()) == []
    assert netem_arguments(LinkModel(reorder=0.1))[:2] == ["delay", "1ms"]
