# SPDX-License-Identifier: MIT
"""Reading the registers of the aggregation programs: what is held, by whom, and its renaming."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from verification.frames import rename_bitmap, rename_values
from verification.model import Packet, Permutation
from verification.switch import Registers, View

_SLOT = "IncaIngress.slot."
_SEEN = 0xFFFFFFFF


def slot_view(passes: Callable[[Packet], bool] | None, *, tidy: bool) -> View:
    """Slots found by hash (``p4src/common/slot.p4``)."""
    return View(
        holds=lambda registers: any(_owners(registers)),
        rename=_rename_slots,
        describe=_describe_slots,
        tidy=_tidy if tidy else _as_is,
        passes=passes or _no,
    )


def pool_view() -> View:
    """Pools of slots (``p4src/switchml/slot.p4``): the last results stay for ever."""
    return View(holds=lambda registers: False, rename=_rename_pool, describe=_describe_pool)


def _no(packet: Packet) -> bool:
    return False


def _as_is(registers: Registers) -> None:
    return None


def _cells(registers: Registers, kind: str) -> list[int]:
    return registers[_SLOT + kind]


def _owners(registers: Registers) -> list[int]:
    """Of each slot; the array has spare cells at its end, for reading 32 at a time."""
    return _cells(registers, "owner")[: len(_cells(registers, "bitmap"))]


def _tidy(registers: Registers) -> None:
    """A free slot's other cells are written before they are read again."""
    for slot, owner in enumerate(_owners(registers)):
        if not owner:
            for cells in registers.values():
                if slot < len(cells):
                    cells[slot] = 0


def _rename_lanes(registers: Registers, perm: Permutation) -> None:
    for name in registers:
        if ".lanes.lane_" in name:
            values = np.array(registers[name], np.uint32).view(np.int32)
            registers[name][:] = [int(v) for v in rename_values(values, perm).view(">u4")]


def _rename_slots(registers: Registers, perm: Permutation) -> None:
    bitmap = _cells(registers, "bitmap")
    bitmap[:] = [rename_bitmap(b, perm) for b in bitmap]
    _rename_lanes(registers, perm)


def _rename_pool(registers: Registers, perm: Permutation) -> None:
    record = _cells(registers, "record")
    record[:] = [r & ~_SEEN | rename_bitmap(r & _SEEN, perm) for r in record]
    _rename_lanes(registers, perm)


def _members(bitmap: int) -> str:
    return "{" + ",".join(str(w) for w in range(32) if bitmap >> w & 1) + "}"


def _describe_slots(registers: Registers) -> str:
    told = []
    for slot, owner in enumerate(_owners(registers)):
        members = _members(_cells(registers, "bitmap")[slot])
        key = f"job {owner >> 32} seq {owner & 0xFFFFFFFF} of {members}"
        told.append(f"slot {slot}: {key}" if owner else f"slot {slot} free")
    return "; ".join(told)


def _describe_pool(registers: Registers) -> str:
    told = []
    for slot, left in enumerate(_cells(registers, "remaining")):
        record = _cells(registers, "record")[slot]
        if record:
            key = f"job {record >> 48} round {record >> 32 & 0xFFFF} of {_members(record & _SEEN)}"
            told.append(f"slot {slot}: {key}, {left} missing")
    return "; ".join(told) or "no slot used"
