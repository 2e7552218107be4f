# SPDX-License-Identifier: MIT
"""The integer model against golden vectors of the published runs and against its definition."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hosts.multipath.cost import LEVEL, CostModel, PortSignal
from hosts.multipath.decision import Candidate, Policy, decide
from hosts.multipath.murmur import ecmp_hash

DATA = Path(__file__).parents[2] / "data" / "lcmp"


def rows(name: str) -> list[dict[str, str]]:
    with (DATA / name).open() as text:
        return list(csv.DictReader(text))


def test_hash_and_choice_match_all_golden_vectors() -> None:
    vectors = rows("ecmp_hash_golden_vectors.csv")
    assert len(vectors) == 120
    for v in vectors:
        flow = (int(v["sip_hex"], 16), int(v["dip_hex"], 16), int(v["sport"]), int(v["dport"]))
        h = ecmp_hash(*flow, seed=int(v["seed(node id)"]))
        assert h == int(v["hash_hex"], 16)
        hops = [int(x) for x in v["candidate_list(order as in routing_table.csv)"].split(";")]
        decision = decide(Policy.ECMP, [Candidate(port=p, path_cost=0) for p in hops], h)
        assert decision.port == int(v["chosen_next_hop"])


def test_static_costs_match_the_table() -> None:
    table = rows("static_cost_table_8DC.csv")
    assert table
    for row in table:
        model = CostModel(delay_shift=int(row["MAX_DELAY_SHIFT"]))
        delay, rate = int(row["first_hop_ms"]), float(row["Gbps"])
        assert model.delay_cost(delay) == int(row["delayCost"])
        assert model.bandwidth_cost(rate) == int(row["bwCost"])
        static = model.static_cost(delay, rate)
        assert static == int(row["C_static(w_dl=3,w_bw=1,>>2)"])
        assert model.total_cost(static, 0) == int(row["C_total_idle((3*C_static)>>2)"])


@pytest.mark.parametrize(("shift", "kept"), [(5, (6, 4, 2)), (9, (2, 4, 6))])
def test_kept_set_of_the_8dc_network_at_idle(shift: int, kept: tuple[int, ...]) -> None:
    first_hops = {2: (25, 200), 3: (250, 200), 4: (10, 100), 5: (100, 100), 6: (5, 25), 7: (50, 25)}
    model = CostModel(delay_shift=shift)
    candidates = [Candidate(dc, model.static_cost(*link)) for dc, link in first_hops.items()]
    decision = decide(Policy.LCMP, candidates, 0, model)
    assert tuple(candidates[i].port for i in decision.kept) == kept


def test_wrapped_thresholds_leave_three_levels() -> None:
    model = CostModel.of("parity")
    assert model.queue_thresholds()[9] == 205_032_704
    assert {model.queue_level(q) for q in (0, 1, 205_032_703, 205_032_704, 4_600_000_000)} == {
        0,
        25,
        255,
    }
    exact = CostModel.of("corrected", buffer_bytes=1000)
    assert [exact.queue_level(q) for q in (0, 1, 100, 899, 900)] == [
        0,
        LEVEL[0],
        LEVEL[1],
        LEVEL[8],
        255,
    ]


def test_duration_rises_while_congested_and_heals() -> None:
    model, signal = CostModel.of("corrected", buffer_bytes=1000), PortSignal()
    for _ in range(40):
        signal.sample(950, model, drained_per_sample=100)
    assert signal.duration == 40
    for _ in range(50):
        signal.sample(0, model, drained_per_sample=100)
    assert signal.duration == 0


candidate = st.builds(
    Candidate,
    port=st.integers(0, 511),
    path_cost=st.integers(0, 255),
    weight=st.integers(1, 16),
    congestion=st.integers(0, 255),
    live=st.booleans(),
)


@given(
    st.sampled_from(Policy), st.lists(candidate, min_size=1, max_size=8), st.integers(0, 2**32 - 1)
)
def test_a_dead_candidate_is_never_chosen(
    policy: Policy, candidates: list[Candidate], h: int
) -> None:
    alive = {c.port for c in candidates if c.live}
    decision = decide(policy, candidates, h)
    assert (decision.port in alive) if alive else (decision.port is None)


def test_more_candidates_than_the_switch_holds_are_refused() -> None:
    with pytest.raises(ValueError, match="9 candidates"):
        decide(Policy.ECMP, [Candidate(p, 0) for p in range(9)], 0)
