# SPDX-License-Identifier: MIT
"""Random P4 programs on bytes, with their own evaluator.

A program is a tree of tuples; `text` prints it as P4 and `Evaluator` runs it by the rules of the
specification: operands from left to right, arguments copied in and out, exit copies out, too.
"""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

FIELDS = [f"f{i}" for i in range(6)]
MAX_STEPS = 3000
Tree = tuple[Any, ...]


@dataclass
class Function:
    """``kind`` is function, action or control; parameters are (direction, name)."""

    name: str
    kind: str
    params: list[tuple[str, str]]
    body: list[Tree] = field(default_factory=list)


@dataclass
class Program:
    """Callables, the later may call the earlier, and the body of ingress."""

    functions: list[Function]
    body: list[Tree]


class Generator:
    """Makes one program from a seed."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.functions: list[Function] = []
        self.names = 0

    def program(self) -> Program:
        for _ in range(self.random.randint(1, 4)):
            kind = self.random.choice(["function", "function", "action", "control"])
            directions = self.random.choices(["in", "inout", "out"], k=self.random.randint(0, 3))
            params = [(d, f"p{i}") for i, d in enumerate(directions)]
            made = Function(f"g{len(self.functions)}", kind, params)
            scope = Scope(
                read=[n for _, n in params],
                write=[n for d, n in params if d != "in"],
                kind=kind,
            )
            if kind != "function":
                scope.read += [f"hdr.h.{f}" for f in FIELDS] if kind == "action" else []
                scope.write += [f"hdr.h.{f}" for f in FIELDS] if kind == "action" else []
            # out parameters have no value before they are written
            start = [("set", n, ("const", self.byte())) for d, n in params if d == "out"]
            made.body = start + self.block(scope, 2)
            if kind == "function":
                made.body.append(("return", self.expr(scope, 1)))
            self.functions.append(made)
        places = [f"hdr.h.{f}" for f in FIELDS]
        scope = Scope(list(places), list(places), "ingress")
        return Program(self.functions, self.block(scope, 3, 6))

    def byte(self) -> int:
        return self.random.choice([0, 1, 2, 3, 7, 0x10, 0x7F, 0x80, 0xFE, 0xFF])

    def expr(self, scope: Scope, depth: int) -> Tree:
        kinds = ["const", "var", "var"]
        if depth > 0:
            kinds += ["op", "op", "op", "ternary", "slice", "call", "call"]
        kind = self.random.choice(kinds)
        functions = [f for f in self.functions if f.kind == "function"]
        if kind == "var" and scope.read:
            return ("var", self.random.choice(scope.read))
        if kind == "op":
            op = self.random.choice(["+", "-", "&", "|", "^", "*", "|+|", "|-|"])
            return ("op", op, self.expr(scope, depth - 1), self.expr(scope, depth - 1))
        if kind == "ternary":
            condition = self.condition(scope, depth - 1)
            return ("?", condition, self.expr(scope, depth - 1), self.expr(scope, depth - 1))
        if kind == "slice":
            return ("swap", self.expr(scope, depth - 1))
        if kind == "call" and functions and scope.write:
            return ("call", *self.call(scope, self.random.choice(functions), depth))
        return ("const", self.byte())

    def call(self, scope: Scope, made: Function, depth: int) -> tuple[Function, list[Tree]]:
        args: list[Tree] = []
        for direction, _ in made.params:
            if direction == "in":
                args.append(self.expr(scope, depth - 1))
            else:
                args.append(("var", self.random.choice(scope.write)))
        return made, args

    def condition(self, scope: Scope, depth: int) -> Tree:
        if depth > 0 and self.random.random() < 0.3:
            op = self.random.choice(["&&", "||"])
            return ("cond", op, self.condition(scope, depth - 1), self.condition(scope, depth - 1))
        op = self.random.choice(["==", "!=", "<", ">="])
        return ("cmp", op, self.expr(scope, depth), self.expr(scope, depth))

    def block(self, scope: Scope, depth: int, size: int = 3) -> list[Tree]:
        inner = Scope(list(scope.read), list(scope.write), scope.kind, scope.loop)
        result = []
        for _ in range(self.random.randint(1, size)):
            result.append(self.statement(inner, depth))
        return result

    def statement(self, scope: Scope, depth: int) -> Tree:
        kinds = ["set", "set", "set", "part", "local", "call"]
        if depth > 0:
            kinds += ["if", "if", "for", "switch"]
        kinds += ["return"] if scope.kind != "ingress" or self.random.random() < 0.2 else []
        kinds += ["exit"] if scope.kind != "function" and self.random.random() < 0.3 else []
        kinds += ["break", "continue"] if scope.loop else []
        kind = self.random.choice(kinds)
        callables = [
            f
            for f in self.functions
            if f.kind == "function"
            or (f.kind == "action" and scope.kind in ("action", "ingress"))
            or (f.kind == "control" and scope.kind in ("control", "ingress"))
        ]
        if kind == "part" and scope.write:
            return ("part", self.random.choice(scope.write), self.expr(scope, 2))
        if kind == "local":
            self.names += 1
            name = f"v{self.names}"
            made = ("local", name, self.expr(scope, 2))
            scope.read.append(name)
            scope.write.append(name)
            return made
        if kind == "call" and callables and scope.write:
            return ("do", *self.call(scope, self.random.choice(callables), 2))
        if kind == "if":
            otherwise = self.block(scope, depth - 1) if self.random.random() < 0.5 else []
            return ("if", self.condition(scope, 2), self.block(scope, depth - 1), otherwise)
        if kind == "switch":
            cases = [(n, self.block(scope, depth - 1)) for n in self.random.sample(range(8), 2)]
            return ("switch", self.expr(scope, 1), cases, self.block(scope, depth - 1))
        if kind == "for":
            self.names += 1
            name = f"i{self.names}"
            inner = Scope([*scope.read, name], scope.write, scope.kind, True)
            return ("for", name, self.random.randint(0, 3), self.block(inner, depth - 1))
        if kind == "return":
            value = self.expr(scope, 1) if scope.kind == "function" else None
            return ("if", self.condition(scope, 1), [("return", value)], [])
        if kind in ("exit", "break", "continue"):
            return ("if", self.condition(scope, 1), [(kind,)], [])
        if scope.write:
            return ("set", self.random.choice(scope.write), self.expr(scope, 3))
        return ("local", f"w{self.random.randrange(10**9)}", self.expr(scope, 1))


@dataclass
class Scope:
    """Names that may be read and written at a place of the program."""

    read: list[str]
    write: list[str]
    kind: str
    loop: bool = False


# --------------------------------------------------------------------------- as P4


def expr_text(tree: Tree) -> str:
    match tree:
        case ("const", value):
            return f"8w{value}"
        case ("var", name):
            return str(name)
        case ("op", op, left, right):
            return f"({expr_text(left)} {op} {expr_text(right)})"
        case ("?", condition, then, otherwise):
            return f"({expr_text(condition)} ? {expr_text(then)} : {expr_text(otherwise)})"
        case ("swap", inner):
            return f"(({expr_text(inner)})[3:0] ++ 4w5)"
        case ("call", made, args):
            return f"{made.name}({', '.join(map(expr_text, args))})"
        case ("cond" | "cmp", op, left, right):
            return f"({expr_text(left)} {op} {expr_text(right)})"
    raise AssertionError(tree)


def lines(body: list[Tree], depth: int, kind: str) -> list[str]:
    pad = "    " * depth
    result: list[str] = []
    for tree in body:
        match tree:
            case ("set", name, value):
                result.append(f"{pad}{name} = {expr_text(value)};")
            case ("part", name, value):
                result.append(f"{pad}{name}[5:2] = ({expr_text(value)})[3:0];")
            case ("local", name, value):
                result.append(f"{pad}bit<8> {name} = {expr_text(value)};")
            case ("do", made, args):
                call = ".apply" if made.kind == "control" else ""
                name = f"{made.name}_i" if made.kind == "control" else made.name
                result.append(f"{pad}{name}{call}({', '.join(map(expr_text, args))});")
            case ("if", condition, then, otherwise):
                result += [f"{pad}if {expr_text(condition)} {{", *lines(then, depth + 1, kind)]
                result += [f"{pad}}} else {{", *lines(otherwise, depth + 1, kind), f"{pad}}}"]
            case ("switch", value, cases, default):
                result.append(f"{pad}switch ({expr_text(value)}) {{")
                for number, inner in cases:
                    result += [f"{pad}{number}: {{", *lines(inner, depth + 1, kind), f"{pad}}}"]
                result += [f"{pad}default: {{", *lines(default, depth + 1, kind), f"{pad}}}"]
                result.append(f"{pad}}}")
            case ("for", name, limit, inner):
                head = f"for (bit<8> {name} = 0; {name} < {limit}; {name} = {name} + 1)"
                result += [f"{pad}{head} {{", *lines(inner, depth + 1, kind), f"{pad}}}"]
            case ("return", value):
                end = "" if value is None else f" {expr_text(value)}"
                result.append(f"{pad}return{end};")
            case (word,):
                result.append(f"{pad}{word};")
    return result


def text(program: Program) -> str:
    """The program as P4."""
    fields = " ".join(f"bit<8> {f};" for f in FIELDS)
    out = ["#include <core.p4>", "#include <v1model.p4>", f"header h_t {{ {fields} }}"]
    out += ["struct headers_t { h_t h; }", "struct meta_t { }"]
    inside: list[str] = []
    instances: list[str] = []
    for made in program.functions:
        params = ", ".join(f"{d} bit<8> {n}" for d, n in made.params)
        body = lines(made.body, 1, made.kind)
        if made.kind == "function":
            out += [f"bit<8> {made.name}({params}) {{", *body, "}"]
        elif made.kind == "action":
            inside += [f"action {made.name}({params}) {{", *body, "}"]
        else:
            out += [f"control {made.name}({params}) {{", *instances, "apply {", *body, "}}"]
            instances.append(f"{made.name}() {made.name}_i;")
    out += ["parser Prs(packet_in pkt, out headers_t hdr, inout meta_t meta,"]
    out += ["inout standard_metadata_t sm) {"]
    out += ["state start { pkt.extract(hdr.h); transition accept; } }"]
    out += ["control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) {"]
    out += [*instances, *inside, "apply {", *lines(program.body, 1, "ingress"), "}}"]
    for name in ("Vfy", "Cmp"):
        out.append(f"control {name}(inout headers_t hdr, inout meta_t meta) {{ apply {{ }} }}")
    out += ["control Eg(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm)"]
    out += ["{ apply { } }"]
    out += ["control Dep(packet_out pkt, in headers_t hdr) { apply { pkt.emit(hdr); } }"]
    return "\n".join([*out, "V1Switch(Prs(), Vfy(), Ig(), Eg(), Cmp(), Dep()) main;", ""])


# --------------------------------------------------------------------------- as values


class ReturnSignal(Exception):
    def __init__(self, value: int | None) -> None:
        self.value = value


class ExitSignal(Exception):
    pass


class LoopSignal(Exception):
    def __init__(self, again: bool) -> None:
        self.again = again


class TooLongError(Exception):
    pass


class Evaluator:
    """Runs a program on the fields of a header."""

    def __init__(self, fields: dict[str, int]) -> None:
        self.header = {f"hdr.h.{k}": v for k, v in fields.items()}
        self.steps = 0

    def run(self, program: Program) -> dict[str, int]:
        """Fields after the program."""
        with suppress(ReturnSignal, ExitSignal):
            self.block(program.body, {})
        return {k.rsplit(".", 1)[1]: v for k, v in self.header.items()}

    def where(self, name: str, frame: dict[str, int]) -> dict[str, int]:
        return self.header if name.startswith("hdr.") else frame

    def expr(self, tree: Tree, frame: dict[str, int]) -> int:
        match tree:
            case ("const", value):
                return int(value)
            case ("var", name):
                return self.where(name, frame)[name]
            case ("op", op, left, right):
                return _operate(op, self.expr(left, frame), self.expr(right, frame))
            case ("?", condition, then, otherwise):
                return self.expr(then if self.expr(condition, frame) else otherwise, frame)
            case ("swap", inner):
                return (self.expr(inner, frame) & 15) << 4 | 5
            case ("call", made, args):
                result = self.call(made, args, frame)
                assert result is not None
                return result
            case ("cond", op, left, right):
                first = self.expr(left, frame)
                return self.expr(right, frame) if bool(first) == (op == "&&") else first
            case ("cmp", op, left, right):
                one, two = self.expr(left, frame), self.expr(right, frame)
                same = {"==": one == two, "!=": one != two, "<": one < two, ">=": one >= two}
                return int(same[op])
        raise AssertionError(tree)

    def call(self, made: Function, args: list[Tree], frame: dict[str, int]) -> int | None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooLongError
        mine: dict[str, int] = {}
        for (direction, name), arg in zip(made.params, args, strict=True):
            mine[name] = 0 if direction == "out" else self.expr(arg, frame)
        result: int | None = None
        try:
            self.block(made.body, mine)
        except ReturnSignal as signal:
            result = signal.value
        finally:
            for (direction, name), arg in zip(made.params, args, strict=True):
                if direction != "in":
                    self.where(arg[1], frame)[arg[1]] = mine[name]
        return result

    def block(self, body: list[Tree], frame: dict[str, int]) -> None:
        for tree in body:
            self.statement(tree, frame)

    def statement(self, tree: Tree, frame: dict[str, int]) -> None:
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise TooLongError
        match tree:
            case ("set" | "local", name, value):
                new = self.expr(value, frame)
                self.where(name, frame)[name] = new
            case ("part", name, value):
                new = self.expr(value, frame) & 15
                home = self.where(name, frame)
                home[name] = home[name] & 0xC3 | new << 2
            case ("do", made, args):
                self.call(made, args, frame)
            case ("if", condition, then, otherwise):
                self.block(then if self.expr(condition, frame) else otherwise, frame)
            case ("switch", value, cases, default):
                number = self.expr(value, frame)
                self.block(next((b for n, b in cases if n == number), default), frame)
            case ("for", name, limit, inner):
                frame[name] = 0
                while frame[name] < limit:
                    try:
                        self.block(inner, frame)
                    except LoopSignal as signal:
                        if not signal.again:
                            break
                    frame[name] = (frame[name] + 1) & 0xFF
            case ("return", value):
                raise ReturnSignal(None if value is None else self.expr(value, frame))
            case ("exit",):
                raise ExitSignal
            case (word,):
                raise LoopSignal(word == "continue")


def _operate(op: str, left: int, right: int) -> int:
    match op:
        case "|+|":
            return min(left + right, 255)
        case "|-|":
            return max(left - right, 0)
        case "+":
            return (left + right) & 255
        case "-":
            return (left - right) & 255
        case "*":
            return (left * right) & 255
        case "&":
            return left & right
        case "|":
            return left | right
    return left ^ right
