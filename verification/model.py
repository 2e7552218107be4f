# SPDX-License-Identifier: MIT
"""What is checked: nodes joined by links, an environment of faults, and properties.

A :class:`Node` wraps code that really runs: a host agent (sans-I/O core) or a switch
(:class:`softswitch.engine.Pipeline`).  It is a pure function of a hashable local state, so the
explorer may ask it once per distinct (state, event) and remember the answer.  Properties are
checked in three places:

* inside a step (:attr:`Step.violation`): what one node can see, such as a delivered sum;
* over the local states of a few nodes at once (:class:`Invariant`);
* over whole runs: nothing held at quiescence (:attr:`Status.IDLE`), and progress: from every
  reachable state some continuation without further faults completes (:attr:`Status.DONE`).
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

State: TypeAlias = Any
"""A node's local state: any hashable value."""
Packet: TypeAlias = Any
"""What travels over a link: any hashable value; bytes for real switches."""
Permutation = tuple[int, ...]
"""``perm[i]`` is the new index of interchangeable worker ``i``."""


class Fault(enum.IntEnum):
    """Classes of faults, each with a budget in :class:`Environment`."""

    LOSS = 0
    DUPLICATE = 1
    REORDER = 2
    TIMEOUT = 3
    REBOOT = 4
    CRASH = 5
    LINK = 6
    OTHER = 7


class Status(enum.IntFlag):
    """What a node says of one of its local states."""

    BUSY = 0
    DONE = 1
    """All that this node has to do is done."""
    IDLE = 2
    """Nothing is held: no slot, no unfinished entry."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happens inside a node.

    ``fault`` is None for what may happen at any time free of charge.  ``Fault.TIMEOUT`` is free
    while no packet is in flight (the timer that progress waits for) and costs budget otherwise
    (a spurious timeout).
    """

    name: str
    fault: Fault | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One outcome of an event: next local state, packets sent as (port, packet), a violation."""

    state: State
    sends: tuple[tuple[int, Packet], ...] = ()
    violation: str | None = None


class Plain:
    """Defaults of :class:`Node` for systems that need no reductions and have no workers."""

    def ignores(self, state: State, port: int, packet: Packet) -> bool:
        """Every packet may matter."""
        return False

    def passes(self, port: int, packet: Packet) -> tuple[int, Packet] | None:
        """No packet just passes."""
        return None

    def rename(self, state: State, perm: Permutation) -> State:
        """The state names no worker."""
        return state


class Node(Protocol):
    """A host or a switch as a pure transition function."""

    @property
    def name(self) -> str:
        """Unique in its system."""
        ...

    def initial(self) -> State:
        """The state in which a run starts."""
        ...

    def status(self, state: State) -> Status:
        """Whether it is done, idle, absorbing."""
        ...

    def events(self, state: State) -> Sequence[Event]:
        """Internal events that may happen in this state: timers, application calls, crashes."""
        ...

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """The outcomes of an internal event."""
        ...

    def deliver(self, state: State, port: int, packet: Packet) -> Sequence[Step]:
        """The outcomes of a packet arriving on ``port``."""
        ...

    def ignores(self, state: State, port: int, packet: Packet) -> bool:
        """Whether this packet changes nothing here, now and in all states that can follow.

        Such packets are dropped at once (a reduction); that nothing changes now is checked.
        """
        ...

    def passes(self, port: int, packet: Packet) -> tuple[int, Packet] | None:
        """Where a packet goes that this node forwards whatever its state, changing nothing.

        The hop is then skipped (a reduction): one packet in flight for another.
        """
        ...

    def rename(self, state: State, perm: Permutation) -> State:
        """The state with the interchangeable workers renamed (identity when there are none)."""
        ...

    def describe(self, state: State) -> str:
        """One line for people."""
        ...


@dataclass(frozen=True, slots=True)
class Link:
    """A bidirectional link between ports of two nodes."""

    a: str
    a_port: int
    b: str
    b_port: int


@dataclass(frozen=True, slots=True)
class Invariant:
    """A predicate over the local states of a few nodes; None when it holds, else what is wrong."""

    name: str
    nodes: tuple[str, ...]
    check: Callable[..., str | None]


@dataclass(frozen=True, slots=True)
class Artefact:
    """What a switch runs, for tests outside the checker.

    Attributes:
        program: its name.
        setup: the lines of a packet test (STF) that fill its tables.
        write: writes the compiled program (BMv2 JSON) and its P4Info to two files.
    """

    program: str
    setup: tuple[str, ...]
    write: Callable[[Path, Path], None]


@dataclass(frozen=True)
class System:
    """A network of nodes with its properties.

    ``workers`` names interchangeable nodes in index order and ``groups`` partitions their indices
    into sets inside which they may be exchanged (workers of one rack, say).
    """

    name: str
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    workers: tuple[str, ...] = ()
    groups: tuple[tuple[int, ...], ...] = ()
    rename_packet: Callable[[Packet, Permutation], Packet] = lambda packet, _: packet
    describe_packet: Callable[[Packet], str] = str
    invariants: tuple[Invariant, ...] = ()
    check_idle: bool = True
    check_progress: bool = True
    artefacts: Mapping[str, Artefact] = field(default_factory=dict)
    """Of the switches that run a program."""

    def permutations(self) -> list[Permutation]:
        """All renamings of the workers that keep the groups; the identity first."""
        identity = tuple(range(len(self.workers)))
        result = [identity]
        for group in self.groups:
            result = [
                _exchange(perm, group, image)
                for perm in result
                for image in itertools.permutations(group)
            ]
        return sorted(set(result), key=lambda perm: (perm != identity, perm))


def _exchange(perm: Permutation, group: tuple[int, ...], image: tuple[int, ...]) -> Permutation:
    swapped = list(perm)
    for position, target in zip(group, image, strict=True):
        swapped[position] = perm[target]
    return tuple(swapped)


UNLIMITED = 15
Reorder = Literal["none", "any"] | int


@dataclass(frozen=True, slots=True)
class Environment:
    """The adversary: budgets of faults over a whole run.

    Budgets are 0..14 or :data:`UNLIMITED`.  ``reorder`` is ``"none"`` (links are FIFO), ``"any"``,
    or a number: how many times in all a packet may overtake others on its link.  ``capacity``
    bounds the packets in flight on one directed link; what exceeds it is lost (queue overflow),
    except that a timer does not fire into a full link.
    """

    loss: int = 0
    duplicate: int = 0
    reorder: Reorder = "none"
    timeout: int = 0
    reboot: int = 0
    crash: int = 0
    link: int = 0
    other: int = 0
    capacity: int = 0

    def __post_init__(self) -> None:
        for fault in Fault:
            if not 0 <= self.budget(fault) <= UNLIMITED:
                raise ValueError(
                    f"environment: {fault.name.lower()} budget {self.budget(fault)} outside 0..14"
                )

    def budget(self, fault: Fault) -> int:
        """The budget of one class of faults."""
        if fault is Fault.REORDER:
            return self.reorder if isinstance(self.reorder, int) else 0
        value: int = getattr(self, fault.name.lower())
        return value

    def __str__(self) -> str:
        parts = [
            f"{f.name.lower()} {'any' if self.budget(f) == UNLIMITED else self.budget(f)}"
            for f in Fault
            if f is not Fault.REORDER and self.budget(f)
        ]
        parts.append(f"reorder {self.reorder}")
        if self.capacity:
            parts.append(f"capacity {self.capacity}")
        return ", ".join(parts)
