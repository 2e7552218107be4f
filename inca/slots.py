# SPDX-License-Identifier: MIT
"""Slots and jobs of running switches, as people look at them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from controller.accounting import job_events
from controller.aggregation import CONFIG, JOBS, Event, JobPlan
from controller.attach import attached
from controller.desired import SwitchState
from controller.inspection import SlotView, held_slots, peek
from controller.recovery import recover_plans
from controller.routing import ip_value
from controller.session import Session


@dataclass(frozen=True)
class SwitchSlots:
    """What one switch holds.

    Attributes:
        switch: its name.
        state: its tables.
        used: slots in use.
        slots: those that are held.
        events: job index -> how many packets met which fate.
    """

    switch: str
    state: SwitchState
    used: int
    slots: tuple[SlotView, ...]
    events: Mapping[int, Mapping[Event, int]]

    def full_mask(self, job: int) -> int:
        """Bits of the workers below this switch; 0 if it does not know the job."""
        for key, action in self.state.rows.items():
            if key.table == JOBS and key.match[0][1] == job:
                return dict(action.args).get("full_mask", 0)
        return 0

    def job_index(self, job: int) -> int:
        """The job's row of counters; 0 if the switch does not know it."""
        for key, action in self.state.rows.items():
            if key.table == JOBS and key.match[0][1] == job:
                return dict(action.args).get("job_index", 0)
        return 0


def look(switches: Mapping[str, Mapping[str, Any]]) -> list[SwitchSlots]:
    """Read tables, counters and held slots of running switches.

    `switches` maps names to where they answer: ``grpc`` and ``device_id``.

    Raises:
        ControllerError: a switch does not answer, or has no aggregators.
    """

    async def every() -> list[SwitchSlots]:
        return [await _look(name, where) for name, where in switches.items()]

    return asyncio.run(every())


def flush(name: str, where: Mapping[str, Any], indexes: Sequence[int]) -> list[SlotView]:
    """Free slots; what they held is in the answer and nowhere else.

    Raises:
        ControllerError: the switch does not answer, or has no aggregators.
    """

    async def work() -> list[SlotView]:
        async with attached(name, where["grpc"], where["device_id"]) as session:
            return await peek(session.switch, indexes, flush=True)

    return asyncio.run(work())


def plans(views: Sequence[SwitchSlots], hosts: Mapping[str, str]) -> dict[int, JobPlan]:
    """Jobs by id, from what all switches hold; `hosts` maps IP addresses to names."""
    names = {ip_value(ip): name for ip, name in hosts.items()}
    found = recover_plans({view.switch: view.state for view in views}, names)
    return {plan.job: plan for plan in found}


async def _look(name: str, where: Mapping[str, Any]) -> SwitchSlots:
    async with attached(name, where["grpc"], where["device_id"]) as session:
        state = await session.read()
        config = state.defaults.get(CONFIG)
        used = dict(config.args).get("aggregators", 0) if config else 0
        slots = await held_slots(session.switch, used)
        return SwitchSlots(name, state, used, tuple(slots), await _events(session, state))


async def _events(session: Session, state: SwitchState) -> dict[int, dict[Event, int]]:
    indexes = {
        dict(action.args).get("job_index", 0)
        for key, action in state.rows.items()
        if key.table == JOBS
    }
    return {index: await job_events(session, index) for index in sorted(indexes)}
