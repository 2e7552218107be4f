# SPDX-License-Identifier: MIT
"""The answer of a check: three-valued, with what it rests on."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from verification.model import Environment

HELD = "something is still held when all is done and nothing is in flight"
STUCK = "no continuation without further faults completes"


class Outcome(enum.Enum):
    """A bound, a time-out or exhausted memory is never reported as HOLDS."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NOT_ESTABLISHED = "not established"

    @property
    def exit_code(self) -> int:
        """0 holds, 1 violated, 3 not established (2 is bad usage)."""
        return {Outcome.HOLDS: 0, Outcome.VIOLATED: 1, Outcome.NOT_ESTABLISHED: 3}[self]


@dataclass(frozen=True, slots=True)
class Sent:
    """A packet that a step put on a link: the sender's port, the receiver, the packet."""

    port: int
    to: str
    packet: object
    what: str


@dataclass(frozen=True, slots=True)
class TraceStep:
    """One step of a counterexample."""

    kind: str
    """``deliver``, ``lose``, ``duplicate`` or ``internal``."""
    source: str
    node: str
    port: int
    what: str
    """The packet or event, readable."""
    packet: object
    after: str
    """The acting node's local state after the step, readable."""
    sent: tuple[Sent, ...]
    violation: str | None = None
    """The property that the step itself violates."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Size and cost of a search; ``seconds`` is wall-clock time, ``bytes`` the store's size."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    seconds: float = 0.0
    bytes: int = 0
    local_steps: int = 0
    """How often the real code ran: distinct (local state, event) pairs."""
    overflowed: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check established, within which bounds."""

    system: str
    environment: Environment
    outcome: Outcome
    statistics: Statistics
    prop: str | None = None
    """The violated property."""
    reason: str | None = None
    """Why nothing was established."""
    trace: tuple[TraceStep, ...] = ()
