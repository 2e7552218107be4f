# SPDX-License-Identifier: MIT
"""Whatever the text, the front end answers with a program or with `P4CompileError`."""

from __future__ import annotations

import functools
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from softswitch.frontend.check import check_program
from softswitch.frontend.diagnostics import P4CompileError
from softswitch.frontend.lexer import KEYWORDS, tokenize
from softswitch.frontend.parse import parse
from softswitch.frontend.preprocess import Line, Source, preprocess

from .sample_programs import program
from .test_accepted import APPLY, CONST_DECLS, FUNCTIONS

FAST = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
EXTRA = [
    *("(", ")", "{", "}", "<", ">", ">>", "[", "]", ";", ":", ",", ".", "=", "...", "&&&", ".."),
    *("++", "|+|", "-", "~", "!", "?", "0", "1", "8w3", "4s7", "0xFFFF", "99999999999999999999"),
    *("hdr", "h", "a", "b", "hdr.h", "hdr.hs", "meta", "sm", "h_t", "pair_t", "Code", "T", '"s"'),
    *("@", "NoAction", "t", "act", "apply", "isValid", "Port_t", "error.NoError", "{#}"),
]
CONTROL = """
action act(in bit<8> x, bit<16> y) { hdr.h.b = y; }
table t { key = { hdr.h.a : exact; hdr.h.b : ternary; } actions = { act(hdr.h.a); NoAction; }
  default_action = NoAction; const entries = { (1, 2 &&& 3) : act(4); (2, default) : NoAction; } }
register<bit<32>>(8) r;
"""


@functools.cache
def material() -> tuple[list[Line], list[str]]:
    """The lines of the architecture, and the tokens of a program that uses most of the language."""
    folder = Path(__file__).parent
    text = program(
        top=CONST_DECLS + FUNCTIONS,
        control=CONTROL,
        apply="\n".join(f"{{ {t} }}" for t in APPLY.values()),
        states="state a { transition select(hdr.h.a) { 1 .. 2: start; default: reject; } }",
    )
    own = text.split("v1model.p4>", 1)[1]
    head = preprocess(folder.parents[2] / "softswitch/frontend/include/v1model.p4")
    return head.lines, [t.text for t in tokenize(Source.from_text(own))][:-1]


def compile_text(text: str) -> bool:
    """Whether the text is a program; anything but P4CompileError escapes."""
    head, _ = material()
    lines = [Line("fuzz.p4", i, line) for i, line in enumerate(text.split("\n"), 1)]
    try:
        check_program(parse(Source("fuzz.p4", [*head, *lines])))
    except P4CompileError as failure:
        failure.render()
        return False
    return True


def joined(tokens: list[str]) -> str:
    return " ".join(tokens).replace("> >=", ">>=").replace("> >", ">>")


def mutate(tokens: list[str], rng: random.Random, times: int) -> list[str]:
    pool = [*sorted(KEYWORDS), *EXTRA]
    result = list(tokens)
    for _ in range(times):
        at = rng.randrange(len(result))
        match rng.randrange(6):
            case 0:
                del result[at]
            case 1:
                result.insert(at, rng.choice(pool))
            case 2:
                result[at] = rng.choice(pool)
            case 3:
                other = rng.randrange(len(result))
                result[at], result[other] = result[other], result[at]
            case 4:
                result[at] = rng.choice(result)
            case _:
                end = min(len(result), at + rng.randrange(1, 12))
                result[at:at] = result[at:end]
    return result


def test_the_material_is_accepted() -> None:
    assert compile_text(joined(material()[1]))


@FAST
@given(st.integers(0, 2**32), st.integers(1, 4))
def test_mutated_programs(seed: int, times: int) -> None:
    compile_text(joined(mutate(material()[1], random.Random(seed), times)))


@FAST
@given(st.lists(st.sampled_from([*sorted(KEYWORDS), *EXTRA]), max_size=30))
def test_token_soup(tokens: list[str]) -> None:
    compile_text(" ".join(tokens))


@FAST
@given(st.text(max_size=60))
def test_random_text(text: str) -> None:
    compile_text(text)


@pytest.mark.parametrize(
    "text",
    [
        "const int x = " + "(" * 30_000,
        "const int x = " + "-" * 30_000 + "1;",
        "const int x = " + "1 + " * 30_000 + "1;",
        "const bit<8> x = " + "{" * 30_000,
        "control c() { apply " + "{" * 30_000,
        "typedef " + "tuple<" * 30_000,
        "const int x = 1 << 1 << 60000 << 60000 << 60000;",
        "const int x = " + "9" * 6000 + ";",
    ],
    ids=lambda text: text[:24],
)
def test_deep_and_large_input(text: str) -> None:
    compile_text(text)
