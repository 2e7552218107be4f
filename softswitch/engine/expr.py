# SPDX-License-Identifier: MIT
"""Expressions to C.

BMv2 computes with integers of any size and cuts a result when it is stored.  Here every node gets
the range of values that it can have; from it, and from the number of low bits that its user needs,
follows the smallest C integer that gives the same result: uint64_t, unsigned __int128 or an array
of limbs.  Signed values are kept in two's complement.
"""

from __future__ import annotations

from dataclasses import dataclass

from softswitch.engine.errors import ConfigError
from softswitch.engine.layout import Layout, c_type
from softswitch.engine.places import Places
from softswitch.engine.program import Action, Expr, Field
from softswitch.engine.ranges import Interval, Ranges, is_bool, limbs_exact, limbs_for

COMPARE = frozenset(["==", "!=", "<", "<=", ">", ">="])
MAX_LIMBS = 512


@dataclass(frozen=True, slots=True)
class Value:
    """C text of an integer of ``limbs`` 64-bit words: a scalar for 1 and 2, else an array.

    ``exact``: it is the whole value, extended by its sign; else only the low bits count.
    """

    text: str
    limbs: int
    exact: bool
    range: Interval


def literal(value: int, limbs: int) -> str:
    """A constant of one or two limbs."""
    if limbs == 1:
        return f"UINT64_C(0x{value & (1 << 64) - 1:x})"
    value &= (1 << 128) - 1
    return f"((ss_u128)UINT64_C(0x{value >> 64:x}) << 64 | UINT64_C(0x{value & (1 << 64) - 1:x}))"


