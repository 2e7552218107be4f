# SPDX-License-Identifier: MIT
"""Random programs give what the specification says: side effects, copies in and out, jumps.

The seed is in the name of the test; `text(Generator(SEED).program())` prints the program.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from softswitch.frontend import compile_p4
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
