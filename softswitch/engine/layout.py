# SPDX-License-Identifier: MIT
"""Where the fields of a program live in the generated C structures."""

from __future__ import annotations

import re

from softswitch.engine.program import Action, Expr, Field, Header, HeaderType, Program

C_KEYWORDS = frozenset(
    (
        "auto",
        "break",
        "case",
        "char",
        "const",
        "continue",
        "default",
        "do",
        "double",
        "else",
        "enum",
        "extern",
        "float",
        "for",
        "goto",
        "if",
        "inline",
        "int",
        "long",
        "register",
        "restrict",
        "return",
        "short",
        "signed",
        "sizeof",
        "static",
        "struct",
        "switch",
        "typedef",
        "union",
        "unsigned",
        "void",
        "volatile",
        "while",
        "asm",
        "typeof",
        "bool",
        "true",
        "false",
    )
)

STD_WIDTHS = {
    "ingress_port": 9, "egress_spec": 9, "egress_port": 9, "instance_type": 32,
    "packet_length": 32, "enq_timestamp": 32, "enq_qdepth": 19, "deq_timedelta": 32,
    "deq_qdepth": 19, "ingress_global_timestamp": 48, "egress_global_timestamp": 48,
    "mcast_grp": 16, "egress_rid": 16, "checksum_error": 1, "parser_error": 32, "priority": 3,
    "qid": 8,
}  # fmt: skip
"""Fields of v1model's standard_metadata, which the runtime reads and writes (``ss_std``)."""


def identifier(name: str) -> str:
    """``name`` as a C identifier; not always a unique one."""
    text = re.sub(r"\W", "_", name)
    return f"{text}_" if text in C_KEYWORDS else text if text[:1].isalpha() else f"x{text}"


def unique(name: str, taken: set[str]) -> str:
    """``name`` as a C identifier that is not in ``taken``, where it is entered."""
    base = identifier(name)
    text, n = base, 2
    while text in taken:
        text, n = f"{base}_{n}", n + 1
    taken.add(text)
    return text


def word_bytes(width: int) -> int:
    """Bytes of the C integer for a field of up to 64 bits."""
    return 1 if width <= 8 else 2 if width <= 16 else 4 if width <= 32 else 8


def c_type(width: int) -> str:
    """The C integer for a field of up to 64 bits."""
    return f"uint{word_bytes(width) * 8}_t"


def declare(width: int, name: str) -> str:
    """A member declaration for an integer of ``width`` bits."""
    return f"{c_type(width)} {name}" if width <= 64 else f"uint64_t {name}[{(width + 63) // 64}]"


