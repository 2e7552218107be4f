# SPDX-License-Identifier: MIT
"""Programs that must be rejected: the kind stands in a comment on the line of the error."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .sample_programs import errors, program

APPLY = {
    "bool to bit": "hdr.h.a = true; //! type-error",
    "widths differ": "hdr.h.b = hdr.h.a; //! type-error",
    "signs differ": "hdr.h.s = hdr.h.a; //! type-error",
    "operand widths": "hdr.h.b = hdr.h.a + hdr.h.b; //! type-error",
    "operand signs": "hdr.h.a = hdr.h.a + hdr.h.s; //! type-error",
    "bool plus bool": "hdr.h.f = hdr.h.f + true; //! type-error",
    "not of bit": "hdr.h.f = !hdr.h.a; //! type-error",
    "and of bits": "hdr.h.f = hdr.h.a && hdr.h.f; //! type-error",
    "complement of int": "hdr.h.a = ~5; //! type-error",
    "order of bools": "hdr.h.f = hdr.h.f < true; //! type-error",
    "order of enums": "hdr.h.f = meta.e < Plain.X; //! type-error",
    "compare header with bit": "hdr.h.f = hdr.h == hdr.h.a; //! type-error",
    "if of a bit": "if (hdr.h.a) { } //! type-error",
    "ternary of a bit": "hdr.h.a = hdr.h.a ? 1 : 2; //! type-error",
    "ternary without width": "hdr.h.a = hdr.h.f ? 1 : 2; //! type-error",
    "ternary of two types": "hdr.h.a = hdr.h.f ? hdr.h.a : hdr.h.b; //! type-error",
    "unknown name": "hdr.h.a = nothing; //! not-found",
    "unknown function": "nothing(); //! not-found",
    "unknown field": "hdr.h.zz = 1; //! type-error",
    "unknown enum member": "meta.e = Plain.Z; //! type-error",
    "unknown error": "meta.err = error.Nope; //! type-error",
    "enum from number": "meta.e = 1; //! type-error",
    "serializable enum from number": "hdr.h.c = 1; //! type-error",
    "newtype from bit": "meta.port = hdr.h.a; //! type-error",
    "newtype arithmetic": "meta.port = meta.port + 1; //! type-error",
    "assign to literal": "5 = hdr.h.a; //! syntax-error",
    "assign to expression": "(hdr.h.a + 1) = hdr.h.a; //! type-error",
    "assign to constant": "K = 1; //! type-error",
    "assign to call": "hdr.h.isValid() = true; //! syntax-error",
    "assign to slice of int": "hdr.h.s[3:0] = 1; //! type-error",
    "slice too high": "hdr.h.a = hdr.h.a[8:1]; //! type-error",
    "slice reversed": "hdr.h.a = (bit<8>) hdr.h.a[1:2]; //! type-error",
    "slice of bool": "hdr.h.a = (bit<8>) hdr.h.f[0:0]; //! type-error",
    "slice not constant": "hdr.h.a = (bit<8>) hdr.h.b[hdr.h.a:0]; //! type-error",
    "index too large": "hdr.hs[4].a = 1; //! type-error",
    "index negative": "hdr.hs[-1].a = 1; //! type-error",
    "index a bool": "hdr.hs[true].a = 1; //! type-error",
    "index a struct": "meta.p[0] = 1; //! type-error",
    "divide by variable": "hdr.h.a = 100 / hdr.h.a; //! invalid",
    "divide by three": "hdr.h.a = hdr.h.a / 3; //! invalid",
    "divide by zero": "hdr.h.a = 5 / 0; //! invalid",
    "modulo by variable": "hdr.h.a = 100 % hdr.h.a; //! invalid",
    "divide signed": "hdr.h.s = hdr.h.s / 2; //! type-error",
    "divide by negative": "hdr.h.a = hdr.h.a / -2; //! type-error",
    "shift by negative": "hdr.h.a = hdr.h.a << -1; //! invalid",
    "shift by signed": "hdr.h.a = hdr.h.a << hdr.h.s; //! type-error",
    "shift of plain int": "hdr.h.a = 1 << hdr.h.a; //! type-error",
    "concatenate bool": "hdr.h.b = hdr.h.a ++ hdr.h.f; //! type-error",
    "concatenate int": "hdr.h.b = hdr.h.a ++ 1; //! type-error",
    "saturate int": "hdr.h.a = 1 |+| 2; //! type-error",
    "cast bool to wide": "hdr.h.a = (bit<8>) hdr.h.f; //! type-error",
    "cast sign and width": "hdr.h.b = (bit<16>) hdr.h.s; //! type-error",
    "cast enum": "hdr.h.a = (bit<8>) meta.e; //! type-error",
    "cast header": "hdr.h.a = (bit<8>) hdr.h; //! type-error",
    "variable of int": "int x = 5; //! type-error",
    "variable of string": 'string x = "s"; //! type-error',
    "unknown type": "nothing_t x; //! syntax-error",
    "duplicate variable": "bit<8> x;\nbit<16> x; //! duplicate",
    "variable of extern": "register<bit<8>> x; //! type-error",
    "use before declaration": "hdr.h.a = x; //! not-found\nbit<8> x = 1;",
    "out of scope": "{ bit<8> x = 1; }\nhdr.h.a = x; //! not-found",
    "shadows a parameter": "bit<8> hdr = 1; //! shadow",
    "too many in list": "hdr.h = { 1, 2, 3, Code.one, true, 0, 7 }; //! type-error",
    "too few in list": "hdr.h = { 1, 2 }; //! type-error",
    "field missing": "hdr.h = { a = 1 }; //! type-error",
    "field unknown": "hdr.h = { zz = 1, ... }; //! type-error",
    "field twice": "hdr.h = { a = 1, a = 2, ... }; //! duplicate",
    "invalid bit": "hdr.h.a = {#}; //! type-error",
    "tuple index": "tuple<bit<8>> t = { 1 };\nhdr.h.a = t[1]; //! type-error",
    "argument missing": "hdr.h.a = add(1); //! type-error",
    "argument too many": "hdr.h.a = add(1, 2, 3); //! type-error",
    "argument unknown": "hdr.h.a = add(x = 1, z = 2); //! type-error",
    "argument twice": "hdr.h.a = add(x = 1, x = 2); //! duplicate",
    "argument mixed": "hdr.h.a = add(1, y = 2); //! invalid",
    "argument type": "hdr.h.a = add(1, true); //! type-error",
    "out of a literal": "give(5); //! type-error",
    "out of another width": "give(hdr.h.b); //! type-error",
    "void result": "hdr.h.a = give(hdr.h.a); //! type-error",
    "don't care for in": "hdr.h.a = add(_, 1); //! type-error",
    "directionless at run time": "hdr.h.a = fixed(hdr.h.a); //! type-error",
    "type arguments": "hdr.h.a = same<bit<8>, bit<8>>(1); //! type-error",
    "no width to infer": "hdr.h.a = (bit<8>) same(1); //! type-error",
    "call a variable": "hdr.h(); //! type-error",
    "call a number": "bit<8> x = 1;\nx(); //! type-error",
    "recursive use of return": "return 5; //! type-error",
    "break outside": "break; //! invalid",
    "continue outside": "continue; //! invalid",
    "verify outside": "verify(true, error.NoMatch); //! type-error",
    "next outside": "hdr.hs.next.a = 1; //! type-error",
    "lastIndex outside": "hdr.h.a = (bit<8>) hdr.hs.lastIndex; //! type-error",
    "isValid of struct": "hdr.h.f = meta.isValid(); //! type-error",
    "setValid of bit": "hdr.h.a.setValid(); //! type-error",
    "setValid arguments": "hdr.h.setValid(true); //! type-error",
    "push of header": "hdr.h.push_front(1); //! type-error",
    "push at run time": "hdr.hs.push_front(hdr.h.a); //! type-error",
    "instance in apply": "register<bit<8>>(4) r; //! invalid",
    "constructor in apply": "hdr.h.a = register<bit<8>>(4); //! invalid",
    "switch on header": "switch (hdr.h) { default: { } } //! type-error",
    "switch label type": "switch (hdr.h.a) {\ntrue: { } //! type-error\n}",
    "switch label variable": "switch (hdr.h.a) {\nhdr.h.a: { } //! type-error\n}",
    "switch label twice": "switch (hdr.h.a) {\n1: { }\n1: { } //! type-error\n}",
    "switch default first": "switch (hdr.h.a) { default: { } 1: { } } //! invalid",
    "loop condition": "for (bit<8> i = 0; i; i = i + 1) { } //! type-error",
    "loop over header": "for (bit<8> i in hdr.h) { } //! type-error",
    "loop range type": "for (bool i in 1 .. 2) { } //! type-error",
    "compound bool": "hdr.h.f += true; //! type-error",
    "compound width": "hdr.h.a += hdr.h.b; //! type-error",
    "static_assert": 'bool z = static_assert(1 == 2, "why"); //! expected',
    "static_assert at run time": "bool z = static_assert(hdr.h.f); //! type-error",
    "missing semicolon": "hdr.h.a = 1\nhdr.h.a = 2; //! syntax-error",
    "missing brace": "if (hdr.h.f) hdr.h.a = 1; } else { } //! syntax-error",
    "bad literal": "hdr.h.a = 0xZZ; //! syntax-error",
    "literal of width 0": "hdr.h.a = 0s1; //! invalid",
    "bad character": "hdr.h.a = $1; //! syntax-error",
    "declaration as body": "if (hdr.h.f) bit<8> x = 1; //! syntax-error",
}
CONTROL = {
    "no actions": "table t { //! expected\nkey = { hdr.h.a : exact; } }",
    "unknown match kind": "table t { actions = { }\nkey = { hdr.h.a : fuzzy; } } //! not-found",
    "key a header": "table t { actions = { }\nkey = { hdr.h : exact; } } //! type-error",
    "lpm on bool": "table t { actions = { }\nkey = { hdr.h.f : lpm; } } //! type-error",
    "unknown action": "table t { actions = { zz; } } //! not-found",
    "no action": "table t { actions = { hdr; } } //! type-error",
    "action twice": "table t { actions = { NoAction; NoAction; } } //! duplicate",
    "default not listed": "table t { actions = { }\ndefault_action = NoAction; } //! type-error",
    "default unbound": "action a(bit<8> x) { }\n"
    "table t { actions = { a; }\ndefault_action = a(); } //! type-error",
    "default at run time": "action a(bit<8> x) { }\n"
    "table t { actions = { a; }\ndefault_action = a(hdr.h.a); } //! type-error",
    "data bound in list": "action a(bit<8> x) { }\ntable t { actions = { a(1); } } //! type-error",
    "direction unbound": "action a(in bit<8> x) { }\ntable t { actions = { a; } } //! type-error",
    "property twice": "table t { size = 1; actions = { }\nsize = 2; } //! duplicate",
    "size at run time": "table t { actions = { }\nsize = hdr.h.b; } //! expected",
    "entries without key": "table t { actions = { NoAction; } //! unsupported\n"
    "const entries = { 1: NoAction; } }",
    "entry too short": "table t { actions = { NoAction; } \n"
    "key = { hdr.h.a : exact; hdr.h.b : exact; } const entries = { 1: NoAction; } } //! type-error",
    "entry type": "table t { actions = { NoAction; } key = { hdr.h.a : exact; }\n"
    "const entries = { true: NoAction; } } //! type-error",
    "entry mask on exact": "table t { actions = { NoAction; } key = { hdr.h.a : exact; }\n"
    "const entries = { 1 &&& 3: NoAction; } } //! unsupported",
    "entry at run time": "table t { actions = { NoAction; } key = { hdr.h.a : exact; }\n"
    "const entries = { hdr.h.a: NoAction; } } //! type-error",
    "entry action": "action a() { }\ntable t { actions = { NoAction; } key = { hdr.h.a : exact; }\n"
    "const entries = { 1: a; } } //! type-error",
    "two lpm keys": "table t { //! unsupported\nactions = { NoAction; }\n"
    "key = { hdr.h.a : lpm; hdr.h.b : lpm; } }",
    "lpm mask": "table t { actions = { NoAction; } key = { hdr.h.a : lpm; }\n"
    "const entries = { 1 &&& 5: NoAction; } } //! invalid",
    "action twice declared": "action a() { }\naction a() { } //! duplicate",
    "table twice": "table t { actions = { } }\ntable t { actions = { } } //! duplicate",
    "action calls itself": "action a() {\na(); } //! not-found",
    "action with extern": "action a(register<bit<8>> r) { } //! type-error",
    "action with int": "action a(int x) { } //! type-error",
    "direction after data": "action a(bit<8> x, in bit<8> y) { } //! type-error",
    "parameter twice": "action a(bit<8> x, bit<8> x) { } //! duplicate",
    "assign to data": "action a(bit<8> x) {\nx = 1; } //! type-error",
    "assign to in": "action a(in bit<8> x) {\nx = 1; } //! type-error",
    "table in action": "table t { actions = { } }\naction a() {\nt.apply(); } //! type-error",
    "instance in action": "action a() {\nregister<bit<8>>(4) r; } //! invalid",
    "control in action": "Sub() s;\naction a() {\ns.apply(); } //! type-error",
    "constructor arguments": "register<bit<8>>(4, 5) r; //! type-error",
    "constructor at run time": "register<bit<8>>(sm.packet_length) r; //! type-error",
    "constructor of struct": "meta_t(4) r; //! type-error",
    "unknown method": "register<bit<8>>(4) r;\naction a() {\nr.zap(); } //! type-error",
    "method result type": "register<bit<8>>(4) r;\n"
    "action a() {\nr.read(hdr.h.b, 1); } //! type-error",
    "type parameters": "register<bit<8>, bit<8>>(4) r; //! type-error",
    "type parameter missing": "register(4) r; //! type-error",
    "package inside": "V1Switch(1) v; //! type-error",
    "itself": "Ig() again; //! unsupported",
    "label no action": "table t { actions = { NoAction; } }\n"
    "apply { switch (t.apply().action_run) {\n"
    "Ig: { } //! type-error\n} } } control Rest() {",
    "label not listed": "action a() { }\ntable t { actions = { NoAction; } }\n"
    "apply { switch (t.apply().action_run) {\na: { } //! type-error\n} } } control Rest() {",
    "label twice": "table t { actions = { NoAction; } }\napply { switch (t.apply().action_run) {\n"
    "NoAction: { }\nNoAction: { } //! type-error\n} } } control Rest() {",
    "hit of nothing": "table t { actions = { NoAction; } }\napply {\n"
    "if (t.apply().found) { } //! type-error\n} } control Rest() {",
    "table with arguments": "table t { actions = { NoAction; } }\napply {\n"
    "t.apply(1); //! type-error\n} } control Rest() {",
}
TOP = {
    "recursive function": "bit<8> f(in bit<8> x) {\nreturn f(x); } //! not-found",
    "no return": "bit<8> f(in bit<8> x) { //! insufficient\nif (x == 1) { return 1; } }",
    "return type": "bit<8> f() {\nreturn true; } //! type-error",
    "return nothing": "bit<8> f() {\nreturn; } //! type-error",
    "return something": "void f() {\nreturn 1; } //! type-error",
    "exit in function": "void f() {\nexit; } //! invalid",
    "action in function": "action a() { }\nvoid f() {\na(); } //! type-error",
    "function twice": "void f() { }\nvoid f() { } //! duplicate",
    "struct twice": "struct s_t { }\nstruct s_t { } //! duplicate",
    "constant twice": "const bit<8> C = 1;\nconst bit<8> C = 2; //! duplicate",
    "field twice in struct": "struct s_t {\nbit<8> a;\nbit<8> a; //! duplicate\n}",
    "enum member twice": "enum Q { A, B,\nA //! duplicate\n}",
    "enum value": "enum bit<2> Q { A = 1,\nB = 9 //! type-error\n}",
    "enum type": "enum bool Q { A = 1 } //! type-error",
    "struct in itself": "struct s_t {\ns_t a; //! unsupported\n}",
    "header in header": "header q_t {\nh_t h; //! type-error\n}",
    "struct in union": "header_union q_t {\nmeta_t m; //! type-error\n}",
    "extern in struct": "struct s_t {\npacket_in p; //! type-error\n}",
    "two varbits": "header q_t { varbit<8> a;\nvarbit<8> b; //! type-error\n}",
    "stack of struct": "struct s_t {\nmeta_t[3] m; //! type-error\n}",
    "stack of size 0": "struct s_t {\nh_t[0] m; //! invalid\n}",
    "width 0": "typedef int<0> t; //! invalid",
    "width variable": "typedef bit<(true)> t; //! expected",
    "unknown field type": "struct s_t {\nzz_t a; //! syntax-error\n}",
    "generic without arguments": "struct s_t {\npair_t a; //! type-error\n}",
    "generic with too many": "struct s_t {\npair_t<bit, bit, bit> a; //! type-error\n}",
    "constant not constant": "bit<8> f() { return 1; }\nconst bit<8> C = f(); //! type-error",
    "constant of other type": "const bool C = 1; //! type-error",
    "control at top level": "control Q() { apply { } }\nQ() q; //! invalid",
    "direction of constructor": "control Q()(in bit<8> x) { apply { } } //! invalid",
    "direction of extern": "control Q(in packet_in p) { apply { } } //! type-error",
    "parameter twice": "control Q(in bit<8> x, in bit<8> x) { apply { } } //! duplicate",
    "default of out": "void f(out bit<8> x = 1) { } //! invalid",
    "no apply": "control Q() { action a() { }\n} //! syntax-error",
    "global variable": "bit<8> x; //! syntax-error",
    "error twice": "error { A,\nNoError } //! duplicate",
    "match kind twice": "match_kind {\nexact } //! duplicate",
    "annotation twice": "@a[x = 1] //! duplicate\n@a[y = 2]\nstruct s_t { }",
    "generic body": "T f<T>(in T x) {\nreturn x + true; } //! type-error",
    "not in scope of generics": "T f(in T x) { return x; } //! syntax-error",
}
STATE = {
    "extract a bit": "pkt.extract(hdr.h.a); //! type-error",
    "extract a struct": "pkt.extract(meta); //! type-error",
    "extract a varbit": "pkt.extract(hdr.v); //! type-error",
    "extract with size": "pkt.extract(hdr.h, 8); //! type-error",
    "lookahead of varbit": "v_t x = pkt.lookahead<v_t>(); //! type-error",
    "lookahead of nothing": "bit<8> x = pkt.lookahead(); //! type-error",
    "exit": "exit; //! syntax-error",
    "return": "return; //! syntax-error",
    "action": "NoAction(); //! type-error",
    "switch": "switch (hdr.h.a) { } //! syntax-error",
    "instance": "register<bit<8>>(4) r; //! invalid",
    "control": "Vfz.apply(); //! not-found",
    "push": "hdr.hs.push_front(1); //! type-error",
    "two transitions": "transition accept;\ntransition accept; //! syntax-error",
}
STATES = {
    "unknown state": "state s {\ntransition nowhere; } //! not-found",
    "unknown in select": "state s { transition select(hdr.h.a) {\n1: nowhere; //! not-found\n} }",
    "state twice": "state s { transition accept; }\nstate s { } //! duplicate",
    "start twice": "state start { } //! duplicate",
    "accept declared": "state accept { } //! invalid",
    "case type": "state s { transition select(hdr.h.a) { //! type-error\ntrue: start;\n} }",
    "case count": "state s { transition select(hdr.h.a) { //! type-error\n(1, 2): start;\n} }",
    "case variable": "state s { transition select(hdr.h.a) { //! type-error\nhdr.h.a: start;\n} }",
    "mask of bool": "state s { transition select(hdr.h.f) { //! type-error\n"
    "true &&& true: start;\n} }",
    "select a header": "state s { transition select(hdr.h) { default: start; } } //! type-error",
    "local after state": "state s { }\nbit<8> late; //! syntax-error",
}
HELPERS = """
const bit<8> K = 3;
bit<8> add(in bit<8> x, in bit<8> y) { return x + y; }
void give(out bit<8> x) { x = 1; }
bit<8> fixed(bit<8> x) { return x; }
T same<T>(in T x) { return x; }
control Sub() { apply { } }
"""
CASES = [
    (gap, name, text)
    for gap, cases in {
        "apply": APPLY,
        "control": CONTROL,
        "top": TOP,
        "state": STATE,
        "states": STATES,
    }.items()
    for name, text in cases.items()
]


@pytest.mark.parametrize(("gap", "name", "snippet"), CASES, ids=[f"{g}: {n}" for g, n, _ in CASES])
def test_error_has_the_kind_and_line(gap: str, name: str, snippet: str, tmp_path: Path) -> None:
    gaps = {gap: snippet}
    gaps["top"] = HELPERS + gaps.get("top", "")
    text = program(**gaps)
    wanted = [
        (number, match.group(1))
        for number, line in enumerate(text.split("\n"), 1)
        if (match := re.search(r"//! (\S+)", line))
    ]
    assert len(wanted) == 1
    assert [(d.line, d.kind) for d in errors(text, tmp_path)] == wanted
