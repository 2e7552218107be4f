# SPDX-License-Identifier: MIT
"""A member of a group as a process: `python -m hosts.collective_agent GROUP.json --rank N`.

Run it in the member's network namespace. The file has a `group`, as `GroupDescription` in JSON,
and a `task`: `{"collectives": [...], "sizes": [...], "repeat": R, "seed": S}`. Each collective is
run at each size and compared with NumPy. Standard output has JSON lines: `ready`, `progress` (one
per collective and size), `result`, `error`. After `result` the agent answers others' packets until
SIGTERM.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from hosts.collectives.description import GroupDescription, GroupMember
from hosts.collectives.encoding import Array
from hosts.collectives.group import Group
from hosts.collectives.tasks import TASKS
from hosts.collectives.transport import FrameTransport
from hosts.errors import AgentConfigError, HostError
from hosts.events import emit, run

_IDLE_US = 100_000


class WrongResultError(HostError):
    """A collective's result differs from NumPy's."""


def read(path: Path) -> tuple[GroupDescription, dict[str, Any]]:
    """Group and task of a file.

    Raises:
        AgentConfigError: it cannot be read, or is none.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        group = dict(document["group"])
        group["members"] = tuple(GroupMember(**member) for member in group["members"])
        return GroupDescription(**group), dict(document["task"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AgentConfigError(f"{path}: not a group file: {error}: see docs/epic.md") from error


def measure(group: Group, name: str, size: int, repeat: int, seed: int) -> dict[str, Any]:
    """Run one collective `repeat` times and check every result."""
    task = TASKS[name]
    parts = [task.contribution(size, group.size, seed, rank) for rank in range(group.size)]
    wanted = task.expected(parts, group.rank)
    resent = group.resent
    seconds = []
    for _ in range(repeat):
        group.barrier()
        begin = time.monotonic_ns()
        got = task.call(group, parts[group.rank])
        seconds.append((time.monotonic_ns() - begin) / 1e9)
        if not _same(got, wanted):
            raise WrongResultError(f"{name} of {size} bytes: wrong result at rank {group.rank}")
    return {"collective": name, "bytes": size, "seconds": seconds, "resent": group.resent - resent}


def _same(got: Array | None, wanted: Array | None) -> bool:
    if got is None or wanted is None:
        return got is wanted
    return np.array_equal(got, wanted)


def work(path: Path, rank: int) -> int:
    """Join the group and do the task."""
    description, task = read(path)
    if not 0 <= rank < description.size:
        raise AgentConfigError(f"rank {rank}: the group has {description.size} members")
    group = Group(description, rank)
    transport = FrameTransport(description.members[rank].interface, group)
    group.transport = transport
    emit("ready", rank=rank)
    for name in task["collectives"]:
        for size in task["sizes"]:
            emit("progress", rank=rank, **measure(group, name, size, task["repeat"], task["seed"]))
    group.barrier()
    emit("result", rank=rank, resent=group.resent, calls=dict(group.stats))
    while True:  # others may still need our acknowledgements
        transport.step(_IDLE_US)


def main(arguments: list[str] | None = None) -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="python -m hosts.collective_agent", description=__doc__)
    parser.add_argument("group", type=Path, metavar="GROUP.json")
    parser.add_argument("--rank", type=int, required=True, help="position in the group")
    given = parser.parse_args(arguments)
    return run(lambda: work(given.group, given.rank))


if __name__ == "__main__":
    sys.exit(main())
