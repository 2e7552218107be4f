# SPDX-License-Identifier: MIT
"""Registers, counters, meters, value sets and packet replication of a running instance."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from ctypes import byref, c_uint64

from softswitch.engine.errors import InvalidError, NotFoundError
from softswitch.engine.gen_meta import width_bytes
from softswitch.engine.native import Instance, Replica, check
from softswitch.engine.program import Counter, Meter, Register, ValueSet
from softswitch.engine.tables import MeterRates, checked


class RegisterView:
    """A register array; cells are unsigned integers."""

    def __init__(self, instance: Instance, index: int, register: Register) -> None:
        self.info = register
        self._instance = instance
        self._index = index
        self._buffer = ctypes.create_string_buffer(width_bytes(register.width))

    def __len__(self) -> int:
        return self.info.size

    def _what(self, i: int) -> str:
        return f"register {self.info.name}[{i}] of size {self.info.size}"

    def __getitem__(self, i: int) -> int:
        if not 0 <= i < self.info.size:
            raise InvalidError(f"{self._what(i)}: index out of range")
        check(
            self._instance.lib.ss_register_read(self._instance.ptr, self._index, i, self._buffer),
            self._what(i),
        )
        return int.from_bytes(self._buffer.raw, "big")

    def __setitem__(self, i: int, value: int) -> None:
        if not 0 <= i < self.info.size:
            raise InvalidError(f"{self._what(i)}: index out of range")
        data = checked(value, self.info.width, self._what(i))
        check(
            self._instance.lib.ss_register_write(self._instance.ptr, self._index, i, data),
            self._what(i),
        )

    def read_all(self) -> list[int]:
        """All cells."""
        return [self[i] for i in range(self.info.size)]

    def write_all(self, values: Sequence[int]) -> None:
        """Set all cells."""
        if len(values) != self.info.size:
            raise InvalidError(
                f"register {self.info.name} has {self.info.size} cells, got {len(values)} values"
            )
        for i, v in enumerate(values):
            self[i] = v


class CounterView:
    """A counter array: ``view[i]`` is (packets, bytes)."""

    def __init__(self, instance: Instance, index: int, counter: Counter) -> None:
        self.info = counter
        self._instance = instance
        self._index = index

    def __len__(self) -> int:
        return self.info.size

    def __getitem__(self, i: int) -> tuple[int, int]:
        a, b = c_uint64(), c_uint64()
        if not 0 <= i < self.info.size:
            raise InvalidError(
                f"counter {self.info.name}[{i}] of size {self.info.size}: index out of range"
            )
        check(
            self._instance.lib.ss_counter_read(
                self._instance.ptr, self._index, i, byref(a), byref(b)
            ),
            self.info.name,
        )
        return a.value, b.value

    def __setitem__(self, i: int, value: tuple[int, int]) -> None:
        if not 0 <= i < self.info.size:
            raise InvalidError(
                f"counter {self.info.name}[{i}] of size {self.info.size}: index out of range"
            )
        check(
            self._instance.lib.ss_counter_write(self._instance.ptr, self._index, i, *value),
            self.info.name,
        )


class MeterView:
    """A meter array: ``view[i]`` is its `MeterRates`, or None (green) when not configured."""

    def __init__(self, instance: Instance, index: int, meter: Meter) -> None:
        self.info = meter
        self._instance = instance
        self._index = index

    def __len__(self) -> int:
        return self.info.size

    def __getitem__(self, i: int) -> MeterRates | None:
        words = (c_uint64 * 4)()
        what = f"meter {self.info.name}[{i}] of size {self.info.size}"
        if not 0 <= i < self.info.size:
            raise InvalidError(f"{what}: index out of range")
        code = check(
            self._instance.lib.ss_meter_get(self._instance.ptr, self._index, i, words), what
        )
        return MeterRates(*words) if code else None

    def __setitem__(self, i: int, rates: MeterRates | None) -> None:
        what = f"meter {self.info.name}[{i}] of size {self.info.size}"
        if not 0 <= i < self.info.size:
            raise InvalidError(f"{what}: index out of range")
        words = None if rates is None else rates.words()
        check(self._instance.lib.ss_meter_set(self._instance.ptr, self._index, i, words), what)


class ValueSetView:
    """A parser value set; a member is one (value, mask) per field."""

    def __init__(self, instance: Instance, index: int, value_set: ValueSet) -> None:
        self.info = value_set
        self._instance = instance
        self._index = index
        self.members: tuple[tuple[tuple[int, int], ...], ...] = ()

    def set(self, members: Sequence[Sequence[tuple[int, int]]]) -> None:
        """Replace all members."""
        widths, name = self.info.widths, f"value set {self.info.name}"
        data = []
        for member in members:
            if len(member) != len(widths):
                raise InvalidError(f"{name}: members have {len(widths)} fields, got {len(member)}")
            data += [checked(v, w, name) for (v, _), w in zip(member, widths, strict=True)]
            data += [checked(m, w, name) for (_, m), w in zip(member, widths, strict=True)]
        raw = b"".join(data)
        check(
            self._instance.lib.ss_value_set(self._instance.ptr, self._index, raw, len(members)),
            name,
        )
        self.members = tuple(tuple((v, m) for v, m in member) for member in members)


class Pre:
    """Packet replication: multicast groups and clone sessions, as lists of (port, rid)."""

    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self.groups: dict[int, tuple[tuple[int, int], ...]] = {}
        self.sessions: dict[int, tuple[tuple[tuple[int, int], ...], int]] = {}

    def set_multicast_group(self, group: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create a group or replace its replicas. Group 0 does not exist."""
        listed = (Replica * len(replicas))(*(Replica(p, r) for p, r in replicas))
        code = self._instance.lib.ss_group_replicas(
            self._instance.ptr, group, listed, len(replicas)
        )
        check(code, f"multicast group {group}")
        self.groups[group] = tuple((p, r) for p, r in replicas)

    def delete_multicast_group(self, group: int) -> None:
        """Remove a group."""
        if group not in self.groups:
            raise NotFoundError(f"multicast group {group}: not found")
        check(
            self._instance.lib.ss_group_remove(self._instance.ptr, group),
            f"multicast group {group}",
        )
        del self.groups[group]

    def set_clone_session(
        self, session: int, replicas: Sequence[tuple[int, int]], truncate: int = 0
    ) -> None:
        """Create a session or replace it; ``truncate`` keeps that many bytes of a copy, 0 all."""
        listed = (Replica * len(replicas))(*(Replica(p, r) for p, r in replicas))
        lib = self._instance.lib
        code = lib.ss_session_replicas(self._instance.ptr, session, listed, len(replicas), truncate)
        check(code, f"clone session {session}")
        self.sessions[session] = (tuple((p, r) for p, r in replicas), truncate)

    def delete_clone_session(self, session: int) -> None:
        """Remove a session."""
        if session not in self.sessions:
            raise NotFoundError(f"clone session {session}: not found")
        check(
            self._instance.lib.ss_session_remove(self._instance.ptr, session),
            f"clone session {session}",
        )
        del self.sessions[session]
