# SPDX-License-Identifier: MIT
"""Parsers as a graph of states: sub-parsers inlined, branches in states split into states."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import product

from softswitch.frontend import ast
from softswitch.frontend.lower import calls, instances, ir, stmts
from softswitch.frontend.lower.context import Context, Frame, Instance, unsupported
from softswitch.frontend.lower.copying import read
from softswitch.frontend.lower.effects import tidy
from softswitch.frontend.lower.entries import bounds, range_masks
from softswitch.frontend.lower.exprs import sequence
from softswitch.frontend.lower.inline import Arguments, for_instance, object_of
from softswitch.frontend.lower.model import Case, State, ValueSet
from softswitch.frontend.lower.places import Aggregate, Value
from softswitch.frontend.lower.storage import unique


@dataclass
class Activation:
    """One inlined use of a parser: ``accept`` is where it continues, None ends parsing."""

    frame: Frame
    accept: State | None
    prefix: str
    states: dict[ast.StateDecl, State] = field(default_factory=dict)


class ParserLowering:
    """Builds the states of a parser and of all parsers that it applies."""

    def __init__(self, ctx: Context) -> None:
        self.ctx = ctx
        self.states: list[State] = []
        self.names: set[str] = {"accept", "reject"}

    def state(self, name: str, span: ast.Span) -> State:
        """A new state."""
        made = State(unique(name, self.names), span=span)
        self.states.append(made)
        return made

    def run(self, instance: Instance, frame: Frame) -> State:
        """Lower a parser with its parameters bound in ``frame``; gives the start state."""
        return self._enter(instance, Activation(frame, None, ""))

    def _enter(self, instance: Instance, activation: Activation) -> State:
        decl = instance.decl
        assert isinstance(decl, ast.ParserDecl)
        entry = self.state(f"{activation.prefix}start", decl.name_span)
        with self.ctx.enter(activation.frame), self.ctx.capture() as entry.ops:
            calls.declare_locals(self.ctx, decl.locals)
        start = next(s for s in decl.states if s.name == "start")
        entry.cases = [Case("default", None, None, self._state(start, activation))]
        return entry

    def _state(self, decl: ast.StateDecl, activation: Activation) -> State:
        found = activation.states.get(decl)
        if found is None:
            found = self.state(f"{activation.prefix}{decl.name}", decl.name_span)
            activation.states[decl] = found
            self._fill(decl, found, activation)
        return found

    def _fill(self, decl: ast.StateDecl, current: State, activation: Activation) -> None:
        ctx = self.ctx
        for stmt in decl.statements:
            if isinstance(stmt, ast.CallStatement) and stmt.call.kind is ast.CallKind.APPLY:
                current = self._apply(stmt.call, current, activation)
                continue
            with ctx.enter(activation.frame), ctx.capture() as out:
                stmts.run(ctx, [stmt])
            current.ops.extend(out)
        with ctx.enter(activation.frame), ctx.capture() as out:
            self._transition(decl, current, activation)
        current.ops.extend(out)

    # ----------------------------------------------------------------- sub-parsers

    def _apply(self, call: ast.Call, current: State, activation: Activation) -> State:
        ctx = self.ctx
        after = self.state(f"{current.name}_after", call.span)
        first = len(self.states)
        with ctx.enter(activation.frame):
            instance = self._instance(call)
            frame = Frame("parser", lexical=ctx.globals, caller=ctx.frame, instance=instance)
            arguments = Arguments(ctx, frame, for_instance(call.bound, instance.decl))
        inner = Activation(frame, after, f"{current.name}_{instance.decl.name}_")
        start = self._enter(instance, inner)
        made = self.states[first:]
        copies_out = arguments.copies_out()
        body = [s for state in made for s in state.ops]
        renaming = arguments.merge(body, [k for state in made for k in state.keys])
        if renaming:
            renaming.statements([*arguments.setup, *body, *copies_out])
            for state in made:
                state.keys = [renaming.expr(k) for k in state.keys]
        current.ops.extend(arguments.setup)
        current.cases = [Case("default", None, None, start)]
        after.ops.extend(copies_out)
        return after

    def _instance(self, call: ast.Call) -> Instance:
        ctx = self.ctx
        if isinstance(call.target, ast.Name) and call.target.decl is not None:
            found = ctx.frame.find(call.target.decl)
            if isinstance(found, instances.Pending):
                found = instances.build(ctx, found)
            if isinstance(found, Instance) and isinstance(found.decl, ast.ParserDecl):
                return found
            raise unsupported("only parsers can be applied in a parser", call.span)
        assert isinstance(call.decl, ast.ParserDecl)
        owner = ctx.frame.owner()
        path = f"{owner.path}.{call.decl.name}" if owner else call.decl.name
        return instances.create(ctx, call.decl, path, {})

    # ----------------------------------------------------------------- transitions

    def _target(self, name: str, decl: ast.StateDecl | None, inside: Activation) -> State | None:
        if decl is not None:
            return self._state(decl, inside)
        return inside.accept if name == "accept" else None

    def _transition(self, decl: ast.StateDecl, current: State, inside: Activation) -> None:
        transition = decl.transition
        if transition is None:
            current.cases = [Case("default", None, None, None)]
            return
        if not transition.keys:
            target = self._target(transition.state, transition.decl, inside)
            current.cases = [Case("default", None, None, target)]
            return
        ctx = self.ctx
        keys: list[ir.Expr] = []
        for expr, found in zip(transition.keys, sequence(ctx, transition.keys), strict=True):
            keys += [self._key(k, expr.span) for k in _flat(found)]
        current.keys = keys
        for case in transition.cases:
            target = self._target(case.state, case.decl, inside)
            current.cases += self._cases(case, keys, target)
            if current.cases and current.cases[-1].kind == "default":
                break

    def _key(self, key: ir.Expr, span: ast.Span) -> ir.Expr:
        if isinstance(key, (ir.FieldRef, ir.StackLast, ir.UnionLast)):
            return key
        return self.ctx.saved(key, span, "select")

    def _cases(self, case: ast.SelectCase, keys: list[ir.Expr], target: State | None) -> list[Case]:
        keysets = _flat_sets(case.keysets)
        if all(isinstance(k, ast.DefaultExpr) for k in keysets):
            return [Case("default", None, None, target)]
        if any(self._is_value_set(k) for k in keysets):
            if len(keysets) > 1:
                text = "a value set must be the only key set of a case"
                raise unsupported(text, case.span)
            found = object_of(self.ctx, keysets[0])
            assert isinstance(found, ValueSet)
            return [Case("parse_vset", found.name, None, target)]
        choices = [self._choices(k, key.width) for k, key in zip(keysets, keys, strict=True)]
        widths = [k.width for k in keys]
        return [_case(combination, widths, target) for combination in product(*choices)]

    @staticmethod
    def _is_value_set(expr: ast.Expression) -> bool:
        return isinstance(expr, ast.Name) and isinstance(expr.decl, ast.ValueSetDecl)

    def _choices(self, keyset: ast.Expression, width: int) -> list[tuple[int, int]]:
        full = (1 << width) - 1
        low, high, mask = bounds(self.ctx, keyset, width)
        if high is not None:
            return range_masks(low, high, width)
        return [(low, full if mask is None else mask)]


def _flat(value: Value) -> list[ir.Expr]:
    if isinstance(value, Aggregate):
        return [x for item in value.fields.values() for x in _flat(item)]
    return [read(value)]


def _flat_sets(keysets: list[ast.Expression]) -> list[ast.Expression]:
    result: list[ast.Expression] = []
    for item in keysets:
        if isinstance(item, ast.ListExpr):
            result += _flat_sets(item.elements)
        else:
            result.append(item)
    return result


def _case(
    combination: tuple[tuple[int, int], ...], widths: list[int], target: State | None
) -> Case:
    """Keys side by side, each padded to whole bytes."""
    value = mask = full = 0
    for (one, its_mask), width in zip(combination, widths, strict=True):
        size = 8 * ((width + 7) // 8)
        value = value << size | one
        mask = mask << size | its_mask
        full = full << size | ((1 << width) - 1)
    return Case("hexstr", value, None if mask == full else mask, target)


# --------------------------------------------------------------------------- splitting


class _Splitter:
    """Turns branches and loops inside states into states."""

    def __init__(self, lowering: ParserLowering) -> None:
        self.lowering = lowering

    def split(self, state: State) -> None:
        ops = tidy(state.ops)
        keys, cases = state.keys, state.cases
        state.ops, state.keys, state.cases = [], [], []
        last = self._emit(state, ops, {})
        if last is not None:
            last.keys, last.cases = keys, cases

    def _new(self, base: State, hint: str) -> State:
        return self.lowering.state(f"{base.name}_{hint}", base.span)

    def _emit(
        self, current: State | None, ops: list[ir.Stmt], labels: dict[ir.Label, State]
    ) -> State | None:
        for stmt in ops:
            if current is None:
                return None
            if isinstance(stmt, ir.If):
                current = self._branch(current, stmt, labels)
            elif isinstance(stmt, ir.Block):
                join = self._new(current, "end")
                last = self._emit(current, stmt.body, {**labels, stmt.label: join})
                _goto(last, join)
                current = join
            elif isinstance(stmt, ir.Loop):
                head = self._new(current, "loop")
                _goto(current, head)
                _goto(self._emit(head, stmt.body, labels), head)
                current = None
            elif isinstance(stmt, ir.Leave):
                _goto(current, labels[stmt.label])
                current = None
            elif isinstance(stmt, (ir.Exit, ir.Apply, ir.Emit)):
                raise unsupported("this statement cannot be used in a parser", stmt.span)
            else:
                current.ops.append(stmt)
        return current

    def _branch(self, current: State, stmt: ir.If, labels: dict[ir.Label, State]) -> State | None:
        key = stmt.condition
        if not isinstance(key, ir.FieldRef):
            ctx = self.lowering.ctx
            key = ctx.temporary("cond", key)
            current.ops.append(ir.Assign(key, stmt.condition, span=stmt.span))
        then, otherwise = self._new(current, "true"), self._new(current, "false")
        current.keys = [key]
        current.cases = [Case("hexstr", 1, None, then), Case("hexstr", 0, None, otherwise)]
        ends = [self._emit(then, stmt.then, labels), self._emit(otherwise, stmt.otherwise, labels)]
        if ends == [None, None]:
            return None
        join = self._new(current, "join")
        for end in ends:
            _goto(end, join)
        return join


def _goto(state: State | None, target: State) -> None:
    if state is not None:
        state.cases = [Case("default", None, None, target)]


def finish(lowering: ParserLowering, start: State) -> list[State]:
    """Split branches, join chains of states; the states that can be reached, start first."""
    splitter = _Splitter(lowering)
    for state in list(lowering.states):
        splitter.split(state)
    for state in lowering.states:
        for case in state.cases:
            case.next = _past_empty(case.next)
    reached = _reachable(start)
    for state in reached:
        while (after := _only_successor(state, reached)) is not None and after is not start:
            state.ops += after.ops
            state.keys, state.cases = after.keys, after.cases
            after.cases = []
            reached = _reachable(start)
    return _reachable(start)


def _past_empty(state: State | None) -> State | None:
    """The first state from here on that does something."""
    first = state
    while state is not None and not state.ops and not state.keys and len(state.cases) == 1:
        state = state.cases[0].next
        if state is first:
            break
    return state


def _only_successor(state: State, reached: list[State]) -> State | None:
    if len(state.cases) != 1 or state.cases[0].kind != "default" or state.keys:
        return None
    after = state.cases[0].next
    if after is None or after is state:
        return None
    uses = sum(c.next is after for s in reached for c in s.cases)
    return after if uses == 1 else None


def _reachable(start: State) -> list[State]:
    seen = {id(start)}
    result, at = [start], 0
    while at < len(result):
        for case in result[at].cases:
            if case.next is not None and id(case.next) not in seen:
                seen.add(id(case.next))
                result.append(case.next)
        at += 1
    return result
