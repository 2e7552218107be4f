# SPDX-License-Identifier: MIT
"""The switch as the entities see it: P4Info's objects and the server's own byte strings.

Everything the server does to a `Pipeline` goes through here, and engine errors leave as
P4Runtime errors.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Any

from softswitch.engine.errors import (
    ActionError,
    ConstError,
    EngineError,
    ExistsError,
    FullError,
    InUseError,
    InvalidError,
    NotFoundError,
)
from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.engine.tables import Group, Member, MeterRates, TableView
from softswitch.p4info import ActionProfile, Counter, MatchKind, Meter, Register, ValueSet
from softswitch.server.codec import BoundAction, MatchCodec
from softswitch.server.dataplane import DataPlane
from softswitch.server.errors import Code, P4RuntimeError
from softswitch.server.program import TableCodec
from softswitch.server.state import EntryKey, GroupMember, MemberRef, OneShot, State, Target
from softswitch.server.state import MeterRates as Rates
from softswitch.server.watches import watched_port

if TYPE_CHECKING:
    from softswitch.engine import Pipeline
    from softswitch.engine.pipeline import TraceEvent

_CODES: list[tuple[type[EngineError], Code]] = [
    (ExistsError, Code.ALREADY_EXISTS),
    (FullError, Code.RESOURCE_EXHAUSTED),
    (ConstError, Code.PERMISSION_DENIED),
    (InUseError, Code.FAILED_PRECONDITION),
    (NotFoundError, Code.NOT_FOUND),
    (InvalidError, Code.INVALID_ARGUMENT),
    (ActionError, Code.INVALID_ARGUMENT),
]


def translated(error: EngineError) -> P4RuntimeError:
    """The P4Runtime error of an engine error."""
    for kind, code in _CODES:
        if isinstance(error, kind):
            return P4RuntimeError(code, str(error))
    return P4RuntimeError(Code.INTERNAL, str(error))


class _Exclusive:
    """Holds the device's lock, if there is one to hold, and translates engine errors.

    A class and no generator: it is entered for each single write.
    """

    __slots__ = ("_lock",)

    def __init__(self, lock: AbstractContextManager[None] | None) -> None:
        self._lock = lock

    def __enter__(self) -> None:
        if self._lock is not None:
            self._lock.__enter__()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._lock is not None:
            self._lock.__exit__(kind, error, traceback)
        if isinstance(error, EngineError):
            raise translated(error) from error


class Engine:
    """One pipeline.  While it is attached, packets are kept out during each single operation."""

    def __init__(self, pipeline: Pipeline, device: DataPlane) -> None:
        self.pipeline = pipeline
        self._device = device
        self._attached = False
        self._held = False
        self._packed: dict[int, tuple[TableView, dict[int, int]]] = {}
        # Groups with members that watch ports: what was asked for, by (profile name, group).
        self._watching: dict[tuple[str, int], Sequence[GroupMember]] = {}

    def attach(self) -> None:
        """Packets go through this pipeline from now on."""
        self._attached = True

    def detach(self) -> None:
        """No packets go through this pipeline."""
        self._attached = False

    def _exclusive(self) -> _Exclusive:
        """Keep packets out, and translate errors."""
        needed = self._attached and not self._held
        return _Exclusive(self._device.locked() if needed else None)

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep packets out for several operations."""
        with self._exclusive():
            self._held = True
            try:
                yield
            finally:
                self._held = False

    def snapshot(self) -> Any:
        """The switch's state; under `held`."""
        return self.pipeline.snapshot()

    def restore(self, snapshot: Any, tables: Sequence[TableCodec], state: State) -> None:
        """Go back to a snapshot; under `held`.  Entries get new handles, also in `state`."""
        self.pipeline.restore(snapshot)
        for table in tables:
            entries = state.entries.get(table.table.id, {})
            view = self.pipeline.tables[table.table.name]
            for key, entry in entries.items():
                handle = view.find(engine_match(table.match, key[0], key[1]), key[2])
                assert handle is not None
                entries[key] = entry._replace(handle=handle)

    def take_trace(self) -> list[TraceEvent]:
        """What packets did since the last call; the pipeline must have been loaded for it."""
        with self._exclusive():
            return self.pipeline.trace_log()

    def now_ns(self) -> int:
        """The clock of the switch."""
        return self._device.now_us() * 1000

    # -- tables

    def insert(self, table: TableCodec, key: EntryKey, target: Target) -> int:
        """Insert an entry; return its handle."""
        numbers = self._packed.get(table.table.id)
        if numbers is not None and isinstance(target, BoundAction):
            view, by_id = numbers
            number = by_id[target.codec.id]
            with self._exclusive():
                return view.insert_packed(key[0], key[1], number, target.params, key[2])
        match = engine_match(table.match, key[0], key[1])
        action, params = _engine_target(target)
        view = self.pipeline.tables[table.table.name]
        with self._exclusive():
            return view.insert(match, action, params, key[2])

    def packs(self, table: TableCodec) -> bool:
        """Whether `insert_many` can be used for a table."""
        return table.table.id in self._packed

    def insert_many(
        self, table: TableCodec, entries: Iterable[tuple[EntryKey, BoundAction]]
    ) -> list[int | P4RuntimeError]:
        """Insert entries into a table that `packs`, in one call; for each its handle or error."""
        view, by_id = self._packed[table.table.id]
        packed = [
            (key, arg, priority, by_id[codec.id], params)
            for (key, arg, priority), (codec, params) in entries
        ]
        with self._exclusive():
            done = view.insert_many(packed)
        return [h if isinstance(h, int) else translated(h) for h in done]

    def prepare(self, tables: Iterable[TableCodec]) -> None:
        """Note the tables whose byte strings are the switch's own: inserting is quick there.

        They differ where a key has another width for clients (@p4runtime_translation).
        """
        for table in tables:
            view = self.pipeline.tables[table.table.name]
            if tuple(k.width for k in view.info.keys) == table.match.widths:
                names = view.codec.names
                by_id = {
                    id: names[codec.name]
                    for id, (codec, _) in table.actions.items()
                    if codec.name in names
                }
                self._packed[table.table.id] = (view, by_id)

    def modify(self, table: TableCodec, handle: int, target: Target) -> None:
        """Change the action of an entry."""
        action, params = _engine_target(target)
        with self._exclusive():
            self.pipeline.tables[table.table.name].modify(handle, action, params)

    def delete(self, table: TableCodec, handle: int) -> None:
        """Delete an entry."""
        with self._exclusive():
            self.pipeline.tables[table.table.name].delete(handle)

    def initial_entries(self, table: TableCodec) -> list[tuple[EntryKey, int, BoundAction, bool]]:
        """The entries that the program itself has: key, handle, action, const."""
        by_name = {codec.name: codec for codec, _ in table.actions.values()}
        found = []
        with self._exclusive():
            for entry in self.pipeline.tables[table.table.name].entries():
                codec = by_name[str(entry.action)]
                action = BoundAction(codec, codec.join(entry.params))
                key, arg = server_match(table.match, entry.match)
                found.append(((key, arg, entry.priority), entry.handle, action, True))
        return found

    def set_default(self, table: TableCodec, action: BoundAction) -> None:
        """Change the default action."""
        with self._exclusive():
            name, params = action.codec.name, action.codec.numbers(action.params)
            self.pipeline.tables[table.table.name].set_default(name, params)

    def reset_default(self, table: TableCodec) -> None:
        """Go back to the program's default action."""
        with self._exclusive():
            self.pipeline.tables[table.table.name].reset_default()

    def default_action(self, table: TableCodec) -> BoundAction | None:
        """The present default action."""
        with self._exclusive():
            default = self.pipeline.tables[table.table.name].default()
        # Tables with an action profile have none in the switch: a miss does nothing.
        name, params = default or ("NoAction", ())
        for codec, _ in table.actions.values():
            if codec.name == name:
                return BoundAction(codec, codec.join(params))
        return None

    # -- direct resources

    def entry_counter(self, table: TableCodec, handle: int) -> tuple[int, int]:
        """(packets, bytes) of an entry."""
        with self._exclusive():
            return self.pipeline.tables[table.table.name].counter(handle)

    def set_entry_counter(self, table: TableCodec, handle: int, packets: int, octets: int) -> None:
        """Set the counter of an entry."""
        with self._exclusive():
            self.pipeline.tables[table.table.name].set_counter(handle, packets, octets)

    def set_entry_meter(self, table: TableCodec, handle: int, rates: Rates | None) -> None:
        """Configure the meter of an entry; None: always green."""
        with self._exclusive():
            self.pipeline.tables[table.table.name].set_meter(handle, _engine_rates(rates))

    def set_entry_timeout(self, table: TableCodec, handle: int, ttl_ns: int) -> None:
        """Set the idle timeout of an entry and count its time from now."""
        with self._exclusive():
            view = self.pipeline.tables[table.table.name]
            view.set_timeout(handle, ttl_ns // 1000, self._device.now_us())

    def entry_idle_ns(self, table: TableCodec, handle: int) -> int:
        """Time since a packet hit an entry."""
        with self._exclusive():
            _, last_us = self.pipeline.tables[table.table.name].last_hit(handle)
        return max(self._device.now_us() - last_us, 0) * 1000

    # -- arrays

    def read_counter(self, counter: Counter, index: int) -> tuple[int, int]:
        """(packets, bytes) of a cell."""
        with self._exclusive():
            return self.pipeline.counters[counter.name][index]

    def read_counters(self, counter: Counter) -> Iterator[tuple[int, int]]:
        """All cells; packets pass in between."""
        for index in range(counter.size):
            yield self.read_counter(counter, index)

    def write_counter(self, counter: Counter, index: int, packets: int, octets: int) -> None:
        """Set a cell."""
        with self._exclusive():
            self.pipeline.counters[counter.name][index] = (packets, octets)

    def set_meter(self, meter: Meter, index: int, rates: Rates | None) -> None:
        """Configure a cell; None: always green."""
        with self._exclusive():
            self.pipeline.meters[meter.name][index] = _engine_rates(rates)

    def read_register(self, register: Register, index: int) -> int:
        """The bits of a cell."""
        with self._exclusive():
            return self.pipeline.registers[register.name][index]

    def read_registers(self, register: Register) -> Iterator[int]:
        """All cells; packets pass in between."""
        for index in range(register.size):
            yield self.read_register(register, index)

    def write_register(self, register: Register, index: int, value: int) -> None:
        """Set a cell."""
        with self._exclusive():
            self.pipeline.registers[register.name][index] = value

    def fill_register(self, register: Register, value: int) -> None:
        """Set all cells; packets pass in between."""
        for index in range(register.size):
            self.write_register(register, index, value)

    # -- action profiles

    def add_member(self, profile: ActionProfile, id: int, action: BoundAction) -> None:
        """Add a member."""
        with self._exclusive():
            name, params = action.codec.name, action.codec.numbers(action.params)
            self.pipeline.action_profiles[profile.name].add_member(id, name, params)

    def modify_member(self, profile: ActionProfile, id: int, action: BoundAction) -> None:
        """Change a member's action."""
        with self._exclusive():
            name, params = action.codec.name, action.codec.numbers(action.params)
            self.pipeline.action_profiles[profile.name].modify_member(id, name, params)

    def delete_member(self, profile: ActionProfile, id: int) -> None:
        """Remove a member."""
        with self._exclusive():
            self.pipeline.action_profiles[profile.name].delete_member(id)

    def set_group(self, profile: ActionProfile, id: int, members: Sequence[GroupMember]) -> None:
        """Create a group or replace its members; those whose port is down are left out."""
        with self._exclusive():
            self._set_live(profile.name, id, members)
        key = (profile.name, id)
        if any(watched_port(m) is not None for m in members):
            self._watching[key] = members
        else:
            self._watching.pop(key, None)

    def delete_group(self, profile: ActionProfile, id: int) -> None:
        """Remove a group."""
        with self._exclusive():
            self.pipeline.action_profiles[profile.name].delete_group(id)
        self._watching.pop((profile.name, id), None)

    def refresh_watches(self, port: int) -> None:
        """A port went up or down: include or leave out the members that watch it."""
        for (profile, group), members in self._watching.items():
            if any(watched_port(m) == port for m in members):
                with self._exclusive():
                    self._set_live(profile, group, members)

    def _set_live(self, profile: str, group: int, members: Sequence[GroupMember]) -> None:
        live = [
            (m.id, m.weight)
            for m in members
            if (port := watched_port(m)) is None or self._device.port_state(port) == "up"
        ]
        self.pipeline.action_profiles[profile].set_group(group, live)

    def has_port(self, port: int) -> bool:
        """Whether the switch has a port."""
        return port in self._device.ports

    # -- replication and value sets

    def set_multicast_group(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a multicast group."""
        with self._exclusive():
            self.pipeline.pre.set_multicast_group(id, replicas)

    def delete_multicast_group(self, id: int) -> None:
        """Remove a multicast group."""
        with self._exclusive():
            self.pipeline.pre.delete_multicast_group(id)

    def set_clone_session(
        self, id: int, replicas: Sequence[tuple[int, int]], truncate: int
    ) -> None:
        """Create or replace a clone session."""
        with self._exclusive():
            self.pipeline.pre.set_clone_session(id, replicas, truncate)

    def delete_clone_session(self, id: int) -> None:
        """Remove a clone session."""
        with self._exclusive():
            self.pipeline.pre.delete_clone_session(id)

    def set_value_set(
        self, value_set: ValueSet, codec: MatchCodec, members: Sequence[tuple[bytes, bytes]]
    ) -> None:
        """Replace the members of a value set."""
        pairs = [[(v, m) for _, _, v, m in codec.parts(key, arg)] for key, arg in members]
        with self._exclusive():
            self.pipeline.value_sets[value_set.name].set(pairs)


def _engine_target(target: Target) -> tuple[str | Member | Group, Sequence[int]]:
    if isinstance(target, BoundAction):
        return target.codec.name, target.codec.numbers(target.params)
    if isinstance(target, MemberRef):
        return Member(target.id), ()
    if isinstance(target, OneShot):
        return Group(target.group), ()
    return Group(target.id), ()


def _engine_rates(rates: Rates | None) -> MeterRates | None:
    return None if rates is None else MeterRates(*rates[:4])


def engine_match(codec: MatchCodec, key: bytes, arg: bytes) -> list[Match]:
    """The engine's form of a match."""
    result: list[Match] = []
    for field, _, value, other in codec.parts(key, arg):
        if field.kind is MatchKind.EXACT:
            result.append(Exact(value))
        elif field.kind is MatchKind.LPM:
            result.append(Lpm(value, other.bit_count()))
        elif field.kind is MatchKind.TERNARY:
            result.append(Ternary(value, other))
        elif field.kind is MatchKind.RANGE:
            result.append(Range(value, other))
        else:
            result.append(Optional(value if other else None))
    return result


def server_match(codec: MatchCodec, match: Sequence[Match]) -> tuple[bytes, bytes]:
    """The inverse of `engine_match`."""
    parts = []
    for width, m in zip(codec.widths, match, strict=True):
        ones = (1 << width) - 1
        if isinstance(m, Exact):
            parts.append((m.value, ones))
        elif isinstance(m, Lpm):
            parts.append((m.value, ones ^ (ones >> m.prefix_len)))
        elif isinstance(m, Ternary):
            parts.append((m.value, m.mask))
        elif isinstance(m, Range):
            parts.append((m.low, m.high))
        else:
            parts.append((0, 0) if m.value is None else (m.value, ones))
    return codec.join(parts)
