# SPDX-License-Identifier: MIT
"""Primitives, the steps of actions and parser states, to C."""

from __future__ import annotations

from collections.abc import Callable

from softswitch.engine.errors import ConfigError
from softswitch.engine.expr import ExprGen, Value
from softswitch.engine.gen_calc import CalcGen, clean, origin, quote
from softswitch.engine.gen_headers import HeaderGen
from softswitch.engine.layout import Layout
from softswitch.engine.program import Action, Expr, Field, Primitive
from softswitch.engine.ranges import Interval

ENDING = frozenset(("exit", "assert", "assume"))
"""Primitives after which the caller must look whether the packet goes on."""


class PrimitiveGen:
    """Generates the statements of primitives; ``leave`` is how to get out of the context."""

    def __init__(self, layout: Layout, calcs: CalcGen, action: Action | None, leave: str) -> None:
        self.layout = layout
        self.program = layout.program
        self.calcs = calcs
        self.action = action
        self.leave = leave
        self.expr = ExprGen(layout, action)
        self._ops: dict[str, Callable[[Primitive], list[str]]] = {
            "assign": self._assign, "modify_field": self._assign, "set": self._assign,
            "assign_VL": self._assign_varbit, "assign_header": self._assign_header,
            "copy_header": self._assign_header, "assign_union": self._assign_group,
            "assign_header_stack": self._assign_group, "assign_union_stack": self._assign_group,
            "add_header": self._add_header, "remove_header": self._remove_header,
            "push": self._push, "pop": self._pop,
            "mark_to_drop": self._drop, "drop": self._drop,
            "exit": self._exit, "assert": self._assert, "assume": self._assert,
            "log_msg": self._log, "count": self._count, "execute_meter": self._meter,
            "register_read": self._register_read, "register_write": self._register_write,
            "modify_field_rng_uniform": self._random,
            "modify_field_with_hash_based_offset": self._hash,
            "clone_ingress_pkt_to_egress": self._clone, "clone_egress_pkt_to_egress": self._clone,
            "resubmit": self._resubmit, "recirculate": self._recirculate,
            "generate_digest": self._digest, "truncate": self._truncate, "no_op": lambda p: [],
            "add": self._operator("+"), "subtract": self._operator("-"),
            "bit_xor": self._operator("^"), "bit_or": self._operator("|"),
            "bit_and": self._operator("&"), "shift_left": self._operator("<<"),
            "shift_right": self._operator(">>"), "add_to_field": self._operator("+"),
            "subtract_from_field": self._operator("-"),
        }  # fmt: skip

    def supports(self, op: str) -> bool:
        """Whether ``op`` is known."""
        return op in self._ops

    def statements(self, p: Primitive) -> list[str]:
        """C for one primitive, in braces when it needs variables."""
        make = self._ops.get(p.op)
        if make is None:
            raise ConfigError(p.where, f"primitive '{p.op}' is not supported")
        try:
            body = make(p)
        except (IndexError, ValueError) as e:
            detail = "has too few arguments" if isinstance(e, IndexError) else str(e)
            raise ConfigError(p.where, f"primitive '{p.op}' {detail}") from None
        pre = self.expr.take_pre()
        lines = [*pre, *body]
        comment = [f"/* {clean(str(p.source))} */"] if p.source and p.source.line else []
        if self.layout.trace:
            lines += self._event(p)
        if len(lines) > 1:
            return [*comment, "{", *(f"    {s}" for s in lines), "}"]
        return [*comment, *lines]

    def _event(self, p: Primitive) -> list[str]:
        """A line for the trace, after the step; only steps that touch state have one."""
        where = origin(p.source)
        if p.op in ("register_read", "register_write"):
            array = p.args[1] if p.op == "register_read" else p.args[0]
            which, width, size = self._register(array)
            value = f"R{which}(sw, i)"
            words = f"{value}.w" if width > 64 else f"(const uint64_t[]){{ {value} }}"
            call = f'ss_trace_cell(sw, "{p.op}", {where}, {quote(str(array.value))}, i'
            return [
                f"if (i < {size}) {{ {call}, {words}, {width}); }}",
                f'else {{ ss_trace(sw, "{p.op}", {where}, "index out of range"); }}',
            ]
        if p.op in ("count", "execute_meter"):
            kind = "count" if p.op == "count" else "meter"
            index = self.expr.index(p.args[1])
            name = quote(str(p.args[0].value))
            call = f'ss_trace_cell(sw, "{kind}", {where}, {name}, {index}, NULL, 0);'
            return [*self.expr.take_pre(), call]
        return []

    # -- assignments ---------------------------------------------------------------------

    def _assign(self, p: Primitive) -> list[str]:
        target = p.args[0]
        if target.kind == "valid":
            return [
                f"{self.layout.header(str(target.value))}.valid = {self.expr.boolean(p.args[1])};"
            ]
        return self.expr.assign(target, p.args[1])

    def _operator(self, op: str) -> Callable[[Primitive], list[str]]:
        def make(p: Primitive) -> list[str]:
            left = p.args[1] if len(p.args) == 3 else p.args[0]
            return self.expr.assign(p.args[0], Expr("op", op, (left, p.args[-1]), p.where))

        return make

    def _assign_varbit(self, p: Primitive) -> list[str]:
        (to, a), (source, b) = self.expr.lvalue(p.args[0]), self.expr.lvalue(p.args[1])
        if not (a.varbit and b.varbit):
            raise ValueError("needs two varbit fields")
        room = min(a.width, b.width)
        return [
            f"{to}.bits = {source}.bits < {room} ? {source}.bits : {room};",
            f"memmove({to}.bytes, {source}.bytes, {to}.bits / 8u);",
        ]

    def _assign_header(self, p: Primitive) -> list[str]:
        a, b = p.args[0], p.args[1]
        if a.kind in ("header_stack", "header_union", "header_union_stack"):
            return self._assign_group(p)
        type_, other = self.layout.header_of(a).type, self.layout.header_of(b).type
        if type_ is not other and type_.fields != other.fields:
            raise ValueError("copies between different header types")
        to, source = self.expr.header(a), self.expr.header(b)
        if self.layout.header_of(b).metadata:  # always valid
            copied = f"memcpy({to}, {source}, sizeof *{to});"
            return [copied, f"{to}->valid = 1;"]
        lines = [f"copy_{self.layout.types[type_.name]}({to}, (const void *){source});"]
        if a.kind == "header":
            others = self.layout.union_of(str(a.value))
            if others:
                gone = " ".join(f"{self.layout.header(o)}.valid = 0;" for o in others)
                lines.append(f"if ({to}->valid) {{ {gone} }}")
        return lines

    def _group(self, e: Expr) -> list[str]:
        name = str(e.value)
        if e.kind == "header_stack":
            return list(self.program.stacks[name].headers)
        if e.kind == "header_union":
            return [m for _, m in self.program.unions[name].members]
        if e.kind == "header_union_stack":
            unions = self.program.union_stacks[name].unions
            return [m for u in unions for _, m in self.program.unions[u].members]
        raise ValueError("needs stacks or unions")

    def _assign_group(self, p: Primitive) -> list[str]:
        a, b = p.args[0], p.args[1]
        lines = []
        for x, y in zip(self._group(a), self._group(b), strict=True):
            name = self.layout.types[self.program.headers[x].type.name]
            source = f"(const void *)&{self.layout.header(y)}"
            lines.append(f"copy_{name}(&{self.layout.header(x)}, {source});")
        if a.kind != "header_union":
            to, source = (self.layout.next_index(str(e.value)) for e in (a, b))
            lines.append(f"{to} = {source};")
        return lines

    # -- headers -------------------------------------------------------------------------

    def _add_header(self, p: Primitive) -> list[str]:
        e = p.args[0]
        h = self.layout.header_of(e)
        if h.metadata:
            return []
        gen = HeaderGen(self.layout, h.type)
        lines = [f"{self.layout.struct(h.type)} *x = {self.expr.header(e)};", "if (!x->valid) {"]
        lines.append("    memset(x, 0, sizeof *x);")
        lines.append("    x->valid = 1;")
        lines.append(f"    p->length_reg += {gen.bytes_text('(*x)')};")
        lines.append("}")
        if e.kind == "header":
            lines += [
                f"{self.layout.header(o)}.valid = 0;" for o in self.layout.union_of(str(e.value))
            ]
        return lines

    def _remove_header(self, p: Primitive) -> list[str]:
        h = self.layout.header_of(p.args[0])
        if h.metadata:
            return []
        size = HeaderGen(self.layout, h.type).bytes_text("(*x)")
        return [
            f"{self.layout.struct(h.type)} *x = {self.expr.header(p.args[0])};",
            f"if (x->valid) {{ x->valid = 0; p->length_reg -= {size}; }}",
        ]

    def _shift(self, p: Primitive, function: str) -> list[str]:
        e = p.args[0]
        name = str(e.value)
        if e.kind == "header_stack":
            array, size = self.layout.stack(name), len(self.program.stacks[name].headers)
        elif e.kind == "header_union_stack":
            array, size = self.layout.union_stack(name), len(self.program.union_stacks[name].unions)
        else:
            raise ValueError("needs a stack")
        count = self.expr.index(p.args[1])
        following = self.layout.next_index(name)
        lines = [f"uint32_t n = ss_shift({count}, {size});"]
        lines.append(f"{function}({array}, sizeof {array}[0], {size}, n);")
        if function == "ss_push":
            lines.append(f"{following} = (uint16_t)ss_min({following} + n, {size});")
        else:
            lines.append(f"{following} = (uint16_t)({following} > n ? {following} - n : 0);")
        return lines

    def _push(self, p: Primitive) -> list[str]:
        return self._shift(p, "ss_push")

    def _pop(self, p: Primitive) -> list[str]:
        return self._shift(p, "ss_pop")

    # -- the packet ----------------------------------------------------------------------

    def _drop(self, p: Primitive) -> list[str]:
        return ["h->std.egress_spec = SS_DROP_PORT;", "h->std.mcast_grp = 0;"]

    def _exit(self, p: Primitive) -> list[str]:
        return ["p->is_exited = true;", self.leave]

    def _assert(self, p: Primitive) -> list[str]:
        text = f"{p.op} failed" + (f" at {p.source}" if p.source else "")
        test = self.expr.boolean(p.args[0])
        return [f"if (!({test})) {{ ss_assert_failed(sw, p, {quote(text)}); {self.leave} }}"]

    def _log(self, p: Primitive) -> list[str]:
        values = [a for a in p.args[1].args if a is not None] if len(p.args) > 1 else []
        lines, names = [], []
        for i, e in enumerate(values):
            v = self.expr.value(e)
            lines.append(f"char s{i}[{v.limbs * 20 + 16}];")
            signed = str(v.range.low < 0).lower()
            if v.limbs > 2:
                words = v.text
            else:
                words = f"w{i}"
                lines.append(f"uint64_t w{i}[{v.limbs}];")
                lines.append(
                    f"w{i}[0] = {v.text};" if v.limbs == 1 else f"ss_st128(w{i}, {v.text});"
                )
            lines.append(f"ss_format(s{i}, sizeof s{i}, {words}, {v.limbs}, {signed});")
            names.append(f"s{i}")
        listed = f"(const char *[]){{ {', '.join(names)} }}" if names else "NULL"
        call = f"ss_log(sw, {quote(str(p.args[0].value))}, {listed}, {len(names)});"
        pre = self.expr.take_pre()
        return ["if (ss_logs(sw)) {", *(f"    {s}" for s in [*pre, *lines, call]), "}"]

    def _clone(self, p: Primitive) -> list[str]:
        return [
            "p->is_clone = true;",
            f"p->clone_session = (uint32_t)({self.expr.index(p.args[0])} & 0x7fff);",
            f"p->clone_list = (uint32_t){self.expr.index(p.args[1])};",
        ]

    def _resubmit(self, p: Primitive) -> list[str]:
        return [f"p->resubmit_list = (uint32_t){self.expr.index(p.args[0])};"]

    def _recirculate(self, p: Primitive) -> list[str]:
        return [f"p->recirculate_list = (uint32_t){self.expr.index(p.args[0])};"]

    def _digest(self, p: Primitive) -> list[str]:
        return [f"p->digest_id = (uint32_t){self.expr.index(p.args[1])};"]

    def _truncate(self, p: Primitive) -> list[str]:
        return [f"p->truncate_to = (uint32_t)ss_min({self.expr.index(p.args[0])}, UINT32_MAX);"]

    # -- externs -------------------------------------------------------------------------

    def _position(self, names: list[str], e: Expr) -> int:
        if str(e.value) not in names:
            raise ValueError(f"names unknown object '{e.value}'")
        return names.index(str(e.value))

    def _count(self, p: Primitive) -> list[str]:
        which = self._position(list(self.program.counters), p.args[0])
        index = self.expr.index(p.args[1])
        cells = f"ss_counter_cells(sw, {which})"
        return [f"ss_count(sw, {cells}, {index}, C{which}_SIZE, p->ingress_length);"]

    def _meter(self, p: Primitive) -> list[str]:
        which = self._position(list(self.program.meters), p.args[0])
        meter = self.program.meters[str(p.args[0].value)]
        units = "p->ingress_length" if meter.counts_bytes else "1"
        index = self.expr.index(p.args[1])
        path, f = self.expr.lvalue(p.args[2])
        call = f"ss_meter_run(sw, &ss_meter_cells(sw, {which})[i], {units})"
        lines = [*self.expr.take_pre(), f"uint64_t i = {index};", f"if (i < {meter.size}) {{"]
        lines += [f"    {s}" for s in self._store_word(path, f, call)]
        return [*lines, "} else {", "    sw->stats.index_errors++;", "}"]

    def _store_word(self, path: str, f: Field, text: str) -> list[str]:
        whole = Value(f"(uint64_t)({text})", 1, True, Interval(0, (1 << 64) - 1))
        return self.expr.store(path, f, whole)

    def _register(self, e: Expr) -> tuple[int, int, int]:
        which = self._position(list(self.program.registers), e)
        r = self.program.registers[str(e.value)]
        return which, r.width, r.size

    def _register_read(self, p: Primitive) -> list[str]:
        which, width, size = self._register(p.args[1])
        path, f = self.expr.lvalue(p.args[0])
        index = self.expr.index(p.args[2])
        lines = [*self.expr.take_pre(), f"uint64_t i = {index};"]
        cell = f"R{which}(sw, i)"
        if width <= 64:
            lines.append("uint64_t v = 0;")
            lines.append(f"if (i < {size}) {{ v = {cell}; }} else {{ sw->stats.index_errors++; }}")
            return lines + self._store_word(path, f, "v")
        n = (width + 63) // 64
        lines.append(f"uint64_t v[{n}] = {{ 0 }};")
        read = f"memcpy(v, {cell}.w, {8 * n});"
        lines.append(f"if (i < {size}) {{ {read} }} else {{ sw->stats.index_errors++; }}")
        text = "ss_ld128(v)" if n == 2 else "v"
        value = Value(text, n, n * 64 >= f.width, Interval(0, (1 << width) - 1))
        stored = self.expr.store(path, f, value)
        return lines + stored

    def _register_write(self, p: Primitive) -> list[str]:
        which, width, size = self._register(p.args[0])
        index = self.expr.index(p.args[1])
        v = self.expr.value(p.args[2], width)
        lines = [f"uint64_t i = {index};"]
        pre = self.expr.take_pre()
        if width <= 64:
            stored = self.expr.store(f"R{which}(sw, i)", Field("cell", width), v)
        else:
            stored = self.expr.store(f"R{which}(sw, i).w", Field("cell", width), v)
        test = [f"if (i < {size}) {{", *(f"    {s}" for s in stored)]
        return [*pre, *lines, *test, "} else {", "    sw->stats.index_errors++;", "}"]

    def _random(self, p: Primitive) -> list[str]:
        path, f = self.expr.lvalue(p.args[0])
        low, high = self.expr.index(p.args[1]), self.expr.index(p.args[2])
        return self._store_word(path, f, f"ss_random(sw, {low}, {high})")

    def _hash(self, p: Primitive) -> list[str]:
        path, f = self.expr.lvalue(p.args[0])
        name = str(p.args[2].value)
        base, size = self.expr.index(p.args[1]), self.expr.index(p.args[3])
        call = self.calcs.call(name)
        if p.args[3].kind == "const" and isinstance(p.args[3].value, int):
            m = p.args[3].value
            text = "0" if m == 0 else f"{call} & {m - 1}u" if m & (m - 1) == 0 else f"{call} % {m}u"
            if m > 1 << 63:
                text = f"ss_umod64({call}, {size})"
        else:
            text = f"ss_umod64({call}, {size})"
        return self._store_word(path, f, f"{base} + ({text})")


