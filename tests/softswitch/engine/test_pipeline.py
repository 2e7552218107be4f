# SPDX-License-Identifier: MIT
"""State, replication, digests, snapshots, limits: what a `Pipeline` promises."""

from __future__ import annotations

from typing import Any

import pytest

from softswitch.engine import (
    ConstError,
    Exact,
    Group,
    InUseError,
    InvalidError,
    Lpm,
    Member,
    MeterRates,
    NotFoundError,
    PacketAssertError,
    Pipeline,
)

from .programs import (
    DATA,
    Json,
    action,
    assign,
    const,
    document,
    field,
    fixed_table,
    match_program,
    op,
)

PORT = field("standard_metadata", "egress_spec")
LISTS = [{"id": 1, "name": "l", "elements": []}]


def one_action(*body: Json, fields: list[list[Any]] | None = None, **more: Any) -> Pipeline:
    return Pipeline.load(
        document(
            fields or [["a", 8, False]], [action(0, *body)], [fixed_table("t", 0, None)], **more
        )
    )


def primitive(name: str, *args: Json) -> Json:
    return {"op": name, "parameters": list(args)}


# -- snapshots ---------------------------------------------------------------------------


def test_snapshot_compares_by_content() -> None:
    p = Pipeline.load(DATA / "aggregator.bmv2.json")
    first = p.snapshot()
    p.registers["Ig.bitmap"][3] = 9
    second = p.snapshot()
    p.registers["Ig.bitmap"][3] = 0
    third = p.snapshot()
    assert first != second
    assert (first, hash(first)) == (third, hash(third))
    p.restore(second)
    assert p.registers["Ig.bitmap"][3] == 9
    assert p.snapshot() == second


def test_restore_brings_tables_groups_and_profiles_back() -> None:
    p = Pipeline.load(DATA / "action_selector.bmv2.json")
    t, profile = p.tables["Ig.t"], p.action_profiles["Ig.sel"]
    name = p.program.actions[t.info.actions[0]].name
    width = len(p.program.actions[t.info.actions[0]].params)
    profile.add_member(1, name, [1] * width)
    profile.add_member(2, name, [2] * width)
    profile.add_group(7, [(1, 3), (2, 1)])
    t.insert([Exact(5)], Group(7))
    p.pre.set_multicast_group(4, [(1, 0), (2, 5)])
    p.pre.set_clone_session(9, [(3, 0)], 60)
    before = p.snapshot()
    t.delete(t.find([Exact(5)]) or 0)
    t.insert([Exact(6)], Member(2))
    profile.delete_group(7)
    p.pre.delete_multicast_group(4)
    after = p.snapshot()
    assert before != after
    p.restore(before)
    assert p.snapshot() == before
    assert [(e.match, e.action) for e in t.entries()] == [((Exact(5),), Group(7))]
    assert p.pre.groups == {4: ((1, 0), (2, 5))}
    with pytest.raises(InUseError):
        profile.delete_group(7)
    p.restore(after)
    assert [(e.match, e.action) for e in t.entries()] == [((Exact(6),), Member(2))]


def test_restore_brings_direct_counters_back() -> None:
    p = Pipeline.load(match_program([("exact", 8)], "exact"))
    p.tables["t"].insert([Exact(1)], "set", [1])
    start = p.snapshot()
    p.process(0, b"\x01\0\0")
    assert p.snapshot() != start
    p.restore(start)
    assert p.tables["t"].counter(p.tables["t"].find([Exact(1)]) or 0) == (0, 0)
    assert p.snapshot() == start


def test_snapshot_of_another_instance() -> None:
    a = Pipeline.load(match_program([("lpm", 16)], "lpm"))
    a.tables["t"].insert([Lpm(0x1200, 8)], "set", [3])
    b = a.clone()
    b.restore(a.snapshot())
    assert b.process(0, b"\x12\x34\0\0") == [(0, b"\x12\x34\0\x03")]


# -- the program misbehaves --------------------------------------------------------------


def test_endless_resubmission_ends_and_is_counted() -> None:
    p = one_action(primitive("resubmit", const(1)), field_lists=LISTS)
    assert p.process(0, b"\0") == []
    assert p.stats()["dropped_loop"] == 1
    assert p.process(0, b"\0") == []


