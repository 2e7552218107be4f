# SPDX-License-Identifier: MIT
"""Seeded defects: each is one small change to a program or an agent that the checker must catch.

They prove that the checker can fail, and where: each names the smallest environment that shows it
and the property that it breaks.  A defect of a P4 program is a substitution of text in a copy of
``p4src/``, one of an agent replaces a function while the check runs.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from hosts.aggregation import server, worker
from hosts.aggregation.config import JobConfig
from hosts.aggregation.congestion import CongestionWindow
from hosts.aggregation.partials import NEVER, Outcome, Partials
from hosts.aggregation.sequence import Sequences
from hosts.aggregation.window import Window
from hosts.wire.esa import Messages
from verification.explorer import Limits, Reductions, explore
from verification.model import Environment, System
from verification.systems.aggregation import P4SRC, Options, star
from verification.verdict import STUCK, Verdict

WRONG_SUM = "wrong sum"
OUT_OF_BOUNDS = "index outside a register array"
LIMITS = Limits(seconds=120)


class MutantError(Exception):
    """The text that a mutant replaces is not there exactly once: the program has changed."""


@dataclass(frozen=True, slots=True)
class Edit:
    """In a file of ``p4src/``, `old` becomes `new`."""

    file: str
    old: str
    new: str

    def apply(self, folder: Path) -> None:
        """Change the file.

        Raises:
            MutantError: `old` is there not at all, or more than once.
        """
        path = folder / self.file
        text = path.read_text(encoding="utf-8")
        if text.count(self.old) != 1:
            raise MutantError(f"{self.file}: {text.count(self.old)} times {self.old!r}, not once")
        path.write_text(text.replace(self.old, self.new), encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Patch:
    """An attribute of a class or module of ``hosts/`` is replaced."""

    owner: Any
    attribute: str
    value: object

    @contextmanager
    def applied(self) -> Iterator[None]:
        """While the context lasts."""
        before = self.owner.__dict__[self.attribute]
        setattr(self.owner, self.attribute, self.value)
        try:
            yield
        finally:
            setattr(self.owner, self.attribute, before)


@dataclass(frozen=True)
class Mutant:
    """A defect, where it shows, and as what.

    Attributes:
        program: which of the programs.
        change: the defect; None: an option of the program that is one.
        steps: length of the shortest trace.
        reductions: those that stay sound with the defect, which may break a node's promises.
        tidy: whether the program leaves cells of free slots unread.
    """

    name: str
    summary: str
    program: str
    change: Edit | Patch | None
    options: Mapping[str, int]
    environment: Environment
    expected: str
    steps: int
    reductions: Reductions = field(default_factory=Reductions)
    tidy: bool = True

    @contextmanager
    def system(self, *, healthy: bool = False) -> Iterator[System]:
        """The system with the defect, which lasts as long as the context.

        ``healthy`` leaves the defect out, to see that it is what makes the difference.
        """
        options = Options(tidy=self.tidy, **self.options)  # type: ignore[arg-type]
        if healthy:
            yield star(self.program, replace(options, versioned=1))
        elif isinstance(self.change, Edit):
            with tempfile.TemporaryDirectory(prefix="inca-mutant-") as place:
                folder = Path(place) / "p4src"
                shutil.copytree(P4SRC, folder)
                self.change.apply(folder)
                yield star(self.program, replace(options, folder=folder))
        elif self.change is not None:
            with self.change.applied():
                yield star(self.program, options)
        else:
            yield star(self.program, options)

    def check(self, limits: Limits = LIMITS) -> Verdict:
        """Explore the system with the defect; the verdict bears the defect's name."""
        with self.system() as system:
            return replace(self.explore(system, limits), system=f"mutant {self.name}")

    def explore(self, system: System, limits: Limits = LIMITS) -> Verdict:
        """Explore what `system` gave."""
        return explore(system, self.environment, limits=limits, reductions=self.reductions)


def _never_repeated(window: Window, seqs: Sequences, now: int) -> Messages:
    return _repeat(window, seqs[:0], now)


_repeat = Window.repeat


