# SPDX-License-Identifier: MIT
"""The parser and the deparser in C."""

from __future__ import annotations

from softswitch.engine.errors import ConfigError
from softswitch.engine.gen_actions import PrimitiveGen
from softswitch.engine.gen_calc import CalcGen, clean, origin, quote
from softswitch.engine.gen_headers import HeaderGen
from softswitch.engine.layout import Layout, unique
from softswitch.engine.program import Expr, HeaderType, ParseState, Primitive, Transition

CORE_ERRORS = {
    "NO_ERROR": ("NoError", 0), "TOO_SHORT": ("PacketTooShort", 1),
    "STACK_FULL": ("StackOutOfBounds", 3), "HEADER_TOO_SHORT": ("HeaderTooShort", 4),
    "TIMEOUT": ("ParserTimeout", 5), "BAD_ARGUMENT": ("ParserInvalidArgument", 6),
}  # fmt: skip


class ParserGen:
    """Generates ``ss_gen_parse``: a label for each state, gotos for transitions."""

    def __init__(self, layout: Layout, calcs: CalcGen) -> None:
        self.layout = layout
        self.program = layout.program
        self.calcs = calcs
        self.ops = PrimitiveGen(layout, calcs, None, "goto parsed;")
        taken: set[str] = set()
        self.labels = {s.name: unique(f"s_{s.name}", taken) for s in self.program.parser.states}

    def errors_c(self) -> list[str]:
        """The numbers of the core library's errors in this program."""
        return [
            f"#define SS_{name} {self.program.errors.get(core, number)}u"
            for name, (core, number) in CORE_ERRORS.items()
        ]

    def function(self) -> list[str]:
        """The definition of ``ss_gen_parse``."""
        parser = self.program.parser
        out = [
            "void ss_gen_parse(ss_switch *sw, ss_packet *p)",
            "{",
            "    struct phv *h = (struct phv *)(void *)p->phv;",
            "    const uint8_t *data = p->raw;",
            "    uint32_t len = p->raw_len, pos = 0, error = SS_NO_ERROR, states = 0;",
            "    (void)sw; (void)states;",
        ]
        reachable = self._reachable()
        if parser.init is not None:
            out.append(f"    goto {self.labels[parser.init]};")
        for s in parser.states:
            if s.name in reachable:
                out += self._state(s)
        out += [
            "parsed: __attribute__((unused));",
            "    p->payload = data + pos;",
            "    p->payload_len = len - pos;",
            "    h->std.parser_error = error;",
        ]
        if self.layout.trace:
            event = 'ss_trace(sw, "parser", "", "error %u at byte %u", error, pos);'
            out.append(f"    if (error) {{ {event} }}")
        for c in self.program.checksums:
            if c.verify:
                out += [f"    {s}" for s in self.calcs.checksum(c, True)]
        return [*out, "}"]

    def _reachable(self) -> set[str]:
        states = {s.name: s for s in self.program.parser.states}
        seen: set[str] = set()
        todo = [self.program.parser.init]
        while todo:
            name = todo.pop()
            if name is not None and name not in seen:
                seen.add(name)
                todo += [t.next for t in states[name].transitions]
        return seen

    def _state(self, s: ParseState) -> list[str]:
        where = f" {clean(str(s.source))}" if s.source else ""
        out = [f"{self.labels[s.name]}: /* state {clean(s.name)}{where} */"]
        out.append("    if (++states > SS_LOOP_LIMIT) { error = SS_TIMEOUT; goto parsed; }")
        if self.layout.trace:
            call = f'ss_trace(sw, "parser", {origin(s.source)}, "state %s at byte %u"'
            out.append(f"    {call}, {quote(s.name)}, pos);")
        for op in s.ops:
            out += [f"    {line}" for line in self._op(op)]
        return out + [f"    {line}" for line in self._transitions(s)]

    def _op(self, p: Primitive) -> list[str]:
        least = {"extract": 1, "extract_VL": 2, "verify": 2, "advance": 1, "shift": 1}
        if len(p.args) < least.get(p.op, 0):
            raise ConfigError(p.where, f"'{p.op}' has too few arguments")
        if p.op in ("extract", "extract_VL"):
            lines = self._extract(p)
            if self.layout.trace:
                name = quote(str(p.args[0].value))
                lines.append(f'ss_trace(sw, "extract", {origin(p.source)}, "%s", {name});')
        elif p.op == "verify":
            test = self.ops.expr.boolean(p.args[0])
            code = self.ops.expr.index(p.args[1])
            pre = self.ops.expr.take_pre()
            lines = [*pre, f"if (!({test})) {{ error = (uint32_t){code}; goto parsed; }}"]
        elif p.op in ("advance", "shift"):
            lines = self._advance(p)
        elif self.ops.supports(p.op):
            return self.ops.statements(p)
        else:
            raise ConfigError(p.where, f"parser operation '{p.op}' is not supported")
        comment = [f"/* {clean(str(p.source))} */"] if p.source and p.source.line else []
        return [*comment, "{", *(f"    {s}" for s in lines), "}"]

    def _advance(self, p: Primitive) -> list[str]:
        bits = self.ops.expr.index(p.args[0])
        if p.op == "shift":
            bits = f"({bits} * 8)"
        return [
            *self.ops.expr.take_pre(),
            f"uint64_t n = {bits};",
            "if (n % 8 != 0) { error = SS_BAD_ARGUMENT; goto parsed; }",
            "if (n / 8 > len - pos) { error = SS_TOO_SHORT; goto parsed; }",
            "pos += (uint32_t)(n / 8);",
        ]

    def _target(self, e: Expr) -> tuple[HeaderType, list[str], str, list[str]]:
        """(type, statements before, pointer, statements after) of what is extracted."""
        p = self.program
        if e.kind == "header":
            h = p.headers[str(e.value)]
            others = self.layout.union_of(h.name)
            gone = [f"{self.layout.header(o)}.valid = 0;" for o in others]
            return h.type, [], f"&{self.layout.header(h.name)}", gone
        if e.kind == "header_stack":
            s = p.stacks[str(e.value)]
            size, type_ = len(s.headers), s.type
            after: list[str] = []
            place = f"&{self.layout.stack(s.name)}"
            suffix, name = "", s.name
        elif e.kind == "union_stack":
            name, member = e.value
            us = p.union_stacks[name]
            size, members = len(us.unions), p.unions[us.unions[0]].members
            type_ = p.headers[members[member][1]].type
            place, suffix = f"&{self.layout.union_stack(name)}", f".m{member}"
            after = [
                f"{self.layout.union_stack(name)}[at].m{j}.valid = 0;"
                for j in range(len(members))
                if j != member
            ]
        else:
            raise ConfigError(e.where, f"cannot extract to a {e.kind}")
        following = self.layout.next_index(name)
        before = [
            f"uint32_t at = {following};",
            f"if (at >= {size}) {{ error = SS_STACK_FULL; goto parsed; }}",
        ]
        return type_, before, f"{place}[at]{suffix}", [*after, f"{following}++;"]

    def _extract(self, p: Primitive) -> list[str]:
        type_, before, place, after = self._target(p.args[0])
        gen = HeaderGen(self.layout, type_)
        gen.check()
        fixed = type_.fixed_bits // 8
        name = self.layout.types[type_.name]
        if gen.varbit < 0:
            lines = [*before, f"if (len - pos < {fixed}u) {{ error = SS_TOO_SHORT; goto parsed; }}"]
            lines += [f"read_{name}({place}, data + pos);", f"pos += {fixed}u;"]
            return lines + after
        if len(p.args) < 2:
            raise ConfigError(p.where, "a header with a varbit field needs a length")
        bits = self.ops.expr.index(p.args[1])
        width = type_.fields[gen.varbit].width
        return [
            *self.ops.expr.take_pre(),
            *before,
            f"uint64_t n = {bits};",
            f"if (n > {width}u) {{ error = SS_HEADER_TOO_SHORT; goto parsed; }}",
            "if (n % 8 != 0) { error = SS_BAD_ARGUMENT; goto parsed; }",
            f"if (len - pos < {fixed}u + n / 8) {{ error = SS_TOO_SHORT; goto parsed; }}",
            f"read_{name}({place}, data + pos, (uint32_t)n);",
            f"pos += {fixed}u + (uint32_t)(n / 8);",
            *after,
        ]

    def _transitions(self, s: ParseState) -> list[str]:
        out: list[str] = []
        for t in s.transitions:
            go = "goto parsed;" if t.next is None else f"goto {self.labels[t.next]};"
            if t.kind == "default":
                return [*out, go]
            out += self._case(s, t, go)
        # BMv2 accepts when nothing matches; p4c 1.2.5 adds no transition to NoMatch
        return [*out, "goto parsed;"]

    def _case(self, s: ParseState, t: Transition, go: str) -> list[str]:
        if t.kind == "value_set":
            return self._value_set(s, t, go)
        tests = []
        for key, value, mask in zip(s.keys, t.values, t.masks, strict=True):
            if mask == 0:
                continue
            left, right = key, Expr("const", value)
            if mask is not None:
                left = Expr("op", "&", (key, Expr("const", mask)))
                right = Expr("const", value & mask)
            if key.kind == "valid":
                left = Expr("op", "b2d", (key,))
            low = self.ops.expr.ranges.of(left).low
            if low < 0:  # a signed field: compare its bits
                width = self._key_width(key)
                left = Expr("op", "&", (left, Expr("const", (1 << width) - 1)))
            tests.append(self.ops.expr.boolean(Expr("op", "==", (left, right))))
        pre = self.ops.expr.take_pre()
        test = " && ".join(tests) or "true"
        if not pre:
            return [f"if ({test}) {{ {go} }}"]
        return ["{", *(f"    {x}" for x in pre), f"    if ({test}) {{ {go} }}", "}"]

    def _key_width(self, key: Expr) -> int:
        r = self.ops.expr.ranges.of(key)
        return max(r.high.bit_length() + (1 if r.low < 0 else 0), 1)

    def _value_set(self, s: ParseState, t: Transition, go: str) -> list[str]:
        assert t.value_set is not None
        which = list(self.program.value_sets).index(t.value_set)
        widths = self.program.value_sets[t.value_set].widths if t.value_set else ()
        size = sum((w + 7) // 8 for w in widths)
        lines = [f"uint8_t key[{size + 16}] = {{ 0 }}, mask[{size + 16}];"]
        lines.append(f"memset(mask, 0xff, {size});")
        at = 0
        for key, width, mask in zip(s.keys, widths, t.masks, strict=True):
            n = (width + 7) // 8
            v = self.ops.expr.value(key, width)
            lines += self.ops.expr.take_pre()
            for i in range(n):
                byte = 8 * (n - 1 - i)
                word = v.text if v.limbs <= 2 else f"{v.text}[{byte // 64}]"
                shift = byte if v.limbs <= 2 else byte % 64
                if v.limbs == 1 and byte >= 64:
                    continue
                keep = 0xFF if (byte + 8) <= width else (1 << (width - byte)) - 1
                lines.append(f"key[{at + i}] = (uint8_t)({word} >> {shift} & 0x{keep:x});")
                if mask is not None:
                    lines.append(f"mask[{at + i}] = 0x{mask >> byte & 0xFF:x};")
            at += n
        lines.append(f"if (ss_value_set_has(sw, {which}, key, mask, {size})) {{ {go} }}")
        return ["{", *(f"    {x}" for x in lines), "}"]


def deparser(layout: Layout, calcs: CalcGen) -> list[str]:
    """``ss_gen_header_bytes``, ``ss_gen_deparse`` and ``ss_gen_checksums``."""
    p = layout.program
    sizes, writes = [], []
    for name in p.deparser:
        h = p.headers[name]
        gen = HeaderGen(layout, h.type)
        gen.check()
        path = layout.header(name)
        sizes.append(f"    if ({path}.valid) {{ n += {gen.bytes_text(path)}; }}")
        writes.append(
            f"    if ({path}.valid) {{ out = write_{layout.types[h.type.name]}(&{path}, out); }}"
        )
    phv = "    const struct phv *h = (const struct phv *)(const void *)p->phv;"
    out = [
        "uint32_t ss_gen_header_bytes(const ss_packet *p)",
        "{",
        phv,
        "    uint32_t n = 0;",
        "    (void)h;",
    ]
    out += [*sizes, "    return n;", "}", ""]
    out += [
        "void ss_gen_deparse(const ss_packet *p, uint8_t *out)",
        "{",
        phv,
        "    (void)h; (void)out;",
    ]
    out += [*writes, "}", ""]
    out += ["void ss_gen_checksums(ss_switch *sw, ss_packet *p)", "{"]
    out += ["    struct phv *h = (struct phv *)(void *)p->phv;", "    (void)sw; (void)h;"]
    for c in p.checksums:
        if c.update:
            out += [f"    {s}" for s in calcs.checksum(c, False)]
    return [*out, "}"]
