# SPDX-License-Identifier: MIT
"""Each program is compiled and built once per run; tests start from its empty state."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from softswitch.engine import Pipeline, Snapshot
from softswitch.frontend import compile_p4
from softswitch.p4info import P4Info

P4SRC = Path(__file__).parent.parent.parent / "p4src"


@dataclass(frozen=True)
class Loaded:
    """A program in a pipeline, and the pipeline's state before anything was written."""

    info: P4Info
    pipeline: Pipeline
    empty: Snapshot

    def fresh(self) -> Pipeline:
        self.pipeline.restore(self.empty)
        return self.pipeline


@pytest.fixture(scope="session")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Loaded]:
    folder = tmp_path_factory.mktemp("programs")

    @cache
    def load_once(program: str) -> Loaded:
        json_path, p4info_path = folder / f"{program}.json", folder / f"{program}.p4info.txtpb"
        compile_p4(P4SRC / f"{program}.p4").write(json_path, p4info_path)
        pipeline = Pipeline.load(json_path)
        return Loaded(P4Info.load(p4info_path), pipeline, pipeline.snapshot())

    return load_once
