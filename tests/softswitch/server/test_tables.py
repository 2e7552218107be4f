# SPDX-License-Identifier: MIT
"""TableEntry: all match kinds, default and const entries, errors, filters, direct resources."""

import grpc
import pytest
from finsy.proto import p4r

from tests.softswitch.server.conftest import DELETE, INSERT, MODIFY, code_of, errors_of

INVALID, NOT_FOUND, EXISTS, DENIED, FULL, UNIMPLEMENTED, RANGE = 3, 5, 6, 7, 8, 12, 11


def packet(op=1, k=1, addr=0, wide=0, nib=0):
    return bytes([op]) + k.to_bytes(2) + addr.to_bytes(4) + (wide << 4 | nib).to_bytes(2) + b"\0"


def result(target, data):
    """(port, last byte) of what comes out."""
    return [(port, out[-1]) for port, out in target.plane.process(0, data)]


def refused(call, *args, **kwargs):
    """The (code, message) of the only update of a batch that fails."""
    with pytest.raises(grpc.RpcError) as error:
        call(*args, **kwargs)
    assert code_of(error) == grpc.StatusCode.UNKNOWN
    (only,) = errors_of(error)
    return only


def test_insert_modify_delete_reach_the_packets(target, controller, names):
    assert result(target, packet()) == []
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0x11))
    assert result(target, packet()) == [(5, 0x11)]
    controller.modify(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 6, 0x22))
    assert result(target, packet()) == [(6, 0x22)]
    controller.delete(names.entry("Ig.exact_t", {"k": 1}))
    assert result(target, packet()) == []


def test_lpm(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 1, 0))
    controller.insert(
        names.entry("Ig.lpm_t", {"addr": (0x0A000000, 8)}, "Ig.set", 2, 8),
        names.entry("Ig.lpm_t", {"addr": (0x0A010000, 16)}, "Ig.set", 3, 16),
        names.entry("Ig.lpm_t", {}, "Ig.set", 4, 0x7F),
    )
    assert result(target, packet(addr=0x0A010203)) == [(3, 16)]
    assert result(target, packet(addr=0x0A020203)) == [(2, 8)]
    assert result(target, packet(addr=0x0B020203)) == [(4, 0x7F)]
    found = controller.read(p4r.TableEntry(table_id=names.id("Ig.lpm_t")))
    assert sorted(e.match[0].lpm.prefix_len if e.match else 0 for e in found) == [0, 8, 16]


def test_ternary_range_optional_by_priority(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 1, 0))
    entries = [
        ({"addr": (0x10, 0xF0), "op": 1}, 10, 1),
        ({"addr": (0x10, 0xF0), "k": (1, 5), "op": 1}, 20, 2),
        ({"wide": 0xABC, "op": 1}, 30, 3),
        ({"op": 2}, 1, 4),
    ]
    for keys, priority, v in entries:
        entry = names.entry("Ig.ternary_t", keys, "Ig.set", v, v, priority=priority)
        controller.insert(entry)
        (found,) = [
            e
            for e in controller.read(p4r.TableEntry(table_id=entry.table_id))
            if e.priority == priority
        ]
        assert found == entry  # read-write symmetry
    assert result(target, packet(addr=0x15)) == [(2, 2)]
    assert result(target, packet(addr=0x15, wide=0xABC)) == [(3, 3)]
    assert result(target, packet(op=2)) == [(4, 4)]


def test_same_match_with_two_priorities_are_two_entries(controller, names):
    one = names.entry("Ig.ternary_t", {"op": 1}, "Ig.set", 1, 1, priority=1)
    two = names.entry("Ig.ternary_t", {"op": 1}, "Ig.set", 2, 2, priority=2)
    controller.insert(one, two)
    ask = p4r.TableEntry(table_id=one.table_id, match=one.match, priority=2)
    assert controller.read(ask) == [two]
    ask.priority = 0
    assert sorted(e.priority for e in controller.read(ask)) == [1, 2]
    controller.delete(one)
    assert controller.read(p4r.TableEntry(table_id=one.table_id)) == [two]


def test_values_are_normalised(controller, names):
    entry = names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0)
    entry.match[0].exact.value = b"\0\0\0\1"
    entry.action.action.params[0].value = b"\0\0\0\5"
    controller.insert(entry)
    (found,) = controller.read(p4r.TableEntry(table_id=entry.table_id))
    assert found.match[0].exact.value == b"\1"
    assert found.action.action.params[0].value == b"\5"
    assert found.action.action.params[1].value == b"\0"
    entry.match[0].exact.value = b"\1"
    assert refused(controller.insert, entry)[0] == EXISTS


