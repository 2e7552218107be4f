# SPDX-License-Identifier: MIT
"""The BMv2 JSON document (format 2.23) of a lowered program."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from softswitch.frontend.ast import Span
from softswitch.frontend.bmv2ops import Operands, hexstr, match_key, match_type
from softswitch.frontend.lower import ir
from softswitch.frontend.lower.actions import primitives
from softswitch.frontend.lower.model import (
    Action,
    Conditional,
    Model,
    Node,
    Pipeline,
    Table,
    TableNode,
)
from softswitch.frontend.source import SourceText

Json = dict[str, Any]

ALIASES = [
    ("queueing_metadata", ("enq_timestamp", "enq_qdepth", "deq_timedelta", "deq_qdepth")),
    (
        "intrinsic_metadata",
        (
            "ingress_global_timestamp",
            "egress_global_timestamp",
            "mcast_grp",
            "egress_rid",
            "priority",
        ),
    ),
]


def document(model: Model, source: SourceText) -> Json:
    """The whole document."""
    return _Writer(model, source).document()


class _Writer:
    def __init__(self, model: Model, source: SourceText) -> None:
        self.model = model
        self.source = source
        self.operands = Operands(model)
        self.actions: list[Json] = []
        self.instance_ids = {name: at for at, name in enumerate(model.instances)}
        self.union_ids = {name: at for at, name in enumerate(model.unions)}

    def at(self, span: Span) -> Json:
        """The ``source_info`` member, if the place is known."""
        if not span.line:
            return {}
        return {
            "source_info": {
                "filename": PurePath(span.file).name if span.file else "",
                "line": span.line,
                "column": span.column - 1,
                "source_fragment": self.source.fragment(span),
            }
        }

    def document(self) -> Json:
        model = self.model
        pipelines = self._pipelines()
        return {
            "header_types": self._header_types(),
            "headers": self._headers(),
            "header_stacks": self._stacks(union=False),
            "header_union_types": [
                {"name": t.name, "id": at, "headers": [[n, h.name] for n, h in t.members]}
                for at, t in enumerate(model.union_types)
            ],
            "header_unions": self._unions(),
            "header_union_stacks": self._stacks(union=True),
            "field_lists": [
                {
                    "id": x.id,
                    "name": x.name,
                    "elements": [self.operands.field(f) for f in x.elements],
                }
                for x in model.field_lists
            ],
            "errors": [[name, at] for at, name in enumerate(model.errors)],
            "enums": [
                {"name": name, "entries": [[n, v] for n, v in members]}
                for name, members in model.enums
            ],
            "parsers": [self._parser()],
            "parse_vsets": [
                {"name": v.name, "id": at, "compressed_bitwidth": v.width, "max_size": v.size}
                for at, v in enumerate(model.value_sets)
            ],
            "deparsers": [self._deparser()],
            "meter_arrays": self._meters(),
            "counter_arrays": self._counters(),
            "register_arrays": [
                {"name": r.name, "id": at, **self.at(r.span), "size": r.size, "bitwidth": r.width}
                for at, r in enumerate(model.registers)
            ],
            "calculations": self._calculations(),
            "learn_lists": [
                {
                    "id": x.id,
                    "name": x.name,
                    **self.at(x.span),
                    "elements": [self.operands.field(f) for f in x.elements],
                }
                for x in model.learn_lists
            ],
            "actions": self.actions,
            "pipelines": pipelines,
            "checksums": self._checksums(),
            "force_arith": [],
            "extern_instances": [],
            "field_aliases": self._aliases(),
            "program": model.source,
            "__meta__": {"version": [2, 23], "compiler": "https://github.com/p4lang/p4c"},
        }

    # ----------------------------------------------------------------- storage

    def _header_types(self) -> list[Json]:
        result = []
        for at, kind in enumerate(self.model.header_types):
            fields: list[list[object]] = [
                [name, width, signed] if width > 0 else [name, "*"]
                for name, width, signed in kind.fields
            ]
            if kind.name in ("scalars_0", "standard_metadata") and kind.bits % 8:
                fields.append([_padding(kind.fields), 8 - kind.bits % 8, False])
            made: Json = {"name": kind.name, "id": at, "fields": fields}
            if any(width < 0 for _, width, _ in kind.fields):
                made["max_length"] = (kind.bits + 7) // 8
            result.append(made)
        return result

    def _headers(self) -> list[Json]:
        return [
            {
                "name": x.name,
                "id": at,
                "header_type": x.type.name,
                "metadata": x.metadata,
                "pi_omit": True,
            }
            for at, x in enumerate(self.model.instances.values())
        ]

    def _unions(self) -> list[Json]:
        return [
            {
                "name": x.name,
                "id": at,
                "union_type": x.type.name,
                "header_ids": [self.instance_ids[m] for m in x.members],
                "pi_omit": True,
            }
            for at, x in enumerate(self.model.unions.values())
        ]

    def _stacks(self, union: bool) -> list[Json]:
        kind, ids, known = (
            ("union_type", "header_union_ids", self.union_ids)
            if union
            else ("header_type", "header_ids", self.instance_ids)
        )
        chosen = [s for s in self.model.stacks.values() if s.union == union]
        return [
            {
                "name": x.name,
                "id": at,
                kind: x.type.name,
                "size": len(x.elements),
                ids: [known[e] for e in x.elements],
            }
            for at, x in enumerate(chosen)
        ]

    def _aliases(self) -> list[list[object]]:
        known = {n for n, _, _ in self.model.instances["standard_metadata"].type.fields}
        return [
            [f"{group}.{name}", ["standard_metadata", name]]
            for group, names in ALIASES
            for name in names
            if name in known
        ]

    # ----------------------------------------------------------------- parser, deparser

    def _parser(self) -> Json:
        numbers = {id(s): at for at, s in enumerate(self.model.states)}
        states = []
        for state in self.model.states:
            size = sum((k.width + 7) // 8 for k in state.keys)
            transitions = []
            for case in state.cases:
                value: object = case.value
                if case.kind == "hexstr":
                    value = f"0x{case.value:0{2 * size}x}"
                mask = None if case.mask is None else f"0x{case.mask:0{2 * size}x}"
                transitions.append(
                    {
                        "type": case.kind,
                        "value": value,
                        "mask": mask,
                        "next_state": case.next.name if case.next else None,
                    }
                )
            states.append(
                {
                    "name": state.name,
                    "id": numbers[id(state)],
                    "parser_ops": [self.operands.parser_op(s) for s in state.ops],
                    "transitions": transitions,
                    "transition_key": [self.operands.field(k) for k in state.keys],
                }
            )
        start = self.model.states[0].name
        return {"name": "parser", "id": 0, "init_state": start, "parse_states": states}

    def _deparser(self) -> Json:
        prims = primitives(self.model.deparser_prims)
        return {
            "name": "deparser",
            "id": 0,
            **self.at(self.model.deparser_span),
            "order": self.model.deparser,
            "primitives": [self.operands.primitive(p, self.at(p.span)) for p in prims],
        }

    # ----------------------------------------------------------------- objects

    def _meters(self) -> list[Json]:
        result = []
        for at, meter in enumerate(self.model.meters):
            made: Json = {"name": meter.name, "id": at, **self.at(meter.span)}
            direct = meter.size == 0
            made |= {"is_direct": direct, "rate_count": 2, "type": meter.unit}
            made["size"] = meter.table.capacity if meter.table else meter.size
            if direct:
                if meter.table is None:
                    continue
                target = meter.target
                made["binding"] = meter.table.name
                made["result_target"] = [target.header, target.name] if target else None
            result.append(made)
        return result

    def _counters(self) -> list[Json]:
        result = []
        for at, counter in enumerate(self.model.counters):
            made: Json = {"name": counter.name, "id": at, **self.at(counter.span)}
            if counter.size:
                made |= {"is_direct": False, "size": counter.size}
            elif counter.table is not None:
                made |= {"is_direct": True, "binding": counter.table.name}
            else:
                continue
            result.append(made)
        return result

    def _calculations(self) -> list[Json]:
        result = []
        for at, made in enumerate(self.model.calculations):
            inputs = [self.operands.calculation_input(x) for x in made.inputs]
            if made.payload:
                inputs.append({"type": "payload", "value": None})
            result.append(
                {
                    "name": made.name,
                    "id": at,
                    **self.at(made.span),
                    "algo": made.algorithm,
                    "input": inputs,
                }
            )
        return result

    def _checksums(self) -> list[Json]:
        return [
            {
                "name": x.name,
                "id": at,
                **self.at(x.span),
                "target": [x.target.header, x.target.name],
                "type": "generic",
                "calculation": x.calculation,
                "verify": not x.update,
                "update": x.update,
                "if_cond": None if x.condition is None else self.operands.truth(x.condition),
            }
            for at, x in enumerate(self.model.checksums)
        ]

    # ----------------------------------------------------------------- pipelines

    def _action(self, action: Action) -> int:
        action.id = len(self.actions)
        self.actions.append(
            {
                "name": action.name,
                "id": action.id,
                "runtime_data": [{"name": p.name, "bitwidth": p.width} for p in action.params],
                "primitives": [
                    self.operands.primitive(p, self.at(p.span)) for p in primitives(action.body)
                ],
            }
        )
        return action.id

    def _pipelines(self) -> list[Json]:
        tables = conditionals = 0
        result = []
        profiles = {id(p): at for at, p in enumerate(self.model.profiles)}
        for at, pipeline in enumerate(self.model.pipelines):
            nodes = _ordered(pipeline)
            made_tables, made_conditionals = [], []
            used: list[Json] = []
            for node in nodes:
                if isinstance(node, Conditional):
                    made_conditionals.append(self._conditional(node, conditionals))
                    conditionals += 1
                    continue
                profile = node.table.profile
                if profile is not None and all(u["name"] != profile.name for u in used):
                    used.append(self._profile(node.table, profiles[id(profile)]))
                made_tables.append(self._table(node, tables))
                tables += 1
            result.append(
                {
                    "name": pipeline.name,
                    "id": at,
                    **self.at(pipeline.span),
                    "init_table": _name(pipeline.start),
                    "tables": made_tables,
                    "action_profiles": used,
                    "conditionals": made_conditionals,
                }
            )
        return result

    def _profile(self, table: Table, number: int) -> Json:
        profile = table.profile
        assert profile is not None
        made: Json = {
            "name": profile.name,
            "id": number,
            **self.at(profile.span),
            "max_size": profile.size,
        }
        if profile.algorithm:
            inputs = [self.operands.field(k.target) for k in table.selectors]
            made["selector"] = {"algo": profile.algorithm, "input": inputs}
        return made

    def _conditional(self, node: Conditional, number: int) -> Json:
        return {
            "name": node.name,
            "id": number,
            **self.at(node.span),
            "expression": self.operands.truth(node.condition),
            "true_next": _name(node.then),
            "false_next": _name(node.otherwise),
        }

    def _table(self, node: TableNode, number: int) -> Json:
        table = node.table
        ids = [self._action(a) for a in table.actions]
        table.id = number
        kinds = {"optional": "ternary"}
        keys = [
            {
                "match_type": kinds.get(k.kind, k.kind),
                "name": k.name,
                "target": self.operands.field(k.target)["value"],
                "mask": None,
            }
            for k in table.keys
        ]
        made: Json = {
            "name": table.name,
            "id": number,
            **self.at(table.span),
            "key": keys,
            "match_type": match_type([k["match_type"] for k in keys]),
            "type": "simple",
        }
        if table.profile is not None:
            made["type"] = "indirect_ws" if table.profile.algorithm else "indirect"
            made["action_profile"] = table.profile.name
        made |= {
            "max_size": table.capacity,
            "with_counters": table.counter is not None,
            "support_timeout": table.timeout,
            "direct_meters": table.meter.name if table.meter else None,
            "action_ids": ids,
            "actions": [a.name for a in table.actions],
            "base_default_next": _name(node.default),
            "next_tables": self._next(node),
        }
        if table.profile is None:
            made["default_entry"] = {
                "action_id": ids[table.default_action],
                "action_const": table.default_const,
                "action_data": [hexstr(v, 0) for v in table.default_args],
                "action_entry_const": table.default_const,
            }
        if table.entries is not None:
            made["entries"] = [self._entry(table, ids, e) for e in table.entries]
        return made

    def _next(self, node: TableNode) -> Json:
        if ir.HIT in node.next or ir.MISS in node.next:
            return {key: _name(node.next.get(key, node.default)) for key in (ir.HIT, ir.MISS)}
        return {
            action.name: _name(node.next.get(at, node.default))
            for at, action in enumerate(node.table.actions)
        }

    def _entry(self, table: Table, ids: list[int], entry: Any) -> Json:
        return {
            **self.at(entry.span),
            "match_key": [
                match_key(key.kind, key.width, match)
                for key, match in zip(table.keys, entry.matches, strict=True)
            ],
            "action_entry": {
                "action_id": ids[entry.action],
                "action_data": [hexstr(v, 0) for v in entry.args],
            },
            "priority": entry.priority,
        }


def _name(node: Node | None) -> str | None:
    if node is None:
        return None
    return node.name if isinstance(node, Conditional) else node.table.name


def _padding(fields: list[tuple[str, int, bool]]) -> str:
    names = {n for n, _, _ in fields}
    name, number = "_padding", 0
    while name in names:
        name, number = f"_padding_{number}", number + 1
    return name


def _ordered(pipeline: Pipeline) -> list[Node]:
    """Nodes from the start on, breadth first; unreachable ones are left out."""
    if pipeline.start is None:
        return []
    seen = {id(pipeline.start)}
    result: list[Node] = [pipeline.start]
    for node in result:
        after = (
            [node.then, node.otherwise]
            if isinstance(node, Conditional)
            else [*node.next.values(), node.default]
        )
        for item in after:
            if item is not None and id(item) not in seen:
                seen.add(id(item))
                result.append(item)
    return result
