# SPDX-License-Identifier: MIT
"""What became of a job's packets on each switch, and the slots that are held.

For blocking callers: ``sync_controller.call(lambda c: accounting.network_events(c, index))``.
"""

from __future__ import annotations

from controller.aggregation import CONFIG, EVENTS, EVENTS_PER_JOB, Event
from controller.controller import Controller
from controller.inspection import SlotView, held_slots, reclaim
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


async def network_events(controller: Controller, index: int) -> dict[str, dict[Event, int]]:
    """`job_events` of every switch."""
    return {s: await job_events(controller.session(s), index) for s in controller.switches}


async def network_slots(controller: Controller) -> dict[str, list[SlotView]]:
    """The held slots of every switch.

    Raises:
        PeekTimeoutError: a switch does not answer.
        ProgramError: its program has no aggregators.
    """
    return {
        name: await held_slots(controller.session(name).switch, used)
        for name, used in (await _in_use(controller)).items()
    }


async def reclaim_job(controller: Controller, job: int) -> dict[str, int]:
    """Free the slots of a job that has left; returns how many each switch held for it.

    Raises:
        PeekTimeoutError: a switch does not answer.
        ProgramError: its program has no aggregators.
    """
    return {
        name: await reclaim(controller.session(name).switch, used, job)
        for name, used in (await _in_use(controller)).items()
    }


async def _in_use(controller: Controller) -> dict[str, int]:
    states = await controller.read()
    configs = {name: state.defaults.get(CONFIG) for name, state in states.items()}
    return {
        name: dict(config.args).get("aggregators", 0) if config else 0
        for name, config in configs.items()
    }
