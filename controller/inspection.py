# SPDX-License-Identifier: MIT
"""Looking into a switch's slots with in-band PEEK and FLUSH packets.

BMv2 has no registers over P4Runtime (PI#376), so the data plane answers packet-outs itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar

import finsy as fy
import numpy as np

from controller.errors import PeekTimeoutError, ProgramError
from hosts.wire.esa import (
    ENCAPSULATION,
    ESA,
    ESA_UDP_PORT,
    NO_WORKER,
    Flag,
    MessageType,
    Op,
    ver_type,
)
from hosts.wire.internet import ETHERNET, IPV4, UDP

_WINDOW = 128  # packets in flight: below the 1024 that BMv2's input queue holds
_RETRY_S = 0.5  # without any answer
_DEADLINE_S = 10.0
_SURVEYED = 32
_ALL = (1 << _SURVEYED) - 1
_SURVEY_MARK = 0xFFFFFFFF  # `seq` of a survey, to tell its answer; job is 0
_LANE = ".slot.lanes.lane_"


@dataclass(frozen=True)
class SlotView:
    """One aggregator as the switch showed it.

    Attributes:
        index: which.
        job: its owner; 0: free.
        seq: its fragment (the program switchml: its round).
        bitmap: the workers whose contributions are inside.
        prio: its priority now.
        op: how contributions combine.
        elements: valid elements.
        flags: ECN and OVERFLOW.
        age_us: time since it was taken, at most 2**32 - 1.
        values: the sum so far.
    """

    index: int
    job: int
    seq: int
    bitmap: int
    prio: int
    op: Op
    elements: int
    flags: Flag
    age_us: int
    values: tuple[int, ...]

    @property
    def held(self) -> bool:
        """Whether a fragment owns it."""
        return self.job != 0

    def missing(self, full_mask: int) -> tuple[int, ...]:
        """Ranks of the workers it waits for."""
        return tuple(rank for rank in range(32) if full_mask & ~self.bitmap & 1 << rank)


@dataclass(frozen=True)
class _Survey:
    """Which of 32 slots are held."""

    index: int
    held: int


_A = TypeVar("_A", SlotView, _Survey)


def question(index: int, lanes: int, *, flush: bool = False, survey: bool = False) -> bytes:
    """A PEEK (or FLUSH) for one slot, or a PEEK that asks which of 32 slots are held."""
    length = UDP.dtype.itemsize + ESA.dtype.itemsize + 4 * lanes
    ip = {"total_len": IPV4.dtype.itemsize + length}
    ip["hdr_checksum"] = _checksum(IPV4.pack(**ip).tobytes())
    kind = MessageType.FLUSH if flush else MessageType.PEEK
    parts = (
        ETHERNET.pack(),
        IPV4.pack(**ip),
        UDP.pack(src_port=ESA_UDP_PORT, dst_port=ESA_UDP_PORT, length=length),
        ESA.pack(
            msg_type=kind,
            round=index,
            bitmap=_ALL if survey else 0,
            seq=_SURVEY_MARK if survey else 0,
            len=0,
            prio=0,
            src_worker=NO_WORKER,
        ),
    )
    return b"".join(part.tobytes() for part in parts) + bytes(4 * lanes)


def answer(frame: bytes) -> SlotView | None:
    """What a switch says about a slot; None: the packet is something else, or no such slot."""
    found = _head(frame)
    if found is None:
        return None
    head, values = found
    if int(head["job"]) == 0 and int(head["seq"]) == _SURVEY_MARK:
        return None
    return SlotView(
        index=int(head["round"]),
        job=int(head["job"]),
        seq=int(head["seq"]),
        bitmap=int(head["bitmap"]),
        prio=int(head["prio"]),
        op=Op(int(head["op"])),
        elements=int(head["len"]),
        flags=Flag(int(head["flags"])),
        age_us=int(head["iter"]) << 16 | int(head["layer"]),
        values=tuple(int(v) for v in np.frombuffer(values, ">i4")),
    )


def _survey_answer(frame: bytes) -> _Survey | None:
    found = _head(frame)
    if found is None or int(found[0]["job"]) or int(found[0]["seq"]) != _SURVEY_MARK:
        return None
    return _Survey(int(found[0]["round"]), int(found[0]["bitmap"]))


def _head(frame: bytes) -> tuple[np.void, bytes] | None:
    end = ENCAPSULATION + ESA.dtype.itemsize
    if len(frame) < end:
        return None
    head: np.void = np.frombuffer(frame[ENCAPSULATION:end], ESA.dtype)[0]
    kinds = ver_type(MessageType.PEEK), ver_type(MessageType.FLUSH)
    if int(head["ver_type"]) not in kinds or int(head["flags"]) & Flag.MISS:
        return None
    return head, frame[end : end + (len(frame) - end) // 4 * 4]


async def held_slots(switch: fy.Switch, aggregators: int) -> list[SlotView]:
    """The slots that are held, of those in use.

    Raises:
        PeekTimeoutError: some slots did not answer in time.
        ProgramError: the switch's program has no aggregators.
    """
    lanes = _lanes(switch)
    questions = {
        index: question(index, lanes, survey=True) for index in range(0, aggregators, _SURVEYED)
    }
    surveys = await _ask(switch, questions, _survey_answer, _DEADLINE_S)
    held = [
        first + bit
        for first, survey in sorted(surveys.items())
        for bit in range(_SURVEYED)
        if survey.held >> bit & 1 and first + bit < aggregators
    ]
    return [view for view in await peek(switch, held) if view.held]


async def peek(
    switch: fy.Switch,
    indexes: Iterable[int],
    *,
    flush: bool = False,
    deadline_s: float = _DEADLINE_S,
) -> list[SlotView]:
    """The slots of these indexes, in their order; FLUSH frees them as well.

    Questions that get no answer are put again. A repeated FLUSH shows a free slot where the
    answer to the first one was lost.

    Raises:
        PeekTimeoutError: some slots did not answer in time.
        ProgramError: the switch's program has no aggregators.
    """
    lanes = _lanes(switch)
    wanted = list(indexes)
    questions = {index: question(index, lanes, flush=flush) for index in wanted}
    found = await _ask(switch, questions, answer, deadline_s)
    return [found[index] for index in wanted]


async def reclaim(switch: fy.Switch, aggregators: int, job: int) -> int:
    """Free the slots of a job that has left; returns how many it held.

    Raises:
        PeekTimeoutError: some slots did not answer in time.
        ProgramError: the switch's program has no aggregators.
    """
    held = [view.index for view in await held_slots(switch, aggregators) if view.job == job]
    await peek(switch, held, flush=True)
    return len(held)


def _lanes(switch: fy.Switch) -> int:
    lanes = sum(_LANE in register.name for register in switch.p4info.registers)
    if not lanes:
        raise ProgramError("its program has no aggregators", where=switch.name)
    return lanes


async def _ask(
    switch: fy.Switch,
    questions: Mapping[int, bytes],
    decode: Callable[[bytes], _A | None],
    deadline_s: float,
) -> dict[int, _A]:
    """Put questions, a window at a time, until all are answered."""
    missing = dict(questions)
    found: dict[int, _A] = {}
    progress = asyncio.Event()
    loop = asyncio.get_running_loop()
    end = loop.time() + deadline_s

    async def listen() -> None:
        async for packet in switch.read_packets(queue_size=8 * _WINDOW):
            view = decode(packet.payload)
            if view is not None and missing.pop(view.index, None) is not None:
                found[view.index] = view
                progress.set()

    listener = asyncio.create_task(listen())
    try:
        await asyncio.sleep(0)  # let it open its queue before the first answer comes
        while missing and loop.time() < end:
            window = list(missing)[:_WINDOW]
            # Never cancelled: that would end the stream of the whole connection.
            await switch.write(
                [fy.P4PacketOut(questions[i], egress_port=0, padding=0) for i in window]
            )
            while missing.keys() & set(window):
                progress.clear()
                try:
                    await asyncio.wait_for(progress.wait(), _RETRY_S)
                except TimeoutError:
                    break
    finally:
        listener.cancel()
        await asyncio.gather(listener, return_exceptions=True)
    if missing:
        raise PeekTimeoutError(
            f"{len(missing)} of {len(questions)} questions about slots were not answered within "
            f"{deadline_s:g} s",
            where=switch.name,
            hint="does it run with --cpu-port 510?",
        )
    return found


def _checksum(header: bytes) -> int:
    """RFC 1071."""
    total = int(np.frombuffer(header, ">u2").sum(dtype=np.int64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