def _overlapping_added(partials: Partials, batch: Messages, seqs: Sequences, now: int) -> Outcome:
    """As `Partials.merge`, but whatever comes is added."""
    slots = seqs & partials._mask
    new, old = batch["esa"]["bitmap"].astype(np.uint32), partials._bitmap[slots]
    fresh = old == 0
    if fresh.any():
        partials._write(slots[fresh], batch[fresh], fresh=fresh[fresh])
    if (~fresh).any():
        partials._add(slots[~fresh], batch[~fresh])
    partials._bitmap[slots] |= new
    completed = np.flatnonzero(partials._bitmap[slots] == partials._full)
    partials._arm(slots, now)
    return Outcome(completed, 0, 0)


_expire = Partials.expire


def _reminded_once(partials: Partials, now: int) -> tuple[Sequences, Any]:
    reminded = _expire(partials, now)
    partials._deadline[:] = NEVER
    return reminded


_settle = Partials.settle


def _settled_too_far(partials: Partials, completed: int) -> None:
    _settle(partials, completed + 1)


def _not_unwrapped(wire: Any, reference: int) -> Sequences:
    return np.asarray(wire).astype(np.int64)


_begin = CongestionWindow.__init__


def _limit_one_more(
    window: CongestionWindow, limit: int, initial: int, adaptive: bool, state: Any = None
) -> None:
    _begin(window, limit + 1, initial + 1, adaptive, state)


def _nothing(*args: object, **kwargs: object) -> None:
    return None


_ONE: Mapping[str, int] = {"fragments": 1}
_SML: Mapping[str, int] = {"window": 1, "aggregators": 2, "pool": 1}
_JOBS: Mapping[str, int] = {"fragments": 1, "window": 1, "jobs": 2}
_WRAP: Mapping[str, int] = {"fragments": 1, "first_seq": 1 << 32}

