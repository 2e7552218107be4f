# SPDX-License-Identifier: MIT
"""Runs packet tests in this process; also a script, for runs under a sanitizer."""

from __future__ import annotations

import random
import sys
from contextlib import suppress
from pathlib import Path

from softswitch.engine import PacketAssertError, Pipeline
from softswitch.stf.cases import Case, CaseOptions, run_case


def case(stf: Path) -> Case:
    """The recorded case of a packet test file."""
    base = stf.with_suffix("")
    return Case(
        stf.stem, base.with_suffix(".p4"), stf=stf,
        json=Path(f"{base}.bmv2.json"), p4info=Path(f"{base}.p4info.txtpb"),
    )  # fmt: skip


def disturb(pipeline: Pipeline, seed: int, count: int) -> None:
    """Random, short and long packets on random ports."""
    r = random.Random(seed)
    for _ in range(count):
        size = r.choice([0, 1, r.randint(0, 64), r.randint(0, 2000)])
        with suppress(PacketAssertError):
            pipeline.process(r.randrange(512), r.randbytes(size), r.randrange(1 << 40))


def main(paths: list[str]) -> None:
    for path in paths:
        stf = Path(path)
        run_case(case(stf), CaseOptions(sanitize=True))
        disturb(Pipeline.load(Path(f"{stf.with_suffix('')}.bmv2.json"), sanitize=True), 1, 500)
        print(f"ok {stf.stem}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
