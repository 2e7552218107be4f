# SPDX-License-Identifier: MIT
"""Whole networks between datacenters in virtual time, with the compiled switches."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import topologies
from controller.multipath import options_for
from hosts.multipath.decision import Policy
from hosts.multipath.flows import FlowSpec, TrafficError, read_flows
from inca import records
from inca.cli import lcmp as cli
from inca.cli.boundary import CommandError
from inca.experiments import lcmp
from inca.experiments.longhaul import BIN_NS, LinkFailure, Simulation
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    path = tmp_path_factory.mktemp("lcmp") / "lcmp.json"
    compile_p4(ROOT / "p4src/lcmp.p4").write(path, path.with_suffix(".p4info.txtpb"))
    return Pipeline.load(path)


@pytest.fixture(scope="module")
def flows() -> list[FlowSpec]:
    return read_flows(lcmp.FLOWS)[:700]


@pytest.mark.parametrize("parity", [True, False])
def test_order_of_the_policies(pipeline: Pipeline, flows: list[FlowSpec], parity: bool) -> None:
    network = topologies.load_datacenters("dc8")
    plan = lcmp.Plan(network, flows, parity=parity, failure=None)
    runs = lcmp.compare(plan, pipeline, lambda policy, done: None)
    median = {policy: run.overall.p50 for policy, run in runs.items()}
    assert median[Policy.LCMP] < median[Policy.ECMP] < median[Policy.UCMP]
    for run in runs.values():
        # No flow is quicker than light: 10 ms one way at least.
        assert all(result.fct_ns > 20_000_000 for result in run.results)
        assert sum(result.retransmitted for result in run.results) == 0
    assert set(runs[Policy.UCMP].shares) == {2, 3}  # the two paths of 200 Gbit/s
    assert set(runs[Policy.ECMP].shares) == {2, 3, 4, 5, 6, 7}


def test_the_same_run_twice(pipeline: Pipeline, flows: list[FlowSpec]) -> None:
    network = topologies.load_datacenters("dc8")
    options = options_for(network, Policy.LCMP, parity=False)
    first, second = (Simulation(network, options, pipeline, flows[:150]).run() for _ in range(2))
    assert first == second


@pytest.mark.parametrize("policy", Policy)
def test_no_flow_is_lost_when_a_link_dies(
    pipeline: Pipeline, flows: list[FlowSpec], policy: Policy
) -> None:
    """The quickest path's first link goes down in mid-run; packets on it are lost."""
    network = topologies.load_datacenters("dc8")
    options = options_for(network, policy, parity=False)
    at = 2_020_000_000
    via = 2 if policy is Policy.UCMP else 4
    failure = LinkFailure(0, via - 1, at)
    simulation = Simulation(network, options, pipeline, flows, failure=failure)
    before = Simulation(network, options, pipeline, flows).run()
    results = simulation.run()
    assert len(results) == len(flows)
    recovered = [r.recovered_ns for r in results if r.recovered_ns is not None]
    assert recovered, "the failure hit no flow: move it"
    assert all(r.recovered_ns is None for r in before)
    assert min(recovered) > at
    # Nothing goes over the dead link.
    after = at // BIN_NS
    assert not [k for k in simulation.use if k[:2] == (0, via - 1) and k[2] > after]


def test_unknown_hosts_in_a_flow_file_are_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "flows.txt"
    path.write_text("1\n0 999 3 100 5000 2.0\n")
    network = topologies.load_datacenters("dc8")
    with pytest.raises(TrafficError, match=r"flows.txt:2: unknown host 999"):
        lcmp.flows_of(network, path)


def test_shipped_networks_have_flows_and_others_say_so() -> None:
    assert len(lcmp.flows_of(topologies.load_datacenters("dc8"), None)) == 7064
    network = topologies.load_datacenters("dc13")
    assert len(lcmp.flows_of(network, None)) == 7443
    with pytest.raises(TrafficError, match="mine: no flows are shipped"):
        lcmp.flows_of(replace(network, name="mine"), None)


def test_the_command_writes_record_flows_and_plot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cli, "RESULTS", tmp_path)
    arguments = ["run", "--count", "120", "--mode", "corrected", "--fail", "1-4", "--fail-at", "0"]
    assert cli.command.main(arguments, standalone_mode=False) == 0
    (folder,) = tmp_path.iterdir()
    record = records.read(folder)
    assert (record["kind"], record["mode"], record["time"]) == ("lcmp", "corrected", "virtual")
    for policy in ("LCMP", "ECMP", "UCMP"):
        lines = (folder / f"flows-{policy.lower()}.csv").read_text().splitlines()
        assert len(lines) == 121
        assert sum(record["policies"][policy]["shares"].values()) == pytest.approx(1)
    assert (folder / "lcmp.png").read_bytes().startswith(b"\x89PNG")
    said = capsys.readouterr().out
    assert "76 %" in said
    assert "64 %" in said


@pytest.mark.parametrize("link", ["1-8", "one-two", "1"])
def test_links_that_do_not_exist_are_one_clear_line(link: str) -> None:
    with pytest.raises(CommandError, match=f"--fail {link}: ") as caught:
        cli.command.main(["run", "--fail", link], standalone_mode=False)
    assert "\n" not in str(caught.value)
