# SPDX-License-Identifier: MIT
"""Expressions and primitives of the document: names are looked up, operators checked."""

from __future__ import annotations

from collections.abc import Mapping

from softswitch.engine.document import Node
from softswitch.engine.program import (
    Calculation,
    Counter,
    Expr,
    Header,
    Meter,
    Primitive,
    Register,
    Stack,
    Union,
    UnionStack,
)

BINARY = frozenset(
    (
        "+",
        "-",
        "*",
        "/",
        "%",
        "&",
        "|",
        "^",
        "<<",
        ">>",
        "==",
        "!=",
        "<",
        "<=",
        ">",
        ">=",
        "and",
        "or",
    )
)
WIDTH_OPS = frozenset(["two_comp_mod", "sat_cast", "usat_cast"])
UNARY = frozenset(
    ("~", "not", "d2b", "b2d", "valid", "valid_union", "last_stack_index", "size_stack")
)
MAX_SHIFT = 1 << 16


class Scope:
    """The named objects of a program, and the readers of what refers to them."""

    def __init__(self) -> None:
        self.headers: dict[str, Header] = {}
        self.stacks: dict[str, Stack] = {}
        self.unions: dict[str, Union] = {}
        self.union_stacks: dict[str, UnionStack] = {}
        self.registers: dict[str, Register] = {}
        self.counters: dict[str, Counter] = {}
        self.meters: dict[str, Meter] = {}
        self.calculations: dict[str, Calculation] = {}

    def width(self, e: Expr) -> int:
        """Width in bits of a field reference."""
        if e.kind == "field":
            header, index = e.value
            width: int = self.headers[header].type.fields[index].width
            return width
        return 1

    def named(self, n: Node, kind: str) -> Expr:
        """A reference to a header, a stack, a register array and so on."""
        tables: dict[str, Mapping[str, object]] = {
            "header": self.headers,
            "header_stack": self.stacks,
            "header_union": self.unions,
            "header_union_stack": self.union_stacks,
            "register_array": self.registers,
            "counter_array": self.counters,
            "meter_array": self.meters,
            "calculation": self.calculations,
        }
        table = tables[kind]
        name = n["value"].text()
        if name not in table:
            raise n["value"].fail(f"unknown {kind.replace('_', ' ')} '{name}'")
        return Expr(kind, name, where=n.path)

    def field(self, n: Node) -> Expr:
        """A field from its tuple; ``$valid$`` becomes the validity of the header."""
        header, name = n[0].text(), n[1].text()
        h = self.headers.get(header)
        if h is None:
            if header in self.unions and name == "$valid$":
                return Expr(
                    "op", "b2d", (Expr("op", "valid_union", (Expr("header_union", header),)),)
                )
            raise n.fail(f"unknown header '{header}'")
        if name == "$valid$":
            return Expr("valid", header, where=n.path)
        index = h.type.index(name)
        if index < 0:
            raise n.fail(f"header '{header}' has no field '{name}'")
        return Expr("field", (header, index), where=n.path)

    def _stack_field(self, n: Node) -> Expr:
        v = n["value"]
        stack = self.stacks.get(v[0].text())
        if stack is None:
            raise v.fail(f"unknown header stack '{v[0].text()}'")
        index = stack.type.index(v[1].text())
        if index < 0:
            raise v.fail(f"headers of '{stack.name}' have no field '{v[1].text()}'")
        return Expr("stack_field", (stack.name, index), where=n.path)

    def _union_stack_field(self, n: Node) -> Expr:
        v = n["value"]
        stack = self.union_stacks.get(v[0].text())
        if stack is None:
            raise v.fail(f"unknown header union stack '{v[0].text()}'")
        union = self.unions[stack.unions[0]]
        for position, (label, header) in enumerate(union.members):
            if label == v[1].text():
                index = self.headers[header].type.index(v[2].text())
                if index >= 0:
                    return Expr("union_stack_field", (stack.name, position, index), where=n.path)
        raise v.fail(f"'{stack.name}' has no '{v[1].text()}.{v[2].text()}'")

    def expr(self, n: Node, locals_: int = 0) -> Expr:
        """An expression; ``locals_`` is the number of action parameters that it may use."""
        if not isinstance(n.raw, dict):
            raise n.fail("expected an expression")
        if "op" in n.raw:
            return self._operation(n, locals_)
        kind = n["type"].text()
        if kind == "expression":
            return self.expr(n["value"], locals_)
        if kind == "hexstr":
            return Expr("const", n["value"].hex(), where=n.path)
        if kind == "bool":
            return Expr("bool", n["value"].truth(), where=n.path)
        if kind == "field":
            return self.field(n["value"])
        if kind == "stack_field":
            return self._stack_field(n)
        if kind == "union_stack_field":
            return self._union_stack_field(n)
        if kind in ("local", "runtime_data"):
            i = n["value"].number()
            if not 0 <= i < locals_:
                raise n.fail(f"there is no parameter {i}")
            return Expr("local", i, where=n.path)
        if kind == "lookahead":
            at, width = n["value"][0].size(1 << 16), n["value"][1].size(1 << 14)
            return Expr("lookahead", (at, width), where=n.path)
        if kind == "register":
            name = n["value"][0].text()
            if name not in self.registers:
                raise n.fail(f"unknown register array '{name}'")
            return Expr("register", name, (self.expr(n["value"][1], locals_),), n.path)
        if kind == "string":
            return Expr("string", n["value"].text(), where=n.path)
        if kind == "parameters_vector":
            raw = n.raw.get("value")
            listed = list(n["value"]) if isinstance(raw, list) else []
            return Expr("vector", None, tuple(self.expr(p, locals_) for p in listed), n.path)
        if kind in ("header", "header_stack", "header_union", "header_union_stack",
                    "register_array", "counter_array", "meter_array", "calculation"):  # fmt: skip
            return self.named(n, kind)
        raise n.fail(f"expression of type '{kind}' is not supported")

    def _operand(self, n: Node, key: str, locals_: int) -> Expr:
        return self.expr(n[key], locals_)

    def _operation(self, n: Node, locals_: int) -> Expr:
        op = n["op"].text()
        if op in BINARY or op in WIDTH_OPS:
            args = (self._operand(n, "left", locals_), self._operand(n, "right", locals_))
            if op in WIDTH_OPS and (
                args[1].kind != "const" or not 0 < _int(args[1].value) <= MAX_SHIFT
            ):
                raise n["right"].fail(f"'{op}' needs a constant width")
            return Expr("op", op, args, n.path)
        if op in UNARY:
            return Expr("op", op, (self._operand(n, "right", locals_),), n.path)
        if op == "?":
            three = tuple(self._operand(n, k, locals_) for k in ("cond", "left", "right"))
            return Expr("op", op, three, n.path)
        if op in ("dereference_header_stack", "dereference_union_stack"):
            left = self._operand(n, "left", locals_)
            wanted = "header_stack" if op == "dereference_header_stack" else "header_union_stack"
            if left.kind != wanted:
                raise n["left"].fail(f"expected a {wanted}")
            return Expr("op", op, (left, self._operand(n, "right", locals_)), n.path)
        if op in ("access_field", "access_union_header"):
            return Expr("op", op, (self._operand(n, "left", locals_), self._offset(n)), n.path)
        raise n.fail(f"operator '{op}' is not supported")

    def _offset(self, n: Node) -> Expr:
        return Expr("const", n["right"].size(4096))

    def primitive(self, n: Node, locals_: int) -> Primitive:
        """A step of an action."""
        args = tuple(self.expr(p, locals_) for p in n.items("parameters"))
        return Primitive(n["op"].text(), args, n.source(), n.path)


def _int(value: object) -> int:
    return value if isinstance(value, int) else 0
