# SPDX-License-Identifier: MIT
"""Random programs give what the specification says: side effects, copies in and out, jumps.

The seed is in the name of the test; `text(Generator(SEED).program())` prints the program.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from softswitch.frontend import compile_p4
from tests.softswitch.frontend import random_aggregates as aggregates
from tests.softswitch.frontend.bmv2_format import problems
from tests.softswitch.frontend.bmv2_interpreter import Machine
from tests.softswitch.frontend.random_programs import (
    FIELDS,
    Evaluator,
    Generator,
    TooLongError,
    text,
)

SEEDS = range(24)
HEADER_SEEDS = range(24)
PACKETS = 8


@pytest.mark.parametrize("seed", SEEDS)
def test_same_result(seed: int, tmp_path: Path) -> None:
    check(seed, tmp_path)


def check(seed: int, directory: Path) -> None:
    """Compile the program of a seed and compare it with its evaluation."""
    program = Generator(seed).program()
    source = directory / "program.p4"
    source.write_text(text(program))
    document = compile_p4(source).bmv2_json
    assert problems(document) == []
    machine = Machine(document)
    values = random.Random(seed)
    for _ in range(PACKETS):
        fields = {f: values.choice([0, 1, 2, 3, 0x7F, 0xFF, values.randrange(256)]) for f in FIELDS}
        try:
            expected = Evaluator(fields).run(program)
        except TooLongError:
            continue
        after = machine.run({("h", f): v for f, v in fields.items()})
        assert {f: after["h", f] for f in FIELDS} == expected, f"fields {fields}"


@pytest.mark.parametrize("seed", HEADER_SEEDS)
def test_same_headers(seed: int, tmp_path: Path) -> None:
    check_headers(seed, tmp_path)


def check_headers(seed: int, directory: Path) -> int:
    """The same for headers, structs and stacks; gives the number of packets compared."""
    program = aggregates.Generator(seed)
    source = directory / "program.p4"
    source.write_text(program.text())
    document = compile_p4(source).bmv2_json
    assert problems(document) == []
    machine = Machine(document)
    values = random.Random(seed)
    compared = 0
    for _ in range(PACKETS):
        given: dict[str, Any] = {}
        for name, kind in aggregates.GLOBALS.items():
            given[name] = aggregates.new_value(kind)
            if kind == "h":
                given[name].valid = values.random() < 0.7
            if kind != "b":
                given[name].x, given[name].y = values.choice([0, 1, 255]), values.randrange(3)
        fields = _flat(given)
        expected = aggregates.Evaluator(given)
        try:
            expected.run(program.body, {})
        except aggregates.UndefinedError:
            continue
        compared += 1
        after = machine.run(fields)
        wanted = _flat(expected.globals)
        for (header, name), value in wanted.items():
            valid = wanted.get((header, "$valid$"), 1)
            if valid or name == "$valid$":
                assert after[header, name] == value, f"{header}.{name} of {fields}"
    return compared


def _flat(values: dict[str, Any]) -> dict[tuple[str, str], int]:
    """Fields of BMv2 for the values of a random program."""
    result: dict[tuple[str, str], int] = {}
    for name, value in values.items():
        if isinstance(value, int):
            result["k", name.rsplit(".", 1)[1]] = value
        elif value.valid is None:
            for part in "xy":
                result["scalars", f"meta_t.{name.removeprefix('meta.')}.{part}"] = getattr(
                    value, part
                )
        else:
            header = name.removeprefix("hdr.").replace("meta.", "meta_t.")
            result[header, "$valid$"] = int(value.valid)
            for part in "xy":
                result[header, part] = getattr(value, part)
    return result