def test_endless_recirculation_of_clones_ends() -> None:
    doc = document(
        [["a", 8, False]],
        [action(0, assign(PORT, const(1))),
         action(1, primitive("recirculate", const(1)),
                primitive("clone_egress_pkt_to_egress", const(5), const(1)))],
        [fixed_table("t", 0, None)], egress=[fixed_table("e", 1, None, 1)], field_lists=LISTS,
    )  # fmt: skip
    p = Pipeline.load(doc)
    p.pre.set_clone_session(5, [(1, 0), (2, 0)])
    p.process(0, b"\0")
    assert p.stats()["dropped_loop"] > 0


def test_indices_out_of_range_are_counted_and_harmless() -> None:
    register = {"type": "register_array", "value": "r"}
    counter = {"type": "counter_array", "value": "c"}
    p = one_action(
        assign(field("h", "b"), const(7)),
        primitive("register_write", register, field("h", "a"), const(5)),
        primitive("register_read", field("h", "b"), register, field("h", "a")),
        primitive("count", counter, field("h", "a")),
        fields=[["a", 8, False], ["b", 8, False]],
        register_arrays=[{"name": "r", "id": 0, "size": 2, "bitwidth": 8}],
        counter_arrays=[{"name": "c", "id": 0, "size": 2, "is_direct": False}],
    )
    assert p.process(0, b"\x01\0") == [(0, b"\x01\x05")]
    assert p.stats()["index_errors"] == 0
    assert p.process(0, b"\x02\0") == [(0, b"\x02\x00")], "a read out of range gives zero"
    assert p.stats()["index_errors"] == 3
    assert p.registers["r"].read_all() == [0, 5]
    assert p.counters["c"][1] == (1, 2)


def test_failing_assert_raises_and_leaves_the_pipeline_usable() -> None:
    condition = op("b2d", None, op("==", field("h", "a"), const(1)))
    p = one_action({**primitive("assert", {"type": "expression", "value": condition}),
                    "source_info": {"filename": "x.p4", "line": 7, "column": 1,
                                    "source_fragment": "assert(h.a == 1)"}})  # fmt: skip
    assert p.process(0, b"\x01") == [(0, b"\x01")]
    with pytest.raises(PacketAssertError, match=r"assert failed at x\.p4:7"):
        p.process(0, b"\x02")
    assert p.process(0, b"\x01") == [(0, b"\x01")]


def test_endless_loop_in_an_action_ends() -> None:
    assert one_action(primitive("_jump", const(0))).process(0, b"\0") == [(0, b"\0")]


def test_stack_of_parser_states_without_end() -> None:
    again = {"type": "default", "value": None, "mask": None, "next_state": "start"}
    state = {
        "name": "start", "id": 0, "parser_ops": [], "transition_key": [], "transitions": [again]
    }  # fmt: skip
    parsers = [{"name": "parser", "id": 0, "init_state": "start", "parse_states": [state]}]
    p = one_action(assign(PORT, const(1)), parsers=parsers)
    assert p.process(0, b"\0\0") == [(1, b"\0\0")]
    assert p.stats()["parser_errors"] == 1


# -- replication -------------------------------------------------------------------------


def test_clone_session_truncates() -> None:
    p = one_action(
        primitive("clone_ingress_pkt_to_egress", const(5), const(1)),
        assign(PORT, const(1)),
        field_lists=LISTS,
    )
    p.pre.set_clone_session(5, [(3, 0)], truncate=4)
    assert sorted(p.process(0, bytes(10))) == [(1, bytes(10)), (3, bytes(4))]
    p.pre.delete_clone_session(5)
    assert p.process(0, bytes(10)) == [(1, bytes(10))]
    assert p.stats()["no_session"] == 1


def test_priorities_beyond_the_queues_are_dropped() -> None:
    p = one_action(assign(field("standard_metadata", "priority"), const(2)))
    assert p.process(0, b"\0") == []
    p.set_queues(3)
    assert p.process(0, b"\0") == [(0, b"\0")]
    assert p.stats()["dropped_priority"] == 1