BAD_MATCHES = [
    ("Ig.exact_t", {}, 0, "is missing"),
    ("Ig.exact_t", {"k": 1 << 16}, 0, "does not fit in 16 bits"),
    ("Ig.lpm_t", {"addr": (0, 0)}, 0, "prefix length of 0"),
    ("Ig.lpm_t", {"addr": (0, 33)}, 0, "not in 1..32"),
    ("Ig.lpm_t", {"addr": (0, -1)}, 0, "not in 1..32"),
    ("Ig.lpm_t", {"addr": (1, 8)}, 0, "outside the prefix"),
    ("Ig.ternary_t", {"addr": (0, 0), "op": 1}, 1, "mask is 0"),
    ("Ig.ternary_t", {"addr": (3, 1), "op": 1}, 1, "outside the mask"),
    ("Ig.ternary_t", {"k": (2, 1), "op": 1}, 1, "empty"),
    ("Ig.ternary_t", {"k": (0, 0xFFFF), "op": 1}, 1, "everything"),
    ("Ig.ternary_t", {"wide": 0x1000, "op": 1}, 1, "does not fit in 12 bits"),
    ("Ig.ternary_t", {"op": 1}, 0, "priority must be above 0"),
    ("Ig.ternary_t", {"op": 1}, -1, "priority must be above 0"),
    ("Ig.exact_t", {"k": 1}, 1, "priority must be 0"),
    ("Ig.keyless_t", {}, 0, "has no key"),
]


@pytest.mark.parametrize(("table", "keys", "priority", "message"), BAD_MATCHES)
def test_malformed_matches(controller, names, table, keys, priority, message):
    entry = names.entry(table, keys, "NoAction", priority=priority)
    code, text = refused(controller.insert, entry)
    assert code == INVALID
    assert message in text
    assert controller.read(p4r.TableEntry(table_id=entry.table_id)) == []


def test_malformed_fields(controller, names):
    entry = names.entry("Ig.exact_t", {"k": 1}, "NoAction")
    for spoil, message in [
        (lambda e: e.match[0].ClearField("exact"), "is exact, not empty"),
        (lambda e: e.match[0].lpm.SetInParent(), "is exact, not lpm"),
        (lambda e: setattr(e.match[0].exact, "value", b""), "byte string is empty"),
        (lambda e: setattr(e.match[0], "field_id", 77), "no key with id 77"),
        (lambda e: e.match.add().CopyFrom(e.match[0]), "given twice"),
        (lambda e: setattr(e, "table_id", 1), "no table 0x00000001"),
        (lambda e: e.ClearField("action"), "no action"),
        (lambda e: setattr(e, "is_const", True), "is_const"),
        (lambda e: e.time_since_last_hit.SetInParent(), "time_since_last_hit"),
        (lambda e: e.counter_data.SetInParent(), "no direct counter"),
        (lambda e: e.meter_config.SetInParent(), "no direct meter"),
        (lambda e: setattr(e, "idle_timeout_ns", -1), "negative"),
        (lambda e: setattr(e.action, "action_profile_member_id", 1), "no action profile"),
    ]:
        bad = p4r.TableEntry()
        bad.CopyFrom(entry)
        spoil(bad)
        code, text = refused(controller.insert, bad)
        assert (code, message in text) == (INVALID, True), text


def test_malformed_actions(controller, names):
    entry = names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 1, 2)
    action = "action.action"
    for spoil, code, message in [
        (lambda a: a.params.pop(), INVALID, "'v' is missing"),
        (lambda a: a.params.add(param_id=9, value=b"1"), INVALID, "no parameter with id 9"),
        (lambda a: setattr(a.params[1], "param_id", 1), INVALID, "given twice"),
        (lambda a: setattr(a.params[0], "value", b"\2\0"), INVALID, "does not fit in 9 bits"),
        (lambda a: setattr(a.params[0], "value", b""), INVALID, "empty"),
        (lambda a: setattr(a, "action_id", 1), INVALID, "no action"),
        (lambda a: setattr(a, "action_id", names.id("Ig.counted")), INVALID, "no action"),
        (lambda a: setattr(a, "action_id", names.id("Ig.only_default")), DENIED, "may not be"),
    ]:
        bad = p4r.TableEntry()
        bad.CopyFrom(entry)
        spoil(bad.action.action)
        got, text = refused(controller.insert, bad)
        assert (got, message in text) == (code, True), (action, text)


def test_modify_and_delete_need_the_entry(controller, names):
    entry = names.entry("Ig.exact_t", {"k": 9}, "Ig.drop")
    assert refused(controller.modify, entry)[0] == NOT_FOUND
    assert refused(controller.delete, entry)[0] == NOT_FOUND


def test_modify_without_action_keeps_it(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0x11))
    controller.modify(names.entry("Ig.exact_t", {"k": 1}, metadata=b"x"))
    assert result(target, packet()) == [(5, 0x11)]
    (found,) = controller.read(p4r.TableEntry(table_id=names.id("Ig.exact_t")))
    assert found.metadata == b"x"


