# SPDX-License-Identifier: MIT
"""Looking into a switch's slots with in-band PEEK and FLUSH packets.

BMv2 has no registers over P4Runtime (PI#376), so the data plane answers packet-outs itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

import finsy as fy
import numpy as np

from controller.errors import PeekTimeoutError, ProgramError
from hosts.wire.esa import (
    ENCAPSULATION,
    ESA,
    ESA_UDP_PORT,
    NO_WORKER,
    VERSION,
    Flag,
    MessageType,
    Op,
)
from hosts.wire.internet import ETHERNET, IPV4, UDP

_WINDOW = 128  # packets in flight: below the 1024 that BMv2's input queue holds
_RETRY_S = 0.2
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


def question(index: int, lanes: int, *, flush: bool = False) -> bytes:
    """A PEEK (or FLUSH) for one slot."""
    length = UDP.dtype.itemsize + ESA.dtype.itemsize + 4 * lanes
    ip = {"total_len": IPV4.dtype.itemsize + length}
    ip["hdr_checksum"] = _checksum(IPV4.pack(**ip).tobytes())
    kind = MessageType.FLUSH if flush else MessageType.PEEK
    parts = (
        ETHERNET.pack(),
        IPV4.pack(**ip),
        UDP.pack(src_port=ESA_UDP_PORT, dst_port=ESA_UDP_PORT, length=length),
        ESA.pack(msg_type=kind, round=index, len=0, prio=0, src_worker=NO_WORKER),
    )
    return b"".join(part.tobytes() for part in parts) + bytes(4 * lanes)


def answer(frame: bytes) -> SlotView | None:
    """What a switch says about a slot; None: the packet is something else, or no such slot."""
    end = ENCAPSULATION + ESA.dtype.itemsize
    if len(frame) < end:
        return None
    head = np.frombuffer(frame[ENCAPSULATION:end], ESA.dtype)[0]
    kind = int(ESA.get(head, "msg_type"))
    if int(ESA.get(head, "ver")) != VERSION or kind not in (MessageType.PEEK, MessageType.FLUSH):
        return None
    if int(head["flags"]) & Flag.MISS:
        return None
    words = frame[end : end + (len(frame) - end) // 4 * 4]
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
        values=tuple(int(v) for v in np.frombuffer(words, ">i4")),
    )


async def peek(
    switch: fy.Switch,
    indexes: Iterable[int],
    *,
    flush: bool = False,
    deadline_s: float = 10.0,
) -> list[SlotView]:
    """The slots of these indexes, in their order; FLUSH frees them as well.

    Questions that get no answer are put again. A repeated FLUSH shows a free slot where the
    answer to the first one was lost.

    Raises:
        PeekTimeoutError: some slots did not answer in time.
        ProgramError: the switch's program has no aggregators.
    """
    lanes = sum(_LANE in register.name for register in switch.p4info.registers)
    if not lanes:
        raise ProgramError("its program has no aggregators", where=switch.name)
    wanted = list(indexes)
    missing = dict.fromkeys(wanted)
    found: dict[int, SlotView] = {}

    async def listen() -> None:
        async for packet in switch.read_packets(queue_size=4 * _WINDOW):
            view = answer(packet.payload)
            if view is not None and view.index in missing:
                del missing[view.index]
                found[view.index] = view
            if not missing:
                return

    async def ask() -> None:
        while missing:
            window = list(missing)[:_WINDOW]
            await switch.write(
                [
                    fy.P4PacketOut(question(i, lanes, flush=flush), egress_port=0, padding=0)
                    for i in window
                ]
            )
            # Everything asked for is answered within a round trip; what is lost is asked again.
            end = asyncio.get_running_loop().time() + _RETRY_S
            while missing.keys() & set(window) and asyncio.get_running_loop().time() < end:
                await asyncio.sleep(0.001)

    if not wanted:
        return []
    tasks = [asyncio.create_task(listen()), asyncio.create_task(ask())]
    try:
        async with asyncio.timeout(deadline_s):
            await asyncio.gather(*tasks)
    except TimeoutError:
        raise PeekTimeoutError(
            f"{len(missing)} of {len(wanted)} slots did not answer within {deadline_s:g} s",
            where=switch.name,
            hint="does it run with --cpu-port 255, and with that many aggregators?",
        ) from None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return [found[index] for index in wanted]


async def reclaim(switch: fy.Switch, aggregators: int, job: int) -> int:
    """Free the slots of a job that has left; returns how many it held.

    Raises:
        PeekTimeoutError: some slots did not answer in time.
        ProgramError: the switch's program has no aggregators.
    """
    held = [view.index for view in await peek(switch, range(aggregators)) if view.job == job]
    await peek(switch, held, flush=True)
    return len(held)


def _checksum(header: bytes) -> int:
    """RFC 1071."""
    total = int(np.frombuffer(header, ">u2").sum(dtype=np.int64))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
