# SPDX-License-Identifier: MIT
"""A switch as a node: the compiled P4 program itself, one packet at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from softswitch.engine import Pipeline
from verification.model import Event, Fault, Packet, Permutation, State, Status, Step

REBOOT = Event("reboot", Fault.REBOOT)

Registers = dict[str, list[int]]
"""Cells of each register array, by the array's name."""


def _nothing_wrong(registers: Registers) -> str | None:
    return None


def _stays(packet: Packet) -> bool:
    return False


def _as_is(registers: Registers) -> None:
    return None


@dataclass(frozen=True)
class View:
    """How a system looks into a program's registers.

    Attributes:
        holds: whether anything is still held.
        rename: renames the workers, in place.
        describe: one line for people.
        tidy: clears, in place, what the program never reads again (cells of a free slot), so that
            states that behave alike are one state.
        passes: whether a packet is forwarded whatever the registers hold, and changes none.
        broken: what is wrong with a state, if anything is.
        names: control-plane names of the arrays that make up the state; None: all.
    """

    holds: Callable[[Registers], bool]
    rename: Callable[[Registers, Permutation], None]
    describe: Callable[[Registers], str]
    tidy: Callable[[Registers], None] = _as_is
    passes: Callable[[Packet], bool] = _stays
    broken: Callable[[Registers], str | None] = _nothing_wrong
    names: tuple[str, ...] | None = None


class SwitchNode:
    """One switch running ``pipeline``, whose tables are already filled.

    Its local state is the contents of its registers (counters do not influence packets).  All
    packets are processed at one instant, ``now``.  A reboot empties the registers and keeps the
    tables, as a controller restores these before traffic flows again.
    """

    def __init__(
        self, name: str, pipeline: Pipeline, view: View, *, now: int = 0, reboots: bool = False
    ) -> None:
        self.name, self.pipeline, self.view, self.now = name, pipeline, view, now
        self._names = tuple(pipeline.registers) if view.names is None else view.names
        self._reboots = reboots
        self._loaded: State = None
        self._passing: dict[tuple[int, Packet], tuple[int, Packet] | None] = {}
        self._first = self._save()

    def initial(self) -> State:
        """Empty registers."""
        return self._first

    def status(self, state: State) -> Status:
        """Always done; idle while no slot is held."""
        return Status.DONE if self.view.holds(self._open(state)) else Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """A reboot, when anything would be lost by it."""
        return (REBOOT,) if self._reboots and state != self._first else ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Reboot."""
        return (Step(self._first),)

    def deliver(self, state: State, port: int, packet: Packet) -> Sequence[Step]:
        """Run the program on one packet, all copies to the end."""
        self._load(state)
        before = self._index_errors()
        sends = tuple(self.pipeline.process(port, packet, self.now))
        following = self._save()
        if self._index_errors() > before:
            wrong: str | None = f"{self.name} uses an index outside a register array"
        else:
            wrong = self.view.broken(self._open(following))
        return (Step(following, sends, wrong),)

    def _index_errors(self) -> int:
        return self.pipeline.stats()["index_errors"]

    def ignores(self, state: State, port: int, packet: Packet) -> bool:
        """Any packet may matter to a switch."""
        return False

    def passes(self, port: int, packet: Packet) -> tuple[int, Packet] | None:
        """Where a packet that the program only forwards leaves.

        Raises AssertionError when what was said to pass depends on or changes the registers.
        """
        if not self.view.passes(packet):
            return None
        if (port, packet) not in self._passing:
            here = self._loaded if self._loaded is not None else self._first
            answers = [self.deliver(state, port, packet)[0] for state in (self._first, here)]
            assert answers[0].state == self._first
            assert answers[1].state == here
            assert answers[0].sends == answers[1].sends
            assert len(answers[0].sends) == 1
            self._passing[port, packet] = answers[0].sends[0]
        return self._passing[port, packet]

    def rename(self, state: State, perm: Permutation) -> State:
        """The workers renamed inside the registers."""
        registers = self._open(state)
        self.view.rename(registers, perm)
        return self._close(registers)

    def describe(self, state: State) -> str:
        """What the registers hold."""
        return self.view.describe(self._open(state))

    def _open(self, state: State) -> Registers:
        return {name: list(cells) for name, cells in zip(self._names, state, strict=True)}

    def _close(self, registers: Registers) -> State:
        return tuple(tuple(registers[name]) for name in self._names)

    def _load(self, state: State) -> None:
        if state == self._loaded:
            return
        for name, cells in zip(self._names, state, strict=True):
            self.pipeline.registers[name].write_all(cells)

    def _save(self) -> State:
        registers = {name: list(self.pipeline.registers[name].read_all()) for name in self._names}
        raw = self._close(registers)
        self.view.tidy(registers)
        state = self._close(registers)
        self._loaded = state if state == raw else None
        return state
