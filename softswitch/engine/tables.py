# SPDX-License-Identifier: MIT
"""Tables and action profiles of a running instance."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Iterator, Sequence
from ctypes import byref, c_int32, c_uint32, c_uint64
from dataclasses import dataclass

from softswitch.engine.errors import (
    ActionError,
    ConstError,
    EngineError,
    ExistsError,
    InvalidError,
    NotFoundError,
)
from softswitch.engine.gen_meta import packed, width_bytes
from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.engine.native import NO_DEFAULT, Instance, check, error_of
from softswitch.engine.program import Key, Profile, Program, Table

MEMBER, GROUP = -1, -2


@dataclass(frozen=True, slots=True)
class Member:
    """What an entry of an indirect table does: the action of this member."""

    id: int


@dataclass(frozen=True, slots=True)
class Group:
    """What an entry of an indirect table does: a member of this group, chosen by hash."""

    id: int


Target = str | Member | Group

PackedEntry = tuple[bytes, bytes, int, int, bytes]
"""Key, argument, priority, action number, parameters: the byte strings of ss_control.h."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry as it stands in the table."""

    handle: int
    match: tuple[Match, ...]
    action: Target
    params: tuple[int, ...]
    priority: int


@dataclass(frozen=True, slots=True)
class MeterRates:
    """Two rates, three colours: units (packets or bytes) per second, and bursts in units."""

    cir: int
    cburst: int
    pir: int
    pburst: int

    def words(self) -> ctypes.Array[c_uint64]:
        """As the C interface takes them."""
        return (c_uint64 * 4)(self.cir, self.cburst, self.pir, self.pburst)


def checked(value: int, width: int, what: str) -> bytes:
    """``value`` as big-endian bytes; raises InvalidError when it does not fit."""
    if not 0 <= value < 1 << width:
        raise InvalidError(f"{what}: {value} does not fit bit<{width}>")
    return value.to_bytes(width_bytes(width), "big")


def prefix_mask(width: int, length: int) -> int:
    """The mask of an LPM prefix."""
    return ((1 << length) - 1) << (width - length)


class ActionCodec:
    """Turns action names and parameters into numbers and bytes, and back."""

    def __init__(self, program: Program, actions: Sequence[int], owner: str) -> None:
        self.owner = owner
        self.names = {program.actions[a].name: a for a in reversed(actions)}
        self.actions = {a: program.actions[a] for a in actions}
        self.widths = {a: tuple(p.width for p in program.actions[a].params) for a in actions}
        self.room = max((sum(map(width_bytes, w)) for w in self.widths.values()), default=0)

    def encode(self, action: Target, params: Sequence[int]) -> tuple[int, bytes]:
        """Number and parameter bytes."""
        if isinstance(action, Member):
            return MEMBER, checked(action.id, 32, self.owner)
        if isinstance(action, Group):
            return GROUP, checked(action.id, 32, self.owner)
        index = self.names.get(action)
        if index is None:
            raise ActionError(f"{self.owner}: has no action '{action}'")
        widths = self.widths[index]
        if len(params) != len(widths):
            raise InvalidError(
                f"{self.owner}: {action} takes {len(widths)} parameters, got {len(params)}"
            )
        try:
            data = packed(params, widths)
        except OverflowError:
            data = b""
        wrong = any(v < 0 or v >> w for v, w in zip(params, widths, strict=True))
        if wrong or (not data and widths):
            names = [p.name for p in self.actions[index].params]
            bad = next(n for n, v, w in zip(names, params, widths, strict=True) if v < 0 or v >> w)
            raise InvalidError(f"{self.owner}: parameter {bad} of {action} does not fit its width")
        return index, data

    def decode(self, action: int, data: bytes) -> tuple[Target, tuple[int, ...]]:
        """The opposite of `encode`."""
        if action == MEMBER:
            return Member(int.from_bytes(data[:4], "big")), ()
        if action == GROUP:
            return Group(int.from_bytes(data[:4], "big")), ()
        out, at = [], 0
        for w in self.widths[action]:
            n = width_bytes(w)
            out.append(int.from_bytes(data[at : at + n], "big"))
            at += n
        return self.actions[action].name, tuple(out)


