# SPDX-License-Identifier: MIT
"""A switch as a node: the compiled P4 program itself, one packet at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softswitch.engine import Pipeline
from verification.model import Event, Fault, Packet, Permutation, State, Status, Step

REBOOT = Event("reboot", Fault.REBOOT)


@dataclass(frozen=True, slots=True)
class View:
    """How a system looks into a program's registers.

    ``holds`` says whether anything is still held; ``rename`` renames the workers inside the
    registers of a loaded pipeline; ``describe`` gives one line for people; ``broken`` says what is
    wrong with a state, if anything is.
    """

    holds: Callable[[Pipeline], bool]
    rename: Callable[[Pipeline, Permutation], None]
    describe: Callable[[Pipeline], str]
    broken: Callable[[Pipeline], str | None] = lambda _: None


class SwitchNode:
    """One switch running ``pipeline``, whose tables are already filled.

    Its local state is the pipeline's snapshot.  A reboot empties the registers and keeps the
    tables, as a controller restores these before traffic flows again.
    """

    def __init__(self, name: str, pipeline: Pipeline, view: View, *, reboots: bool = False) -> None:
        self.name, self.pipeline, self.view = name, pipeline, view
        self._first = self._now = pipeline.snapshot()
        self._reboots = reboots

    def initial(self) -> State:
        """Empty registers."""
        return self._first

    def status(self, state: State) -> Status:
        """Always done; idle while no slot is held."""
        self._load(state)
        return Status.DONE if self.view.holds(self.pipeline) else Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """A reboot, when anything would be lost by it."""
        return (REBOOT,) if self._reboots and state != self._first else ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Reboot."""
        return (Step(self._first),)

    def deliver(self, state: State, port: int, packet: Packet) -> Sequence[Step]:
        """Run the program on one packet, all copies to the end."""
        assert isinstance(packet, bytes)
        self._load(state)
        sends = tuple(self.pipeline.process(port, packet, 0))
        self._now = self.pipeline.snapshot()
        return (Step(self._now, sends, self.view.broken(self.pipeline)),)

    def rename(self, state: State, perm: Permutation) -> State:
        """The workers renamed inside the registers."""
        self._load(state)
        self.view.rename(self.pipeline, perm)
        self._now = self.pipeline.snapshot()
        return self._now

    def describe(self, state: State) -> str:
        """What the registers hold."""
        self._load(state)
        return self.view.describe(self.pipeline)

    def _load(self, state: State) -> None:
        if state is not self._now:
            self.pipeline.restore(state)
            self._now = state
