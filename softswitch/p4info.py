# SPDX-License-Identifier: MIT
"""An immutable, typed view of a P4Info message, indexed by name and by id.

Both the packet-test tool (which goes by names) and the P4Runtime server (which goes by ids)
read the program's control-plane interface through this module and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

from finsy.proto import p4i
from google.protobuf import text_format


class P4InfoError(ValueError):
    """A P4Info message that is malformed, or a name or id that it does not have."""


class MatchKind(Enum):
    """Match kinds of P4Runtime; the value is the name used in messages for people."""

    EXACT = "exact"
    LPM = "lpm"
    TERNARY = "ternary"
    RANGE = "range"
    OPTIONAL = "optional"


class Scope(Enum):
    """Where a table may use an action (P4Runtime spec, 9.1.1 `ActionRef.Scope`)."""

    TABLE_AND_DEFAULT = 0
    TABLE_ONLY = 1
    DEFAULT_ONLY = 2


_KINDS = {
    p4i.MatchField.EXACT: MatchKind.EXACT,
    p4i.MatchField.LPM: MatchKind.LPM,
    p4i.MatchField.TERNARY: MatchKind.TERNARY,
    p4i.MatchField.RANGE: MatchKind.RANGE,
    p4i.MatchField.OPTIONAL: MatchKind.OPTIONAL,
}


@dataclass(frozen=True, slots=True)
class Field:
    """A key field of a table or value set; `width` is in bits."""

    id: int
    name: str
    width: int
    kind: MatchKind = MatchKind.EXACT


@dataclass(frozen=True, slots=True)
class Param:
    """An action parameter or a field of controller packet metadata; `width` is in bits."""

    id: int
    name: str
    width: int


@dataclass(frozen=True, slots=True)
class Action:
    """An action with the parameters that the control plane gives."""

    id: int
    name: str
    alias: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True)
class ActionRef:
    """An action as one table may use it."""

    action: Action
    scope: Scope


@dataclass(frozen=True, slots=True)
class Table:
    """A match-action table."""

    id: int
    name: str
    alias: str
    fields: tuple[Field, ...]
    actions: tuple[ActionRef, ...]
    size: int
    const_default_action_id: int
    implementation_id: int
    direct_resource_ids: tuple[int, ...]
    idle_timeout: bool
    const: bool
    initial_entries: bool

    @property
    def needs_priority(self) -> bool:
        """Whether entries carry a priority: any ternary, range or optional key."""
        return any(
            f.kind in (MatchKind.TERNARY, MatchKind.RANGE, MatchKind.OPTIONAL) for f in self.fields
        )


class CounterUnit(Enum):
    """What a counter counts."""

    BYTES = 1
    PACKETS = 2
    BOTH = 3


@dataclass(frozen=True, slots=True)
class Counter:
    """An indirect counter array (`size` cells) or, with `table_id`, a direct counter."""

    id: int
    name: str
    alias: str
    unit: CounterUnit
    size: int = 0
    table_id: int = 0


@dataclass(frozen=True, slots=True)
class Meter:
    """An indirect meter array (`size` cells) or, with `table_id`, a direct meter."""

    id: int
    name: str
    alias: str
    by_bytes: bool
    size: int = 0
    table_id: int = 0


@dataclass(frozen=True, slots=True)
class ActionProfile:
    """An action profile, or an action selector when `with_selector`."""

    id: int
    name: str
    alias: str
    table_ids: tuple[int, ...]
    with_selector: bool
    size: int
    max_group_size: int


@dataclass(frozen=True, slots=True)
class Register:
    """A register array of `size` cells, `width` bits each; `signed` for int<W>."""

    id: int
    name: str
    alias: str
    width: int
    signed: bool
    size: int


@dataclass(frozen=True, slots=True)
class ValueSet:
    """A parser value set of at most `size` members."""

    id: int
    name: str
    alias: str
    fields: tuple[Field, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest with its data type."""

    id: int
    name: str
    alias: str
    type_spec: Any


@dataclass(frozen=True, slots=True)
class PacketMetadata:
    """The header of packets to (`packet_in`) or from (`packet_out`) the controller."""

    id: int
    name: str
    alias: str
    fields: tuple[Param, ...]


class _Named(Protocol):
    @property
    def id(self) -> int: ...
    @property
    def name(self) -> str: ...
    @property
    def alias(self) -> str: ...


T = TypeVar("T", bound=_Named)


@dataclass(frozen=True, slots=True)
class Index(Generic[T]):
    """The objects of one kind, by fully qualified name and by id."""

    what: str
    by_id: dict[int, T] = field(default_factory=dict)
    by_name: dict[str, T] = field(default_factory=dict)

    def __iter__(self) -> Iterator[T]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def get(self, name: str) -> T:
        """Return the object named `name` (fully qualified), or raise P4InfoError."""
        found = self.by_name.get(name)
        if found is None:
            near = [n for n in self.by_name if n.rsplit(".", 1)[-1] == name.rsplit(".", 1)[-1]]
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise P4InfoError(f"the program has no {self.what} {name!r}{hint}")
        return found

    def _add(self, item: T) -> None:
        if item.id in self.by_id:
            raise P4InfoError(f"P4Info has two {self.what}s with id {item.id:#x}")
        if item.name in self.by_name:
            raise P4InfoError(f"P4Info has two {self.what}s named {item.name!r}")
        self.by_id[item.id] = item
        self.by_name[item.name] = item


