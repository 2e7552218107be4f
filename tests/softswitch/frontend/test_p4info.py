# SPDX-License-Identifier: MIT
"""P4Info: ids and names as p4c gives them, types, annotations, aliases."""

from __future__ import annotations

from pathlib import Path

import pytest
from finsy.proto import p4i

from softswitch.frontend import P4CompileError, compile_p4
from softswitch.frontend.p4info import name_hash

PROGRAM = Path(__file__).parent / "programs" / "control_plane.p4"
HEAD = '#include "{}/head.p4inc"\n'.format(Path(__file__).parent / "programs" / "rejected")
TAIL = '#include "{}/tail.p4inc"\n'.format(Path(__file__).parent / "programs")
CONTROL = "control Ig(inout headers_t hdr, inout meta_t meta, inout standard_metadata_t sm) "


@pytest.fixture(scope="module")
def info() -> p4i.P4Info:
    return compile_p4(PROGRAM).p4info


def compiled(tmp_path: Path, body: str) -> p4i.P4Info:
    program = tmp_path / "program.p4"
    program.write_text(HEAD + CONTROL + "{" + body + "}\n" + TAIL)
    return compile_p4(program).p4info


def test_hash_is_p4cs() -> None:
    # NoAction's id in every P4Info that p4c wrote
    assert 1 << 24 | name_hash("NoAction") & 0xFFFFFF == 21257015
    assert name_hash("Ig.routes") & 0xFFFFFF == 50184646 & 0xFFFFFF


def test_packet_headers_have_the_ids_of_their_types(info: p4i.P4Info) -> None:
    found = {m.preamble.name: m for m in info.controller_packet_metadata}
    assert found["packet_in"].preamble.id == 81826293
    assert found["packet_out"].preamble.id == 76689799
    assert [(m.id, m.name, m.bitwidth) for m in found["packet_in"].metadata] == [
        (1, "ingress_port", 9),
        (7, "reason", 7),
    ]


def test_aliases_are_the_shortest_unique_suffixes(info: p4i.P4Info) -> None:
    names = {t.preamble.name: t.preamble.alias for t in info.tables}
    assert names == {
        "Ig.s1.t": "s1.t",
        "Ig.second.t": "second.t",
        "Ig.grouped": "grouped",
        "Ig.unused_name": "unused_name",
    }


def test_match_fields(info: p4i.P4Info) -> None:
    table = next(t for t in info.tables if t.preamble.name == "Ig.s1.t")
    fields = [(f.id, f.name, f.bitwidth, f.match_type) for f in table.match_fields]
    kind = p4i.MatchField
    assert fields == [
        (3, "meta.vlan", 32, kind.EXACT),
        (1, "hdr.h.k", 8, kind.TERNARY),
        (2, "hdr.h.f", 1, kind.EXACT),
        (4, "hdr.h.$valid$", 1, kind.EXACT),
        (5, "low", 16, kind.EXACT),
        (6, "hdr.h.a[3:0]", 4, kind.OPTIONAL),
    ]
    assert table.match_fields[0].type_name.name == "vlan_t"
    assert table.match_fields[5].doc.brief == "low nibble"
    assert table.idle_timeout_behavior == p4i.Table.NOTIFY_CONTROL
    scopes = [r.scope for r in table.action_refs]
    assert scopes == [p4i.ActionRef.TABLE_ONLY, p4i.ActionRef.DEFAULT_ONLY]


def test_action_parameters(info: p4i.P4Info) -> None:
    action = next(a for a in info.actions if a.preamble.name == "Ig.s1.set")
    params = [(p.id, p.name, p.bitwidth, p.type_name.name) for p in action.params]
    assert params == [(5, "port", 0, "port_name_t"), (1, "the_kind", 8, ""), (2, "f", 1, "")]


def test_types(info: p4i.P4Info) -> None:
    types = info.type_info
    assert types.new_types["port_name_t"].translated_type.HasField("sdn_string")
    assert types.new_types["vlan_t"].translated_type.sdn_bitwidth == 32
    assert types.new_types["slot_t"].original_type.bitstring.bit.bitwidth == 32
    members = {m.name: m.value for m in types.serializable_enums["kind_t"].members}
    assert members == {"A": b"\x01", "B": b"\x80"}
    assert [m.name for m in types.structs["learn_t"].members] == ["a", "k", "vlan"]


def test_objects(info: p4i.P4Info) -> None:
    assert info.counters[0].index_type_name.name == "slot_t"
    assert info.registers[0].type_spec.new_type.name == "vlan_t"
    assert info.action_profiles[0].with_selector
    assert info.action_profiles[0].max_group_size == 4
    assert [m.match_type for m in info.value_sets[1].match] == [
        p4i.MatchField.TERNARY,
        p4i.MatchField.EXACT,
    ]
    assert info.digests[0].type_spec.struct.name == "learn_t"
    assert (info.pkg_info.name, info.pkg_info.version) == ("inca.test", "1.2")


def test_annotations(info: p4i.P4Info) -> None:
    table = next(t for t in info.tables if t.preamble.name == "Ig.unused_name")
    assert table.preamble.id == 0x02000042
    assert table.preamble.doc.brief == "short"
    pairs = table.preamble.structured_annotations[0].kv_pair_list.kv_pairs
    assert [(p.key, p.value.string_value or p.value.int64_value) for p in pairs] == [
        ("owner", "me"),
        ("level", 3),
    ]


def test_an_id_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(P4CompileError, match="prefix of another kind"):
        compiled(
            tmp_path, "@id(0x01000001) table t { actions = { NoAction; } } apply { t.apply(); }"
        )


def test_an_id_cannot_be_used_twice(tmp_path: Path) -> None:
    body = "@id(1) table t { actions = { NoAction; } } @id(1) table u { actions = { NoAction; } }"
    with pytest.raises(P4CompileError, match="used twice"):
        compiled(tmp_path, body + "apply { t.apply(); u.apply(); }")


def test_unused_tables_and_actions_are_left_out(tmp_path: Path) -> None:
    body = """
    action used() { hdr.h.a = 1; } action unused() { }
    table t { actions = { NoAction; } } register<bit<8>>(2) kept;
    apply { used(); }"""
    found = compiled(tmp_path, body)
    assert [a.preamble.name for a in found.actions] == ["Ig.used"]
    assert not found.tables
    assert [r.preamble.name for r in found.registers] == ["Ig.kept"]