def test_a_full_table(controller, names):
    entries = [names.entry("Ig.exact_t", {"k": k}, "Ig.drop") for k in range(64)]
    controller.insert(*entries)
    assert refused(controller.insert, names.entry("Ig.exact_t", {"k": 64}, "Ig.drop"))[0] == FULL
    controller.delete(entries[0])
    controller.insert(names.entry("Ig.exact_t", {"k": 64}, "Ig.drop"))


def test_default_entry(target, controller, names):
    table = names.id("Ig.exact_t")
    ask = p4r.TableEntry(table_id=table, is_default_action=True)
    (found,) = controller.read(ask)
    assert found.action.action.action_id == names.id("Ig.drop")
    change = names.entry("Ig.exact_t", {}, "Ig.set", 3, 0x77, is_default_action=True, metadata=b"m")
    controller.modify(change)
    assert result(target, packet()) == [(3, 0x77)]
    assert controller.read(ask) == [change]
    controller.modify(names.entry("Ig.exact_t", {}, "Ig.only_default", is_default_action=True))
    controller.modify(ask)  # no action: back to the program's
    assert controller.read(ask) == [found]
    assert result(target, packet()) == []
    assert refused(controller.insert, change)[0] == INVALID
    assert refused(controller.delete, change)[0] == INVALID
    change.priority = 1
    assert refused(controller.modify, change)[0] == INVALID


def test_const_default_action(controller, names):
    change = names.entry("Ig.lpm_t", {}, "Ig.set", 3, 1, is_default_action=True)
    assert refused(controller.modify, change)[0] == DENIED
    (found,) = controller.read(
        p4r.TableEntry(table_id=names.id("Ig.lpm_t"), is_default_action=True)
    )
    assert found.is_const


def test_const_entries(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0x11))
    assert result(target, packet(op=0x41)) == [(1, 0x42)]
    (found,) = controller.read(p4r.TableEntry(table_id=names.id("Ig.const_t")))
    assert found.is_const
    assert found.action.action == names.action("Ig.set", 1, 0x42)
    entry = names.entry("Ig.const_t", {"op": 0x41}, "Ig.set", 1, 1)
    assert refused(controller.modify, entry)[0] == DENIED
    assert refused(controller.delete, entry)[0] == DENIED
    other = names.entry("Ig.const_t", {"op": 0x42}, "Ig.set", 1, 1)
    assert refused(controller.insert, other)[0] == DENIED


def test_filters(controller, names):
    a = names.entry("Ig.exact_t", {"k": 1}, "Ig.drop", controller_metadata=5)
    b = names.entry("Ig.exact_t", {"k": 2}, "Ig.to_cpu", metadata=b"cookie")
    c = names.entry("Ig.counted_t", {"k": 2}, "NoAction")
    controller.insert(a, b, c)
    table = names.id("Ig.exact_t")
    read = controller.read
    assert read(p4r.TableEntry(table_id=table, match=b.match)) == [b]
    assert read(p4r.TableEntry(table_id=table, controller_metadata=5)) == [a]
    assert read(p4r.TableEntry(table_id=table, metadata=b"cookie")) == [b]
    by_action = p4r.TableEntry(table_id=table)
    by_action.action.action.action_id = names.id("Ig.drop")
    assert read(by_action) == [a]
    assert read(p4r.TableEntry(table_id=table, match=names.match("Ig.exact_t", k=3))) == []
    everything = read(p4r.TableEntry())
    assert len(everything) == 4  # and the const entry
    assert len(read(p4r.TableEntry(is_default_action=True))) == 9


def test_direct_counter(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0))
    entry = names.entry("Ig.counted_t", {"k": 1}, "Ig.counted", 9)
    entry.counter_data.packet_count, entry.counter_data.byte_count = 100, 1000
    controller.insert(entry)
    target.plane.process(0, packet())
    ask = p4r.TableEntry(table_id=entry.table_id, counter_data=p4r.CounterData())
    (found,) = controller.read(ask)
    assert (found.counter_data.packet_count, found.counter_data.byte_count) == (101, 1010)
    assert not controller.read(p4r.TableEntry(table_id=entry.table_id))[0].HasField("counter_data")
    key = p4r.TableEntry(table_id=entry.table_id, match=entry.match)
    direct = p4r.DirectCounterEntry(table_entry=key)
    (found,) = controller.read(direct)
    assert found.data.packet_count == 101
    direct.data.packet_count = 7
    controller.modify(direct)
    for ask in (p4r.DirectCounterEntry(), direct):
        (found,) = controller.read(ask)
        assert (found.data.packet_count, found.data.byte_count) == (7, 0)
    assert refused(controller.insert, direct)[0] == INVALID
    assert refused(controller.delete, direct)[0] == INVALID
    direct.data.packet_count = -1
    assert refused(controller.modify, direct)[0] == INVALID
    direct.table_entry.match[0].exact.value = b"\2"
    assert refused(controller.modify, direct)[0] == NOT_FOUND
    direct.table_entry.table_id = names.id("Ig.exact_t")
    assert refused(controller.modify, direct)[0] == INVALID