class TableView:
    """One table: `insert`, `modify`, `delete`, `find`, `entries`, default action, direct resources.

    Handles are stable as long as the entry exists and are not used again afterwards.
    """

    def __init__(self, instance: Instance, program: Program, index: int, table: Table) -> None:
        self.info = table
        self._instance = instance
        self._lib = instance.lib
        self._index = index
        actions = list(table.actions)
        if table.default_action is not None and table.default_action not in actions:
            actions.append(table.default_action)
        self.codec = ActionCodec(program, actions, table.name)
        self._all_exact = all(k.kind == "exact" for k in table.keys)
        self._sizes = [width_bytes(k.width) for k in table.keys]
        self._key_bytes = sum(self._sizes)
        self.needs_priority = table.match_kind in ("ternary", "range")

    def __len__(self) -> int:
        return int(self._lib.ss_table_count(self._instance.ptr, self._index))

    # -- matches -------------------------------------------------------------------------

    def _field(self, k: Key, m: Match) -> tuple[int, int]:
        full = (1 << k.width) - 1
        kind = k.kind
        if isinstance(m, Exact):
            return m.value, m.value if kind == "range" else full
        if (
            isinstance(m, Lpm)
            and kind in ("lpm", "ternary", "optional")
            and 0 <= m.prefix_len <= k.width
        ):
            mask = prefix_mask(k.width, m.prefix_len)
            return m.value & mask, mask
        if isinstance(m, Ternary) and kind in ("ternary", "optional", "lpm"):
            return m.value & m.mask, m.mask
        if isinstance(m, Range) and kind == "range":
            return m.low, m.high
        if isinstance(m, Optional) and kind in ("ternary", "optional"):
            return (0, 0) if m.value is None else (m.value, full)
        raise InvalidError(
            f"{self.info.name}: {m} does not fit {kind} key '{k.name}' of {k.width} bits"
        )

    def pack(self, match: Sequence[Match]) -> tuple[bytes, bytes | None]:
        """The two byte strings of ss_control.h for a match."""
        keys = self.info.keys
        if len(match) != len(keys):
            raise InvalidError(f"{self.info.name}: key has {len(keys)} fields, got {len(match)}")
        first, second = [], []
        try:
            if self._all_exact:
                for m, k, n in zip(match, keys, self._sizes, strict=True):
                    if not isinstance(m, Exact):
                        raise InvalidError(
                            f"{self.info.name}: {m} does not fit exact key '{k.name}'"
                        )
                    first.append(m.value.to_bytes(n, "big"))
                return b"".join(first), None
            for m, k, n in zip(match, keys, self._sizes, strict=True):
                value, arg = self._field(k, m)
                first.append(value.to_bytes(n, "big"))
                second.append(arg.to_bytes(n, "big"))
        except OverflowError:
            raise InvalidError(f"{self.info.name}: a value does not fit its key field") from None
        return b"".join(first), b"".join(second)

    def _unpack(self, key: bytes, arg: bytes) -> tuple[Match, ...]:
        out: list[Match] = []
        at = 0
        for k, n in zip(self.info.keys, self._sizes, strict=True):
            value = int.from_bytes(key[at : at + n], "big")
            second = int.from_bytes(arg[at : at + n], "big")
            at += n
            if k.kind == "exact":
                out.append(Exact(value))
            elif k.kind == "lpm":
                out.append(Lpm(value, second.bit_count()))
            elif k.kind == "range":
                out.append(Range(value, second))
            elif k.kind == "optional":
                out.append(Optional(value if second else None))
            else:
                out.append(Ternary(value, second))
        return tuple(out)

    # -- entries -------------------------------------------------------------------------

    def insert(
        self, match: Sequence[Match], action: Target, params: Sequence[int] = (), priority: int = 0
    ) -> int:
        """Add an entry and return its handle. The larger priority wins.

        Raises ExistsError, FullError, ConstError, ActionError, InvalidError, NotFoundError.
        """
        key, arg = self.pack(match)
        number, data = self.codec.encode(action, params)
        handle = self._lib.ss_table_insert(
            self._instance.ptr, self._index, key, arg, priority, number, data, len(data)
        )
        return handle if handle >= 0 else check(handle, self.info.name)

    def insert_packed(
        self, key: bytes, arg: bytes, action: int, params: bytes, priority: int = 0
    ) -> int:
        """`insert` for callers that hold the byte strings of ss_control.h already.

        ``action`` is a number of ``codec.names``, ``params`` its parameters.
        """
        handle = self._lib.ss_table_insert(
            self._instance.ptr, self._index, key, arg, priority, action, params, len(params)
        )
        return handle if handle >= 0 else check(handle, self.info.name)

    def insert_many(self, entries: Sequence[PackedEntry]) -> list[int | EngineError]:
        """`insert_packed` for many entries in one call; for each its handle or its error."""
        keys, args, priorities, actions, params = zip(*entries, strict=True)
        n, name = len(entries), self.info.name
        key, arg = b"".join(keys), b"".join(args)
        if not len(key) == len(arg) == n * self._key_bytes:
            raise InvalidError(f"{name}: a key has not {self._key_bytes} bytes")
        numbers = array("i", (*priorities, *actions, *map(len, params)))
        at, results = numbers.buffer_info()[0], array("q", bytes(8 * n))
        data, out = b"".join(params), results.buffer_info()[0]
        check(
            self._lib.ss_table_insert_many(
                self._instance.ptr, self._index, n, key, arg, at, at + 4 * n, data, at + 8 * n, out
            ),
            name,
        )
        return [h if h >= 0 else error_of(h, name) for h in results]

    def insert_member(self, match: Sequence[Match], member: int, priority: int = 0) -> int:
        """Add an entry that uses a member of the table's action profile."""
        return self.insert(match, Member(member), (), priority)

    def insert_group(self, match: Sequence[Match], group: int, priority: int = 0) -> int:
        """Add an entry that uses a group of the table's action selector."""
        return self.insert(match, Group(group), (), priority)

    def find(self, match: Sequence[Match], priority: int = 0) -> int | None:
        """Handle of the entry with exactly this match and priority."""
        key, arg = self.pack(match)
        handle = self._lib.ss_table_find(self._instance.ptr, self._index, key, arg, priority)
        return int(handle) if handle >= 0 else None

    def modify(self, handle: int, action: Target, params: Sequence[int] = ()) -> None:
        """Give an entry another action or other parameters."""
        number, data = self.codec.encode(action, params)
        lib = self._lib
        check(
            lib.ss_table_modify(self._instance.ptr, self._index, handle, number, data, len(data)),
            self.info.name,
        )

    def delete(self, handle: int) -> None:
        """Remove an entry."""
        check(self._lib.ss_table_delete(self._instance.ptr, self._index, handle), self.info.name)

    def clear(self) -> None:
        """Remove all entries."""
        check(self._lib.ss_table_clear_entries(self._instance.ptr, self._index), self.info.name)

    def _buffers(
        self,
    ) -> tuple[
        ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char], ctypes.Array[ctypes.c_char]
    ]:
        make = ctypes.create_string_buffer
        return make(self._key_bytes + 1), make(self._key_bytes + 1), make(self.codec.room + 8)

    def entries(self) -> Iterator[Entry]:
        """All entries, constant ones too."""
        key, arg, params = self._buffers()
        position, priority, action = c_uint32(0), c_int32(), c_int32()
        while True:
            handle = self._lib.ss_table_next(
                self._instance.ptr,
                self._index,
                byref(position),
                key,
                arg,
                byref(priority),
                byref(action),
                params,
            )
            if handle < 0:
                return
            target, values = self.codec.decode(action.value, params.raw)
            yield Entry(int(handle), self._unpack(key.raw, arg.raw), target, values, priority.value)

    def entry(self, handle: int) -> Entry:
        """One entry."""
        key, arg, params = self._buffers()
        priority, action = c_int32(), c_int32()
        code = self._lib.ss_table_get(
            self._instance.ptr,
            self._index,
            handle,
            key,
            arg,
            byref(priority),
            byref(action),
            params,
        )
        check(code, f"{self.info.name} entry {handle}")
        target, values = self.codec.decode(action.value, params.raw)
        return Entry(handle, self._unpack(key.raw, arg.raw), target, values, priority.value)

    # -- default action ------------------------------------------------------------------

    def set_default(self, action: Target, params: Sequence[int] = ()) -> None:
        """Set what happens to packets that match no entry."""
        number, data = self.codec.encode(action, params)
        lib = self._lib
        check(
            lib.ss_table_set_default(self._instance.ptr, self._index, number, data, len(data)),
            self.info.name,
        )

    def reset_default(self) -> None:
        """Back to the default action of the program."""
        if self.info.default_entry_const:
            raise ConstError(f"{self.info.name}: the default action is constant")
        check(self._lib.ss_table_reset_default(self._instance.ptr, self._index), self.info.name)

    def default(self) -> tuple[Target, tuple[int, ...]] | None:
        """The default action and its parameters; None when there is none."""
        params = ctypes.create_string_buffer(self.codec.room + 8)
        action = self._lib.ss_table_default(self._instance.ptr, self._index, params)
        return None if action == NO_DEFAULT else self.codec.decode(action, params.raw)

    # -- direct resources ----------------------------------------------------------------

    def counter(self, handle: int) -> tuple[int, int]:
        """(packets, bytes) of an entry's direct counter."""
        a, b = c_uint64(), c_uint64()
        lib = self._lib
        check(
            lib.ss_entry_counter(self._instance.ptr, self._index, handle, byref(a), byref(b)),
            f"{self.info.name} counter",
        )
        return a.value, b.value

    def set_counter(self, handle: int, packets: int, bytes_: int) -> None:
        """Set an entry's direct counter."""
        lib = self._lib
        check(
            lib.ss_entry_set_counter(self._instance.ptr, self._index, handle, packets, bytes_),
            f"{self.info.name} counter",
        )

    def meter(self, handle: int) -> MeterRates | None:
        """Rates of an entry's direct meter; None when it is not configured."""
        words = (c_uint64 * 4)()
        code = check(
            self._lib.ss_entry_meter(self._instance.ptr, self._index, handle, words),
            f"{self.info.name} meter",
        )
        return MeterRates(*words) if code else None

    def set_meter(self, handle: int, rates: MeterRates | None) -> None:
        """Configure an entry's direct meter; None: every packet is green."""
        words = None if rates is None else rates.words()
        check(
            self._lib.ss_entry_set_meter(self._instance.ptr, self._index, handle, words),
            f"{self.info.name} meter",
        )

    def set_timeout(self, handle: int, idle_us: int, now: int) -> None:
        """Remember an entry's idle timeout and take ``now`` as its last use."""
        lib = self._lib
        check(
            lib.ss_entry_set_timeout(self._instance.ptr, self._index, handle, idle_us, now),
            f"{self.info.name} timeout",
        )

    def last_hit(self, handle: int) -> tuple[int, int]:
        """(idle timeout, time of the last hit) in microseconds."""
        a, b = c_uint64(), c_uint64()
        lib = self._lib
        check(
            lib.ss_entry_last_hit(self._instance.ptr, self._index, handle, byref(a), byref(b)),
            f"{self.info.name} timeout",
        )
        return a.value, b.value


