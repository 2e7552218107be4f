# SPDX-License-Identifier: MIT
"""Breadth-first exploration of a :class:`System` under an :class:`Environment`.

The C core (``native/vx.h``) walks over integer vectors; this module answers its questions by
running the real code once per distinct (local state, event) and turns its findings into a
:class:`Verdict`.  Breadth-first order makes every counterexample a shortest one.
"""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from verification import native
from verification.interning import Interner
from verification.model import Environment, Fault, System
from verification.replay import choices, replay
from verification.trace import rebuild
from verification.verdict import HELD, STUCK, Outcome, Statistics, TraceStep, Verdict


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of a search; reaching one gives NOT_ESTABLISHED, never HOLDS."""

    states: int = 20_000_000
    memory_bytes: int = 4 << 30
    seconds: float = 600.0


@dataclass(frozen=True, slots=True)
class Reductions:
    """Which reductions are used; none of them changes a verdict (a test compares)."""

    symmetry: bool = True
    absorb: bool = True
    skip_hops: bool = True

    @classmethod
    def none(cls) -> Reductions:
        """The plain search."""
        return cls(symmetry=False, absorb=False, skip_hops=False)


Progress = Callable[[Statistics, int], None]
"""Called after each layer with the statistics so far and the size of the new frontier."""


def explore(
    system: System,
    environment: Environment,
    *,
    limits: Limits = Limits(),
    reductions: Reductions = Reductions(),
    progress: Progress | None = None,
) -> Verdict:
    """Check all properties of ``system`` in all runs that ``environment`` allows."""
    with _core(system, environment, limits, reductions) as search:
        return search.run(progress)


@contextmanager
def _core(
    system: System, environment: Environment, limits: Limits, reductions: Reductions
) -> Iterator[_Search]:
    permutations = system.permutations() if reductions.symmetry else system.permutations()[:1]
    interner = Interner(system, permutations, reductions.skip_hops)
    rows = [place for perm in permutations for place in interner.node_map(perm)]
    config = native.Config(
        nodes=len(system.nodes),
        budgets=(ctypes.c_uint32 * native.CLASSES)(*(environment.budget(f) for f in Fault)),
        reorder={"none": 0, "any": 2}.get(str(environment.reorder), 1),
        capacity=environment.capacity,
        permutations=len(permutations),
        absorb=int(reductions.absorb),
        max_states=limits.states,
        max_bytes=limits.memory_bytes,
    )
    library = native.library()
    handle = library.vx_new(
        ctypes.byref(config), native.array(rows), native.array(interner.followers())
    )
    if not handle:
        raise MemoryError("no memory for the search")
    try:
        yield _Search(library, handle, interner, environment, limits, reductions)
    finally:
        library.vx_free(handle)


class _Search:
    """One run of the core: answers its questions and reads its findings."""

    def __init__(
        self,
        library: ctypes.CDLL,
        handle: int,
        interner: Interner,
        environment: Environment,
        limits: Limits,
        reductions: Reductions,
    ) -> None:
        self.library, self.handle, self.interner = library, handle, interner
        self.environment, self.limits, self.reductions = environment, limits, reductions
        self.started = time.monotonic()
        self.told_states = self.told_messages = self.local_steps = 0
        self.seen: list[set[tuple[int, ...]]] = [set() for _ in interner.system.invariants]

    def run(self, progress: Progress | None) -> Verdict:
        """Search to the end, a violation or a limit."""
        nodes = self.interner.system.nodes
        first = [self.interner.state(i, node.initial()) for i, node in enumerate(nodes)]
        self._tell()
        self.library.vx_start(self.handle, native.array(first))
        broken = self._broken_invariant(0)
        while broken is None:
            code = self.library.vx_run(self.handle)
            if code == native.NEED:
                self._answer()
            elif code == native.LAYER:
                if progress is not None:
                    stats = self.statistics()
                    progress(stats, self._frontier())
                broken = self._broken_invariant(self.library.vx_layer_first(self.handle))
            elif code == native.VIOLATION:
                return self._step_violation()
            elif code == native.FINISHED:
                return self._whole_run_properties()
            else:
                reason = "memory exhausted" if code == native.NO_MEMORY else "state or memory bound"
                return self._verdict(Outcome.NOT_ESTABLISHED, reason=reason)
            if time.monotonic() - self.started > self.limits.seconds:
                return self._verdict(
                    Outcome.NOT_ESTABLISHED, reason=f"time bound of {self.limits.seconds:g} s"
                )
        trace = self._trace(broken)
        return self._verdict(Outcome.VIOLATED, prop=self._told(trace), trace=trace)

    def _told(self, trace: tuple[TraceStep, ...]) -> str | None:
        """The invariant broken at the trace's end, in the names of the real nodes."""
        return replay(
            self.interner.system,
            self.environment,
            choices(trace),
            skip_hops=self.reductions.skip_hops,
            absorb=self.reductions.absorb,
        )

    def statistics(self) -> Statistics:
        """Figures so far."""
        stats = native.Stats()
        self.library.vx_get_stats(self.handle, ctypes.byref(stats))
        return Statistics(
            states=stats.states,
            transitions=stats.edges,
            depth=stats.depth,
            seconds=time.monotonic() - self.started,
            bytes=stats.bytes,
            local_steps=self.local_steps,
            overflowed=stats.overflowed,
        )

    def _frontier(self) -> int:
        stats = native.Stats()
        self.library.vx_get_stats(self.handle, ctypes.byref(stats))
        return int(stats.frontier)

    def _answer(self) -> None:
        pairs = native.u32_p()
        for i in range(self.library.vx_needed(self.handle, ctypes.byref(pairs))):
            state, event = pairs[2 * i], pairs[2 * i + 1]
            self.local_steps += 1
            message = not event & native.INTERNAL
            if message and self.reductions.absorb and self.interner.ignored(state, event):
                self.library.vx_add_ignored(self.handle, state, event)
            for following, sent, violation in self.interner.step(state, event):
                code = native.NONE
                if violation is not None:
                    code = len(self.interner.violations)
                    self.interner.violations.append(violation)
                self.library.vx_add_outcome(
                    self.handle, state, event, following, len(sent), native.array(sent), code
                )
        names = native.u32_p()
        for i in range(self.library.vx_needed_names(self.handle, ctypes.byref(names))):
            known, message, permutation = names[3 * i], names[3 * i + 1], names[3 * i + 2]
            rename = self.interner.renamed_message if message else self.interner.renamed_state
            self.library.vx_add_renamed(
                self.handle, known, message, permutation, rename(known, permutation)
            )
        self._tell()

    def _tell(self) -> None:
        """Hand the core the states and messages that it has not seen."""
        for message in range(self.told_messages, len(self.interner.messages)):
            m = self.interner.messages[message]
            self.library.vx_add_message(self.handle, message, m.channel, m.node)
        self.told_messages = len(self.interner.messages)
        for state in range(self.told_states, len(self.interner.states)):
            enabled = self.interner.enabled(state)
            self.library.vx_add_state(
                self.handle,
                state,
                int(self.interner.status(state)),
                self._signature(state),
                len(enabled),
                native.array([event for event, _ in enabled]),
                native.array([fault for _, fault in enabled]),
            )
        self.told_states = len(self.interner.states)

    def _signature(self, state: int) -> int:
        return self.interner.signature(state) if self.reductions.symmetry else 0

    def _words(self, state: int) -> list[int]:
        words = native.u32_p()
        count = self.library.vx_get_state(self.handle, state, ctypes.byref(words))
        return words[:count]

    def _broken_invariant(self, first: int) -> int | None:
        system = self.interner.system
        if not system.invariants:
            return None
        index = {node.name: i for i, node in enumerate(system.nodes)}
        for state in range(first, self.statistics().states):
            words = self._words(state)
            for invariant, seen in zip(system.invariants, self.seen, strict=True):
                key = tuple(words[index[name]] for name in invariant.nodes)
                if key in seen:
                    continue
                seen.add(key)
                wrong = invariant.check(*(self.interner.states[k][1] for k in key))
                if wrong is not None:
                    return state
        return None

    def _step_violation(self) -> Verdict:
        state, prop, action = native.u32(), native.u32(), native.Action()
        self.library.vx_get_violation(
            self.handle, ctypes.byref(state), ctypes.byref(action), ctypes.byref(prop)
        )
        trace = self._trace(state.value, action)
        # The core's text may name another worker: that of the representative.
        return self._verdict(Outcome.VIOLATED, prop=trace[-1].violation, trace=trace)

    def _whole_run_properties(self) -> Verdict:
        system = self.interner.system
        if system.check_idle:
            state = self.library.vx_find_unclean(self.handle)
            if state != native.NONE:
                return self._verdict(Outcome.VIOLATED, prop=HELD, trace=self._trace(state))
        if system.check_progress:
            state = self.library.vx_find_stuck(self.handle)
            if state != native.NONE:
                return self._verdict(Outcome.VIOLATED, prop=STUCK, trace=self._trace(state))
        return self._verdict(Outcome.HOLDS)

    def _trace(self, state: int, last: native.Action | None = None) -> tuple[TraceStep, ...]:
        path: list[tuple[list[int], native.Action]] = []
        action = last
        while state != native.NONE:
            words = self._words(state)
            if action is not None:
                path.append((words, action))
            action = native.Action()
            self.library.vx_get_action(self.handle, state, ctypes.byref(action))
            state = action.parent
        return rebuild(self.interner, path[::-1], self.environment, absorb=self.reductions.absorb)

    def _verdict(
        self,
        outcome: Outcome,
        *,
        prop: str | None = None,
        reason: str | None = None,
        trace: tuple[TraceStep, ...] = (),
    ) -> Verdict:
        return Verdict(
            system=self.interner.system.name,
            environment=self.environment,
            outcome=outcome,
            statistics=self.statistics(),
            prop=prop,
            reason=reason,
            trace=trace,
        )
