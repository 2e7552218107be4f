# SPDX-License-Identifier: MIT
from pathlib import Path

import pytest

import topologies
from controller.errors import GroupRejectedError
from hosts.collectives.tasks import TASKS
from inca.cli.collective import NAMES
from inca.experiments.collectives import CollectiveRun, Measurement, run
from topologies import LinkModel

MEMBERS = ("h1", "h3", "h2", "h5")


def chosen(**options: object) -> CollectiveRun:
    network = topologies.load("leaf-spine")
    return CollectiveRun(network, MEMBERS, NAMES, (2048,), repeat=1, **options)  # type: ignore[arg-type]


def test_every_collective_has_a_task() -> None:
    assert set(NAMES) == set(TASKS)


def test_bandwidths_are_those_of_nccl_tests() -> None:
    measured = Measurement("allreduce", 1000, 4, 0.5, 0)
    assert (measured.algbw, measured.busbw) == (2000.0, 3000.0)
    assert Measurement("allgather", 1000, 4, 0.5, 0).busbw == 1500.0
    assert Measurement("broadcast", 1000, 4, 0.5, 0).busbw == 2000.0


@pytest.mark.parametrize(("size", "words"), [(2048, 512), (1, 4)])
def test_sizes_are_whole_words_of_every_member(size: int, words: int) -> None:
    part = {name: TASKS[name].contribution(size, 4, 1, 0) for name in TASKS}
    assert part["allreduce"].shape == (words,)
    assert part["reduce_scatter"].shape == (4, words // 4)
    assert part["allgather"].shape == (words // 4,)


def test_a_wrong_member_leaves_nothing(tmp_path: Path) -> None:
    wrong = CollectiveRun(topologies.load("star4"), ("h1", "h9"), NAMES, (64,))
    with pytest.raises(GroupRejectedError, match="no host h9 in topology star4"):
        run(wrong, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.root
@pytest.mark.xdist_group("network")
@pytest.mark.parametrize("in_network", [True, False])
def test_all_collectives_on_a_faulty_network(tmp_path: Path, in_network: bool) -> None:
    faults = LinkModel(loss=0.01, duplicate=0.01, reorder=0.01)
    _, grant, measured = run(chosen(faults=faults, in_network=in_network), tmp_path)
    assert bool(grant.description.number) is in_network
    assert [m.collective for m in measured] == list(NAMES)
    assert all(m.seconds > 0 for m in measured)