MUTANTS: tuple[Mutant, ...] = (
    Mutant(
        "esa-no-bitmap-check",
        "a worker's second packet is added again",
        "esa",
        Edit("esa/policy.p4", "if ((meta.slot_bitmap & hdr.agg.bitmap) != 0) {", "if (false) {"),
        _ONE,
        Environment(duplicate=1),
        WRONG_SUM,
        7,
    ),
    Mutant(
        "esa-cross-job-slot",
        "a slot compares the sequence number only",
        "esa",
        Edit(
            "esa/policy.p4",
            "if (meta.owner == meta.key) {",
            "if (meta.owner[31:0] == hdr.agg.seq) {",
        ),
        _JOBS,
        Environment(),
        WRONG_SUM,
        5,
    ),
    Mutant(
        "esa-cross-fragment-slot",
        "a slot compares the job only",
        "esa",
        Edit(
            "esa/policy.p4",
            "if (meta.owner == meta.key) {",
            "if (meta.owner[47:32] == hdr.agg.job) {",
        ),
        {},
        Environment(loss=1),
        WRONG_SUM,
        6,
    ),
    Mutant(
        "esa-eviction-keeps-values",
        "a displaced fragment leaves with the values of the one that displaces it",
        "esa",
        Edit(
            "common/slot.p4",
            "meta.lane_work = lane_work_t.SWAP;",
            "meta.lane_work = lane_work_t.STORE;",
        ),
        _JOBS,
        Environment(),
        WRONG_SUM,
        10,
    ),
    Mutant(
        "esa-bitmap-not-written-back",
        "a merged contribution's bit is lost (found in ATP by Procurator)",
        "esa",
        Edit(
            "common/slot.p4",
            "hdr.agg.bitmap = hdr.agg.bitmap | meta.slot_bitmap;",
            "hdr.agg.bitmap = meta.slot_bitmap;",
        ),
        _ONE,
        Environment(),
        WRONG_SUM,
        9,
    ),
    Mutant(
        "esa-index-unchecked",
        "the slot's index is the sequence number, whatever the arrays' size",
        "esa",
        Edit(
            "common/slot.p4",
            "hash(meta.slot, HashAlgorithm.crc32, 32w0, { hdr.agg.job, hdr.agg.seq },\n"
            "             meta.aggregators);",
            "meta.slot = (slot_index_t) hdr.agg.seq;",
        ),
        _ONE,
        Environment(),
        OUT_OF_BOUNDS,
        2,
    ),
    Mutant(
        "switchml-one-bit",
        "no round number in the slot, as published",
        "switchml",
        None,
        {**_SML, "versioned": 0},
        Environment(timeout=2, reorder="any"),
        WRONG_SUM,
        13,
    ),
    Mutant(
        "switchml-no-older-guard",
        "a late packet of an older round takes the slot again",
        "switchml",
        Edit("switchml/slot.p4", "if (ahead < 0x8000) {", "if (true) {"),
        {**_SML, "fragments": 3},
        Environment(loss=1, duplicate=1, reorder="any"),
        STUCK,
        14,
    ),
    Mutant(
        "switchml-wrap-less-than",
        "round numbers are compared as plain numbers",
        "switchml",
        Edit("switchml/slot.p4", "if (ahead < 0x8000) {", "if (hdr.agg.round > held_round) {"),
        {**_SML, "fragments": 3, "first_seq": 65534},
        Environment(),
        STUCK,
        0,
    ),
    Mutant(
        "switchml-no-repeated-answer",
        "a worker that asks again for a finished sum gets none",
        "switchml",
        Edit("switchml/slot.p4", "if (left == 0) {", "if (false) {"),
        {**_SML, "fragments": 1},
        Environment(loss=1),
        STUCK,
        5,
    ),
    Mutant(
        "switchml-window-off-by-one",
        "a worker has one fragment more in flight than its pool has slots",
        "switchml",
        Patch(CongestionWindow, "__init__", _limit_one_more),
        {**_SML, "fragments": 3},
        Environment(loss=1),
        STUCK,
        5,
        reductions=Reductions(absorb=False),
    ),
    Mutant(
        "worker-lost-wake-up",
        "the timer fires, but nothing is sent again",
        "esa",
        Patch(Window, "repeat", _never_repeated),
        _ONE,
        Environment(loss=1),
        STUCK,
        2,
    ),
    Mutant(
        "worker-timer-never-armed",
        "a worker waits for ever",
        "esa",
        Patch(worker.Worker, "_arm", _nothing),
        _ONE,
        Environment(loss=1),
        STUCK,
        2,
    ),
    Mutant(
        "worker-wrap-ignored",
        "a worker takes the 32 bits on the wire for the whole number",
        "esa",
        Patch(worker, "unwrap", _not_unwrapped),
        _WRAP,
        Environment(),
        STUCK,
        0,
    ),
    Mutant(
        "worker-takes-partial-sums",
        "a worker does not look at the bitmap of a sum",
        "esa",
        Patch(JobConfig, "full_mask", property(lambda job: 0b01)),
        _ONE,
        Environment(loss=1),
        WRONG_SUM,
        6,
        reductions=Reductions(symmetry=False),
    ),
    Mutant(
        "server-wrap-ignored",
        "a server takes the 32 bits on the wire for the whole number",
        "esa",
        Patch(server, "unwrap", _not_unwrapped),
        _WRAP,
        Environment(loss=1),
        STUCK,
        2,
    ),
    Mutant(
        "server-adds-overlapping-parts",
        "a repeated contribution is added again",
        "esa",
        Patch(Partials, "merge", _overlapping_added),
        _ONE,
        Environment(loss=1, duplicate=1),
        WRONG_SUM,
        12,
    ),
    Mutant(
        "server-reminds-once",
        "the reminder is not armed again",
        "esa",
        Patch(Partials, "expire", _reminded_once),
        _ONE,
        Environment(loss=1, timeout=1),
        STUCK,
        7,
    ),
    Mutant(
        "server-settles-too-far",
        "fragments one too many are taken for received by all",
        "esa",
        Patch(Partials, "settle", _settled_too_far),
        {},
        Environment(loss=1),
        STUCK,
        3,
    ),
    Mutant(
        "server-no-repair",
        "a worker that asks again for a finished sum gets none",
        "esa",
        Patch(server.ParameterServer, "_repair", _nothing),
        _ONE,
        Environment(loss=1),
        STUCK,
        5,
    ),
)
