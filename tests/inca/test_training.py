# SPDX-License-Identifier: MIT
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import topologies
from hosts.wire.esa import frame_dtype
from inca import records
from inca.experiments import training
from inca.experiments.agents import AgentError
from inca.experiments.training import Observer, Progress, TrainingRun
from topologies import LinkModel, state

FRAME_BYTES = frame_dtype(32).itemsize


def report(step: int, digest: str = "a", **changes: Any) -> dict[str, Any]:
    return {
        "step": step,
        "loss": 1.0,
        "accuracy": None,
        "digest": digest,
        "communication_us": 1000,
        "gradient_bytes": 125,
        **changes,
    }


def test_a_step_is_complete_when_all_workers_have_reported_it() -> None:
    progress = Progress(steps=2, workers=2)
    assert not progress.take(report(0, accuracy=0.5))
    assert not progress.take(report(1))
    assert progress.take(report(0, loss=3.0))
    assert progress.losses == [2.0]
    assert progress.accuracy == [(1, 0.5)]
    assert progress.goodput_bps == pytest.approx(1e6)


def test_every_step_that_some_worker_did_not_sum_exactly_is_named() -> None:
    progress = Progress(steps=4, workers=2)
    for step, digests in enumerate((("a", "a"), ("b", "x"), ("y", "y"))):
        for digest in digests:
            progress.take(report(step, digest))
    assert progress.mismatched(["a", "b", "c", "d"]) == [2, 3, 4]


def test_a_topology_without_roles_is_refused(tmp_path: Path) -> None:
    plain = topologies.parse(
        {"hosts": {"h1": {}}, "switches": {"s1": {}}, "links": [["h1", "s1-p1"]]}, name="plain"
    )
    with pytest.raises(training.ExperimentError, match="topology plain needs hosts of role worker"):
        training.run(TrainingRun(plain, tmp_path))
    assert list(tmp_path.iterdir()) == []


def run(tmp_path: Path, **options: Any) -> dict[str, Any]:
    chosen = TrainingRun(topologies.load("star4"), tmp_path, **options)
    return records.read(training.run(chosen))


@pytest.fixture(scope="module")
def main_job(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What make run does."""
    return run(tmp_path_factory.mktemp("results"))


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_all_workers_hold_the_exact_sum_at_every_step(main_job: dict[str, Any]) -> None:
    (job,) = main_job["jobs"]
    assert job["steps"] == len(job["loss"]) == 200
    assert job["mismatched_steps"] == []
    assert job["exact"]


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_the_model_learns_as_in_one_process(main_job: dict[str, Any]) -> None:
    (job,) = main_job["jobs"]
    assert job["final_accuracy"] >= 0.95
    assert abs(job["final_accuracy"] - job["reference_accuracy"]) <= 0.005
    assert job["loss"][-1] < job["loss"][0] / 4


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_each_worker_sends_and_receives_one_copy(main_job: dict[str, Any]) -> None:
    (job,) = main_job["jobs"]
    one_copy = job["fragments"]["total"] * FRAME_BYTES
    for link in main_job["links"]:
        if link["link"].startswith("h"):
            assert link["bytes"] == pytest.approx(one_copy, rel=0.05), link
    assert job["fragments"]["switch_share"] > 0.95


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_a_tiny_aggregator_memory_is_exact_and_the_server_does_more(
    main_job: dict[str, Any], tmp_path: Path
) -> None:
    tiny = run(tmp_path, aggregators=8, steps=40)
    (job,) = tiny["jobs"]
    assert job["exact"]
    assert job["fragments"]["server_share"] > 0.2
    assert job["fragments"]["server_share"] > main_job["jobs"][0]["fragments"]["server_share"]


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_faulty_links_do_not_change_the_sums(tmp_path: Path) -> None:
    faults = LinkModel(loss=0.01, duplicate=0.01, reorder=0.01)
    faulty = run(tmp_path, faults=faults, steps=8, seed=3)
    (job,) = faulty["jobs"]
    assert job["exact"]
    repairs = job["agents"]["ps"]["counters"]
    assert repairs["reminded"] + repairs["repaired"] > 0


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_switches_below_each_other_aggregate_too(tmp_path: Path) -> None:
    chosen = TrainingRun(topologies.load("two-rack"), tmp_path, steps=10)
    (job,) = records.read(training.run(chosen))["jobs"]
    assert job["exact"]
    assert job["fragments"]["switch_share"] > 0.9


@pytest.mark.root
@pytest.mark.xdist_group("training")
@pytest.mark.timeout(300)
def test_a_server_that_dies_ends_the_run_with_a_word_and_nothing_left(tmp_path: Path) -> None:
    def kill_the_server(progress: Progress) -> None:
        if len(progress.losses) == 3:
            for network in state.running():
                if network.logs.startswith(str(tmp_path)):
                    _kill_agent(network)

    chosen = TrainingRun(topologies.load("star4"), tmp_path, aggregators=0)
    with pytest.raises(AgentError, match="ps: the agent ended"):
        training.run(replace(chosen, steps=1000), Observer(step=kill_the_server))
    assert not any(n.logs.startswith(str(tmp_path)) for n in state.running())


def _kill_agent(network: state.NetworkState) -> None:
    """End the parameter server, which was the first agent to start."""
    words = b"hosts.server_agent"
    for session in network.sessions:
        if words in Path(f"/proc/{session.pid}/cmdline").read_bytes():
            session.signal(9)
