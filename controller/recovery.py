# SPDX-License-Identifier: MIT
"""Reading jobs back from what switches hold: the inverse of `aggregation.job_states`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controller.aggregation import (
    JOBS,
    MAX_WORKERS,
    POOLS,
    REPLICAS,
    RID_SERVER,
    RIDS_PER_JOB,
    JobPlan,
    Pool,
    ResultPath,
)
from controller.desired import Action, Key, SwitchState


@dataclass
class _Pieces:
    """What the switches say about one job."""

    job: int
    index: int = 0
    active: int = 0
    server_ip: int = 0
    direct: bool = False
    holding: bool = False
    aggregates: bool = False
    pool: Pool | None = None
    worker_ips: dict[int, int] = field(default_factory=dict)


def recover_plans(states: Mapping[str, SwitchState], hosts: Mapping[int, str]) -> list[JobPlan]:
    """The jobs that switches hold, in the order of their ids.

    `hosts` are names by IPv4 address (`routing.ip_value`). A job some of whose hosts are not
    among them is left out: its rows will be removed.
    """
    pieces: dict[int, _Pieces] = {}
    for state in states.values():
        for key, action in state.rows.items():
            if key.table in (JOBS, POOLS):
                job = _match(key)
                _job_row(pieces.setdefault(job, _Pieces(job)), key, action)
    by_index = {p.index: p for p in pieces.values() if p.index}
    for state in states.values():
        for key, action in state.rows.items():
            if key.table == REPLICAS:
                _replica_row(by_index, _match(key), action)
    plans = (_plan(p, hosts) for _, p in sorted(pieces.items()))
    return [plan for plan in plans if plan is not None]


def _match(key: Key) -> int:
    value = key.match[0][1]
    assert isinstance(value, int)
    return value


def _job_row(pieces: _Pieces, key: Key, action: Action) -> None:
    args = dict(action.args)
    if key.table == POOLS:
        pieces.pool = Pool(args["pool_base"], args["pool_size"], args["with_round"] == 1)
        return
    pieces.index = args.get("job_index", 0)
    pieces.active |= args.get("full_mask", 0)
    if action.name.endswith(".aggregate"):
        pieces.aggregates = True
        pieces.direct |= args["direct"] == 1
        pieces.holding |= args["free_on_complete"] == 0


def _replica_row(by_index: Mapping[int, _Pieces], instance: int, action: Action) -> None:
    index, which = divmod(instance, RIDS_PER_JOB)
    if index not in by_index:
        return
    if which < MAX_WORKERS:
        by_index[index].worker_ips[which] = dict(action.args)["ip_addr"]
    elif which == RID_SERVER:
        by_index[index].server_ip = dict(action.args)["ip_addr"]


def _plan(pieces: _Pieces, hosts: Mapping[int, str]) -> JobPlan | None:
    known = {pieces.server_ip, *pieces.worker_ips.values()} <= hosts.keys()
    if not known or not pieces.index or not pieces.worker_ips:
        return None
    return JobPlan(
        job=pieces.job,
        index=pieces.index,
        ranks=tuple((hosts[ip], rank) for rank, ip in sorted(pieces.worker_ips.items())),
        server=hosts[pieces.server_ip],
        active=pieces.active,
        result_path=ResultPath.DIRECT if pieces.direct else ResultPath.SERVER,
        # With a direct result the last switch frees in any case: only others tell.
        free_on_complete=pieces.aggregates and not pieces.holding and not pieces.direct,
        aggregate=pieces.aggregates,
        pool=pieces.pool,
    )
