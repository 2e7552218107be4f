# SPDX-License-Identifier: MIT
"""Random input for a bounded time: ``python -m tests.fuzz --seconds 60 [--seed N]``.

Three kinds of rounds in turn: P4 text, changed in random places, for the front end; BMv2 JSON,
changed likewise, for the engine; random packets for programs built under AddressSanitizer and
UBSan. Anything but the documented errors ends the run with exit code 1 and the seed of the round.
"""

from __future__ import annotations

import argparse
import copy
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from softswitch.engine import ConfigError
from softswitch.engine.codegen import generate
from softswitch.engine.loader import load
from softswitch.frontend import P4CompileError, compile_p4

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "tests" / "softswitch" / "engine" / "data"
JUNK: list[Any] = [None, True, -1, 0, 1 << 40, "", "0x", "nowhere", [], {}, [1], {"a": 1}, 1.5]
TOKENS = [
    "{",
    "}",
    "(",
    ")",
    ";",
    "<",
    ">",
    ":",
    "=",
    "0",
    "1w3",
    "bit<8>",
    "header",
    "apply",
    "state",
    "table",
    "x",
    "error",
    ".",
    ",",
    "&",
    "++",
    "<<",
    "@",
]
PACKETS = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from engine.stf_cases import disturb
from softswitch.engine import Pipeline
disturb(Pipeline.load(Path({document!r}), sanitize=True), {seed}, 2000)
"""


def p4_text(r: random.Random) -> None:
    """The front end accepts or gives diagnostics."""
    source = r.choice(sorted((ROOT / "p4src").glob("*.p4")))
    words = source.read_text(encoding="utf-8").split(" ")
    for _ in range(r.randint(1, 4)):
        at = r.randrange(len(words))
        words[at : at + r.randint(0, 2)] = r.choices(TOKENS, k=r.randint(0, 2))
    with tempfile.TemporaryDirectory() as folder:
        changed = Path(folder) / source.name
        changed.write_text(" ".join(words), encoding="utf-8")
        try:
            compile_p4(changed, include_dirs=[ROOT / "p4src"])
        except P4CompileError as error:
            said = str(error)
        else:
            said = "accepted"
    assert said, "an error without a text"


def _places(node: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    below = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    return [path, *(place for key, value in below for place in _places(value, (*path, key)))]


def document(r: random.Random) -> None:
    """The engine accepts or names the place of the error."""
    doc = json.loads(r.choice(sorted(DATA.glob("*.json"))).read_text())
    for _ in range(r.randint(1, 4)):
        path = r.choice(_places(doc)[1:])
        holder = doc
        for step in path[:-1]:
            holder = holder[step]
        holder[path[-1]] = copy.deepcopy(r.choice(JUNK))
        if not isinstance(doc, dict):
            return
    try:
        generate(load(doc))
    except ConfigError as error:
        said = str(error)
    else:
        said = "accepted"
    assert "\n" not in said, "an error of several lines"


def packets(r: random.Random) -> None:
    """No packet makes a program touch what is not its own."""
    found = [
        subprocess.run(["gcc", f"-print-file-name={n}"], capture_output=True, text=True, check=True)
        for n in ("libasan.so", "libubsan.so")
    ]
    env = {
        **os.environ,
        "LD_PRELOAD": ":".join(f.stdout.strip() for f in found),
        "ASAN_OPTIONS": "detect_leaks=0",
        "PYTHONPATH": str(ROOT),
    }
    program = str(r.choice(sorted(DATA.glob("*.json"))))
    tests = str(ROOT / "tests" / "softswitch")
    script = PACKETS.format(tests=tests, document=program, seed=r.getrandbits(32))
    done = subprocess.run(
        [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{program}: {done.stderr[-2000:]}"


ROUNDS: tuple[tuple[Callable[[random.Random], None], int], ...] = (
    (p4_text, 20),
    (document, 60),
    (packets, 1),
)
"""Kinds and how often each of them comes in one turn."""


def main() -> int:
    parser = argparse.ArgumentParser(description="random input for front end and engine")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().getrandbits(32))
    options = parser.parse_args()
    print(f"seed {options.seed}", flush=True)
    end, counts, turn = (
        time.monotonic() + options.seconds,
        dict.fromkeys((f.__name__ for f, _ in ROUNDS), 0),
        0,
    )
    while time.monotonic() < end:
        for kind, times in ROUNDS:
            for i in range(times):
                if time.monotonic() >= end:
                    break
                try:
                    kind(random.Random(f"{options.seed} {turn} {i} {kind.__name__}"))
                except Exception:
                    traceback.print_exc()
                    print(f"failed: {kind.__name__}, turn {turn}, round {i}, --seed {options.seed}")
                    return 1
                counts[kind.__name__] += 1
        turn += 1
    print(", ".join(f"{name}: {n} rounds" for name, n in counts.items()) + ": no failure")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