class ExprGen(Places):
    """Generates C for expressions; statements needed before go to ``pre``."""

    def __init__(self, layout: Layout, action: Action | None = None) -> None:
        super().__init__(layout)
        self.action = action
        self.ranges = Ranges(layout, action)
        self.pre: list[str] = []
        self._temps = 0

    def temp(self) -> str:
        """A fresh variable name."""
        self._temps += 1
        return f"t{self._temps}"

    def take_pre(self) -> list[str]:
        """The statements collected since the last call."""
        out, self.pre = self.pre, []
        return out

    # -- values --------------------------------------------------------------------------

    def value(self, e: Expr, need: int | None = None) -> Value:
        """``e`` as an integer; ``need``: only this many low bits count, None for all."""
        r = self.ranges.of(e)
        if need is not None and need < 1:
            need = 1
        exact = limbs_exact(r)
        limbs = exact if need is None else min(exact, limbs_for(need))
        if limbs > MAX_LIMBS:
            raise ConfigError(e.where, "the value can become too large")
        if r.low == r.high:
            return self._constant(r.low, limbs, exact)
        if is_bool(e):
            return Value(f"(uint64_t)({self.boolean(e)})", 1, True, r)
        text = self._operation(e, limbs, need) if e.kind == "op" else self._leaf(e, limbs)
        return Value(text, limbs, limbs == exact, r)

    def _constant(self, value: int, limbs: int, exact: int) -> Value:
        r = Interval(value, value)
        if limbs <= 2:
            return Value(literal(value, limbs), limbs, limbs == exact, r)
        words = ", ".join(f"UINT64_C(0x{value >> 64 * i & (1 << 64) - 1:x})" for i in range(limbs))
        name = self.temp()
        self.pre.append(f"static const uint64_t {name}[{limbs}] = {{ {words} }};")
        return Value(name, limbs, limbs == exact, r)

    def words(self, e: Expr, limbs: int) -> str:
        """``e`` modulo 2^(64 limbs) in exactly this many limbs."""
        v = self.value(e, 64 * limbs)
        return self.widen(v, limbs)

    def widen(self, v: Value, limbs: int) -> str:
        """A value in another number of limbs."""
        if v.limbs == limbs:
            return v.text
        signed = v.range.low < 0
        if limbs == 1:
            return f"(uint64_t)({v.text})" if v.limbs == 2 else f"{v.text}[0]"
        if limbs == 2:
            if v.limbs == 1:
                return (
                    f"(ss_u128)(ss_s128)(int64_t)({v.text})" if signed else f"(ss_u128)({v.text})"
                )
            return f"ss_ld128({v.text})"
        source, n = v.text, v.limbs
        if n <= 2:
            source = self.temp()
            self.pre.append(f"uint64_t {source}[{n}];")
            store = f"{source}[0] = {v.text};" if n == 1 else f"ss_st128({source}, {v.text});"
            self.pre.append(store)
        name = self.temp()
        self.pre.append(f"uint64_t {name}[{limbs}];")
        self.pre.append(f"ss_w_copy({name}, {limbs}, {source}, {n}, {str(signed).lower()});")
        return name

    def _field_text(self, path: str, f: Field, limbs: int) -> str:
        if f.varbit:
            raise ConfigError("", f"varbit field '{f.name}' cannot be used in an expression")
        if f.limbs <= 1:
            return f"ss_sx64({path}, {f.width})" if f.signed else f"(uint64_t){path}"
        if f.limbs == 2 and limbs <= 2:
            wide = f"ss_ld128({path})"
            wide = f"ss_sx128({wide}, {f.width})" if f.signed else wide
            return wide if limbs == 2 else f"{path}[0]"
        if limbs <= f.limbs and not f.signed:
            return f"{path}[0]" if limbs == 1 else f"ss_ld128({path})" if limbs == 2 else path
        if limbs <= 2:
            return f"{path}[0]" if limbs == 1 else f"ss_ld128({path})"
        name = self.temp()
        self.pre.append(f"uint64_t {name}[{limbs}];")
        self.pre.append(f"ss_w_copy({name}, {limbs}, {path}, {f.limbs}, false);")
        if f.signed:
            self.pre.append(f"ss_w_wrap({name}, {name}, {f.width}, {limbs}, true);")
        return name

    def _leaf(self, e: Expr, limbs: int) -> str:
        p = self.layout.program
        if e.kind == "field":
            header, index = e.value
            path, f = self.layout.field(header, index)
            return self._field_text(path, f, limbs)
        if e.kind == "stack_field":
            stack, index = e.value
            s = p.stacks[stack]
            last = f"ss_last({self.layout.next_index(stack)}, {len(s.headers)})"
            path = f"{self.layout.stack(stack)}[{last}].{self.layout.member(s.type, index)}"
            return self._field_text(path, s.type.fields[index], limbs)
        if e.kind == "union_stack_field":
            name, member, index = e.value
            us = p.union_stacks[name]
            type_ = p.headers[p.unions[us.unions[0]].members[member][1]].type
            last = f"ss_last({self.layout.next_index(name)}, {len(us.unions)})"
            path = f"{self.layout.union_stack(name)}[{last}].m{member}"
            path = f"{path}.{self.layout.member(type_, index)}"
            return self._field_text(path, type_.fields[index], limbs)
        if e.kind == "local" and self.action is not None and isinstance(e.value, int):
            param = self.action.params[e.value]
            path = f"d->{self.layout.param(self.action, e.value)}"
            return self._field_text(path, Field(param.name, param.width), limbs)
        if e.kind == "lookahead":
            return self._lookahead(e, limbs)
        if e.kind == "register":
            return self._register(e, limbs)
        raise ConfigError(e.where, f"a {e.kind} is not a number")

    def _lookahead(self, e: Expr, limbs: int) -> str:
        at, width = e.value
        need = (at + width + 7) // 8
        self.pre.append(f"if (len - pos < {need}u) {{ error = SS_TOO_SHORT; goto parsed; }}")
        if width <= 64:
            return f"ss_load_bits(data + pos, {at}, {width})"
        n = (width + 63) // 64
        name = self.temp()
        self.pre.append(f"uint64_t {name}[{n}];")
        self.pre.append(f"ss_w_load_bits({name}, {n}, data + pos, {at}, {width});")
        return self._field_text(name, Field("lookahead", width), limbs)

    def _register(self, e: Expr, limbs: int) -> str:
        r = self.layout.program.registers[str(e.value)]
        assert e.args[0] is not None
        name = self.temp()
        n = (r.width + 63) // 64
        index = self.index(e.args[0])
        self.pre.append(f"uint64_t {name}[{n}];")
        which = list(self.layout.program.registers).index(r.name)
        self.pre.append(f"ss_register_get(sw, {which}, {index}, {name}, {n});")
        path = f"{name}[0]" if n == 1 else name
        return self._field_text(path, Field(r.name, r.width), limbs)

    def index(self, e: Expr) -> str:
        """An index or count as uint64_t; values beyond become the largest."""
        v = self.value(e)
        if v.range.low < 0:
            raise ConfigError(e.where, "can be negative")
        if v.limbs == 1:
            return v.text
        if v.limbs == 2:
            name = self.temp()
            self.pre.append(f"ss_u128 {name} = {v.text};")
            return f"({name} >> 64 ? UINT64_MAX : (uint64_t){name})"
        high = " | ".join(f"{v.text}[{i}]" for i in range(1, v.limbs))
        return f"(({high}) ? UINT64_MAX : {v.text}[0])"

    # -- operators -----------------------------------------------------------------------

    def _operation(self, e: Expr, limbs: int, need: int | None) -> str:
        op = str(e.value)
        args = [a for a in e.args if a is not None]
        if op in ("+", "-", "*", "&", "|", "^"):
            return self._arithmetic(op, args, limbs, e)
        if op == "~":
            a = self.words(args[0], limbs)
            return f"~({a})" if limbs <= 2 else self._wide("ss_w_not", [a], limbs)
        if op == "<<":
            return self._shift_left(args, limbs)
        if op == ">>":
            return self._shift_right(args, limbs, need)
        if op in ("/", "%"):
            return self._divide(op, args, limbs)
        if op == "two_comp_mod":
            return self._wrap(args[0], int(str(args[1].value)), limbs, need)
        if op in ("sat_cast", "usat_cast"):
            return self._clamp(e, args[0], limbs)
        if op == "?":
            return self._choose(args, limbs)
        if op == "access_field":
            path, f = self.lvalue(e)
            return self._field_text(path, f, limbs)
        if op in ("last_stack_index", "size_stack"):
            following = self.layout.next_index(str(args[0].value))
            return (
                f"((uint64_t){following} - 1)"
                if op == "last_stack_index"
                else f"(uint64_t){following}"
            )
        raise ConfigError(e.where, f"'{op}' does not give a number")

    def _wide(self, function: str, args: list[str], limbs: int) -> str:
        name = self.temp()
        self.pre.append(f"uint64_t {name}[{limbs}];")
        self.pre.append(f"{function}({', '.join([name, *args, str(limbs)])});")
        return name

    def _arithmetic(self, op: str, args: list[Expr], limbs: int, e: Expr) -> str:
        if op == "&":
            for mask, other in ((args[0], args[1]), (args[1], args[0])):
                if mask.kind == "const" and isinstance(mask.value, int) and mask.value >= 0:
                    return self._mask(other, mask, limbs)
        left, right = self.words(args[0], limbs), self.words(args[1], limbs)
        if limbs <= 2:
            return f"({left} {op} {right})"
        names = {"+": "add", "-": "sub", "*": "mul", "&": "and", "|": "or", "^": "xor"}
        return self._wide(f"ss_w_{names[op]}", [left, right], limbs)

    def _mask(self, other: Expr, mask: Expr, limbs: int) -> str:
        assert isinstance(mask.value, int)
        bits = mask.value.bit_length()
        v = self.value(other, max(1, min(bits, 64 * limbs)))
        text = self.widen(v, limbs)
        covered = v.range.low >= 0 and v.exact and mask.value & (mask.value + 1) == 0
        if covered and v.range.high <= mask.value:
            return text
        if limbs <= 2:
            return f"({text} & {literal(mask.value, limbs)})"
        return self._wide("ss_w_and", [text, self._constant(mask.value, limbs, limbs).text], limbs)

    def _shift_left(self, args: list[Expr], limbs: int) -> str:
        left = self.words(args[0], limbs)
        by = args[1]
        if (
            isinstance(by.value, int)
            and by.kind == "const"
            and limbs <= 2
            and by.value < 64 * limbs
        ):
            return f"({left} << {by.value})"
        count = self.index(by)
        if limbs <= 2:
            return f"ss_shl{64 * limbs}({left}, {count})"
        return self._wide("ss_w_shl", [left, count], limbs)

    def _shift_right(self, args: list[Expr], limbs: int, need: int | None) -> str:
        by = args[1]
        constant = by.value if by.kind == "const" and isinstance(by.value, int) else None
        left = self.value(args[0], None if need is None or constant is None else need + constant)
        if left.limbs < limbs:
            left = Value(self.widen(left, limbs), limbs, True, left.range)
        signed = left.range.low < 0 and left.exact
        count = str(constant) if constant is not None else self.index(by)
        n = left.limbs
        if n <= 2 and constant is not None and constant < 64 * n:
            types = {1: "int64_t", 2: "ss_s128"}
            unsigned = {1: "uint64_t", 2: "ss_u128"}
            inner = f"({types[n]})({left.text})" if signed else f"({left.text})"
            text = f"({unsigned[n]})({inner} >> {count})"
        elif n <= 2:
            kind, plain = ("sar", {1: "uint64_t", 2: "ss_u128"}[n]) if signed else ("shr", "")
            cast = f"({({1: 'int64_t', 2: 'ss_s128'})[n]})" if signed else ""
            text = f"ss_{kind}{64 * n}({cast}({left.text}), {count})"
            text = f"({plain}){text}" if signed else text
        else:
            name = self.temp()
            self.pre.append(f"uint64_t {name}[{n}];")
            flag = str(signed).lower()
            self.pre.append(f"ss_w_shr({name}, {left.text}, {count}, {n}, {flag});")
            text = name
        return self.widen(Value(text, n, left.exact, left.range), limbs)

    def _divide(self, op: str, args: list[Expr], limbs: int) -> str:
        a, b = self.value(args[0]), self.value(args[1])
        n = max(a.limbs, b.limbs, limbs)
        negative = a.range.low < 0 or b.range.low < 0
        name = "div" if op == "/" else "mod"
        if negative and n > 2:
            raise ConfigError(args[0].where, "division of negative numbers beyond 128 bits")
        n = 2 if negative else n
        left, right = self.widen(a, n), self.widen(b, n)
        if n <= 2:
            text = f"ss_{'s' if negative else 'u'}{name}{64 * n}({left}, {right})"
            text = f"(ss_u128){text}" if negative else text
        else:
            q, r = self.temp(), self.temp()
            self.pre.append(f"uint64_t {q}[{n}], {r}[{n}];")
            self.pre.append(f"ss_w_divmod({q}, {r}, {left}, {right}, {n});")
            text = q if op == "/" else r
        return self.widen(Value(text, n, True, a.range), limbs)

    def _wrap(self, source: Expr, width: int, limbs: int, need: int | None) -> str:
        low, high = Ranges.bounds(width, signed=True)
        r = self.ranges.of(source)
        if (need is not None and need <= width) or (low <= r.low and r.high <= high):
            return self.words(source, limbs)
        inner = self.value(source, width)
        if limbs == 1:
            return f"ss_sx64({self.widen(inner, 1)}, {width})"
        if limbs == 2:
            return f"ss_sx128({self.widen(inner, 2)}, {width})"
        name = self.temp()
        text = self.widen(inner, limbs)
        self.pre.append(f"uint64_t {name}[{limbs}];")
        self.pre.append(f"ss_w_wrap({name}, {text}, {width}, {limbs}, true);")
        return name

    def _clamp(self, e: Expr, source: Expr, limbs: int) -> str:
        v, r = self.value(source), self.ranges.of(source)
        low, high = self.ranges.bounds_of_cast(e)
        if low <= r.low and r.high <= high:
            return self.widen(v, limbs)
        n = max(v.limbs, limbs_exact(Interval(min(low, r.low), max(high, r.high))))
        text, name = self.widen(v, n), self.temp()
        signed = r.low < 0
        if n <= 2:
            plain = {1: "uint64_t", 2: "ss_u128"}[n]
            cast = f"({({1: 'int64_t', 2: 'ss_s128'})[n]})" if signed else ""
            self.pre.append(f"{plain} {name} = {text};")
            if r.high > high:
                self.pre.append(
                    f"if ({cast}{name} > {cast}{literal(high, n)}) {name} = {literal(high, n)};"
                )
            if r.low < low:
                other = "else " if r.high > high else ""
                least = literal(low, n)
                self.pre.append(f"{other}if ({cast}{name} < {cast}{least}) {name} = {least};")
        else:
            top, bottom = self._constant(high, n, n).text, self._constant(low, n, n).text
            self.pre.append(f"uint64_t {name}[{n}];")
            self.pre.append(f"ss_w_copy({name}, {n}, {text}, {n}, false);")
            self.pre.append(
                f"if (ss_w_cmp({name}, {top}, {n}) > 0) memcpy({name}, {top}, {8 * n});"
            )
            self.pre.append(
                f"if (ss_w_cmp({name}, {bottom}, {n}) < 0) memcpy({name}, {bottom}, {8 * n});"
            )
        return self.widen(Value(name, n, True, Interval(low, high)), limbs)

    def _choose(self, args: list[Expr], limbs: int) -> str:
        condition = self.boolean(args[0])
        left, right = self.words(args[1], limbs), self.words(args[2], limbs)
        if limbs <= 2:
            return f"({condition} ? {left} : {right})"
        name = self.temp()
        self.pre.append(f"const uint64_t *{name} = {condition} ? {left} : {right};")
        return name

    # -- truth values --------------------------------------------------------------------

    def boolean(self, e: Expr) -> str:
        """``e`` as a C condition."""
        if e.kind == "bool":
            return "true" if e.value else "false"
        if e.kind == "valid":
            if self.layout.program.headers[str(e.value)].metadata:
                return "true"
            return f"{self.layout.header(str(e.value))}.valid"
        if e.kind == "op":
            op, args = str(e.value), [a for a in e.args if a is not None]
            if op in COMPARE:
                return self._compare(op, args[0], args[1])
            if op == "and":
                return f"({self.boolean(args[0])} && {self.boolean(args[1])})"
            if op == "or":
                return f"({self.boolean(args[0])} || {self.boolean(args[1])})"
            if op == "not":
                return f"!({self.boolean(args[0])})"
            if op in ("d2b", "b2d"):
                return self.boolean(args[0])
            if op == "valid":
                return f"{self.header(args[0])}->valid"
            if op == "valid_union":
                return self.union_valid(args[0])
            if op == "?" and is_bool(e):
                return (
                    f"({self.boolean(args[0])} ? {self.boolean(args[1])} : {self.boolean(args[2])})"
                )
        v = self.value(e)
        if v.limbs <= 2:
            return f"({v.text} != 0)"
        return f"!ss_w_is_zero({v.text}, {v.limbs})"

    def _compare(self, op: str, left: Expr, right: Expr) -> str:
        if self.is_header(left):
            return self.compare_headers(op, left, right)
        if self.is_varbit(left) or self.is_varbit(right):
            return self.compare_varbits(op, left, right)
        if is_bool(left) and is_bool(right):
            return f"((bool)({self.boolean(left)}) {op} (bool)({self.boolean(right)}))"
        known = self.ranges.decided(op, left, right)
        if known is not None:
            return "true" if known else "false"
        a, b = self.value(left), self.value(right)
        both = Interval(min(a.range.low, b.range.low), max(a.range.high, b.range.high))
        n = max(limbs_exact(both), a.limbs, b.limbs)
        x, y = self.widen(a, n), self.widen(b, n)
        if n > 2:
            return f"(ss_w_cmp({x}, {y}, {n}) {op} 0)"
        if both.low < 0:
            cast = {1: "(int64_t)", 2: "(ss_s128)"}[n]
            return f"({cast}({x}) {op} {cast}({y}))"
        return f"({x} {op} {y})"

    # -- assignment ----------------------------------------------------------------------

    def assign(self, target: Expr, source: Expr) -> list[str]:
        """Statements that store ``source`` in the field ``target``."""
        path, f = self.lvalue(target)
        if f.varbit:
            raise ConfigError(target.where, f"varbit field '{f.name}' cannot be assigned here")
        if f.width == 0:
            return []
        return self.store(path, f, self.value(source, f.width))

    def store(self, path: str, f: Field, v: Value) -> list[str]:
        """Statements that store ``v``, cut to the width of the field."""
        fits = v.exact and v.range.low >= 0 and v.range.high < 1 << f.width
        if f.width <= 64:
            text = self.widen(v, 1)
            if not fits and f.width not in (8, 16, 32, 64):
                text = f"({text}) & {literal((1 << f.width) - 1, 1)}"
            statement = f"{path} = ({c_type(f.width)})({text});"
        elif f.width <= 128:
            text = self.widen(v, 2)
            text = (
                text if fits or f.width == 128 else f"({text}) & {literal((1 << f.width) - 1, 2)}"
            )
            statement = f"ss_st128({path}, {text});"
        else:
            text = self.widen(v, f.limbs)
            statement = f"ss_w_wrap({path}, {text}, {f.width}, {f.limbs}, false);"
        return [*self.take_pre(), statement]
