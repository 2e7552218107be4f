# SPDX-License-Identifier: MIT
"""P4Info of a lowered program, with p4c's names, aliases and ids.

An id is the prefix of the kind of object and 24 bits of a hash of the name (Jenkins's
one-at-a-time); ``@id`` sets it.  Ids that are taken already are counted up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from finsy.proto import p4i

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower.context import is_hidden
from softswitch.frontend.lower.model import (
    DEFAULT_SIZE,
    Action,
    Key,
    Model,
    Object,
    Table,
    bit_width,
)
from softswitch.frontend.p4types import TypeTable, type_name, width_of

_MATCH = {
    "exact": p4i.MatchField.EXACT,
    "lpm": p4i.MatchField.LPM,
    "ternary": p4i.MatchField.TERNARY,
    "range": p4i.MatchField.RANGE,
    "optional": p4i.MatchField.OPTIONAL,
}
_COUNTER_UNITS = {
    "packets": p4i.CounterSpec.PACKETS,
    "bytes": p4i.CounterSpec.BYTES,
    "packets_and_bytes": p4i.CounterSpec.BOTH,
}
_METER_UNITS = {"packets": p4i.MeterSpec.PACKETS, "bytes": p4i.MeterSpec.BYTES}
_SPECIAL = {"name", "id", "brief", "description", "hidden"}


def message(model: Model) -> p4i.P4Info:
    """The P4Info message."""
    return _Writer(model).message()


def name_hash(name: str) -> int:
    """Jenkins's one-at-a-time hash."""
    value = 0
    for byte in name.encode():
        value = (value + byte) & 0xFFFFFFFF
        value = (value + (value << 10)) & 0xFFFFFFFF
        value ^= value >> 6
    value = (value + (value << 3)) & 0xFFFFFFFF
    value ^= value >> 11
    return (value + (value << 15)) & 0xFFFFFFFF