@dataclass(frozen=True, slots=True)
class P4Info:
    """The control-plane interface of one program."""

    message: Any
    tables: Index[Table]
    actions: Index[Action]
    profiles: Index[ActionProfile]
    counters: Index[Counter]
    direct_counters: Index[Counter]
    meters: Index[Meter]
    direct_meters: Index[Meter]
    registers: Index[Register]
    value_sets: Index[ValueSet]
    digests: Index[Digest]
    packet_metadata: Index[PacketMetadata]

    @staticmethod
    def of(message: Any) -> P4Info:
        """Index `message` (p4.config.v1.P4Info); raise P4InfoError when it contradicts itself."""
        info = P4Info(
            message,
            Index("table"),
            Index("action"),
            Index("action profile"),
            Index("counter"),
            Index("direct counter"),
            Index("meter"),
            Index("direct meter"),
            Index("register"),
            Index("value set"),
            Index("digest"),
            Index("controller packet metadata"),
        )
        _Reader(message, info).read()
        return info

    @staticmethod
    def load(path: Path) -> P4Info:
        """Read the text protobuf file `path`; raise P4InfoError when it is not a P4Info."""
        try:
            text = path.read_text(encoding="utf-8")
            return P4Info.of(text_format.Parse(text, p4i.P4Info()))
        except (OSError, UnicodeDecodeError) as error:
            raise P4InfoError(f"{path}: cannot read P4Info: {error}") from error
        except text_format.ParseError as error:
            raise P4InfoError(f"{path}:{error}") from error


class _Reader:
    """Fills the indexes of one P4Info from its message."""

    def __init__(self, message: Any, info: P4Info) -> None:
        self._m = message
        self._info = info

    def read(self) -> None:
        """Read everything; actions first because tables refer to them."""
        for a in self._m.actions:
            params = tuple(Param(p.id, p.name, p.bitwidth) for p in a.params)
            self._info.actions._add(Action(*_names(a), params))
        for t in self._m.tables:
            self._info.tables._add(self._table(t))
        self._profiles_and_sets()
        self._stateful()

    def _table(self, t: Any) -> Table:
        refs = []
        for ref in t.action_refs:
            action = self._info.actions.by_id.get(ref.id)
            if action is None:
                raise P4InfoError(
                    f"P4Info: table {t.preamble.name!r} refers to unknown action {ref.id:#x}"
                )
            refs.append(ActionRef(action, Scope(ref.scope)))
        return Table(
            *_names(t),
            fields=_fields(t.match_fields, t.preamble.name),
            actions=tuple(refs),
            size=t.size,
            const_default_action_id=t.const_default_action_id,
            implementation_id=t.implementation_id,
            direct_resource_ids=tuple(t.direct_resource_ids),
            idle_timeout=t.idle_timeout_behavior == p4i.Table.NOTIFY_CONTROL,
            const=t.is_const_table,
            initial_entries=t.has_initial_entries,
        )

    def _profiles_and_sets(self) -> None:
        for p in self._m.action_profiles:
            self._info.profiles._add(
                ActionProfile(
                    *_names(p), tuple(p.table_ids), p.with_selector, p.size, p.max_group_size
                )
            )
        for v in self._m.value_sets:
            self._info.value_sets._add(
                ValueSet(*_names(v), _fields(v.match, v.preamble.name), v.size)
            )
        for d in self._m.digests:
            self._info.digests._add(Digest(*_names(d), d.type_spec))
        for c in self._m.controller_packet_metadata:
            fields = tuple(Param(m.id, m.name, m.bitwidth) for m in c.metadata)
            self._info.packet_metadata._add(PacketMetadata(*_names(c), fields))

    def _stateful(self) -> None:
        for c in self._m.counters:
            self._info.counters._add(Counter(*_names(c), _unit(c.spec), size=c.size))
        for c in self._m.direct_counters:
            self._info.direct_counters._add(
                Counter(*_names(c), _unit(c.spec), table_id=c.direct_table_id)
            )
        for m in self._m.meters:
            by_bytes = m.spec.unit == p4i.MeterSpec.BYTES
            self._info.meters._add(Meter(*_names(m), by_bytes, size=m.size))
        for m in self._m.direct_meters:
            by_bytes = m.spec.unit == p4i.MeterSpec.BYTES
            self._info.direct_meters._add(Meter(*_names(m), by_bytes, table_id=m.direct_table_id))
        for r in self._m.registers:
            self._info.registers._add(self._register(r))

    def _register(self, r: Any) -> Register:
        bits = r.type_spec.bitstring
        which = bits.WhichOneof("type_spec")
        width = getattr(bits, which).bitwidth if which else 1
        return Register(*_names(r), width, which == "int", r.size)


def _names(obj: Any) -> tuple[int, str, str]:
    return obj.preamble.id, obj.preamble.name, obj.preamble.alias


def _unit(spec: Any) -> CounterUnit:
    try:
        return CounterUnit(spec.unit)
    except ValueError:
        raise P4InfoError("P4Info: a counter has no unit") from None


def _fields(messages: Any, owner: str) -> tuple[Field, ...]:
    fields = []
    for m in messages:
        kind = _KINDS.get(m.match_type)
        if kind is None:
            raise P4InfoError(f"P4Info: key {m.name!r} of {owner!r} has an unknown match kind")
        fields.append(Field(m.id, m.name, m.bitwidth, kind))
    return tuple(fields)