def action_function(layout: Layout, calcs: CalcGen, index: int) -> list[str]:
    """The C function of one action."""
    action = layout.program.actions[index]
    name = layout.action_names[index]
    gen = PrimitiveGen(layout, calcs, action, "return;")
    targets = _jump_targets(action)
    data = layout.action_struct(index) if action.params else "void"
    out = [
        f"/* action {clean(action.name)}"
        + (f", {clean(str(action.source))}" if action.source else "")
        + " */",
        f"SS_ACTION void do_{name}(ss_switch *sw, ss_packet *p, struct phv *h, const {data} *d)",
        "{",
        "    (void)sw; (void)p; (void)h; (void)d;",
    ]
    if any(t <= i for i, prim in enumerate(action.body) for t in _targets(prim)):
        out.append("    uint32_t loops = 0;")
    for i, prim in enumerate(action.body):
        if i in targets:
            out.append(f"l{i}:;")
        lines = _jump(prim, i, gen) if prim.op.startswith("_jump") else gen.statements(prim)
        out += [f"    {s}" for s in lines]
    if any(t >= len(action.body) for t in targets):
        out.append(f"l{len(action.body)}:;")
    return [*out, "}"]


def _targets(p: Primitive) -> list[int]:
    if not p.op.startswith("_jump"):
        return []
    wanted = 1 if p.op == "_jump" else 2
    target = p.args[-1].value if p.args else None
    if (
        len(p.args) != wanted
        or p.args[-1].kind != "const"
        or not isinstance(target, int)
        or target < 0
    ):
        raise ConfigError(p.where, "jumps to a place that is not constant")
    return [target]


def _jump_targets(action: Action) -> set[int]:
    return {min(t, len(action.body)) for p in action.body for t in _targets(p)}


def _jump(p: Primitive, at: int, gen: PrimitiveGen) -> list[str]:
    assert gen.action is not None
    target = min(_targets(p)[0], len(gen.action.body))
    guard = "if (++loops > SS_LOOP_LIMIT) { return; } " if target <= at else ""
    if p.op == "_jump":
        return [f"{guard}goto l{target};"]
    test = gen.expr.boolean(p.args[0])
    pre = gen.expr.take_pre()
    lines = [*pre, f"if (!({test})) {{ {guard}goto l{target}; }}"]
    return ["{", *(f"    {s}" for s in lines), "}"] if len(lines) > 1 else lines


def may_end(action: Action) -> bool:
    """Whether the packet may stop in this action."""
    return any(p.op in ENDING for p in action.body)