def test_direct_meter(controller, names):
    entry = names.entry("Ig.metered_t", {"k": 1}, "Ig.metered")
    entry.meter_config.CopyFrom(p4r.MeterConfig(cir=10, cburst=20, pir=30, pburst=40))
    controller.insert(entry)
    key = p4r.TableEntry(table_id=entry.table_id, match=entry.match)
    ask = p4r.TableEntry(table_id=entry.table_id, meter_config=p4r.MeterConfig())
    assert controller.read(ask) == [entry]
    direct = p4r.DirectMeterEntry(table_entry=key)
    (found,) = controller.read(direct)
    assert found.config == entry.meter_config
    # MODIFY of the entry without a config resets the meter.
    controller.modify(names.entry("Ig.metered_t", {"k": 1}, "Ig.metered"))
    (found,) = controller.read(ask)
    assert not found.HasField("meter_config")
    direct.config.CopyFrom(p4r.MeterConfig(cir=1, cburst=1, pir=1, pburst=1))
    controller.modify(direct)
    (found,) = controller.read(p4r.DirectMeterEntry())
    assert found.config == direct.config
    direct.config.eburst = 1
    assert refused(controller.modify, direct)[0] == INVALID
    direct.counter_data.SetInParent()
    assert refused(controller.modify, direct)[0] == UNIMPLEMENTED


def test_batches_report_every_update(controller, names):
    good = names.entry("Ig.exact_t", {"k": 1}, "Ig.drop")
    bad = names.entry("Ig.exact_t", {"k": 2}, "Ig.set", 1 << 9, 0)
    with pytest.raises(grpc.RpcError) as error:
        controller.write((INSERT, good), (INSERT, bad), (DELETE, bad), (INSERT, good))
    assert [code for code, _ in errors_of(error)] == [0, INVALID, NOT_FOUND, EXISTS]
    assert len(controller.read(p4r.TableEntry(table_id=good.table_id))) == 1


@pytest.mark.parametrize("atomicity", [1, 2])
def test_atomic_batches_are_all_or_nothing(target, controller, names, atomicity):
    kept = names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 5, 0x11)
    controller.insert(kept)
    changed = names.entry("Ig.exact_t", {"k": 1}, "Ig.set", 6, 0x22)
    new = names.entry("Ig.exact_t", {"k": 2}, "Ig.drop")
    group = p4r.PacketReplicationEngineEntry(
        multicast_group_entry=p4r.MulticastGroupEntry(multicast_group_id=1)
    )
    with pytest.raises(grpc.RpcError) as error:
        controller.write(
            (MODIFY, changed), (INSERT, new), (INSERT, group), (INSERT, new), atomicity=atomicity
        )
    assert [code for code, _ in errors_of(error)] == [2, 2, 2, EXISTS]
    assert controller.read(p4r.TableEntry(table_id=kept.table_id)) == [kept]
    assert result(target, packet()) == [(5, 0x11)]
    # The record and the switch still agree: entries can be changed.
    controller.write((MODIFY, changed), (INSERT, new), (INSERT, group), atomicity=atomicity)
    assert result(target, packet()) == [(6, 0x22)]


def test_large_batch_of_errors_still_arrives(controller, names):
    bad = names.entry("Ig.exact_t", {"k": 2}, "Ig.set", 1 << 9, 0)
    with pytest.raises(grpc.RpcError) as error:
        controller.insert(*[bad] * 5000)
    assert code_of(error) == grpc.StatusCode.UNKNOWN
    assert "5000 of 5000 updates failed" in error.value.details()


def test_read_errors_are_per_request(controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.drop"))
    with pytest.raises(grpc.RpcError) as error:
        controller.read(p4r.TableEntry(table_id=1), p4r.TableEntry(), p4r.Entity())
    assert [code for code, _ in errors_of(error)] == [INVALID, 0, INVALID]


def test_ten_thousand_entries(controller, names):
    entries = [
        names.entry("Ig.lpm_t", {"addr": (n << 8, 24)}, "Ig.set", 1, n & 255)
        for n in range(1, 10001)
    ]
    for start in range(0, len(entries), 1000):
        controller.insert(*entries[start : start + 1000])
    found = controller.read(p4r.TableEntry(table_id=names.id("Ig.lpm_t")))
    assert len(found) == 10000
    assert found[1234] == entries[1234]
