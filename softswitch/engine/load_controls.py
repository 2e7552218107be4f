# SPDX-License-Identifier: MIT
"""The parser and the match-action pipelines of the document."""

from __future__ import annotations

from dataclasses import replace

from softswitch.engine.document import Node
from softswitch.engine.load_expr import Scope
from softswitch.engine.program import (
    Action,
    ActionCall,
    Condition,
    ConstEntry,
    Control,
    Expr,
    Key,
    Parser,
    ParseState,
    Primitive,
    Profile,
    Table,
    Transition,
    ValueSet,
)

BMV2_MAX_PRIORITY = (1 << 24) - 1
"""The JSON counts priorities from 1, the best; P4Runtime's are this number minus those."""

KEY_KINDS = frozenset(["exact", "lpm", "ternary", "range", "optional", "valid"])


class ControlLoader:
    """Reads pipelines; collects which actions each profile can hold."""

    def __init__(
        self, scope: Scope, actions: tuple[Action, ...], profiles: dict[str, Profile]
    ) -> None:
        self.scope = scope
        self.actions = actions
        self.index = {a.id: i for i, a in enumerate(actions)}
        self.profiles = profiles
        self.nodes: set[str] = set()

    def finished_profiles(self) -> dict[str, Profile]:
        """The profiles with their actions, after all pipelines were read."""
        return self.profiles

    def _action(self, n: Node) -> int:
        if n.number() not in self.index:
            raise n.fail(f"unknown action id {n.number()}")
        return self.index[n.number()]

    def _next(self, n: Node | None) -> str | None:
        if n is None:
            return None
        if n.text() not in self.nodes:
            raise n.fail(f"unknown node '{n.text()}'")
        return n.text()

    def control(self, n: Node) -> Control:
        """One pipeline."""
        kinds = ("tables", "conditionals", "action_calls")
        self.nodes = {x["name"].text() for k in kinds for x in n.items(k)}
        tables = tuple(self._table(t) for t in n.items("tables"))
        conditions = tuple(
            Condition(
                c["name"].text(),
                self.scope.expr(c["expression"]),
                self._next(c.get("true_next")),
                self._next(c.get("false_next")),
                c.source(),
            )
            for c in n.items("conditionals")
        )
        calls = tuple(self._call(c) for c in n.items("action_calls"))
        return Control(n["name"].text(), self._next(n.get("init_table")), tables, conditions, calls)

    def _call(self, n: Node) -> ActionCall:
        action = self._action(n["action_id"])
        if self.actions[action].params:
            raise n.fail("calls an action with parameters")
        return ActionCall(n["name"].text(), action, self._next(n.get("next_node")), n.source())

    def _key(self, n: Node) -> Key:
        kind = n["match_type"].text()
        if kind not in KEY_KINDS:
            raise n["match_type"].fail(f"match kind '{kind}' is not supported")
        if kind == "valid":
            header = n["target"].text()
            if header not in self.scope.headers:
                raise n["target"].fail(f"unknown header '{header}'")
            target, kind = Expr("valid", header), "exact"
        else:
            target = self.scope.field(n["target"])
        width = self.scope.width(target)
        if kind == "range" and width > 64:
            raise n.fail("range keys of more than 64 bits are not supported")
        if width == 0:
            raise n.fail("key of no width")
        name, mask = n.get("name"), n.get("mask")
        label = name.text() if name else ".".join(x.text() for x in n["target"]) if isinstance(
            n["target"].raw, list) else n["target"].text()  # fmt: skip
        return Key(label, kind, width, target, None if mask is None else mask.hex())

    def _params(self, n: Node, action: int) -> tuple[int, ...]:
        values = tuple(v.hex() for v in n)
        params = self.actions[action].params
        if len(values) != len(params):
            raise n.fail(f"{len(values)} values for the {len(params)} parameters of the action")
        return tuple(v & ((1 << p.width) - 1) for v, p in zip(values, params, strict=True))

    def _entry(self, n: Node, keys: tuple[Key, ...], match_kind: str, position: int) -> ConstEntry:
        values, args = [], []
        listed = list(n["match_key"])
        if len(listed) != len(keys):
            raise n["match_key"].fail(f"{len(listed)} fields for a key of {len(keys)}")
        for k, m in zip(keys, listed, strict=True):
            value, arg = self._entry_field(k, m)
            values.append(value)
            args.append(arg)
        entry = n["action_entry"]
        action = self._action(entry["action_id"])
        data = entry.get("action_data")
        params = () if data is None else self._params(data, action)
        priority = n.get("priority")
        rank = priority.number() if priority is not None else position + 1
        best = BMV2_MAX_PRIORITY - rank if match_kind in ("ternary", "range") else 0
        return ConstEntry(tuple(values), tuple(args), best, action, params)

    def _entry_field(self, k: Key, m: Node) -> tuple[int, int]:
        full = (1 << k.width) - 1
        kind = m["match_type"].text()
        if kind == "valid":
            return int(m["key"].truth()), full
        if kind == "range":
            start, end = m["start"].hex() & full, m["end"].hex() & full
            return start, end
        value = m["key"].hex() & full
        if kind == "lpm":
            n = m["prefix_length"].size(k.width)
            return value, full >> (k.width - n) << (k.width - n) if n else 0
        if kind in ("ternary", "optional"):
            mask = m.get("mask")
            return value, full if mask is None else mask.hex() & full
        if kind != "exact":
            raise m.fail(f"match kind '{kind}' is not supported")
        return value, value if k.kind == "range" else full

    def _table(self, n: Node) -> Table:
        keys = tuple(self._key(k) for k in n.items("key"))
        match_kind = n["match_type"].text()
        kinds = {k.kind for k in keys}
        if match_kind not in ("exact", "lpm", "ternary", "range"):
            raise n["match_type"].fail(f"match type '{match_kind}' is not supported")
        if kinds & {"ternary", "optional"} and match_kind in ("exact", "lpm"):
            match_kind = "ternary"
        if "range" in kinds:
            match_kind = "range"
        actions = tuple(self._action(a) for a in n.items("action_ids"))
        profile = None
        if n["type"].text() != "simple":
            profile = n["action_profile"].text()
            if profile not in self.profiles:
                raise n["action_profile"].fail(f"unknown action profile '{profile}'")
            held = self.profiles[profile]
            more = tuple(a for a in actions if a not in held.actions)
            self.profiles[profile] = replace(held, actions=held.actions + more)
        following, hit, miss, by_hit = self._following(n, actions)
        default, params, action_const, entry_const = self._default(n)
        timeout = n.get("support_timeout")
        meter = n.get("direct_meters")
        return Table(
            name=n["name"].text(),
            match_kind=match_kind,
            keys=keys,
            actions=actions,
            max_size=max(1, n["max_size"].size()) if n.get("max_size") else 1024,
            with_counters=n.flag("with_counters"),
            with_timeout=timeout is not None and timeout.truth(),
            direct_meter=None if meter is None else meter.text(),
            profile=profile,
            default_action=default,
            default_params=params,
            default_action_const=action_const,
            default_entry_const=entry_const,
            entries=tuple(
                self._entry(e, keys, match_kind, i) for i, e in enumerate(n.items("entries"))
            ),
            next=following,
            after=self._next(n.get("base_default_next")),
            hit=hit,
            miss=miss,
            by_hit=by_hit,
            source=n.source(),
        )

    def _following(
        self, n: Node, actions: tuple[int, ...]
    ) -> tuple[dict[int, str | None], str | None, str | None, bool]:
        listed = n["next_tables"]
        if not isinstance(listed.raw, dict):
            raise listed.fail("expected an object")
        if "__HIT__" in listed.raw or "__MISS__" in listed.raw:
            return {}, self._next(listed.get("__HIT__")), self._next(listed.get("__MISS__")), True
        out = {}
        for a in actions:
            name = self.actions[a].name
            if name in listed.raw:
                out[a] = self._next(listed.get(name))
        return out, None, None, False

    def _default(self, n: Node) -> tuple[int | None, tuple[int, ...], bool, bool]:
        entry = n.get("default_entry")
        if entry is None:
            return None, (), False, False
        action, data = self._action(entry["action_id"]), entry.get("action_data")
        if data is None and self.actions[action].params:
            return None, (), False, False
        params = () if data is None else self._params(data, action)
        constant = entry.flag("action_const")
        return action, params, constant, entry.flag("action_entry_const") and data is not None


