# SPDX-License-Identifier: MIT
import pytest

import topologies
from controller import (
    AggregatorConfig,
    Downgrade,
    JobBook,
    JobRejectedError,
    JobRequest,
    Limits,
    Replica,
    ResultPath,
)
from controller.aggregation import CONFIG, JOBS, Pool
from controller.desired import Action, Key


def book(name: str = "star4", **options: object) -> JobBook:
    return JobBook(topologies.load(name), **options)  # type: ignore[arg-type]


def request(name: str = "a", workers: str = "h1 h2 h3 h4", **options: object) -> JobRequest:
    return JobRequest(name, tuple(workers.split()), "ps", **options)  # type: ignore[arg-type]


def job_row(jobs: JobBook, switch: str, job: int) -> Action:
    return jobs.states()[switch].rows[Key(JOBS, (("hdr.agg.job", job),))]


def test_direct_result_goes_to_workers_and_server() -> None:
    jobs = book()
    grant = jobs.admit(request())
    args = dict(job_row(jobs, "s1", grant.job).args)
    groups = jobs.states()["s1"].groups
    assert args["full_mask"] == 0b1111
    assert args["direct"] == 1
    assert {copy.port for copy in groups[args["children_group"]]} == {1, 2, 3, 4}
    assert {copy.port for copy in groups[args["result_group"]]} == {1, 2, 3, 4, 5}
    assert {copy.port for copy in groups[args["remind_group"]]} == {5}


def test_server_path_keeps_slots_until_the_result_returns() -> None:
    jobs = book()
    grant = jobs.admit(request(result_path=ResultPath.SERVER))
    args = dict(job_row(jobs, "s1", grant.job).args)
    assert args["direct"] == 0
    assert args["free_on_complete"] == 0
    assert args["result_group"] == 0


def test_without_aggregation_switches_relay() -> None:
    jobs = book()
    grant = jobs.admit(request(aggregate=False))
    assert job_row(jobs, "s1", grant.job).name == "IncaIngress.job_lookup.relay"


def test_remind_walks_down_the_tree() -> None:
    jobs = book("two-rack")
    grant = jobs.admit(request(workers="h1 h2 h5 h6"))
    states = jobs.states()
    group = dict(job_row(jobs, "s3", grant.job).args)["remind_group"]
    assert {copy.port for copy in states["s3"].groups[group]} == {1, 2, 3}
    group = dict(job_row(jobs, "s1", grant.job).args)["remind_group"]
    assert {copy.port for copy in states["s1"].groups[group]} == {5}


def test_jobs_share_nothing_but_switches() -> None:
    jobs = book("two-rack")
    one = jobs.admit(request("a", "h1 h2 h5"))
    two = jobs.admit(request("b", "h3 h4 h6"))
    assert (one.job, two.job) == (1, 2)
    for state in jobs.states().values():
        instances = [copy.instance for copies in state.groups.values() for copy in copies]
        assert {i // 64 for i in instances} <= {one.plan.index, two.plan.index}


def test_ids_are_never_used_twice_but_rows_are() -> None:
    jobs = book()
    first = jobs.admit(request())
    jobs.remove("a")
    second = jobs.admit(request())
    assert second.job == first.job + 1
    assert second.plan.index == first.plan.index


def test_removed_job_leaves_no_row() -> None:
    jobs = book("leaf-spine")
    before = jobs.states()
    jobs.admit(request(workers="h1 h3 h5"))
    jobs.remove("a")
    assert jobs.states() == before


def test_fewer_workers_change_mask_and_copies() -> None:
    jobs = book()
    grant = jobs.admit(request())
    jobs.set_active("a", ["h1", "h3"])
    args = dict(job_row(jobs, "s1", grant.job).args)
    assert args["full_mask"] == 0b0101
    ports = {copy.port for copy in jobs.states()["s1"].groups[args["children_group"]]}
    assert ports == {1, 3}


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (request(workers="h1 h9"), "a: no host h9 in topology star4"),
        (request(workers="h1 h1"), "worker twice"),
        (request(workers="h1 ps"), "worker and parameter server"),
        (JobRequest("a", (), "ps"), "at least one worker"),
    ],
)
def test_wrong_requests_are_refused(wrong: JobRequest, text: str) -> None:
    with pytest.raises(JobRejectedError, match=text):
        book().admit(wrong)


