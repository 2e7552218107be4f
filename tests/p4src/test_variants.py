# SPDX-License-Identifier: MIT
"""Other sizes of the programs: they compile, and a sum covers every lane."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from controller import AggregatorConfig, JobBook, JobRequest
from controller.inprocess import install
from controller.inspection import question
from hosts.wire.esa import ENCAPSULATION, ESA, MessageType, frame_dtype
from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4
from tests.p4src.conftest import P4SRC
from tests.p4src.scenario_scapy import star


@pytest.mark.parametrize(
    ("program", "lanes"), [("esa", 1), ("esa", 64), ("atp", 2), ("switchml", 2)]
)
def test_every_lane_is_summed(program: str, lanes: int) -> None:
    depth = 8
    defines = {"LANES": str(lanes), "AGGREGATORS": str(depth)}
    pipeline = Pipeline.load(compile_p4(P4SRC / f"{program}.p4", defines=defines).bmv2_json)
    book = JobBook(star(3), AggregatorConfig(), register_depth=depth)
    pool = 2 if program == "switchml" else 0
    book.admit(JobRequest("a", ("h1", "h2", "h3"), "ps1", pool_slots=pool))
    install(pipeline, book.states()["s1"])
    kind = MessageType.SML if pool else MessageType.GRAD
    parts = [np.arange(lanes, dtype=np.int32) * (rank + 1) - 5 for rank in range(3)]
    plain = question(0, lanes)
    out: list[tuple[int, bytes]] = []
    for rank, values in enumerate(parts):
        assert out == []
        head = ESA.pack(
            msg_type=kind, job=1, seq=1, bitmap=1 << rank, src_worker=rank, round=1, len=lanes
        )
        frame = plain[:ENCAPSULATION] + head.tobytes() + values.astype(">i4").tobytes()
        out = pipeline.process(rank + 1, frame)
    assert {port for port, _ in out} >= {1, 2, 3}
    for _, data in out:
        (row,) = np.frombuffer(data, frame_dtype(lanes))
        assert row["values"].tolist() == np.sum(parts, axis=0).tolist()


@pytest.mark.parametrize("lanes", [1, 2, 64])
def test_lanes_are_registers_of_their_own(lanes: int) -> None:
    document = compile_p4(P4SRC / "esa.p4", defines={"LANES": str(lanes)}).bmv2_json
    arrays = document["register_arrays"]
    assert isinstance(arrays, list)
    sizes = {a["name"]: a["size"] for a in arrays if ".lanes.lane_" in a["name"]}
    assert len(sizes) == lanes
    assert all(a == b for a, b in pairwise(sizes.values()))
