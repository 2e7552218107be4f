# SPDX-License-Identifier: MIT
"""Expressions, primitive operands and parser operations in BMv2's JSON."""

from __future__ import annotations

from typing import Any

from softswitch.frontend.lower import ir
from softswitch.frontend.lower.actions import Primitive
from softswitch.frontend.lower.model import KeyMatch, Model

Json = dict[str, Any]


def hexstr(value: int, width: int) -> str:
    """A number in hexadecimal, padded to the bytes of ``width``."""
    digits = 2 * ((width + 7) // 8)
    return f"-0x{-value:0{digits}x}" if value < 0 else f"0x{value:0{digits}x}"


def match_key(kind: str, width: int, match: KeyMatch) -> Json:
    """One key of a table entry."""
    full = (1 << width) - 1
    match kind:
        case "exact":
            return {"match_type": "exact", "key": hexstr(match.value, width)}
        case "lpm":
            return {
                "match_type": "lpm",
                "key": hexstr(match.value, width),
                "prefix_length": match.prefix,
            }
        case "range":
            high = match.value if match.high is None else match.high
            return {
                "match_type": "range",
                "start": hexstr(match.value, width),
                "end": hexstr(high, width),
            }
    return {
        "match_type": "ternary",
        "key": hexstr(match.value, width),
        "mask": hexstr(full if match.mask is None else match.mask, width),
    }


def match_type(kinds: list[str]) -> str:
    """The kind of a table with these kinds of keys."""
    for kind in ("range", "ternary", "lpm"):
        if kind in kinds:
            return kind
    return "exact"


class Operands:
    """Writes expressions and operands of one program."""

    def __init__(self, model: Model) -> None:
        self.model = model

    # ----------------------------------------------------------------- expressions

    def field(self, expr: ir.Expr) -> Json:
        """A field as a key, list element or selector input."""
        match expr:
            case ir.FieldRef(header=header, name=name):
                return {"type": "field", "value": [header, name]}
            case ir.StackLast(stack=stack, name=name):
                return {"type": "stack_field", "value": [stack, name]}
            case ir.UnionLast(stack=stack, member=member, name=name):
                return {"type": "union_stack_field", "value": [stack, member, name]}
        raise AssertionError(expr)

    def _node(self, op: str, left: Json | None, right: Json | int) -> Json:
        return {"type": "expression", "value": {"op": op, "left": left, "right": right}}

    def data(self, expr: ir.Expr) -> Json:
        """An expression as a number."""
        match expr:
            case ir.Const(value=value, width=width):
                return {"type": "hexstr", "value": hexstr(value, width)}
            case ir.Data(index=index, width=width):
                local = {"type": "local", "value": index}
                if not expr.signed:
                    return local
                # action data is unsigned in BMv2
                bound = {"type": "hexstr", "value": hexstr(width, 8)}
                return self._node("two_comp_mod", local, bound)
            case ir.FieldRef() | ir.StackLast() | ir.UnionLast():
                return self.field(expr)
            case ir.DynField(stack=stack, at=at, index=index):
                return self._node("access_field", self._element(stack, at), index)
            case ir.LastIndex(stack=stack):
                operand = {"type": "header_stack", "value": stack}
                return self._node("last_stack_index", None, operand)
        if expr.boolean:
            return self._node("b2d", None, self.truth(expr))
        assert isinstance(expr, ir.Op)
        return self._operator(expr)

    def _element(self, stack: str, at: ir.Expr) -> Json:
        operand = {"type": "header_stack", "value": stack}
        return self._node("dereference_header_stack", operand, self.data(at))

    def _operator(self, expr: ir.Op) -> Json:
        if expr.op == "":
            return self.data(expr.args[0])
        if expr.op == "?":
            condition, then, otherwise = expr.args
            node = self._node("?", self.data(then), self.data(otherwise))
            node["value"]["cond"] = self.truth(condition)
            return node
        if len(expr.args) == 1:
            return self._node(expr.op, None, self.data(expr.args[0]))
        left, right = expr.args
        return self._node(expr.op, self.data(left), self.data(right))

    def truth(self, expr: ir.Expr) -> Json:
        """An expression as a truth value."""
        match expr:
            case ir.Const(value=value):
                return {"type": "bool", "value": bool(value)}
            case ir.Valid(header=header):
                field = {"type": "field", "value": [header, "$valid$"]}
                return self._node("d2b", None, field)
            case ir.ValidUnion(union=union):
                return self._node("valid_union", None, {"type": "header_union", "value": union})
            case ir.Op(op="not", args=(operand,)):
                return self._node("not", None, self.truth(operand))
            case ir.Op(op="and" | "or", args=(left, right)):
                return self._node(expr.op, self.truth(left), self.truth(right))
            case ir.Op(args=(left, right)):
                convert = self.truth if left.boolean else self.data
                return self._node(expr.op, convert(left), convert(right))
        return self._node("d2b", None, self.data(expr))

    # ----------------------------------------------------------------- operands

    def argument(self, item: ir.Operand) -> Json:
        """An operand of an action primitive."""
        match item:
            case ir.HeaderRef(name):
                return {"type": "header", "value": name}
            case ir.DynHeader(stack, at):
                return {"type": "expression", "value": self._element(stack, at)}
            case ir.StackRef(name, unions):
                kind = "header_union_stack" if unions else "header_stack"
                return {"type": kind, "value": name}
            case ir.UnionRef(name):
                return {"type": "header_union", "value": name}
            case ir.ObjectRef(kind, name):
                return {"type": kind, "value": name}
            case ir.Text(value):
                return {"type": "string", "value": value}
            case ir.Vector(items):
                return {"type": "parameters_vector", "value": [self.argument(i) for i in items]}
            case ir.Data(index=index):
                return {"type": "runtime_data", "value": index}
            case ir.Const() | ir.FieldRef():
                return self.data(item)
            case ir.StackLast(stack=stack):
                # as an l-value, too, the last element is found by its index
                full = ir.Const(32, False, False, 0xFFFFFFFF)
                raw = ir.LastIndex(32, False, False, stack)
                last = ir.Op(32, False, False, "&", (raw, full))
                field = self._node("access_field", self._element(stack, last), item.index)
                return {"type": "expression", "value": field}
        return {"type": "expression", "value": self.data(item)}

    def primitive(self, item: Primitive, source: Json) -> Json:
        """One primitive of an action."""
        if item.target is not None:
            operands: list[Json] = [{"type": "hexstr", "value": hex(item.target.at)}]
            if item.condition is not None:
                data = self.data(item.condition)
                if item.condition.boolean:
                    data = self._node("b2d", None, self.truth(item.condition))
                operands.insert(0, {"type": "expression", "value": data})
        elif item.op in ("assert", "assume"):
            condition = item.operands[0]
            assert isinstance(condition, ir.Expr)
            data = self._node("b2d", None, self.truth(condition))
            operands = [{"type": "expression", "value": data}]
        else:
            operands = [self.argument(o) for o in item.operands]
        return {"op": item.op, "parameters": operands, **source}

    def calculation_input(self, expr: ir.Expr) -> Json:
        """A field or constant to hash."""
        if isinstance(expr, ir.Const):
            text = hexstr(expr.value & ((1 << expr.width) - 1), expr.width)
            return {"type": "hexstr", "value": text, "bitwidth": expr.width}
        return self.field(expr)

    # ----------------------------------------------------------------- parser operations

    def parser_op(self, stmt: ir.Stmt) -> Json:
        """One operation of a parse state."""
        match stmt:
            case ir.Extract():
                return self._extract(stmt)
            case ir.Advance():
                bits = self.argument(stmt.bits)
                return {"parameters": [bits], "op": "advance"}
            case ir.Verify():
                condition = self.truth(stmt.condition)
                code = self.data(stmt.error)
                return {"parameters": [condition, code], "op": "verify"}
            case ir.Assign(target=target, value=value) if isinstance(target, ir.FieldRef):
                if isinstance(value, ir.Lookahead):
                    source: Json = {"type": "lookahead", "value": [value.offset, value.width]}
                elif isinstance(value, ir.StackLast):
                    source = {"type": "expression", "value": self.data(value)}
                else:
                    source = self.argument(value)
                return {"parameters": [self.field(target), source], "op": "set"}
            case ir.Assign(target=target, value=value):
                operands = [self.argument(target), self.argument(value)]
                inner: Json = {"op": "assign", "parameters": operands}
                return {"parameters": [inner], "op": "primitive"}
            case ir.Prim():
                made = self.primitive(Primitive(stmt.op, stmt.operands), {})
                inner = {"op": made["op"], "parameters": made["parameters"]}
                return {"parameters": [inner], "op": "primitive"}
        raise AssertionError(stmt)

    def _extract(self, stmt: ir.Extract) -> Json:
        if isinstance(stmt.into, ir.HeaderRef):
            into: Json = {"type": "regular", "value": stmt.into.name}
        elif stmt.member:
            into = {"type": "union_stack", "value": [stmt.into.name, stmt.member]}
        else:
            into = {"type": "stack", "value": stmt.into.name}
        if stmt.bits is None:
            return {"parameters": [into], "op": "extract"}
        length = {"type": "expression", "value": self.data(stmt.bits)}
        return {"parameters": [into, length], "op": "extract_VL"}