def test_unknown_objects_are_named() -> None:
    p = one_action()
    with pytest.raises(NotFoundError, match="multicast group 3"):
        p.pre.delete_multicast_group(3)
    with pytest.raises(InvalidError, match="multicast group 0"):
        p.pre.set_multicast_group(0, [(1, 0)])


# -- digests, meters, defaults -----------------------------------------------------------


def test_digests_carry_values_and_are_drained() -> None:
    p = Pipeline.load(DATA / "digest_declared.bmv2.json")
    p.process(3, bytes.fromhex("1122334455667788"))
    [digest] = p.digests()
    assert digest.name == "learn_t"
    assert digest.values[1] == 3
    assert p.digests() == []


def test_meter_colours_follow_the_rates() -> None:
    meter = {"type": "meter_array", "value": "m"}
    p = one_action(
        primitive("execute_meter", meter, const(0), field("h", "a")),
        meter_arrays=[{"name": "m", "id": 0, "is_direct": False, "size": 1, "rate_count": 2,
                       "type": "packets"}],
    )  # fmt: skip

    def colours(count: int, now: int) -> list[int]:
        return [p.process(0, b"\0", now)[0][1][0] for _ in range(count)]

    assert colours(3, 0) == [0, 0, 0], "green while not configured"
    p.meters["m"][0] = MeterRates(cir=1, cburst=2, pir=2, pburst=4)
    assert p.meters["m"][0] == MeterRates(1, 2, 2, 4)
    assert colours(6, 0) == [0, 0, 1, 1, 2, 2]
    assert colours(4, 1_000_000) == [0, 1, 2, 2], "one second gives 1 committed and 2 peak tokens"
    p.meters["m"][0] = None
    assert colours(2, 1_000_000) == [0, 0]


def test_constant_entries_cannot_be_changed() -> None:
    doc = match_program([("exact", 8)], "exact")
    doc["pipelines"][0]["tables"][0]["entries"] = [
        {"match_key": [{"match_type": "exact", "key": "0x05"}], "priority": 1,
         "action_entry": {"action_id": 0, "action_data": ["0x0102"]}}
    ]  # fmt: skip
    p = Pipeline.load(doc)
    t = p.tables["t"]
    assert p.process(0, b"\x05\0\0") == [(0, b"\x05\x01\x02")]
    [entry] = t.entries()
    for write in (
        lambda: t.insert([Exact(1)], "set", [1]),
        lambda: t.delete(entry.handle),
        lambda: t.modify(entry.handle, "set", [1]),
        t.clear,
    ):
        with pytest.raises(ConstError):
            write()
    p.restore(p.snapshot())
    assert list(t.entries()) == [entry]


def test_registers_check_index_and_value() -> None:
    r = Pipeline.load(DATA / "aggregator.bmv2.json").registers["Ig.rounds"]
    r.write_all(list(range(len(r))))
    assert r.read_all() == list(range(64))
    with pytest.raises(InvalidError, match=r"Ig\.rounds\[64\]"):
        r[64] = 1
    with pytest.raises(InvalidError, match="does not fit"):
        r[0] = 1 << 16


def test_many_groups_and_members() -> None:
    p = Pipeline.load(DATA / "action_selector.bmv2.json")
    t, profile = p.tables["Ig.t"], p.action_profiles["Ig.sel"]
    name = p.program.actions[t.info.actions[0]].name
    width = len(p.program.actions[t.info.actions[0]].params)
    for i in range(20):
        profile.add_member(i * 16, name, [i] * width)
    order = [7, 1, 900, 3, 12, 5]
    for g in order:
        profile.add_group(g, [(16, 1)])
        t.insert([Exact(g % 256)], Group(g))
    with pytest.raises(InUseError):
        profile.delete_member(16)
    with pytest.raises(NotFoundError):
        profile.set_group(2, [(17, 1)])
    for g in order:
        profile.set_group(g, [(32, 2)])
    profile.delete_member(16)
    for g in order:
        t.delete(t.find([Exact(g % 256)]) or 0)
        profile.delete_group(g)
    for i in range(20):
        if i != 1:
            profile.delete_member(i * 16)
    assert p.snapshot() == p.clone().snapshot()
