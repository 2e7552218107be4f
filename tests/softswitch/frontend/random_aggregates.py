# SPDX-License-Identifier: MIT
"""Random P4 programs on headers, structs and a stack, with their own evaluator.

Types: ``b`` bit<8>, ``s`` struct of two bytes, ``h`` header of two bytes.  What the language
leaves open (fields of invalid headers) raises `UndefinedError`: such a packet does not count.
"""

from __future__ import annotations

import copy
import random
from dataclasses import dataclass
from typing import Any

TYPES = {"b": "bit<8>", "s": "pair_t", "h": "e_t"}
GLOBALS = {
    "hdr.a": "h", "hdr.b": "h", "hdr.s[0]": "h", "hdr.s[1]": "h",
    "meta.p": "s", "meta.q": "s", "meta.h": "h", "hdr.k.v": "b", "hdr.k.w": "b",
}  # fmt: skip
Tree = tuple[Any, ...]


class UndefinedError(Exception):
    """The specification does not say what happens."""


@dataclass
class Callee:
    """A function or a control, by the directions and types of its parameters."""

    name: str
    kind: str
    result: str
    params: list[tuple[str, str, str]]
    body: list[Tree]


class Generator:
    """Makes callees and a body from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.callees: list[Callee] = []
        self.count = 0
        for number in range(self.random.randint(1, 3)):
            self.callees.append(self._callee(f"g{number}"))
        self.body = self._block(dict(GLOBALS), set(GLOBALS), 2, 8, "ingress")

    def _callee(self, name: str) -> Callee:
        kind = self.random.choice(["function", "control"])
        result = self.random.choice("bsh") if kind == "function" else ""
        params, scope, write = [], {}, set()
        start: list[Tree] = []
        for at in range(self.random.randint(1, 3)):
            direction = self.random.choice(["in", "inout", "inout", "out"])
            made = self.random.choice("bsh")
            params.append((direction, made, f"p{at}"))
            scope[f"p{at}"] = made
            if direction != "in":
                write.add(f"p{at}")
            if direction == "out":
                start.append(self._init(f"p{at}", made, {}))
        body = start + self._block(scope, write, 1, 4, kind)
        if result:
            self.count += 1
            last = f"r{self.count}"
            body += [("local", result, last), self._init(last, result, scope), ("return", last)]
        return Callee(name, kind, result, params, body)

    def _names(self, scope: dict[str, str], kind: str) -> list[str]:
        return [n for n, t in scope.items() if t == kind]

    def _byte(self, scope: dict[str, str], depth: int = 1) -> Tree:
        choices: list[Tree] = [("const", self.random.choice([0, 1, 2, 0x7F, 0xFF]))]
        choices += [("var", n) for n in self._names(scope, "b")]
        choices += [("field", n, f) for t in "sh" for n in self._names(scope, t) for f in "xy"]
        if depth > 0 and self.random.random() < 0.4:
            op = self.random.choice("+-^")
            return ("op", op, self._byte(scope, depth - 1), self._byte(scope, depth - 1))
        if "hdr.a" in scope and self.random.random() < 0.15:
            return ("at", self._byte(scope, 0), self.random.choice("xy"))
        return self.random.choice(choices)

    def _init(self, name: str, kind: str, scope: dict[str, str]) -> Tree:
        if kind == "b":
            return ("set", name, self._byte(scope))
        return ("init", name, self._byte(scope), self._byte(scope))

    def _condition(self, scope: dict[str, str]) -> Tree:
        headers, kind = self._names(scope, "h"), self.random.choice("sh")
        same = self._names(scope, kind)
        if headers and self.random.random() < 0.4:
            return ("valid", self.random.choice(headers))
        if len(same) > 1 and self.random.random() < 0.6:
            return ("same", *self.random.sample(same, 2))
        return ("less", self._byte(scope), self._byte(scope))

    def _block(
        self, scope: dict[str, str], write: set[str], depth: int, size: int, kind: str
    ) -> list[Tree]:
        scope, write = dict(scope), set(write)
        result: list[Tree] = []
        for _ in range(self.random.randint(2, size)):
            result += self._statement(scope, write, depth, kind)
        return result

    def _statement(
        self, scope: dict[str, str], write: set[str], depth: int, kind: str
    ) -> list[Tree]:
        targets = sorted(write)
        choice = self.random.choice(
            ["set", "copy", "copy", "init", "valid", "local", "call", "call", "call", "if", "dyn"]
        )
        if choice == "local" or not targets:
            self.count += 1
            made, name = self.random.choice("bsh"), f"v{self.count}"
            first = self._init(name, made, scope)
            scope[name] = made
            write.add(name)
            return [("local", made, name), first]
        target = self.random.choice(targets)
        made = scope[target]
        if choice == "if" and depth > 0:
            then = self._block(scope, write, depth - 1, 3, kind)
            otherwise = self._block(scope, write, depth - 1, 3, kind)
            return [("if", self._condition(scope), then, otherwise)]
        if choice == "copy":
            return [("copy", target, self.random.choice(self._names(scope, made)))]
        if choice == "valid" and made == "h":
            return [("setvalid", target, self.random.random() < 0.6)]
        if choice == "dyn" and kind == "ingress":
            source = self.random.choice(self._names(scope, "h"))
            if self.random.random() < 0.5:
                return [("put", self._byte(scope, 0), source)]
            return [("putf", self._byte(scope, 0), self.random.choice("xy"), self._byte(scope))]
        if choice == "call":
            call = self._call(scope, targets, kind)
            if call is not None:
                return [call]
        if choice == "set" and made != "b":
            return [("setf", target, self.random.choice("xy"), self._byte(scope))]
        return [self._init(target, made, scope)]

    def _call(self, scope: dict[str, str], targets: list[str], kind: str) -> Tree | None:
        usable = [c for c in self.callees if c.kind == "function" or kind != "function"]
        if not usable:
            return None
        callee = self.random.choice(usable)
        args = []
        for direction, made, _ in callee.params:
            names = self._names(scope, made)
            if direction != "in":
                names = [n for n in names if n in targets]
            if not names:
                return None
            args.append(self.random.choice(names))
        results = [n for n in targets if scope[n] == callee.result]
        into = self.random.choice(results) if results and self.random.random() < 0.7 else ""
        return ("call", into, callee, args)

    # ------------------------------------------------------------------ as P4

    def text(self) -> str:
        """The program as P4."""
        out = ["#include <core.p4>", "#include <v1model.p4>"]
        out += ["header k_t { bit<8> v; bit<8> w; }", "header e_t { bit<8> x; bit<8> y; }"]
        out += ["struct pair_t { bit<8> x; bit<8> y; }"]
        out += ["struct headers_t { k_t k; e_t a; e_t b; e_t[2] s; }"]
        out += ["struct meta_t { pair_t p; pair_t q; e_t h; }"]
        uses: list[str] = []
        for callee in self.callees:
            params = ", ".join(f"{d} {TYPES[t]} {n}" for d, t, n in callee.params)
            if callee.kind == "function":
                out += [f"{TYPES[callee.result]} {callee.name}({params}) {{", *_lines(callee.body)]
                out.append("}")
            else:
                out += [f"control {callee.name}({params}) {{", *uses, "apply {"]
                out += [*_lines(callee.body), "}}"]
                uses.append(f"{callee.name}() {callee.name}_i;")
        out += ["parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta,"]
        out += ["inout standard_metadata_t sm) { state start { transition accept; } }"]
        head = "(inout headers_t hdr, inout meta_t meta"
        out += [f"control Ig{head}, inout standard_metadata_t sm) {{", *uses, "apply {"]
        out += [*_lines(self.body), "}}"]
        for name in ("Vfy", "Cmp"):
            out.append(f"control {name}{head}) {{ apply {{ }} }}")
        out.append(f"control Eg{head}, inout standard_metadata_t sm) {{ apply {{ }} }}")
        out.append("control Dep(packet_out pkt, in headers_t hdr) { apply { pkt.emit(hdr); } }")
        return "\n".join([*out, "V1Switch(Prs(), Vfy(), Ig(), Eg(), Cmp(), Dep()) main;", ""])


def _text(tree: Tree) -> str:
    match tree:
        case ("const", value):
            return f"8w{value}"
        case ("var", name):
            return str(name)
        case ("field", name, field):
            return f"{name}.{field}"
        case ("at", index, field):
            return f"hdr.s[({_text(index)})[0:0]].{field}"
        case ("op" | "less", *_):
            op = tree[1] if tree[0] == "op" else "<"
            return f"({_text(tree[-2])} {op} {_text(tree[-1])})"
        case ("valid", name):
            return f"{name}.isValid()"
        case ("same", one, two):
            return f"({one} == {two})"
    raise AssertionError(tree)


def _lines(body: list[Tree]) -> list[str]:
    result: list[str] = []
    for tree in body:
        match tree:
            case ("local", kind, name):
                result.append(f"{TYPES[kind]} {name};")
            case ("set", name, value):
                result.append(f"{name} = {_text(value)};")
            case ("setf", name, field, value):
                result.append(f"{name}.{field} = {_text(value)};")
            case ("init", name, one, two):
                result.append(f"{name} = {{ {_text(one)}, {_text(two)} }};")
            case ("copy", target, source):
                result.append(f"{target} = {source};")
            case ("setvalid", name, valid):
                result.append(f"{name}.set{'Valid' if valid else 'Invalid'}();")
            case ("put", index, source):
                result.append(f"hdr.s[({_text(index)})[0:0]] = {source};")
            case ("putf", index, field, value):
                result.append(f"hdr.s[({_text(index)})[0:0]].{field} = {_text(value)};")
            case ("return", name):
                result.append(f"return {name};")
            case ("if", condition, then, otherwise):
                result += [f"if ({_text(condition)}) {{", *_lines(then), "} else {"]
                result += [*_lines(otherwise), "}"]
            case ("call", into, callee, args):
                name = f"{callee.name}_i.apply" if callee.kind == "control" else callee.name
                result.append(f"{into + ' = ' if into else ''}{name}({', '.join(args)});")
    return result


# --------------------------------------------------------------------------- as values


@dataclass
class Pair:
    """A struct, or a header if ``valid`` is not None."""

    x: int = 0
    y: int = 0
    valid: bool | None = None

    def get(self, field: str) -> int:
        if self.valid is False:
            raise UndefinedError
        return int(getattr(self, field))

    def put(self, field: str, value: int) -> None:
        if self.valid is False:
            raise UndefinedError
        setattr(self, field, value)

    def same(self, other: Pair) -> bool:
        if self.valid is False or other.valid is False:
            return self.valid == other.valid
        return (self.x, self.y) == (other.x, other.y)


class ReturnSignal(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


def new_value(kind: str) -> Any:
    return 0 if kind == "b" else Pair(valid=False if kind == "h" else None)


class Evaluator:
    """Runs a program by the rules of the specification."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.globals = values

    def _home(self, name: str, frame: dict[str, Any]) -> dict[str, Any]:
        return self.globals if name in GLOBALS else frame

    def run(self, body: list[Tree], frame: dict[str, Any]) -> None:
        for tree in body:
            self._statement(tree, frame)

    def _value(self, tree: Tree, frame: dict[str, Any]) -> int:
        match tree:
            case ("const", value):
                return int(value)
            case ("var", name):
                return int(self._home(name, frame)[name])
            case ("field", name, field):
                return int(self._home(name, frame)[name].get(field))
            case ("at", index, field):
                return int(self._element(index, frame).get(field))
            case ("op", op, left, right):
                one, two = self._value(left, frame), self._value(right, frame)
                return {"+": one + two, "-": one - two, "^": one ^ two}[op] & 255
            case ("less", left, right):
                return int(self._value(left, frame) < self._value(right, frame))
            case ("valid", name):
                return int(self._home(name, frame)[name].valid)
            case ("same", one, two):
                left, right = self._home(one, frame)[one], self._home(two, frame)[two]
                return int(left.same(right))
        raise AssertionError(tree)

    def _element(self, index: Tree, frame: dict[str, Any]) -> Any:
        return self.globals[f"hdr.s[{self._value(index, frame) & 1}]"]

    def _statement(self, tree: Tree, frame: dict[str, Any]) -> None:
        match tree:
            case ("local", kind, name):
                frame[name] = new_value(kind)
            case ("set", name, value):
                self._home(name, frame)[name] = self._value(value, frame)
            case ("setf", name, field, value):
                new = self._value(value, frame)
                self._home(name, frame)[name].put(field, new)
            case ("init", name, one, two):
                target = self._home(name, frame)[name]
                target.x, target.y = self._value(one, frame), self._value(two, frame)
                target.valid = None if target.valid is None else True
            case ("copy", target, source):
                self._home(target, frame)[target] = copy.copy(self._home(source, frame)[source])
            case ("setvalid", name, valid):
                target = self._home(name, frame)[name]
                if valid and not target.valid:
                    target.x = target.y = 0
                target.valid = valid
            case ("put", index, source):
                at = self._value(index, frame) & 1
                self.globals[f"hdr.s[{at}]"] = copy.copy(self._home(source, frame)[source])
            case ("putf", index, field, value):
                element = self._element(index, frame)
                element.put(field, self._value(value, frame))
            case ("return", name):
                raise ReturnSignal(frame[name])
            case ("if", condition, then, otherwise):
                self.run(then if self._value(condition, frame) else otherwise, frame)
            case ("call", into, callee, args):
                result = self._call(callee, args, frame)
                if into:
                    self._home(into, frame)[into] = result

    def _call(self, callee: Callee, args: list[str], frame: dict[str, Any]) -> Any:
        mine: dict[str, Any] = {}
        for (direction, kind, name), arg in zip(callee.params, args, strict=True):
            given = self._home(arg, frame)[arg]
            mine[name] = new_value(kind) if direction == "out" else copy.copy(given)
        result = None
        try:
            self.run(callee.body, mine)
        except ReturnSignal as signal:
            result = copy.copy(signal.value)
        for (direction, _, name), arg in zip(callee.params, args, strict=True):
            if direction != "in":
                self._home(arg, frame)[arg] = copy.copy(mine[name])
        return result
