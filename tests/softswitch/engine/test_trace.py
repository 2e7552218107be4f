# SPDX-License-Identifier: MIT
"""The trace: what it tells, and that only those who ask pay for it."""

from __future__ import annotations

import pytest

from softswitch.engine import EngineError, Exact, Lpm, Pipeline

from .programs import DATA, match_program


def test_way_of_a_packet() -> None:
    p = Pipeline.load(DATA / "aggregator.bmv2.json", trace=True)
    p.tables["Ig.jobs"].insert([Exact(3)], "Ig.full_mask", [1, 7])
    p.pre.set_multicast_group(7, [(4, 2)])
    header = bytes.fromhex("0000000000aa0000000000bb88b503000005")
    p.process(1, header + (1).to_bytes(4, "big") + bytes(32))
    events = p.trace_log()
    told = [(e.kind, e.text) for e in events]
    for want in [
        ("ingress", "port 1, 54 bytes, instance type 0"),
        ("parser", "state agg at byte 14"),
        ("table", "Ig.jobs: hdr.agg.workers=0x3: hit entry 0"),
        ("action", "Ig.full_mask(mask=0x1, group=0x7)"),
        ("register_write", "Ig.bitmap[5] = 0x1"),
        ("copy", "to port 4, rid 2"),
        ("transmit", "port 4, 54 bytes"),
    ]:
        assert want in told
    [written] = [e for e in events if e.text == "Ig.bitmap[5] = 0x1"]
    assert (written.source, written.fragment) == (
        "aggregator.p4:82",
        "bitmap.write(slot, meta.seen)",
    )
    assert p.trace_log() == []


def test_same_packets_with_and_without() -> None:
    plain = Pipeline.load(match_program([("lpm", 16)], "lpm"))
    traced = Pipeline.load(match_program([("lpm", 16)], "lpm"), trace=True)
    for p in (plain, traced):
        p.tables["t"].insert([Lpm(0xAB00, 8)], "set", [5])
    for packet in (b"\xab\x01\0\0", b"\x01\x01\0\0", b"\xab"):
        assert plain.process(3, packet) == traced.process(3, packet)
    assert any("prefix length 8" in e.text for e in traced.trace_log())
    assert plain.library_path != traced.library_path
    assert "ss_trace" not in plain.library_path.with_suffix(".c").read_text()


def test_log_of_a_pipeline_without_trace() -> None:
    with pytest.raises(EngineError, match="trace=True"):
        Pipeline.load(match_program([("lpm", 16)], "lpm")).trace_log()
