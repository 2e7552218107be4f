# SPDX-License-Identifier: MIT
"""Each collective on random integers, against NumPy: for agents, experiments and tests."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from hosts.collectives.encoding import Array
from hosts.collectives.group import Group

_LIMIT = 1 << 20
_WORD = 4


@dataclass(frozen=True)
class Task:
    """One collective.

    Attributes:
        call: carries it out at one rank, with that rank's contribution.
        expected: what a rank must get, from everybody's contributions; None: nothing.
        scattered: a contribution has one row per member.
        gathered: the size counted is that of the result, not of a contribution.
        bus_factor: bus bandwidth by algorithm bandwidth for n members, as nccl-tests defines it.
    """

    call: Callable[[Group, Array], Array | None]
    expected: Callable[[Sequence[Array], int], Array | None]
    scattered: bool
    gathered: bool
    bus_factor: Callable[[int], float]

    def contribution(self, size: int, members: int, seed: int, rank: int) -> Array:
        """Random int32 of one rank for `size` bytes in all (at least one word per member)."""
        words = max(size // _WORD, members)
        shape: tuple[int, ...] = (words,)
        if self.scattered:
            shape = (members, words // members)
        elif self.gathered:
            shape = (words // members,)
        random = np.random.default_rng((seed, size, rank))
        values: Array = random.integers(-_LIMIT, _LIMIT, shape, dtype=np.int32)
        return values


def _sum(parts: Sequence[Array]) -> Array:
    return np.asarray(np.sum(np.stack(parts), axis=0, dtype=np.int32))


def _barrier(group: Group, _: Array) -> None:
    group.barrier()


TASKS: Mapping[str, Task] = {
    "allreduce": Task(
        lambda g, a: g.allreduce(a), lambda p, _: _sum(p), False, False, lambda n: 2 * (n - 1) / n
    ),
    "reduce": Task(
        lambda g, a: g.reduce(a),
        lambda p, rank: _sum(p) if rank == 0 else None,
        False,
        False,
        lambda _: 1.0,
    ),
    "broadcast": Task(lambda g, a: g.broadcast(a), lambda p, _: p[0], False, False, lambda _: 1.0),
    "allgather": Task(
        lambda g, a: g.allgather(a), lambda p, _: np.stack(p), False, True, lambda n: (n - 1) / n
    ),
    "reduce_scatter": Task(
        lambda g, a: g.reduce_scatter(a),
        lambda p, rank: _sum(p)[rank],
        True,
        False,
        lambda n: (n - 1) / n,
    ),
    "barrier": Task(_barrier, lambda _p, _r: None, False, False, lambda _: 1.0),
}