class ProfileView:
    """One action profile or selector: members by id, groups of (member, weight)."""

    def __init__(self, instance: Instance, program: Program, index: int, profile: Profile) -> None:
        self.info = profile
        self._instance = instance
        self._lib = instance.lib
        self._index = index
        self.codec = ActionCodec(program, profile.actions, profile.name)
        self.members: dict[int, tuple[str, tuple[int, ...]]] = {}
        self.groups: dict[int, tuple[tuple[int, int], ...]] = {}

    def add_member(self, member: int, action: str, params: Sequence[int] = ()) -> None:
        """Add a member."""
        number, data = self.codec.encode(action, params)
        what = f"{self.info.name} member {member}"
        check(
            self._lib.ss_member_insert(
                self._instance.ptr, self._index, member, number, data, len(data)
            ),
            what,
        )
        self.members[member] = (action, tuple(params))

    def modify_member(self, member: int, action: str, params: Sequence[int] = ()) -> None:
        """Give a member another action."""
        number, data = self.codec.encode(action, params)
        what = f"{self.info.name} member {member}"
        check(
            self._lib.ss_member_modify(
                self._instance.ptr, self._index, member, number, data, len(data)
            ),
            what,
        )
        self.members[member] = (action, tuple(params))

    def delete_member(self, member: int) -> None:
        """Remove a member; raises InUseError while entries or groups use it."""
        check(
            self._lib.ss_member_delete(self._instance.ptr, self._index, member),
            f"{self.info.name} member {member}",
        )
        del self.members[member]

    def add_group(self, group: int, members: Sequence[tuple[int, int]]) -> None:
        """Create a group of (member, weight) pairs; raises ExistsError when it is there."""
        if group in self.groups:
            raise ExistsError(f"{self.info.name} group {group}: already there")
        self.set_group(group, members)

    def set_group(self, group: int, members: Sequence[tuple[int, int]]) -> None:
        """Create a group or replace its (member, weight) pairs."""
        n = len(members)
        ids = (c_uint32 * n)(*(m for m, _ in members))
        weights = (c_uint32 * n)(*(w for _, w in members))
        code = self._lib.ss_group_set(self._instance.ptr, self._index, group, ids, weights, n)
        check(code, f"{self.info.name} group {group}")
        self.groups[group] = tuple(members)

    def delete_group(self, group: int) -> None:
        """Remove a group; raises InUseError while entries use it."""
        if group not in self.groups:
            raise NotFoundError(f"{self.info.name} group {group}: not found")
        check(
            self._lib.ss_group_delete(self._instance.ptr, self._index, group),
            f"{self.info.name} group {group}",
        )
        del self.groups[group]
