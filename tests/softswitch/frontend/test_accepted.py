# SPDX-License-Identifier: MIT
"""Programs that must be accepted, and what the checker finds in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TypeVar

import pytest

from softswitch.frontend import ast
from softswitch.frontend import types as ty

from .sample_programs import check, program

N = TypeVar("N")

CONSTANTS = [
    "8w0xFF + 1 == 0",
    "8w3 - 5 == 254",
    "1 << 100 == 0x10000000000000000000000000",
    "8w250 |+| 10 == 255",
    "8w3 |-| 4 == 0",
    "4s7 |+| 4s1 == 7",
    "-(4s7) |-| 4s3 == -8",
    "8s100 + 8s100 == -56",
    "8s0x7F * 2 == -2",
    "(8s0b1000_0001 >> 1) == -64",
    "8w0x80 >> 7 == 1",
    "8w1 << 9 == 0",
    "8w5[2:1] == 2w2",
    "8w1 ++ 8w2 == 16w0x102",
    "4s7 ++ 4w15 == 8s127",
    "(int<16>)(int<8>) 8w255 == -1",
    "(bit<16>) 8w255 == 255",
    "(bit<4>) 8w0xAB == 0xB",
    "7 / 2 == 3 && 7 % 4 == 3",
    "8w200 / 16 == 12 && 8w200 % 16 == 8",
    "~8w0 == 255",
    "-(8w1) == 255",
    "(8w3 ^ 8w5 | 8w8 & 8w15) == 14",
    "8w1 + 8w2 * 3 == 7",
    "!(8w1 & 3 == 8w0)",
    "(bool) 1w1 && (bit<1>) true == 1",
    "0x_F_f == 255 && 0b1_1 == 3 && 0o17 == 15 && 1_000 == 1000",
    "Code.two + 1 == 3",
    "(Code) 8w2 == Code.two",
    "Plain.X != Plain.Y && error.NoError != error.NoMatch",
    "h_t.minSizeInBits() == 48 && h_t.minSizeInBytes() == 6",
    "v_t.minSizeInBits() == 0 && v_t.maxSizeInBytes() == 8",
    "(true ? 8w1 : 2) == 1",
    "T[1] == 2 && P.first == 7 && P.second",
    "(Port_t) 8w3 == PORT",
    "A ++ A == 16w0x0303",
]
CONST_DECLS = """
const bit<8> A = 3;
const tuple<bit<8>, bit<16>> T = { 1, 2 };
const pair_t<bit<8>, bool> P = { second = true, first = 7 };
const Port_t PORT = 3;
"""


@pytest.mark.parametrize("expression", CONSTANTS)
def test_constants_fold_as_specified(expression: str, tmp_path: Path) -> None:
    check(program(top=f"{CONST_DECLS}const bool OK = static_assert({expression});"), tmp_path)


APPLY = {
    "initialisers": "hdr.h = { 1, 2, 3, Code.one, true, 0 }; hdr.h = { b = 3, ... }; hdr.h = ...;"
    " hdr.h = {#}; hdr.h = (h_t) { 1, ... }; meta.p = { first = 1, second = false };",
    "declarations": "bit<8> a = ...; h_t x; tuple<bit<8>, bool> t = { 1, true }; a = t[0];"
    " const bit<8> c = 4; bit b = 1; a = c; int<8> s = -1; pair_t<h_t, bit<4>> p = { x, 1 };",
    "compound": "hdr.h.a += 1; hdr.h.a |+|= 2; hdr.h.a |-|= 1; hdr.h.a <<= 1; hdr.h.a >>= 1;"
    " hdr.h.b[7:0] *= 2; hdr.h.a /= 4; hdr.h.a %= 8; hdr.h.a &= 1; hdr.h.a |= 2; hdr.h.a ^= 3;",
    "casts": "hdr.h.a = (bit<8>) hdr.h.s; hdr.h.s = (int<8>) hdr.h.a; hdr.h.a = hdr.h.c;"
    " hdr.h.c = (Code) hdr.h.a; meta.port = (Port_t) hdr.h.a; hdr.h.f = (bool) hdr.h.a[0:0];",
    "shifts": "hdr.h.a = hdr.h.a << 3; hdr.h.a = hdr.h.a >> hdr.h.b; hdr.h.s = hdr.h.s >> 1;"
    " hdr.h.a = 1 << 3; hdr.h.a = 8w1 << hdr.h.a;",
    "part select": "hdr.h.b[3 +: 4] = 2; hdr.h.a = hdr.h.b[3 +: 8];"
    " hdr.h.a = hdr.h.b[hdr.h.a +: 8];",
    "stacks": "hdr.hs[1] = hdr.hs[0]; hdr.hs.push_front(1); hdr.hs.pop_front(2);"
    " hdr.hs[hdr.h.a].a = 1; bit<32> n = hdr.hs.size;",
    "unions": "hdr.u.h.setValid(); hdr.u.v.setInvalid(); if (hdr.u.isValid()) { hdr.u.h.a = 1; }",
    "comparisons": "hdr.h.f = hdr.h == hdr.g; hdr.h.f = hdr.hs == hdr.hs;"
    " hdr.h.f = meta.p == { 1, true };"
    " hdr.h.f = hdr.h.c == 2; hdr.h.f = meta.err != error.NoMatch; hdr.h.f = meta.e == Plain.X;",
    "switch": "switch (hdr.h.a) { 1: 2: { } 8w3: { } default: { } }"
    " switch (meta.e) { Plain.X: { } } switch (hdr.h.c) { Code.one: { } default: { } }",
    "loops": "for (bit<8> i = 0, bit<8> j = 1; i < 3; i = i + 1, j += 2) { if (i == j) break; }"
    " for (bit<8> i in 1 .. hdr.h.a) { hdr.h.a = i; continue; } for (h_t x in hdr.hs) { }"
    " for (bit<8> i in (list<bit<8>>) { 1, 2 }) { } @unroll for (; hdr.h.f; ) { }",
    "externs": "random(hdr.h.a, 0, 10);"
    " hash(hdr.h.b, HashAlgorithm.crc16, 16w0, { hdr.h.a }, 32w9);"
    ' digest(1, { hdr.h.a }); digest<pair_t<bit<8>, bool>>(1, { 1, true }); log_msg("x");'
    ' log_msg("{}", { hdr.h.a }); clone(CloneType.I2E, 5); truncate(64); assert(true);'
    " resubmit_preserving_field_list(Code.one); mark_to_drop(sm);",
    "functions": "hdr.h.a = add(y = 1, x = hdr.h.a); hdr.h.a = add(1, 2, 3);"
    " give(hdr.h.a); give(_);"
    " hdr.h.b = pick(true, hdr.h.b, 3); meta.p = swap<bool, bit<8>>({ true, 3 });",
    "names": "bit<8> key = 1; bit<8> state = key; bit<8> actions = state; hdr.h.a = actions;"
    " bit<8> priority = 1; bit<8> type = priority; hdr.h.a = type;",
    "shadowing of globals": "bit<8> add = 3; hdr.h.a = add; { bit<16> add = 4; hdr.h.b = add; }",
    "direct application": "Sub.apply(hdr.h.a);",
}
FUNCTIONS = """
bit<8> add(in bit<8> x, in bit<8> y) { return x + y; }
bit<8> add(in bit<8> x, in bit<8> y, in bit<8> z) { return x + y + z; }
void give(out bit<8> x) { x = 1; }
T pick<T>(in bool c, in T a, in T b) { if (c) { return a; } else { return b; } }
pair_t<B, A> swap<A, B>(in pair_t<A, B> p) { return { p.second, p.first }; }
control Sub(inout bit<8> x) { apply { x = x + 1; } }
"""


@pytest.mark.parametrize("name", APPLY)
def test_statements_are_accepted(name: str, tmp_path: Path) -> None:
    check(program(top=FUNCTIONS, apply=APPLY[name]), tmp_path)


def test_tables_are_accepted_and_complete(tmp_path: Path) -> None:
    control = """
    direct_counter(CounterType.bytes) dc;
    action_selector(HashAlgorithm.crc16, 32w64, 16) sel;
    action a(in bit<8> i, inout bit<8> io, bit<4> z) { io = i + (bit<8>) z; }
    action b(bit<8> x, bit<16> y) { hdr.h.a = x; hdr.h.b = y; }
    table t {
        key = { hdr.h.a : exact @name("k"); hdr.h.b : ternary; hdr.h.isValid() : optional;
                hdr.h.a[3:0] : range; hdr.h.b & 0xF0 : lpm; hdr.h.c : exact; }
        actions = { a(hdr.h.a, meta.m); @defaultonly NoAction; b(); }
        default_action = b(y = 1, x = 2);
        counters = dc; size = 64; largest_priority_wins = false;
        entries = {
            (1, 2 &&& 3, true, 0 .. 3, 0xF0 &&& 0xFFF0, Code.one) : a(4);
            const priority = 7 : (1, _, default, _, _, Code.two) : b(1, 2) @name("e");
            priority = (3 + 4) : (1, 5, true, 7, 0x10, 3) : NoAction();
        }
    }
    table s { key = { hdr.h.a : selector; hdr.h.b : exact; } actions = { b; }
              implementation = sel; const default_action = b(1, 2); }
    """
    control = control.replace("0x10, 3)", "0x10, Code.one)").replace("b();", "b;")
    typed = check(program(control=control, apply="t.apply(); s.apply();"), tmp_path)
    table = next(t for t in find(typed.program, ast.TableDecl) if t.name == "t")
    assert [k.match_kind.name for k in table.keys or []] == [
        *("exact", "ternary", "optional", "range", "lpm", "exact")
    ]
    assert table.default_action is not None
    assert [b.value.const for b in table.default_action.bound if b.value] == [2, 1]
    first = (table.entries or [])[0]
    assert [b.value is not None for b in first.action.bound] == [True, True, True]
    priorities = [e.priority.const for e in table.entries or [] if e.priority]
    assert priorities == [7, 7]


def test_generic_functions_are_specialised_for_each_use(tmp_path: Path) -> None:
    apply = "hdr.h.a = twice(hdr.h.a); hdr.h.b = twice(hdr.h.b); hdr.h.b = twice(hdr.h.b);"
    top = "T id<T>(in T x) { return x; } T twice<T>(in T x) { return id(id<T>(x)); }"
    typed = check(program(top=top, apply=apply), tmp_path)
    control = next(c for c in find(typed.program, ast.ControlDecl) if c.name == "Ig")
    decls = [c.decl for c in find(control.body, ast.Call) if c.kind is ast.CallKind.FUNCTION]
    assert len(set(decls)) == 2
    for decl in decls:
        assert isinstance(decl, ast.FunctionDecl)
        assert decl.type_params == []
        inner = [c.decl for c in find(decl.body, ast.Call)]
        assert all(isinstance(d, ast.FunctionDecl) and d.bindings == decl.bindings for d in inner)
    assert isinstance(decls[0], ast.FunctionDecl)
    assert decls[0].result.type == ty.Bit(8)


def test_generic_controls_and_parsers_are_specialised(tmp_path: Path) -> None:
    typed = check(
        program(
            top="control Swap<T>(inout T a, inout T b)(T k) { T t; apply { t = a; a = b; b = t; } }"
            " control Set<T>(inout T a, in T b) { apply { a = b; } }"
            " parser Get<T>(packet_in p, out T h) { state start { p.extract(h); } }",
            parser="Get<h_t>() get;",
            state="get.apply(pkt, hdr.h);",
            control="Swap<bit<8>>(3) one; Swap(16w3) two; Swap<bit<8>>(k = 4) three;",
            apply="one.apply(hdr.h.a, hdr.g.a); two.apply(hdr.h.b, hdr.g.b);"
            " three.apply(hdr.h.a, meta.m); Set.apply(hdr.h.a, 3); Set<bit<16>>.apply(hdr.h.b, 3);",
        ),
        tmp_path,
    )
    calls = [c for c in find(typed.program, ast.Call) if c.kind is ast.CallKind.APPLY]
    assert len(calls) == 6
    for call in calls:
        assert isinstance(call.decl, (ast.ControlDecl, ast.ParserDecl))
        assert call.decl.type_params == []
        assert [b.param for b in call.bound] == call.decl.params
        kinds = [b.param.type for b in call.bound if b.value]
        assert kinds == [b.value.type for b in call.bound if b.value]
    one, two, three = (
        c.decl for c in calls if isinstance(c.decl, ast.ControlDecl) and c.decl.name == "Swap"
    )
    assert one is three
    assert one is not two


def test_every_expression_has_a_type_and_implicit_casts_are_written(tmp_path: Path) -> None:
    blocks = "\n".join(f"{{ {text} }}" for text in APPLY.values())
    typed = check(program(top=FUNCTIONS, apply=blocks), tmp_path)
    control = next(c for c in find(typed.program, ast.ControlDecl) if c.name == "Ig")
    seen = 0
    for node in find(control.body, ast.Expression):
        assert not isinstance(node.type, (ty.Unknown, ty.DontCare)), node
        assert node.const is not None or not isinstance(node.type, ty.InfInt), node
        seen += 1
    assert seen > 300
    for assign in find(control.body, ast.Assign):
        if not assign.op:
            assert assign.target.type == assign.value.type, assign


def test_parser_features_are_accepted(tmp_path: Path) -> None:
    check(
        program(
            top="parser Sub(packet_in b, out h_t h)(bit<8> k) { state start { b.extract(h);"
            " transition select(h.a) { k: accept; default: reject; } } }",
            parser="Sub(3) sub; value_set<bit<8>>(4) vs; value_set<tuple<bit<8>, bit<16>>>(4) two;"
            " bit<8> n = 3; const bit<8> K = 9;",
            state="sub.apply(pkt, hdr.h); pkt.extract(hdr.hs.next); hdr.hs.last.a = 1;"
            " n = n + (bit<8>) hdr.hs.lastIndex; pkt.extract(hdr.v, (bit<32>) hdr.h.a * 8);"
            " pkt.advance(8); h_t look = pkt.lookahead<h_t>(); verify(look.a == 1, error.NoMatch);"
            " if (n == 2) { n = 3; } else n = 4; { bit<8> x = 4; n = x; }",
            states="state a { transition select(hdr.h.a, hdr.h.b, hdr.h.f, hdr.h.c) {"
            " (0 .. 3, 4 &&& 0xF, true, Code.one): b; (K, _, false, default): start;"
            " (vs, default, _, _): b; default: reject; } }"
            " state b { transition select(hdr.h.a, hdr.h.b) { two: accept; (1, 2): a;"
            " _: accept; } }"
            " state c { transition select(hdr.h.a) { vs: b; 5: c; (8): accept; 1 .. 2: accept; } }",
        ),
        tmp_path,
    )


def test_warnings_do_not_reject(tmp_path: Path) -> None:
    typed = check(program(apply="hdr.h.a = 300;"), tmp_path)
    assert [w.kind for w in typed.warnings] == ["mismatch"]


@pytest.mark.parametrize("version", [20180101, 20200408])
def test_both_versions_of_v1model(version: int, tmp_path: Path) -> None:
    index = ", bit<8>" if version > 20200000 else ""
    text = program(
        control=f"register<bit<32>{index}>(8) r;",
        apply="bit<32> x; r.read(x, 3); r.write(3, x + 1);",
    )
    check(f"#define V1MODEL_VERSION {version}\n{text}", tmp_path)


_ELSEWHERE = ("decl", "type", "const", "span", "extern", "param", "args", "callee")


def find(node: object, kind: type[N]) -> Iterator[N]:
    """All nodes of a kind below ``node``, declarations that are only pointed to excepted."""
    if isinstance(node, kind):
        yield node
    if isinstance(node, (list, tuple)):
        for item in node:
            yield from find(item, kind)
    elif isinstance(node, dict):
        yield from find(list(node.values()), kind)
    elif isinstance(node, ast.BoundArgument):
        yield from find(node.value, kind)
    elif isinstance(node, ast.Node) and is_dataclass(node):
        for item in fields(node):
            if item.name not in _ELSEWHERE:
                yield from find(getattr(node, item.name), kind)