class _Writer:
    def __init__(self, model: Model) -> None:
        self.model = model
        self.info = p4i.P4Info()
        self.info.type_info.SetInParent()
        self.types = TypeTable(self.info, model.errors)
        self.ids: dict[tuple[int, str], int] = {}
        self.taken: set[int] = set()
        self.tables = [t for t in model.tables if not t.hidden]
        self.actions = _actions(model, self.tables)

    def message(self) -> p4i.P4Info:
        self._package()
        self._assign_ids()
        for table in self.tables:
            self._table(table)
        for action in self.actions:
            self._action(action)
        self._profiles()
        self._counters_and_meters()
        self._controller_headers()
        self._value_sets()
        self._registers()
        for digest in self.model.learn_lists:
            made = self.info.digests.add()
            self._preamble(made, "DIGEST", digest.name, [])
            made.type_spec.CopyFrom(self.types.use(digest.type))
        return self.info

    # ----------------------------------------------------------------- names and ids

    def _objects(self) -> Iterable[tuple[str, str, ast.Annotations]]:
        """(kind, name, annotations) of everything with a preamble."""
        model = self.model
        for label, objects in (
            ("TABLE", self.tables),
            ("ACTION", self.actions),
            ("ACTION_PROFILE", model.profiles),
            ("VALUE_SET", model.value_sets),
            ("REGISTER", model.registers),
        ):
            for item in objects:
                yield label, item.name, item.annotations
        for counter in model.counters:
            label = "COUNTER" if counter.size else "DIRECT_COUNTER"
            yield label, counter.name, counter.annotations
        for meter in model.meters:
            yield ("METER" if meter.size else "DIRECT_METER"), meter.name, meter.annotations
        for _, kind, notes in model.controller_headers:
            yield "CONTROLLER_HEADER", kind.name, notes
        for digest in model.learn_lists:
            yield "DIGEST", digest.name, []

    def _assign_ids(self) -> None:
        objects = list(self._objects())
        seen: set[tuple[str, str]] = set()
        for kind, name, notes in objects:
            prefix = p4i.P4Ids.Prefix.Value(kind)
            if (kind, name) in seen:
                text = f"name '{name}' is used for several {kind.lower()} objects"
                raise error("duplicate", text, notes[0].span if notes else ast.NO_SPAN)
            seen.add((kind, name))
            note = ast.find_annotation(notes, "id")
            if note is None:
                continue
            number = _note_number(note)
            if number >> 24 not in (0, prefix):
                text = f"@id({number:#x}) of '{name}' has the prefix of another kind of object"
                raise error("invalid", text, note.span)
            number = prefix << 24 | number & 0xFFFFFF
            if number in self.taken:
                raise error("duplicate", f"@id({number:#x}) is used twice", note.span)
            self.ids[prefix, name] = number
            self.taken.add(number)
        for kind, name, _ in objects:
            prefix = p4i.P4Ids.Prefix.Value(kind)
            if (prefix, name) in self.ids:
                continue
            base = name_hash(name) & 0xFFFFFF
            while base == 0 or prefix << 24 | base in self.taken:
                base = (base + 1) & 0xFFFFFF
            self.ids[prefix, name] = prefix << 24 | base
            self.taken.add(prefix << 24 | base)
        self.names = {name for _, name, _ in objects}

    def _id(self, kind: str, name: str) -> int:
        return self.ids[p4i.P4Ids.Prefix.Value(kind), name]

    def _alias(self, name: str) -> str:
        parts = name.split(".")
        for at in range(len(parts) - 1, 0, -1):
            suffix = ".".join(parts[at:])
            if not any(n != name and (n == suffix or n.endswith(f".{suffix}")) for n in self.names):
                return suffix
        return name

    def _preamble(self, made: Any, kind: str, name: str, notes: ast.Annotations) -> None:
        made.preamble.id = self._id(kind, name)
        made.preamble.name = name
        made.preamble.alias = self._alias(name)
        _annotate(made.preamble, notes)

    def _object(self, made: Any, kind: str, item: Object) -> None:
        self._preamble(made, kind, item.name, item.annotations)

    # ----------------------------------------------------------------- tables and actions

    def _table(self, table: Table) -> None:
        made = self.info.tables.add()
        self._object(made, "TABLE", table)
        for number, key in _numbered(table.keys):
            self._match_field(made.match_fields.add(), number, key)
        for action in table.actions:
            self._action_ref(made.action_refs.add(), action)
        default = table.actions[table.default_action]
        if not _hidden(default):
            number = self._id("ACTION", default.name)
            if table.default_const:
                made.const_default_action_id = number
            made.initial_default_action.action_id = number
            for (param_id, param), value in zip(
                _numbered(default.params), table.default_args, strict=False
            ):
                data = value.to_bytes((param.width + 7) // 8, "big")
                made.initial_default_action.arguments.add(param_id=param_id, value=data)
        if table.profile is not None:
            made.implementation_id = self._id("ACTION_PROFILE", table.profile.name)
        if table.counter is not None:
            made.direct_resource_ids.append(self._id("DIRECT_COUNTER", table.counter.name))
        if table.meter is not None:
            made.direct_resource_ids.append(self._id("DIRECT_METER", table.meter.name))
        made.size = DEFAULT_SIZE if table.size is None else table.size
        if table.timeout:
            made.idle_timeout_behavior = p4i.Table.NOTIFY_CONTROL
        if table.entries is not None:
            made.has_initial_entries = bool(table.entries)
            made.is_const_table = table.const_entries

    def _match_field(self, field: p4i.MatchField, number: int, key: Key) -> None:
        field.id = number
        field.name = key.name
        _annotate(field, key.annotations)
        field.bitwidth = width_of(key.type)
        field.match_type = _MATCH[key.kind]
        self._name_type(field, key.type)

    def _action_ref(self, ref: p4i.ActionRef, action: Action) -> None:
        ref.id = self._id("ACTION", action.name)
        _annotate(ref, action.ref_annotations)
        if ast.find_annotation(action.ref_annotations, "tableonly"):
            ref.scope = p4i.ActionRef.TABLE_ONLY
        elif ast.find_annotation(action.ref_annotations, "defaultonly"):
            ref.scope = p4i.ActionRef.DEFAULT_ONLY

    def _action(self, action: Action) -> None:
        made = self.info.actions.add()
        self._object(made, "ACTION", action)
        for number, param in _numbered(action.params):
            item = made.params.add(id=number, name=param.name)
            _annotate(item, param.annotations)
            item.bitwidth = width_of(param.type)
            self._name_type(item, param.type)

    def _name_type(self, made: Any, kind: ty.Type) -> None:
        self.types.use(kind)
        name = type_name(kind)
        if name is not None:
            made.type_name.name = name

    # ----------------------------------------------------------------- extern objects

    def _profiles(self) -> None:
        for profile in self.model.profiles:
            made = self.info.action_profiles.add()
            self._object(made, "ACTION_PROFILE", profile)
            made.table_ids.extend(self._id("TABLE", t.name) for t in profile.tables if not t.hidden)
            made.with_selector = bool(profile.algorithm)
            made.size = profile.size
            note = ast.find_annotation(profile.annotations, "max_group_size")
            if note is not None:
                made.max_group_size = _note_number(note)

    def _counters_and_meters(self) -> None:
        info = self.info
        for item in self.model.counters:
            if item.size:
                counter = info.counters.add(size=item.size)
                self._object(counter, "COUNTER", item)
                self._index(counter, item.index_type)
                counter.spec.unit = _COUNTER_UNITS[item.unit]
            elif item.table is not None:
                direct_counter = info.direct_counters.add()
                self._object(direct_counter, "DIRECT_COUNTER", item)
                direct_counter.direct_table_id = self._table_id(item.table)
                direct_counter.spec.unit = _COUNTER_UNITS[item.unit]
        for made in self.model.meters:
            if made.size:
                meter = info.meters.add(size=made.size)
                self._object(meter, "METER", made)
                self._index(meter, made.index_type)
                meter.spec.unit = _METER_UNITS[made.unit]
            elif made.table is not None:
                direct_meter = info.direct_meters.add()
                self._object(direct_meter, "DIRECT_METER", made)
                direct_meter.direct_table_id = self._table_id(made.table)
                direct_meter.spec.unit = _METER_UNITS[made.unit]

    def _table_id(self, table: Table) -> int:
        return 0 if table.hidden else self._id("TABLE", table.name)

    def _index(self, made: Any, kind: ty.Type) -> None:
        if isinstance(kind, ty.NewType):
            self.types.use(kind)
            made.index_type_name.name = kind.name

    def _registers(self) -> None:
        for register in self.model.registers:
            made = self.info.registers.add(size=register.size)
            self._object(made, "REGISTER", register)
            made.type_spec.CopyFrom(self.types.use(register.type))
            self._index(made, register.index_type)

    def _controller_headers(self) -> None:
        for name, kind, notes in self.model.controller_headers:
            made = self.info.controller_packet_metadata.add()
            made.preamble.id = self._id("CONTROLLER_HEADER", kind.name)
            made.preamble.name = made.preamble.alias = name
            _annotate(made.preamble, notes)
            fields = [f.decl for f in kind.fields]
            types = {f.name: f.type for f in kind.fields}
            for number, field in _numbered(fields):
                if is_hidden(field):
                    continue
                item = made.metadata.add(id=number, name=field.name)
                _annotate(item, field.annotations)
                item.bitwidth = width_of(types[field.name])
                self._name_type(item, types[field.name])

    def _value_sets(self) -> None:
        for value_set in self.model.value_sets:
            made = self.info.value_sets.add(size=value_set.size)
            self._object(made, "VALUE_SET", value_set)
            for number, (name, kind, notes) in enumerate(value_set.keys, start=1):
                field = made.match.add(id=_explicit_id(notes) or number, name=name)
                _annotate(field, [n for n in notes if n.name != "match"])
                field.bitwidth = bit_width(kind)
                note = ast.find_annotation(notes, "match")
                match_kind = note.tokens[0] if note is not None and note.tokens else "exact"
                field.match_type = _MATCH[match_kind]

    def _package(self) -> None:
        package = self.info.pkg_info
        package.arch = "v1model"
        notes = self.model.main_annotations
        for note in notes:
            if note.name == "pkginfo":
                for key, value in _pairs(note):
                    if key in ("name", "version", "organization", "contact", "url", "arch"):
                        setattr(package, key, value)
        _annotate(package, [n for n in notes if n.name != "pkginfo"])


# --------------------------------------------------------------------------- annotations


def _hidden(action: Action) -> bool:
    return ast.find_annotation(action.annotations, "hidden") is not None


def _actions(model: Model, tables: Sequence[Table]) -> list[Action]:
    """Each action once, those of tables before those that are only called."""
    found: dict[str, Action] = {}
    for action in (*(a for t in tables for a in t.actions), *model.direct_actions):
        if not _hidden(action):
            found.setdefault(action.name, action)
    return sorted(found.values(), key=lambda a: (a.span.file, a.span.line, a.span.column))


def _numbered(items: Sequence[Any]) -> list[tuple[int, Any]]:
    """Items with their ids: ``@id`` or counted from 1, leaving out ids given."""
    given = {_explicit_id(i.annotations) for i in items}
    result: list[tuple[int, Any]] = []
    number = 0
    for item in items:
        explicit = _explicit_id(item.annotations)
        if explicit is None:
            number += 1
            while number in given:
                number += 1
        result.append((explicit or number, item))
    return result


def _explicit_id(notes: ast.Annotations) -> int | None:
    note = ast.find_annotation(notes, "id")
    return None if note is None else _note_number(note)


def _note_number(note: ast.Annotation) -> int:
    if note.exprs and isinstance(note.exprs[0].const, int):
        return note.exprs[0].const
    number = note.number
    if number is None:
        raise error("invalid", f"@{note.name} needs a number", note.span)
    return number


def _annotate(made: Any, notes: ast.Annotations) -> None:
    for note in notes:
        if note.name in ("brief", "description") and note.text is not None:
            setattr(made.doc, note.name, note.text)
        elif note.name in _SPECIAL:
            continue
        elif note.structured:
            _structured(made.structured_annotations.add(name=note.name), note)
        else:
            made.annotations.append(_text(note))


def _value(expr: ast.Expression) -> object:
    """The constant in an annotation."""
    if expr.const is None and isinstance(expr, (ast.StringLiteral, ast.IntLiteral)):
        return expr.value
    return expr.const


def _pairs(note: ast.Annotation) -> list[tuple[str, str]]:
    """``key = "text"`` pairs of an annotation, structured or not."""
    if note.kv:
        return [(key, str(_value(expr))) for key, expr in note.kv.items()]
    items = [i for i in note.tokens if i not in ("=", ",")]
    return [(key, text.strip('"')) for key, text in zip(items[::2], items[1::2], strict=False)]


def _text(note: ast.Annotation) -> str:
    if not note.tokens:
        return f"@{note.name}"
    body = ""
    for token in note.tokens:
        words = body and (body[-1].isalnum() or body[-1] == "_") and token[0].isalnum()
        body += (" " if words or body.endswith(",") else "") + token
    return f"@{note.name}({body})"


def _structured(made: Any, note: ast.Annotation) -> None:
    def put(target: Any, value: object) -> None:
        if isinstance(value, bool):
            target.bool_value = value
        elif isinstance(value, int):
            target.int64_value = value
        else:
            target.string_value = str(value)

    if note.kv:
        for key, expr in note.kv.items():
            put(made.kv_pair_list.kv_pairs.add(key=key).value, _value(expr))
    else:
        made.expression_list.SetInParent()
        for expr in note.exprs:
            put(made.expression_list.expressions.add(), _value(expr))
