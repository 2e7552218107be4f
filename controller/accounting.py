# SPDX-License-Identifier: MIT
"""What became of a job's packets on each switch."""

from __future__ import annotations

from controller.aggregation import EVENTS, EVENTS_PER_JOB, Event
from controller.session import Session


async def job_events(session: Session, index: int) -> dict[Event, int]:
    """Packets per fate of the job in counter row `index` (`JobPlan.index`); 0: unknown jobs."""
    first = index * EVENTS_PER_JOB
    cells = await session.read_counters(EVENTS, range(first, first + EVENTS_PER_JOB))
    return {Event(cell - first): count for cell, count in cells.items()}


async def clear_job_events(session: Session, index: int) -> None:
    """Set them to zero: for a new job in a row that an earlier one has used."""
    first = index * EVENTS_PER_JOB
    await session.clear_counters(EVENTS, range(first, first + EVENTS_PER_JOB))
