# SPDX-License-Identifier: MIT
"""Small BMv2 documents, built in Python, for tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
Json = dict[str, Any]

STANDARD_METADATA = [
    ["ingress_port", 9, False],
    ["egress_spec", 9, False],
    ["egress_port", 9, False],
    ["instance_type", 32, False],
    ["packet_length", 32, False],
    ["enq_timestamp", 32, False],
    ["enq_qdepth", 19, False],
    ["deq_timedelta", 32, False],
    ["deq_qdepth", 19, False],
    ["ingress_global_timestamp", 48, False],
    ["egress_global_timestamp", 48, False],
    ["mcast_grp", 16, False],
    ["egress_rid", 16, False],
    ["checksum_error", 1, False],
    ["parser_error", 32, False],
    ["priority", 3, False],
    ["_padding", 3, False],
]

START = {
    "name": "start", "id": 0, "transition_key": [],
    "parser_ops": [{"op": "extract", "parameters": [{"type": "regular", "value": "h"}]}],
    "transitions": [{"type": "default", "value": None, "mask": None, "next_state": None}],
}  # fmt: skip


def field(header: str, name: str) -> Json:
    return {"type": "field", "value": [header, name]}


def const(value: int) -> Json:
    return {"type": "hexstr", "value": hex(value)}


def op(name: str, left: Json | None, right: Json, cond: Json | None = None) -> Json:
    value: Json = {"op": name, "left": left, "right": right}
    if cond is not None:
        value["cond"] = cond
    return {"type": "expression", "value": value}


def assign(target: Json, source: Json) -> Json:
    if source["type"] == "expression":
        source = {"type": "expression", "value": source}
    return {"op": "assign", "parameters": [target, source]}


def fixed_table(name: str, action: int, after: str | None, index: int = 0) -> Json:
    """A table as p4c writes it for a statement."""
    return {
        "name": name, "id": 100 + index, "key": [], "match_type": "exact", "type": "simple",
        "max_size": 1024, "with_counters": False, "support_timeout": False, "direct_meters": None,
        "action_ids": [action], "actions": [f"a{action}"], "base_default_next": after,
        "next_tables": {f"a{action}": after},
        "default_entry": {"action_id": action, "action_const": True, "action_data": [],
                          "action_entry_const": True},
    }  # fmt: skip


def document(
    fields: list[list[Any]],
    actions: list[Json],
    tables: list[Json],
    *,
    meta: list[list[Any]] | None = None,
    conditionals: list[Json] | None = None,
    egress: list[Json] | None = None,
    **more: Any,
) -> Json:
    """A program with one header ``h``; user metadata in ``m``; the first table starts."""
    headers = [("scalars", "scalars_t", True), ("standard_metadata", "standard_metadata", True),
               ("m", "m_t", True), ("h", "h_t", False)]  # fmt: skip
    types = {
        "scalars_t": [["unused", 8, False]],
        "standard_metadata": STANDARD_METADATA,
        "m_t": meta or [["x", 8, False]],
        "h_t": fields,
    }
    doc: Json = {
        "__meta__": {"version": [2, 23]},
        "program": "test.p4",
        "header_types": [
            {"name": n, "id": i, "fields": f} for i, (n, f) in enumerate(types.items())
        ],
        "headers": [
            {"name": n, "id": i, "header_type": t, "metadata": m}
            for i, (n, t, m) in enumerate(headers)
        ],
        "errors": [["NoError", 0], ["PacketTooShort", 1]],
        "parsers": [{"name": "parser", "id": 0, "init_state": "start", "parse_states": [START]}],
        "deparsers": [{"name": "deparser", "id": 0, "order": ["h"], "primitives": []}],
        "actions": actions,
        "pipelines": [
            {"name": "ingress", "id": 0, "init_table": tables[0]["name"] if tables else None,
             "tables": tables, "action_profiles": [], "conditionals": conditionals or []},
            {"name": "egress", "id": 1, "tables": egress or [], "action_profiles": [],
             "init_table": egress[0]["name"] if egress else None, "conditionals": []},
        ],
    }  # fmt: skip
    doc.update(more)
    return doc


def action(
    id_: int, *body: Json, params: list[Json] | None = None, name: str | None = None
) -> Json:
    return {
        "name": name or f"a{id_}",
        "id": id_,
        "runtime_data": params or [],
        "primitives": list(body),
    }


def match_program(keys: list[tuple[str, int]], match_type: str, size: int = 256) -> Json:
    """One table over the fields ``k0``, ``k1``, ...; its action ``set(v)`` writes ``h.out``."""
    fields = [[f"k{i}", w, False] for i, (_, w) in enumerate(keys)]
    pad = -sum(w for _, w in keys) % 8
    fields += [["pad", pad, False]] if pad else []
    fields.append(["out", 16, False])
    table = {
        "name": "t", "id": 0, "match_type": match_type, "type": "simple", "max_size": size,
        "with_counters": True, "support_timeout": True, "direct_meters": None,
        "key": [{"match_type": kind, "name": f"k{i}", "target": ["h", f"k{i}"], "mask": None}
                for i, (kind, _) in enumerate(keys)],
        "action_ids": [0, 1], "actions": ["set", "miss"], "base_default_next": None,
        "next_tables": {"set": None, "miss": None},
        "default_entry": {"action_id": 1, "action_const": False, "action_data": [],
                          "action_entry_const": False},
    }  # fmt: skip
    actions = [
        action(0, assign(field("h", "out"), {"type": "runtime_data", "value": 0}),
               params=[{"name": "v", "bitwidth": 16}], name="set"),
        action(1, assign(field("h", "out"), const(0xFFFF)), name="miss"),
    ]  # fmt: skip
    counters = [{"name": "c", "id": 0, "is_direct": True, "binding": "t"}]
    return document(fields, actions, [table], counter_arrays=counters)