class Layout:
    """C names of types, headers and fields of one program."""

    def __init__(self, program: Program, trace: bool = False) -> None:
        self.program = program
        self.trace = trace
        self.types: dict[str, str] = {}
        self.fields: dict[tuple[str, int], str] = {}
        self.paths: dict[str, str] = {}
        self.std: dict[tuple[str, int], str] = {}
        self.action_names: list[str] = []
        self._members: set[str] = {"std"}
        self._name_types()
        self._find_std()
        self._stack_paths: dict[str, str] = {}
        self._union_stack_paths: dict[str, str] = {}
        self._name_headers()
        taken: set[str] = set()
        self.action_names = [unique(a.name, taken) for a in program.actions]

    def _name_types(self) -> None:
        taken: set[str] = set()
        for h in self.program.headers.values():
            if h.type.name in self.types:
                continue
            self.types[h.type.name] = unique(h.type.name, taken)
            members = {"valid"}
            for i, f in enumerate(h.type.fields):
                self.fields[h.type.name, i] = unique(f.name, members)

    def _find_std(self) -> None:
        aliases = self.program.aliases
        for h in self.program.headers.values():
            for i, f in enumerate(h.type.fields):
                known = aliases.get((h.name, f.name), f"{h.name}.{f.name}")
                owner, _, name = known.rpartition(".")
                in_std = owner in ("standard_metadata", "intrinsic_metadata", "queueing_metadata")
                if h.metadata and in_std and name in STD_WIDTHS and f.width <= STD_WIDTHS[name]:
                    self.std[h.name, i] = name

    def _name_headers(self) -> None:
        p = self.program
        for s in p.stacks.values():
            name = unique(s.name, self._members)
            self._stack_paths[s.name] = name
            for i, header in enumerate(s.headers):
                self.paths.setdefault(header, f"{name}[{i}]")
        for us in p.union_stacks.values():
            name = unique(us.name, self._members)
            self._union_stack_paths[us.name] = name
            for i, union in enumerate(us.unions):
                for j, (_, header) in enumerate(p.unions[union].members):
                    self.paths.setdefault(header, f"{name}[{i}].m{j}")
        for header in p.headers:
            if header not in self.paths:
                self.paths[header] = unique(header, self._members)

    def header(self, name: str) -> str:
        """The C lvalue of a header instance."""
        return f"h->{self.paths[name]}"

    def stack(self, name: str) -> str:
        """The C array of a header stack; it has one element more, for indices out of range."""
        return f"h->{self._stack_paths[name]}"

    def union_stack(self, name: str) -> str:
        """The C array of a union stack, with one element more."""
        return f"h->{self._union_stack_paths[name]}"

    def next_index(self, stack: str) -> str:
        """The C lvalue of a stack's next index."""
        path = self._stack_paths.get(stack) or self._union_stack_paths[stack]
        return f"h->next_{path}"

    def member(self, type_: HeaderType, index: int) -> str:
        """The C member name of a field."""
        return self.fields[type_.name, index]

    def field(self, header: str, index: int) -> tuple[str, Field]:
        """The C lvalue of a field and its description."""
        h = self.program.headers[header]
        if (header, index) in self.std:
            return f"h->std.{self.std[header, index]}", h.type.fields[index]
        return f"{self.header(header)}.{self.member(h.type, index)}", h.type.fields[index]

    def struct(self, type_: HeaderType) -> str:
        """The C structure of a header type."""
        return f"struct h_{self.types[type_.name]}"

    def action_struct(self, index: int) -> str:
        """The C structure of an action's data."""
        return f"struct d_{self.action_names[index]}"

    def _plain(self) -> list[Header]:
        return [h for h in self.program.headers.values() if self.paths[h.name] in self._members]

    def types_c(self) -> list[str]:
        """Definitions of all header structures and of ``struct phv``."""
        out: list[str] = []
        done: set[str] = set()
        for h in self.program.headers.values():
            if h.type.name in done:
                continue
            done.add(h.type.name)
            out.append(f"{self.struct(h.type)} {{")
            out.append("    uint8_t valid;")
            for i, f in enumerate(h.type.fields):
                if (h.name, i) in self.std:
                    continue
                name = self.member(h.type, i)
                if f.varbit:
                    out.append(
                        f"    struct {{ uint16_t bits; uint8_t bytes[{f.width // 8}]; }} {name};"
                    )
                else:
                    sign = "int" if f.signed else "bit"
                    out.append(f"    {declare(max(f.width, 1), name)}; /* {sign}<{f.width}> */")
            out.append("};")
        return out + self._phv_c()

    def _phv_c(self) -> list[str]:
        p = self.program
        plain = self._plain()
        out = ["", "struct phv {", "    ss_std std;"]
        out += [f"    {self.struct(h.type)} {self.paths[h.name]};" for h in plain if h.metadata]
        out.append("    uint64_t headers_from_here;")
        out += [f"    {self.struct(h.type)} {self.paths[h.name]};" for h in plain if not h.metadata]
        for s in p.stacks.values():
            path = self._stack_paths[s.name]
            out.append(f"    {self.struct(s.type)} {path}[{len(s.headers) + 1}];")
            out.append(f"    uint16_t next_{path};")
        for us in p.union_stacks.values():
            path = self._union_stack_paths[us.name]
            members = "".join(
                f" {self.struct(p.headers[header].type)} m{j};"
                for j, (_, header) in enumerate(p.unions[us.unions[0]].members)
            )
            out.append(f"    struct {{{members} }} {path}[{len(us.unions) + 1}];")
            out.append(f"    uint16_t next_{path};")
        return [*out, "};"]

    def action_c(self, index: int, action: Action) -> list[str]:
        """Definition of the structure of an action's data; nothing without parameters."""
        if not action.params:
            return []
        members = [
            f"    {declare(max(p.width, 1), self.param(action, i))}; /* bit<{p.width}> */"
            for i, p in enumerate(action.params)
        ]
        return [f"{self.action_struct(index)} {{", *members, "};"]

    def param(self, action: Action, index: int) -> str:
        """The C member name of a parameter."""
        taken: set[str] = set()
        names = [unique(p.name, taken) for p in action.params]
        return names[index]

    def union_of(self, header: str) -> list[str]:
        """The other members of the union that a header belongs to."""
        for u in self.program.unions.values():
            members = [m for _, m in u.members]
            if header in members:
                return [m for m in members if m != header]
        return []

    def header_of(self, e: Expr) -> Header:
        """The header (or its stand-in of the same type) that a header expression denotes."""
        p = self.program
        if e.kind == "header":
            return p.headers[str(e.value)]
        if e.kind == "op" and e.value == "dereference_header_stack" and e.args[0] is not None:
            return p.headers[p.stacks[str(e.args[0].value)].headers[0]]
        if e.kind == "op" and e.value == "access_union_header":
            inner, offset = e.args
            assert inner is not None
            assert offset is not None
            assert isinstance(offset.value, int)
            union = self.union_of_expr(inner)
            if offset.value < len(p.unions[union].members):
                return p.headers[p.unions[union].members[offset.value][1]]
        raise ValueError("expected a header")

    def union_of_expr(self, e: Expr) -> str:
        """Name of the union (or of one of its kind) that a union expression denotes."""
        if e.kind == "header_union":
            return str(e.value)
        if e.kind == "op" and e.value == "dereference_union_stack" and e.args[0] is not None:
            return self.program.union_stacks[str(e.args[0].value)].unions[0]
        raise ValueError("expected a header union")
