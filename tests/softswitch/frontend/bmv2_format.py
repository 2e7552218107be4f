# SPDX-License-Identifier: MIT
"""Checks a BMv2 JSON document against the published format: names, ids, operand shapes."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]

SECTIONS = {
    "header_types", "headers", "header_stacks", "header_union_types", "header_unions",
    "header_union_stacks", "field_lists", "errors", "enums", "parsers", "parse_vsets",
    "deparsers", "meter_arrays", "counter_arrays", "register_arrays", "calculations",
    "learn_lists", "actions", "pipelines", "checksums", "force_arith", "extern_instances",
    "field_aliases", "program", "__meta__",
}  # fmt: skip
BINARY = {
    "+", "-", "*", "&", "|", "^", "<<", ">>", "==", "!=", "<", "<=", ">", ">=", "and", "or",
    "two_comp_mod", "sat_cast", "usat_cast",
}  # fmt: skip
UNARY = {"~", "not", "d2b", "b2d", "valid_union", "last_stack_index"}
PARSER_OPS = {"extract", "extract_VL", "set", "verify", "advance", "primitive"}
# operands that must be plain fields, because BMv2 takes a reference to them
FIELD_OPERANDS = {
    "register_read": 0,
    "execute_meter": 2,
    "modify_field_with_hash_based_offset": 0,
    "modify_field_rng_uniform": 0,
}


class FormatChecker:
    """Collects what is wrong with a document in ``errors``."""

    def __init__(self, document: Json) -> None:
        self.document = document
        self.errors: list[str] = []
        self.types = {
            t["name"]: {f[0]: f[1] for f in t["fields"]} for t in self.all("header_types")
        }
        self.headers = {h["name"]: h["header_type"] for h in self.all("headers")}
        self.stacks = {s["name"] for s in self.all("header_stacks")}
        self.union_stacks = {s["name"] for s in self.all("header_union_stacks")}
        self.unions = {u["name"] for u in self.all("header_unions")}

    def all(self, section: str) -> list[Any]:
        return self.document[section]  # type: ignore[no-any-return]

    def wrong(self, where: str, what: str) -> None:
        self.errors.append(f"{where}: {what}")

    def check(self) -> list[str]:
        if set(self.document) != SECTIONS:
            self.wrong("document", f"sections {set(self.document) ^ SECTIONS}")
        for section in ("header_types", "headers", "actions", "calculations", "checksums"):
            ids = [x["id"] for x in self.all(section)]
            if ids != list(range(len(ids))):
                self.wrong(section, "ids are not counted from 0")
        self._storage()
        for parser in self.all("parsers"):
            self._parser(parser)
        for name in self.all("deparsers")[0]["order"]:
            if name not in self.headers:
                self.wrong("deparser", name)
        for action in self.all("actions"):
            self._action(action)
        nodes: set[str] = set()
        for pipeline in self.all("pipelines"):
            self._pipeline(pipeline, nodes)
        for calculation in self.all("calculations"):
            for item in calculation["input"]:
                if item["type"] == "field":
                    self._field(calculation["name"], item["value"])
        calculations = {c["name"] for c in self.all("calculations")}
        for checksum in self.all("checksums"):
            self._field(checksum["name"], checksum["target"])
            if checksum["calculation"] not in calculations:
                self.wrong(checksum["name"], "unknown calculation")
        for lists in ("field_lists", "learn_lists"):
            for item in self.all(lists):
                for element in item["elements"]:
                    self._field(item["name"], element["value"])
        return self.errors

    # ------------------------------------------------------------------ storage

    def _storage(self) -> None:
        for header in self.all("headers"):
            if header["header_type"] not in self.types:
                self.wrong(header["name"], "unknown type")
        for kind in self.all("header_types"):
            widths = [f[1] for f in kind["fields"] if f[1] != "*"]
            if sum(widths) % 8:
                self.wrong(kind["name"], "not whole bytes")
            if len({f[0] for f in kind["fields"]}) != len(kind["fields"]):
                self.wrong(kind["name"], "two fields with one name")
        numbers = {h["id"] for h in self.all("headers")}
        for stack in self.all("header_stacks"):
            if not set(stack["header_ids"]) <= numbers:
                self.wrong(stack["name"], "unknown element")

    def _field(self, where: str, value: list[str]) -> None:
        header, name = value
        if header not in self.headers:
            self.wrong(where, f"unknown header {header}")
        elif name != "$valid$" and name not in self.types[self.headers[header]]:
            self.wrong(where, f"unknown field {header}.{name}")

    # ------------------------------------------------------------------ expressions

    def _operand(self, where: str, item: Json) -> None:
        kind, value = item["type"], item["value"]
        if kind == "field":
            self._field(where, value)
        elif kind == "expression":
            self._expression(where, value)
        elif kind == "header" and value not in self.headers:
            self.wrong(where, f"unknown header {value}")
        elif kind == "header_stack" and value not in self.stacks | self.union_stacks:
            self.wrong(where, f"unknown stack {value}")
        elif kind == "header_union" and value not in self.unions:
            self.wrong(where, f"unknown union {value}")
        elif kind == "hexstr":
            int(value, 16)
        elif kind == "parameters_vector":
            for part in value:
                self._operand(where, part)

    def _expression(self, where: str, value: Json | None) -> None:
        if value is None:
            return
        if "op" not in value:
            self._operand(where, value)
            return
        op = value["op"]
        if op == "access_field":
            self._expression(where, value["left"])
            if not isinstance(value["right"], int):
                self.wrong(where, "access_field needs a number")
            return
        if op == "?":
            self._expression(where, value["cond"])
        elif op in UNARY:
            if value["left"] is not None:
                self.wrong(where, f"{op} with a left operand")
        elif op not in BINARY | {"dereference_header_stack"}:
            self.wrong(where, f"unknown operator {op}")
        self._expression(where, value["left"])
        self._expression(where, value["right"])

    # ------------------------------------------------------------------ parser

    def _parser(self, parser: Json) -> None:
        names = {s["name"] for s in parser["parse_states"]}
        if len(names) != len(parser["parse_states"]) or parser["init_state"] not in names:
            self.wrong("parser", "state names")
        for state in parser["parse_states"]:
            where = state["name"]
            for op in state["parser_ops"]:
                if op["op"] not in PARSER_OPS:
                    self.wrong(where, op["op"])
                if op["op"] == "set" and op["parameters"][0]["type"] != "field":
                    self.wrong(where, "set needs a field")
                for item in op["parameters"]:
                    if op["op"] == "primitive":
                        for inner in item["parameters"]:
                            self._operand(where, inner)
                    elif op["op"] not in ("extract", "extract_VL"):
                        self._operand(where, item)
            for case in state["transitions"]:
                if case["next_state"] is not None and case["next_state"] not in names:
                    self.wrong(where, f"unknown state {case['next_state']}")
                if case["type"] == "hexstr" and not state["transition_key"]:
                    self.wrong(where, "a value without a key")
            for key in state["transition_key"]:
                if key["type"] == "field":
                    self._field(where, key["value"])

    # ------------------------------------------------------------------ pipelines

    def _action(self, action: Json) -> None:
        primitives = action["primitives"]
        for primitive in primitives:
            where = f"{action['name']}.{primitive['op']}"
            for item in primitive["parameters"]:
                self._operand(where, item)
                if item["type"] == "runtime_data" and item["value"] >= len(action["runtime_data"]):
                    self.wrong(where, "no such parameter")
            at = FIELD_OPERANDS.get(primitive["op"])
            if at is not None and primitive["parameters"][at]["type"] != "field":
                self.wrong(where, "needs a field")
            if primitive["op"].startswith("_jump"):
                target = int(primitive["parameters"][-1]["value"], 16)
                if not 0 <= target <= len(primitives):
                    self.wrong(where, f"jump to {target}")

    def _pipeline(self, pipeline: Json, nodes: set[str]) -> None:
        mine = [n["name"] for n in (*pipeline["tables"], *pipeline["conditionals"])]
        for name in mine:
            if name in nodes:
                self.wrong(name, "used twice")
            nodes.add(name)
        actions = {a["id"]: a for a in self.all("actions")}
        following = [pipeline["init_table"]]
        for table in pipeline["tables"]:
            self._table(table, actions)
            following += [table["base_default_next"], *table["next_tables"].values()]
        for node in pipeline["conditionals"]:
            self._expression(node["name"], node["expression"])
            following += [node["true_next"], node["false_next"]]
        for name in following:
            if name is not None and name not in mine:
                self.wrong(pipeline["name"], f"unknown node {name}")

    def _table(self, table: Json, actions: dict[int, Json]) -> None:
        where = table["name"]
        for key in table["key"]:
            self._field(where, key["target"])
        names = [actions[i]["name"] for i in table["action_ids"]]
        if names != table["actions"]:
            self.wrong(where, "action names and ids differ")
        hit_miss = {"__HIT__", "__MISS__"}
        if set(table["next_tables"]) not in (set(names), hit_miss):
            self.wrong(where, "next_tables do not cover the actions")
        default = table.get("default_entry")
        if default is not None:
            action = actions[default["action_id"]]
            if default["action_id"] not in table["action_ids"]:
                self.wrong(where, "default action")
            if len(default["action_data"]) != len(action["runtime_data"]):
                self.wrong(where, "default action data")
        for entry in table.get("entries", []):
            if len(entry["match_key"]) != len(table["key"]):
                self.wrong(where, "entry key")
            action = actions[entry["action_entry"]["action_id"]]
            if len(entry["action_entry"]["action_data"]) != len(action["runtime_data"]):
                self.wrong(where, "entry data")


def problems(document: Json) -> list[str]:
    """What is wrong with a document; empty if nothing."""
    return FormatChecker(document).check()
