# SPDX-License-Identifier: MIT
"""Runs many packet tests in parallel, each in a process of its own.

A case that crashes the process, or hangs, is a failed case and disturbs no other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from multiprocessing.connection import Connection

from softswitch.stf.cases import Case, CaseOptions, run_case

DEFAULT_TIMEOUT_S = 120.0
_PRELOAD = ["softswitch.stf.cases", "softswitch.engine", "softswitch.frontend"]


@dataclass(frozen=True, slots=True)
class Result:
    """How a case ended; `reason` is empty when it passed."""

    case: Case
    reason: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether the case passed."""
        return not self.reason


def run_suite(
    cases: Sequence[Case],
    options: CaseOptions,
    *,
    jobs: int = 0,
    timeout_s: float = DEFAULT_TIMEOUT_S,
) -> Iterator[Result]:
    """Run `cases`, `jobs` at a time (0: one per core); yield the results in order."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_PRELOAD)

    def one(case: Case) -> Result:
        start = time.monotonic()
        reason = _in_process(context, case, options, timeout_s)
        return Result(case, reason, time.monotonic() - start)

    with ThreadPoolExecutor(jobs or os.cpu_count() or 1) as pool:
        yield from pool.map(one, cases)


def _in_process(
    context: multiprocessing.context.ForkServerContext,
    case: Case,
    options: CaseOptions,
    timeout_s: float,
) -> str:
    """Run one case in its own process; return why it failed, or ''."""
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(sender, case, options), daemon=True)
    process.start()
    sender.close()
    try:
        if not receiver.poll(timeout_s):
            process.kill()
            return f"not finished after {timeout_s:g} s"
        reason = receiver.recv()
        assert isinstance(reason, str)
        return reason
    except EOFError:
        process.join()
        return _death(process.exitcode or 0)
    finally:
        receiver.close()
        process.join()


def _child(sender: Connection, case: Case, options: CaseOptions) -> None:
    sender.send(failure_of(case, options))
    sender.close()


def failure_of(case: Case, options: CaseOptions) -> str:
    """Run one case here; return why it failed in one line, or ''."""
    try:
        run_case(case, options)
    except Exception as error:
        text = " ".join(str(error).split())
        name = type(error).__name__
        known = type(error).__module__.startswith("softswitch.")
        return text if known and text else f"{name}: {text}"
    return ""


def _death(exitcode: int) -> str:
    if exitcode < 0:
        return f"the switch died of {signal.Signals(-exitcode).name}"
    return f"the test process ended with status {exitcode}"
