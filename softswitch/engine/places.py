# SPDX-License-Identifier: MIT
"""C for headers and fields as places: pointers, lvalues, equality of headers."""

from __future__ import annotations

from abc import ABC, abstractmethod

from softswitch.engine.errors import ConfigError
from softswitch.engine.layout import Layout
from softswitch.engine.program import Expr, Field


class Places(ABC):
    """What an expression generator knows about places; it adds the values."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout

    @abstractmethod
    def index(self, e: Expr) -> str:
        """C for an index."""

    def union_valid(self, e: Expr) -> str:
        """C condition: one member of the union is valid."""
        members = len(self.layout.program.unions[self.layout.union_of_expr(e)].members)
        refs = [
            self.header(Expr("op", "access_union_header", (e, Expr("const", i))))
            for i in range(members)
        ]
        return "(" + " || ".join(f"{r}->valid" for r in refs) + ")"

    def is_header(self, e: Expr) -> bool:
        """Whether ``e`` denotes headers."""
        if e.kind in ("header", "header_union", "header_stack"):
            return True
        return e.kind == "op" and e.value in ("dereference_header_stack", "access_union_header")

    def _pairs(self, left: Expr, right: Expr) -> list[tuple[Expr, Expr]]:
        p = self.layout.program
        if left.kind == "header_stack" and right.kind == "header_stack":
            names = (p.stacks[str(left.value)].headers, p.stacks[str(right.value)].headers)
        elif left.kind == "header_union" and right.kind == "header_union":
            a, b = p.unions[str(left.value)].members, p.unions[str(right.value)].members
            names = (tuple(m for _, m in a), tuple(m for _, m in b))
        else:
            return [(left, right)]
        return [(Expr("header", x), Expr("header", y)) for x, y in zip(*names, strict=False)]

    def compare_headers(self, op: str, left: Expr, right: Expr) -> str:
        """C condition: headers, unions or stacks are equal (or are not)."""
        tests = []
        for a, b in self._pairs(left, right):
            try:
                type_ = self.layout.header_of(a).type
                other = self.layout.header_of(b).type
            except ValueError as e:
                raise ConfigError(left.where, str(e)) from None
            if type_ is not other and type_.fields != other.fields:
                raise ConfigError(left.where, "compares headers of different types")
            name = self.layout.types[type_.name]
            tests.append(f"equal_{name}({self.header(a)}, (const void *){self.header(b)})")
        text = "(" + " && ".join(tests) + ")"
        if op not in ("==", "!="):
            raise ConfigError(left.where, f"headers cannot be compared with '{op}'")
        return text if op == "==" else f"!{text}"

    def is_varbit(self, e: Expr) -> bool:
        """Whether ``e`` is a varbit field."""
        if e.kind in ("field", "stack_field") or (e.kind == "op" and e.value == "access_field"):
            return self.lvalue(e)[1].varbit
        return False

    def compare_varbits(self, op: str, left: Expr, right: Expr) -> str:
        """C condition: two varbit fields have the same length and content (or have not)."""
        if op not in ("==", "!="):
            raise ConfigError(left.where, f"varbit fields cannot be compared with '{op}'")
        if not (self.is_varbit(left) and self.is_varbit(right)):
            raise ConfigError(left.where, "a varbit field can only be compared with another one")
        (a, _), (b, _) = self.lvalue(left), self.lvalue(right)
        return f"{'' if op == '==' else '!'}ss_varbit_equal(&{a}, &{b})"

    def header(self, e: Expr) -> str:
        """A pointer to the header that ``e`` denotes."""
        p = self.layout.program
        if e.kind == "header":
            return f"(&{self.layout.header(str(e.value))})"
        args = [a for a in e.args if a is not None]
        if e.kind == "op" and e.value == "dereference_header_stack":
            size = len(p.stacks[str(args[0].value)].headers)
            index = self.index(args[1])
            return f"(&{self.layout.stack(str(args[0].value))}[ss_index(sw, {index}, {size})])"
        if e.kind == "op" and e.value == "access_union_header":
            inner, position = args[0], args[1].value
            if inner.kind == "header_union":
                members = p.unions[str(inner.value)].members
                if isinstance(position, int) and position < len(members):
                    return f"(&{self.layout.header(members[position][1])})"
            elif inner.kind == "op" and inner.value == "dereference_union_stack":
                stack = inner.args[0]
                assert stack is not None
                assert inner.args[1] is not None
                size = len(p.union_stacks[str(stack.value)].unions)
                at = f"ss_index(sw, {self.index(inner.args[1])}, {size})"
                return f"(&{self.layout.union_stack(str(stack.value))}[{at}].m{position})"
        raise ConfigError(e.where, "expected a header")

    def lvalue(self, e: Expr) -> tuple[str, Field]:
        """The place that ``e`` denotes and its description."""
        if e.kind == "field":
            header, index = e.value
            return self.layout.field(header, index)
        if e.kind == "op" and e.value == "access_field":
            inner, offset = e.args
            assert inner is not None
            assert offset is not None
            assert isinstance(offset.value, int)
            try:
                type_ = self.layout.header_of(inner).type
            except ValueError as error:
                raise ConfigError(e.where, str(error)) from None
            if offset.value >= len(type_.fields):
                raise ConfigError(e.where, f"there is no field {offset.value}")
            member = self.layout.member(type_, offset.value)
            return f"{self.header(inner)}->{member}", type_.fields[offset.value]
        if e.kind == "stack_field":
            stack, index = e.value
            s = self.layout.program.stacks[stack]
            last = f"ss_last({self.layout.next_index(stack)}, {len(s.headers)})"
            return (
                f"{self.layout.stack(stack)}[{last}].{self.layout.member(s.type, index)}",
                s.type.fields[index],
            )
        raise ConfigError(e.where, f"a {e.kind} cannot be assigned to")