class ParserLoader:
    """Reads the parser; finds the key widths of the value sets on the way."""

    def __init__(self, scope: Scope, vsets: dict[str, Node]) -> None:
        self.scope = scope
        self.vsets = vsets
        self.widths: dict[str, tuple[int, ...]] = {}

    def value_sets(self) -> dict[str, ValueSet]:
        """The value sets, after the parser was read."""
        out = {}
        for name, n in self.vsets.items():
            width = n["compressed_bitwidth"].size(1 << 14)
            size = n.get("max_size")
            out[name] = ValueSet(
                name, width, self.widths.get(name, (width,)), 1024 if size is None else size.size()
            )
        return out

    def parser(self, parsers: list[Node]) -> Parser:
        """The parser; a program without one passes packets on unparsed."""
        if not parsers:
            return Parser(None, ())
        n = parsers[0]
        names = {s["name"].text() for s in n["parse_states"]}
        init = n.get("init_state")
        if init is not None and init.text() not in names:
            raise init.fail(f"unknown state '{init.text()}'")
        states = tuple(self._state(s, names) for s in n["parse_states"])
        return Parser(None if init is None else init.text(), states)

    def _width(self, e: Expr) -> int:
        width: int
        if e.kind == "lookahead":
            width = e.value[1]
        elif e.kind == "stack_field":
            stack, index = e.value
            width = self.scope.stacks[stack].type.fields[index].width
        elif e.kind == "union_stack_field":
            name, member, index = e.value
            union = self.scope.unions[self.scope.union_stacks[name].unions[0]]
            width = self.scope.headers[union.members[member][1]].type.fields[index].width
        else:
            width = self.scope.width(e)
        return width

    def _state(self, n: Node, names: set[str]) -> ParseState:
        ops = tuple(self._op(o) for o in n.items("parser_ops"))
        keys = tuple(self.scope.expr(k) for k in n.items("transition_key"))
        widths = tuple(self._width(k) for k in keys)
        transitions = tuple(self._transition(t, widths, names) for t in n.items("transitions"))
        return ParseState(n["name"].text(), ops, keys, transitions, n.source())

    def _op(self, n: Node) -> Primitive:
        op = n["op"].text()
        if op == "primitive":
            inner = n["parameters"][0]
            p = self.scope.primitive(inner, 0)
            return replace(p, source=p.source or n.source())
        args = []
        for a in n.items("parameters"):
            if isinstance(a.raw, dict) and a.raw.get("type") in ("regular", "stack", "union_stack"):
                args.append(self._extract_target(a))
            elif isinstance(a.raw, int):
                args.append(Expr("const", a.number()))
            else:
                args.append(self.scope.expr(a))
        return Primitive(op, tuple(args), n.source(), n.path)

    def _extract_target(self, n: Node) -> Expr:
        kind = n["type"].text()
        if kind == "union_stack":
            v = n["value"]
            stack = self.scope.union_stacks.get(v[0].text())
            if stack is None:
                raise v.fail(f"unknown header union stack '{v[0].text()}'")
            labels = [label for label, _ in self.scope.unions[stack.unions[0]].members]
            if v[1].text() not in labels:
                raise v.fail(f"'{stack.name}' has no member '{v[1].text()}'")
            return Expr("union_stack", (stack.name, labels.index(v[1].text())), where=n.path)
        return self.scope.named(n, "header" if kind == "regular" else "header_stack")

    def _split(self, n: Node, widths: tuple[int, ...]) -> tuple[int, ...]:
        """One number for all key fields, each padded to whole bytes, into one for each."""
        value, out = n.hex(), []
        for w in reversed(widths):
            padded = (w + 7) // 8 * 8
            out.append(value & ((1 << padded) - 1))
            value >>= padded
        if value:
            raise n.fail("is longer than the key")
        return tuple(reversed(out))

    def _transition(self, n: Node, widths: tuple[int, ...], names: set[str]) -> Transition:
        kind_node, next_node = n.get("type"), n.get("next_state")
        following = None if next_node is None else next_node.text()
        if following is not None and following not in names:
            raise n["next_state"].fail(f"unknown state '{following}'")
        kind = "hexstr" if kind_node is None else kind_node.text()
        if kind == "default" or (kind_node is None and n["value"].raw == "default"):
            return Transition("default", (), (), None, following)
        mask_node = n.get("mask")
        masks: tuple[int | None, ...] = (
            (None,) * len(widths) if mask_node is None else self._split(mask_node, widths)
        )
        if kind == "parse_vset":
            name = n["value"].text()
            if name not in self.vsets:
                raise n["value"].fail(f"unknown value set '{name}'")
            if self.widths.setdefault(name, widths) != widths:
                raise n.fail(f"value set '{name}' is matched with keys of different widths")
            return Transition("value_set", (), masks, name, following)
        if kind != "hexstr":
            raise n.fail(f"transition of type '{kind}' is not supported")
        return Transition("value", self._split(n["value"], widths), masks, None, following)
