# SPDX-License-Identifier: MIT
"""A pushed program: its P4Info, its BMv2 JSON, and how messages about it are read and written."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from softswitch.p4info import Action, P4Info, P4InfoError, Scope, Table, ValueSet
from softswitch.server.codec import ActionCodec, BoundAction, MatchCodec
from softswitch.server.errors import denied, invalid
from softswitch.server.metadata import MetadataCodec


@dataclass(frozen=True, slots=True)
class TableCodec:
    """A table with the codecs of its key and of its actions."""

    table: Table
    match: MatchCodec
    actions: Mapping[int, tuple[ActionCodec, Scope]]
    needs_priority: bool

    def decode_action(self, message: Any, *, default: bool) -> BoundAction:
        """Decode a p4.v1.Action that must be allowed for entries, or for the default entry."""
        found = self.actions.get(message.action_id)
        if found is None:
            raise invalid(f"table {self.table.name!r} has no action {message.action_id:#010x}")
        codec, scope = found
        if scope is (Scope.TABLE_ONLY if default else Scope.DEFAULT_ONLY):
            where = "the default entry" if default else "entries"
            raise denied(f"table {self.table.name!r}: {codec.name!r} may not be used for {where}")
        return codec.decode(message)


@dataclass(frozen=True, slots=True)
class Program:
    """A forwarding pipeline config, checked and ready for use."""

    config: Any
    json: Mapping[str, Any]
    info: P4Info
    tables: Mapping[int, TableCodec]
    actions: Mapping[int, ActionCodec]
    value_sets: Mapping[int, tuple[ValueSet, MatchCodec]]
    packet_in: MetadataCodec | None
    packet_out: MetadataCodec | None

    @staticmethod
    def of(config: Any) -> Program:
        """Check `config` (p4.v1.ForwardingPipelineConfig); raise INVALID_ARGUMENT."""
        if not config.p4_device_config:
            raise invalid("config.p4_device_config is empty: it must hold the BMv2 JSON")
        document = parse_device_config(config.p4_device_config)
        try:
            info = P4Info.of(config.p4info)
        except P4InfoError as error:
            raise invalid(str(error)) from None
        return _Binder(document, info).bind(config)


def parse_device_config(data: bytes) -> Mapping[str, Any]:
    """Parse BMv2 JSON; raise INVALID_ARGUMENT when it is none."""
    try:
        document = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise invalid(f"config.p4_device_config is not JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("pipelines"), list):
        raise invalid("config.p4_device_config is not BMv2 JSON: it has no 'pipelines'")
    return document


class _Binder:
    """Relates P4Info to the BMv2 JSON by names, and takes the widths from the JSON.

    They differ where a type has a @p4runtime_translation to another width: values must then fit
    in both.
    """

    def __init__(self, document: Mapping[str, Any], info: P4Info) -> None:
        self._info = info
        try:
            self._tables = {
                t["name"]: t for p in document["pipelines"] for t in p.get("tables", [])
            }
            self._action_widths = {
                a["name"]: [p["bitwidth"] for p in a["runtime_data"]] for a in document["actions"]
            }
            self._arrays = {
                kind: {a["name"]: a for a in document.get(kind, [])}
                for kind in ("counter_arrays", "meter_arrays", "register_arrays", "parse_vsets")
            }
        except (KeyError, TypeError, AttributeError) as error:
            raise invalid(f"config.p4_device_config is not BMv2 JSON: {error!r}") from None
        self._document = document

    def bind(self, config: Any) -> Program:
        info = self._info
        actions = {a.id: self._action(a) for a in info.actions}
        tables = {t.id: self._table(t, actions) for t in info.tables}
        for kind, index in (
            ("counter_arrays", info.counters),
            ("counter_arrays", info.direct_counters),
            ("meter_arrays", info.meters),
            ("meter_arrays", info.direct_meters),
            ("register_arrays", info.registers),
            ("parse_vsets", info.value_sets),
        ):
            for item in index:
                if item.name not in self._arrays[kind]:
                    raise invalid(f"p4info: {index.what} {item.name!r} is not in the BMv2 JSON")
        sets = {
            v.id: (v, MatchCodec(f"value set {v.name!r}", v.fields, [f.width for f in v.fields]))
            for v in info.value_sets
        }
        headers = {m.name: MetadataCodec(m) for m in info.packet_metadata}
        return Program(
            config,
            self._document,
            info,
            tables,
            actions,
            sets,
            headers.get("packet_in"),
            headers.get("packet_out"),
        )

    def _action(self, action: Action) -> ActionCodec:
        widths = self._action_widths.get(action.name)
        if widths is None:
            # p4c leaves out of the JSON what no table uses.
            widths = [p.width for p in action.params]
        if len(widths) != len(action.params):
            raise invalid(
                f"p4info: action {action.name!r} has {len(action.params)} parameters, "
                f"in the BMv2 JSON {len(widths)}"
            )
        for param in action.params:
            if not param.width:
                raise invalid(
                    f"p4info: parameter {param.name!r} of {action.name!r} is translated to a "
                    "string, which this switch does not support"
                )
        return ActionCodec(action, [self._width(w) for w in widths])

    def _table(self, table: Table, actions: Mapping[int, ActionCodec]) -> TableCodec:
        found = self._tables.get(table.name)
        if found is None:
            raise invalid(f"p4info: table {table.name!r} is not in the BMv2 JSON")
        keys = found.get("key", [])
        if len(keys) != len(table.fields):
            raise invalid(
                f"p4info: table {table.name!r} has {len(table.fields)} keys, "
                f"in the BMv2 JSON {len(keys)}"
            )
        for field in table.fields:
            if not field.width:
                raise invalid(
                    f"p4info: key {field.name!r} of {table.name!r} is translated to a string, "
                    "which this switch does not support"
                )
        widths = [f.width for f in table.fields]
        refs = {r.action.id: (actions[r.action.id], r.scope) for r in table.actions}
        match = MatchCodec(f"table {table.name!r}", table.fields, widths)
        return TableCodec(table, match, refs, table.needs_priority)

    @staticmethod
    def _width(width: object) -> int:
        if not isinstance(width, int) or not 0 < width <= 1 << 16:
            raise invalid(f"config.p4_device_config: a parameter has the width {width!r}")
        return width
