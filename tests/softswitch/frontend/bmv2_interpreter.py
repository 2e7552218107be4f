# SPDX-License-Identifier: MIT
"""A small interpreter of BMv2 JSON pipelines without key tables, for checking lowering."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
State = dict[tuple[str, str], int]
MAX_STEPS = 100_000


class Machine:
    """Runs the ingress pipeline of a document on header fields."""

    def __init__(self, document: Json) -> None:
        pipeline = document["pipelines"][0]
        self.start = pipeline["init_table"]
        self.nodes = {n["name"]: n for n in (*pipeline["tables"], *pipeline["conditionals"])}
        self.actions = {a["id"]: a for a in document["actions"]}
        self.widths: dict[tuple[str, str], tuple[int, bool]] = {}
        self.fields: dict[str, list[str]] = {}
        self.stacks: dict[str, list[str]] = {}
        types = {t["name"]: t for t in document["header_types"]}
        for header in document["headers"]:
            fields = types[header["header_type"]]["fields"]
            self.fields[header["name"]] = [f[0] for f in fields]
            self.widths[header["name"], "$valid$"] = (1, False)
            for name, width, signed in fields:
                self.widths[header["name"], name] = (width, signed)
        names = [h["name"] for h in document["headers"]]
        for stack in document["header_stacks"]:
            self.stacks[stack["name"]] = [names[i] for i in stack["header_ids"]]
        self.state: State = {}

    def run(self, fields: State) -> State:
        """The fields after ingress; those not given are 0."""
        self.state = dict.fromkeys(self.widths, 0) | fields
        node, steps = self.start, 0
        while node is not None:
            steps += 1
            assert steps < MAX_STEPS, "the program does not end"
            item = self.nodes[node]
            if "expression" in item:
                node = item["true_next"] if self.value(item["expression"]) else item["false_next"]
            elif self.action(self.actions[item["default_entry"]["action_id"]]):
                break
            else:
                node = item["base_default_next"]
        return self.state

    def action(self, action: Json) -> bool:
        """Run an action; True after an exit."""
        at, exited = 0, False
        while at < len(action["primitives"]):
            primitive = action["primitives"][at]
            operands = primitive["parameters"]
            at += 1
            match primitive["op"]:
                case "add_header":
                    self._validate(self._header(operands[0]))
                case "remove_header":
                    self.state[self._header(operands[0]), "$valid$"] = 0
                case "assign_header":
                    target, source = (self._header(o) for o in operands)
                    for name in (*self.fields[target], "$valid$"):
                        self.state[target, name] = self.state[source, name]
                case "assign":
                    header, name = self._place(operands[0])
                    width, signed = self.widths[header, name]
                    value = self.value(operands[1]) & ((1 << width) - 1)
                    if signed and value >> (width - 1):
                        value -= 1 << width
                    self.state[header, name] = value
                case "_jump":
                    at = self.value(operands[0])
                case "_jump_if_zero":
                    if not self.value(operands[0]):
                        at = self.value(operands[1])
                case "exit":
                    exited = True
                case other:
                    raise AssertionError(other)
        return exited

    def _validate(self, header: str) -> None:
        if not self.state[header, "$valid$"]:
            for name in self.fields[header]:
                self.state[header, name] = 0
        self.state[header, "$valid$"] = 1

    def _header(self, item: Json) -> str:
        if item.get("type") == "header":
            return str(item["value"])
        while "op" not in item:
            item = item["value"]
        assert item["op"] == "dereference_header_stack"
        return self.stacks[item["left"]["value"]][self.value(item["right"])]

    def _place(self, item: Json) -> tuple[str, str]:
        if item.get("type") == "field":
            return item["value"][0], item["value"][1]
        while "op" not in item:
            item = item["value"]
        assert item["op"] == "access_field"
        header = self._header(item["left"])
        return header, self.fields[header][item["right"]]

    def value(self, item: Json) -> int:
        """An expression; truth values are 0 and 1."""
        if "op" in item:
            return self._operator(item)
        value = item["value"]
        match item["type"]:
            case "field":
                return self.state[value[0], value[1]]
            case "hexstr":
                return int(value, 16)
            case "bool":
                return int(value)
            case "expression":
                return self.value(value)
        raise AssertionError(item)

    def _operator(self, item: Json) -> int:
        op = item["op"]
        if op == "access_field":
            return self.state[self._place(item)]
        if op == "?":
            return self.value(item["left"] if self.value(item["cond"]) else item["right"])
        right = self.value(item["right"])
        if item["left"] is None:
            return {"not": int(not right), "~": ~right, "d2b": int(right != 0), "b2d": right}[op]
        left = self.value(item["left"])
        match op:
            case "two_comp_mod":
                left &= (1 << right) - 1
                return left - (1 << right) if left >> (right - 1) else left
            case "usat_cast":
                return min(max(left, 0), (1 << right) - 1)
            case "and":
                return int(bool(left and right))
            case "or":
                return int(bool(left or right))
        table = {
            "+": left + right,
            "-": left - right,
            "*": left * right,
            "&": left & right,
            "|": left | right,
            "^": left ^ right,
            "==": int(left == right),
            "!=": int(left != right),
            "<": int(left < right),
            "<=": int(left <= right),
            ">": int(left > right),
            ">=": int(left >= right),
        }
        if op == "<<":
            return left << right
        return left >> right if op == ">>" else table[op]
