# SPDX-License-Identifier: MIT
"""Broken documents: always a ConfigError that names the place, never another exception."""

from __future__ import annotations

import copy
import json
import random
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softswitch.engine import ConfigError, EngineError, Pipeline
from softswitch.engine.codegen import generate
from softswitch.engine.loader import load

from .programs import DATA, action, assign, const, document, field, fixed_table, op

NAMES = sorted(p.name for p in DATA.glob("*.json"))
JUNK: list[Any] = [
    None,
    True,
    -1,
    0,
    1 << 40,
    "",
    "0x",
    "no such thing",
    [],
    {},
    [1],
    {"a": 1},
    1.5,
]


@cache
def text(name: str) -> str:
    return (DATA / name).read_text()


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    out = [path] if path else []
    if isinstance(node, dict):
        for k, v in node.items():
            out += places(v, (*path, k))
    elif isinstance(node, list):
        for i, v in enumerate(node):
            out += places(v, (*path, i))
    return out


@cache
def all_places(name: str) -> list[tuple[Any, ...]]:
    return places(json.loads(text(name)))


@settings(max_examples=250, deadline=None)
@given(name=st.sampled_from(NAMES), seed=st.integers(0, 1 << 32))
def test_mutated_documents(name: str, seed: int) -> None:
    r = random.Random(seed)
    doc = json.loads(text(name))
    for _ in range(r.randint(1, 3)):
        path = r.choice(all_places(name))
        try:
            holder = doc
            for step in path[:-1]:
                holder = holder[step]
            if r.random() < 0.3:
                del holder[path[-1]]
            else:
                holder[path[-1]] = copy.deepcopy(r.choice(JUNK))
        except (LookupError, TypeError):
            continue  # an earlier mutation removed the place
    try:
        generate(load(doc))
    except ConfigError as error:
        said = str(error)
    else:
        said = "accepted"
    assert said
    assert "\n" not in said


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        ("{", "is not JSON"),
        ("{}", "pipelines: there is no 'ingress'"),
        ('{"__meta__": {"version": [3, 0]}}', "version 3 is not supported"),
        (
            '{"headers": [{"name": "h", "id": 0, "header_type": "t"}]}',
            r"headers\[0\]: unknown header",
        ),
        ("[" * 100000, "cannot be read"),
    ],
)
def test_texts_that_are_no_program(raw: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Pipeline.load(raw)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nothing\.json: cannot be read"):
        Pipeline.load(tmp_path / "nothing.json")


ONE = const(1)
HUGE = op("<<", const(1), field("standard_metadata", "packet_length"))


def program(*body: dict[str, Any]) -> dict[str, Any]:
    return document([["a", 8, False]], [action(0, *body)], [fixed_table("t", 0, None)])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"op": "fly", "parameters": []}, r"actions\[0\].primitives\[0\]: primitive 'fly'"),
        (assign(field("h", "b"), const(1)), "header 'h' has no field 'b'"),
        (assign(field("g", "b"), const(1)), "unknown header 'g'"),
        (assign(field("h", "a"), op("**", ONE, ONE)), r"operator '\*\*' is not supported"),
        ({"op": "assign", "parameters": []}, "too few arguments"),
        (
            {"op": "count", "parameters": [{"type": "counter_array", "value": "c"}, const(1)]},
            "unknown counter array 'c'",
        ),
        (assign(const(1), const(1)), "a const cannot be assigned to"),
        (assign(field("h", "a"), op("b2d", None, op("<", HUGE, const(9)))), "can become too large"),
    ],
)  # fmt: skip
def test_unsupported_or_wrong_steps_name_their_place(body: dict[str, Any], message: str) -> None:
    with pytest.raises(EngineError, match=message):
        Pipeline.load(program(body))
