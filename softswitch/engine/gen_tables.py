# SPDX-License-Identifier: MIT
"""The controls in C: a label for each table and condition, lookups inlined."""

from __future__ import annotations

from dataclasses import dataclass

from softswitch.engine.expr import ExprGen, Value, literal
from softswitch.engine.gen_actions import may_end
from softswitch.engine.gen_calc import clean, origin, quote
from softswitch.engine.layout import Layout, unique
from softswitch.engine.program import ActionCall, Condition, Control, Expr, Table
from softswitch.engine.ranges import Interval


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key field sits in the key words."""

    word: int
    shift: int


def key_places(table: Table) -> tuple[list[KeyPlace], int]:
    """Places of all key fields and the number of words; small fields share a word."""
    places, words, used = [], 0, 64
    for k in table.keys:
        if k.width > 64:
            places.append(KeyPlace(words, 0))
            words, used = words + (k.width + 63) // 64, 64
            continue
        if used + k.width > 64:
            words, used = words + 1, 0
        places.append(KeyPlace(words - 1, used))
        used += k.width
    return places, words


def is_fixed(t: Table) -> bool:
    """A table that p4c made for a statement: no key, one action for ever."""
    return (
        not t.keys and t.profile is None and t.default_entry_const and t.default_action_const
        and t.default_action is not None and not t.with_counters
    )  # fmt: skip


class ControlGen:
    """Generates ``ss_gen_ingress`` or ``ss_gen_egress``."""

    def __init__(self, layout: Layout, control: Control) -> None:
        self.layout = layout
        self.program = layout.program
        self.control = control
        self.index = {name: i for i, name in enumerate(self.program.tables)}
        taken: set[str] = set()
        self.nodes: dict[str, Table | Condition | ActionCall] = {}
        self.nodes.update({t.name: t for t in control.tables})
        self.nodes.update({c.name: c for c in control.conditions})
        self.nodes.update({c.name: c for c in control.calls})
        self.labels = {n: unique(f"n_{n}", taken) for n in self.nodes}

    def function(self) -> list[str]:
        """The definition of the function."""
        out = [
            f"void ss_gen_{self.control.name}(ss_switch *sw, ss_packet *p)",
            "{",
            "    struct phv *h = (struct phv *)(void *)p->phv;",
            "    (void)sw; (void)h;",
            f"    {self._goto(self.control.init)}",
        ]
        for name in self._order():
            out += self._node(self.nodes[name])
        return [*out, "}"]

    def _order(self) -> list[str]:
        """Reachable nodes, following the control flow, so that most gotos fall through."""
        seen: set[str] = set()
        out: list[str] = []
        todo = [self.control.init]
        while todo:
            name = todo.pop()
            if name is None or name in seen:
                continue
            seen.add(name)
            out.append(name)
            x = self.nodes[name]
            if isinstance(x, Table):
                todo += [x.after, x.miss, x.hit, *dict.fromkeys(x.next.values())]
            elif isinstance(x, Condition):
                todo += [x.false_next, x.true_next]
            else:
                todo.append(x.next)
        return out

    def _goto(self, name: str | None) -> str:
        return "return;" if name is None else f"goto {self.labels[name]};"

    def _node(self, x: Table | Condition | ActionCall) -> list[str]:
        where = f" {clean(str(x.source))}" if x.source else ""
        head = f"{self.labels[x.name]}: /* {clean(x.name)}{where} */"
        if isinstance(x, Condition):
            gen = ExprGen(self.layout)
            test = gen.boolean(x.expr)
            if self.layout.trace:
                gen.pre.append(f"bool now = {test};")
                shown = 'now ? "true" : "false"'
                gen.pre.append(f'ss_trace(sw, "condition", {origin(x.source)}, "%s", {shown});')
                test = "now"
            lines = [
                *gen.take_pre(),
                f"if ({test}) {{ {self._goto(x.true_next)} }}",
                self._goto(x.false_next),
            ]
        elif isinstance(x, ActionCall):
            lines = [*self._call(x.action, "NULL"), self._goto(x.next)]
        elif is_fixed(x):
            lines = self._fixed(x)
        else:
            lines = self._table(x)
        return [head, "    {", *(f"        {s}" for s in lines), "    }"]

    def _call(self, action: int, data: str) -> list[str]:
        out = [f"do_{self.layout.action_names[action]}(sw, p, h, {data});"]
        if may_end(self.program.actions[action]):
            out.append("if (p->is_exited || p->is_dead) { return; }")
        return out

    def _announce(self, index: int) -> str:
        action = self.program.actions[index]
        names = ", ".join(quote(p.name) for p in action.params) or "NULL"
        where = origin(action.source)
        return f"ss_trace_action(sw, {index}, {where}, (const char *[]){{ {names} }}, data);"

    def _fixed(self, t: Table) -> list[str]:
        action = t.default_action
        assert action is not None
        out: list[str] = []
        data = "NULL"
        if self.program.actions[action].params:
            out.append(f"const void *data = sw->tables[{self.index[t.name]}].default_data;")
            data = "data"
        out += self._call(action, data)
        after = t.miss if t.by_hit else t.next.get(action, t.after)
        return [*out, self._goto(after)]

    def _key_words(self, t: Table) -> list[str]:
        places, words = key_places(t)
        gen = ExprGen(self.layout)
        terms: dict[int, list[str]] = {}
        wide: list[str] = []
        for k, place in zip(t.keys, places, strict=True):
            e = k.target
            if k.mask is not None:
                e = Expr("op", "&", (e, Expr("const", k.mask & ((1 << k.width) - 1))))
            if k.width > 64:
                limbs = (k.width + 63) // 64
                v = gen.value(Expr("op", "&", (e, Expr("const", (1 << k.width) - 1))), k.width)
                text = gen.widen(v, limbs)
                if limbs == 2:
                    wide.append(f"ss_st128(&key[{place.word}], {text});")
                else:
                    wide.append(f"memcpy(&key[{place.word}], {text}, {8 * limbs});")
                continue
            v = gen.value(e, k.width)
            text = gen.widen(v, 1)
            if not (v.exact and v.range.low >= 0 and v.range.high < 1 << k.width):
                text = f"({text} & {literal((1 << k.width) - 1, 1)})"
            terms.setdefault(place.word, []).append(
                f"({text}) << {place.shift}" if place.shift else f"({text})"
            )
        out = [*gen.take_pre(), f"uint64_t key[{max(words, 1)}];"]
        out += [f"key[{w}] = {' | '.join(parts)};" for w, parts in sorted(terms.items())]
        return out + wide

    def _lookup(self, t: Table) -> list[str]:
        i = self.index[t.name]
        if not t.keys:
            return ["const ss_entry *e = NULL;", "(void)e;"]
        _, words = key_places(t)
        ranges = sum(k.kind == "range" for k in t.keys)
        stride = f"T{i}_STRIDE"
        if t.match_kind == "exact":
            call = f"ss_lookup_exact(t, key, {words}, {stride})"
        else:
            flag = "true" if ranges else "false"
            call = f"ss_lookup_tuples(t, key, {words}, {stride}, {flag})"
        return [*self._key_words(t), f"ss_entry *e = {call};"]

    def _direct(self, t: Table) -> list[str]:
        meter = self.program.meters.get(t.direct_meter) if t.direct_meter else None
        if not (t.with_counters or t.with_timeout or meter):
            return []
        i = self.index[t.name]
        out = [f"ss_direct *r = &t->direct[ss_entry_index(t, e, T{i}_STRIDE)];"]
        if t.with_counters:
            out += ["r->count.packets++;", "r->count.bytes += p->ingress_length;"]
        if t.with_timeout:
            out.append("r->last_hit_us = sw->now;")
        if meter is not None:
            units = "p->ingress_length" if meter.counts_bytes else "1"
            out.append(f"uint64_t colour = ss_meter_run(sw, &r->meter, {units});")
            if meter.result is not None:
                gen = ExprGen(self.layout)
                path, f = gen.lvalue(meter.result)
                out += gen.store(path, f, Value("colour", 1, True, Interval(0, (1 << 64) - 1)))
            else:
                out.append("(void)colour;")
        return out

    def _profile(self, t: Table) -> list[str]:
        if t.profile is None:
            return []
        which = list(self.program.profiles).index(t.profile)
        return [
            "if (action < 0) {",
            f"    const ss_member *m = ss_target_member(sw, p, {which}, action, id);",
            "    action = m == NULL ? SS_NO_ACTION : m->action;",
            "    data = m == NULL ? NULL : m->data;",
            "}",
        ]

    def _table(self, t: Table) -> list[str]:
        i = self.index[t.name]
        out = [f"const ss_table *t = &sw->tables[{i}];", *self._lookup(t)]
        if self.layout.trace:
            names = ", ".join(quote(k.name) for k in t.keys) or "NULL"
            key = "key" if t.keys else "NULL"
            call = f"ss_trace_table(sw, {i}, {origin(t.source)}, (const char *[]){{ {names} }}"
            out.append(f"{call}, {key}, e);")
        out += [
            "int32_t action = t->default_is_set ? t->default_action : SS_NO_ACTION;",
            "const void *data = t->default_data;",
        ]
        if t.profile is not None:
            out.append("uint32_t id = t->default_id;")
        hit = ["action = e->action;", f"data = (const uint8_t *)e + T{i}_DATA;"]
        if t.profile is not None:
            hit.append("id = e->id;")
        if t.keys:
            out += ["if (e != NULL) {", *(f"    {s}" for s in [*hit, *self._direct(t)]), "}"]
        out += self._profile(t)
        if t.by_hit:
            out += self._switch(t, with_next=False)
            out.append(f"if (e != NULL) {{ {self._goto(t.hit)} }}")
            out.append(self._goto(t.miss))
        else:
            out += self._switch(t, with_next=True)
            out.append(self._goto(t.after))
        return out

    def _switch(self, t: Table, with_next: bool) -> list[str]:
        actions = list(t.actions)
        if t.default_action is not None and t.default_action not in actions:
            actions.append(t.default_action)
        out = ["(void)data;", "switch (action) {"]
        for a in actions:
            out.append(f"case {a}:")
            if self.layout.trace:
                out.append(f"    {self._announce(a)}")
            out += [f"    {s}" for s in self._call(a, "data")]
            out.append(f"    {self._goto(t.next.get(a, t.after))}" if with_next else "    break;")
        return [*out, "default:", "    break;", "}"]