def test_what_does_not_fit_is_refused_with_the_limit() -> None:
    jobs = book(limits=Limits(jobs=1, workers_per_job=3))
    with pytest.raises(JobRejectedError, match="4 workers, at most 3"):
        jobs.admit(request())
    jobs.admit(request(workers="h1 h2"))
    with pytest.raises(JobRejectedError, match="1 jobs are running"):
        jobs.admit(request("b", "h3 h4"))
    with pytest.raises(JobRejectedError, match="of this name"):
        jobs.admit(request("a", "h3 h4"))


def test_copies_that_do_not_fit_are_refused() -> None:
    jobs = book("two-rack", limits=Limits(replicas_per_switch=6))
    jobs.admit(request("a", "h1 h2 h5"))
    with pytest.raises(JobRejectedError, match=r"b: switch s1 has room for 6 copies.* 3 are taken"):
        jobs.admit(request("b", "h1 h2 h3"))
    assert jobs.admit(request("c", "h3 h6")).job == 2


def test_last_worker_cannot_leave() -> None:
    jobs = book()
    jobs.admit(request())
    with pytest.raises(JobRejectedError, match="no worker is left"):
        jobs.set_active("a", [])
    with pytest.raises(JobRejectedError, match="not a worker"):
        jobs.set_active("a", ["ps"])
    with pytest.raises(JobRejectedError, match="no such job"):
        jobs.remove("b")


@pytest.mark.parametrize("path", ResultPath)
@pytest.mark.parametrize("free", [True, False])
@pytest.mark.parametrize("name", ["star4", "two-rack", "leaf-spine"])
def test_jobs_are_read_back_from_switches(name: str, free: bool, path: ResultPath) -> None:
    jobs = book(name)
    free = free and path is ResultPath.SERVER  # with a direct result the option means nothing
    jobs.admit(request("a", "h1 h4", result_path=path, free_on_complete=free))
    jobs.admit(request("b", "h3 h2", result_path=path))
    jobs.remove("a")
    jobs.admit(request("c", "h1 h2 h3", result_path=path, free_on_complete=free))
    again = book(name)
    found = again.recover(jobs.states())
    assert [grant.plan for grant in found] == [jobs.grants[n].plan for n in ("b", "c")]
    assert again.states() == jobs.states()
    assert again.admit(request("d", "h4")).job == 4


def test_pools_are_disjoint_and_refused_when_full() -> None:
    jobs = book(register_depth=64)
    one = jobs.admit(request("a", "h1 h2", pool_slots=16))
    jobs.admit(request("b", "h3 h4", pool_slots=8))
    jobs.remove("a")
    two = jobs.admit(request("c", "h1 h2", pool_slots=12, with_round=False))
    assert one.plan.pool == Pool(0, 16)
    assert two.plan.pool == Pool(0, 12, with_round=False)
    with pytest.raises(JobRejectedError, match="pool of 16 slots does not fit: 12 of 32 are free"):
        jobs.admit(request("d", "h1 h2", pool_slots=16))
    jobs.admit(request("d", "h1 h2", pool_slots=8))
    again = book(register_depth=64)
    assert [g.plan for g in again.recover(jobs.states())] == [
        jobs.grants[name].plan for name in ("b", "c", "d")
    ]


def test_settings_are_a_default_action() -> None:
    config = AggregatorConfig(aggregators=16, downgrade=Downgrade.HALVE, expire_after_us=5000)
    args = dict(book(config=config).states()["s1"].defaults[CONFIG].args)
    assert args["aggregators"] == 16
    assert args["downgrade"] == 1
    assert args["expire_after"] == 5000
    assert args["age_after"] == 2**48 - 1


def test_aggregators_cannot_exceed_the_program() -> None:
    jobs = book(config=AggregatorConfig(aggregators=9999), register_depth=64)
    assert dict(jobs.states()["s1"].defaults[CONFIG].args)["aggregators"] == 64


def test_replicas_name_ranks() -> None:
    jobs = book()
    jobs.admit(request(workers="h2 h1"))
    copies = jobs.states()["s1"].groups[4]
    assert copies == {Replica(2, 64), Replica(1, 65)}
