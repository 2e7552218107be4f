# SPDX-License-Identifier: MIT
"""Counters, meters, registers, action profiles, replication, value sets, digest configuration."""

import time

import grpc
import pytest
from finsy.proto import p4d, p4r

from tests.softswitch.server.conftest import DEADLINE_S
from tests.softswitch.server.test_tables import (
    EXISTS,
    FULL,
    INVALID,
    NOT_FOUND,
    RANGE,
    UNIMPLEMENTED,
    packet,
    refused,
    result,
)

PRECONDITION = 9


def forward(controller, names, port=5):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.set", port, 0))


# -- counters


def counter(names, index=None, packets=None, octets=0):
    entry = p4r.CounterEntry(counter_id=names.id("Ig.hits"))
    if index is not None:
        entry.index.index = index
    if packets is not None:
        entry.data.packet_count, entry.data.byte_count = packets, octets
    return entry


def test_counters(target, controller, names):
    forward(controller, names)
    target.plane.process(0, packet(nib=3))
    (found,) = controller.read(counter(names, 3))
    assert (found.data.packet_count, found.data.byte_count) == (1, 10)
    controller.modify(counter(names, 3, 100, 200))
    target.plane.process(0, packet(nib=3))
    counts = [e.data.packet_count for e in controller.read(counter(names))]
    assert counts == [0, 0, 0, 101, 0, 0, 0, 0]
    assert len(controller.read(p4r.CounterEntry())) == 8
    controller.modify(counter(names, None, 1, 1))
    assert {e.data.byte_count for e in controller.read(counter(names))} == {1}
    controller.modify(counter(names, 3))  # no data: nothing changes
    assert refused(controller.modify, counter(names, -1, 1))[0] == INVALID
    assert refused(controller.modify, counter(names, 8, 1))[0] == RANGE
    assert refused(controller.read, counter(names, 8))[0] == RANGE
    assert refused(controller.insert, counter(names, 1, 1))[0] == INVALID
    assert refused(controller.modify, p4r.CounterEntry(counter_id=1))[0] == INVALID


# -- meters


def meter(names, index=None, **rates):
    entry = p4r.MeterEntry(meter_id=names.id("Ig.rate"))
    if index is not None:
        entry.index.index = index
    if rates:
        entry.config.CopyFrom(p4r.MeterConfig(**rates))
    return entry


def test_meters(controller, names):
    configured = meter(names, 2, cir=1, cburst=2, pir=3, pburst=4)
    controller.modify(configured)
    found = controller.read(meter(names))
    assert [e.HasField("config") for e in found] == [False, False, True, False]
    assert found[2] == configured
    controller.modify(meter(names, None, cir=1, cburst=2, pir=3, pburst=4))
    assert all(e.HasField("config") for e in controller.read(p4r.MeterEntry()))
    controller.modify(meter(names, 2))
    assert not controller.read(meter(names, 2))[0].HasField("config")
    assert refused(controller.modify, meter(names, 4))[0] == RANGE
    assert refused(controller.modify, meter(names, 1, cir=5, pir=1))[0] == INVALID
    assert refused(controller.modify, meter(names, 1, cir=-5))[0] == INVALID
    assert refused(controller.delete, meter(names, 1))[0] == INVALID


# -- registers


def register(names, name="Ig.cells", index=None, bits=None):
    entry = p4r.RegisterEntry(register_id=names.id(name))
    if index is not None:
        entry.index.index = index
    if bits is not None:
        entry.data.CopyFrom(p4d.P4Data(bitstring=bits))
    return entry


def test_registers(target, controller, names):
    forward(controller, names)
    target.plane.process(0, packet(op=9, nib=2, addr=0x01020304))
    assert controller.read(register(names, index=2))[0].data.bitstring == b"\1\2\3\4"
    controller.modify(register(names, index=2, bits=b"\0\0\5"))
    assert controller.read(register(names, index=2))[0].data.bitstring == b"\5"
    controller.modify(register(names, bits=b"\7"))
    assert {e.data.bitstring for e in controller.read(register(names))} == {b"\7"}
    # int<12>: -2 has a sign
    (small,) = controller.read(register(names, "Ig.small", 1))
    assert small.data.bitstring == b"\xfe"
    controller.modify(register(names, "Ig.small", 1, b"\xf8\x00"))
    assert controller.read(register(names, "Ig.small", 1))[0].data.bitstring == b"\xf8\x00"
    assert refused(controller.modify, register(names, "Ig.small", 1, b"\x08\x00"))[0] == RANGE
    assert refused(controller.modify, register(names, index=2, bits=b"\1\0\0\0\0"))[0] == RANGE
    assert refused(controller.modify, register(names, index=16, bits=b"\1"))[0] == RANGE
    assert refused(controller.modify, register(names, index=2))[0] == INVALID
    assert refused(controller.delete, register(names, index=2))[0] == INVALID
    assert len(controller.read(p4r.RegisterEntry())) == 20


# -- action profiles and selectors


def use(names, table, k, **action):
    return names.entry(table, {"k": k}, p4r.TableAction(**action))


def test_action_profile(target, controller, names):
    forward(controller, names)
    controller.insert(names.member("Ig.prof", 1, "Ig.set", 7, 0x70))
    controller.insert(use(names, "Ig.prof_t", 1, action_profile_member_id=1))
    assert result(target, packet()) == [(7, 0x70)]
    controller.modify(names.member("Ig.prof", 1, "Ig.set", 8, 0x80))
    assert result(target, packet()) == [(8, 0x80)]
    assert controller.read(names.member("Ig.prof", 1)) == [
        names.member("Ig.prof", 1, "Ig.set", 8, 0x80)
    ]
    assert refused(controller.delete, names.member("Ig.prof", 1))[0] == PRECONDITION
    controller.delete(names.entry("Ig.prof_t", {"k": 1}))
    controller.delete(names.member("Ig.prof", 1))
    assert controller.read(p4r.ActionProfileMember()) == []


def test_action_profile_errors(controller, names):
    insert = controller.insert
    assert refused(insert, names.member("Ig.prof", 0, "Ig.drop"))[0] == INVALID
    assert refused(insert, names.member("Ig.prof", 1))[0] == INVALID
    assert refused(insert, names.member("Ig.prof", 1, "Ig.counted", 1))[0] == INVALID
    insert(names.member("Ig.prof", 1, "Ig.drop"))
    assert refused(insert, names.member("Ig.prof", 1, "Ig.drop"))[0] == EXISTS
    assert refused(controller.modify, names.member("Ig.prof", 2, "Ig.drop"))[0] == NOT_FOUND
    assert refused(controller.delete, names.member("Ig.prof", 2))[0] == NOT_FOUND
    assert refused(controller.read, names.member("Ig.prof", 2))[0] == NOT_FOUND
    assert refused(insert, names.group("Ig.prof", 1, (1, 1)))[0] == INVALID
    assert refused(insert, use(names, "Ig.prof_t", 1, action_profile_member_id=9))[0] == NOT_FOUND
    assert refused(insert, names.entry("Ig.prof_t", {"k": 1}, "Ig.drop"))[0] == INVALID
    insert(*(names.member("Ig.prof", id, "Ig.drop") for id in range(2, 17)))
    assert refused(insert, names.member("Ig.prof", 17, "Ig.drop"))[0] == FULL


def test_selector_groups(target, controller, names):
    forward(controller, names)
    controller.insert(*(names.member("Ig.sel", id, "Ig.set", id, id) for id in (1, 2, 3)))
    controller.insert(names.group("Ig.sel", 4, (1, 1), (2, 1), max_size=5))
    controller.insert(use(names, "Ig.sel_t", 1, action_profile_group_id=4))
    # The identity hash of op picks the member.
    assert [result(target, packet(op=op))[0] for op in (2, 3)] == [(1, 1), (2, 2)]
    controller.modify(names.group("Ig.sel", 4, (3, 2), max_size=5))
    assert result(target, packet(op=2)) == [(3, 3)]
    assert controller.read(names.group("Ig.sel", 4)) == [
        names.group("Ig.sel", 4, (3, 2), max_size=5)
    ]
    assert refused(controller.delete, names.member("Ig.sel", 3))[0] == PRECONDITION
    assert refused(controller.delete, names.group("Ig.sel", 4))[0] == PRECONDITION
    controller.delete(names.entry("Ig.sel_t", {"k": 1}))
    controller.delete(names.group("Ig.sel", 4))
    controller.delete(names.member("Ig.sel", 3))


def test_selector_group_errors(controller, names):
    insert = controller.insert
    insert(names.member("Ig.sel", 1, "Ig.drop"), names.member("Ig.sel", 2, "Ig.drop"))
    assert refused(insert, names.group("Ig.sel", 0, (1, 1)))[0] == INVALID
    assert refused(insert, names.group("Ig.sel", 1, (1, 1), (1, 2)))[0] == INVALID
    assert refused(insert, names.group("Ig.sel", 1, (1, 0)))[0] == INVALID
    assert refused(insert, names.group("Ig.sel", 1, (9, 1)))[0] == NOT_FOUND
    assert refused(insert, names.group("Ig.sel", 1, (1, 2), max_size=1))[0] == FULL
    insert(names.group("Ig.sel", 1, (1, 1), max_size=2))
    assert refused(insert, names.group("Ig.sel", 1, (1, 1)))[0] == EXISTS
    assert refused(controller.modify, names.group("Ig.sel", 1, (1, 1)))[0] == INVALID
    assert refused(controller.modify, names.group("Ig.sel", 2, (1, 1)))[0] == NOT_FOUND
    assert refused(controller.delete, names.group("Ig.sel", 2))[0] == NOT_FOUND


def action_set(names, *actions):
    message = p4r.ActionProfileActionSet()
    for port, weight in actions:
        message.action_profile_actions.add(action=names.action("Ig.set", port, port), weight=weight)
    return message


def test_one_shot(target, controller, names):
    forward(controller, names)
    entry = use(names, "Ig.sel_t", 1, action_profile_action_set=action_set(names, (1, 1), (2, 1)))
    controller.insert(entry)
    assert [result(target, packet(op=op))[0] for op in (2, 3)] == [(1, 1), (2, 2)]
    assert controller.read(p4r.TableEntry(table_id=entry.table_id)) == [entry]
    # Nothing of the group and members behind it is visible.
    assert controller.read(p4r.ActionProfileMember()) == []
    assert controller.read(p4r.ActionProfileGroup()) == []
    changed = use(names, "Ig.sel_t", 1, action_profile_action_set=action_set(names, (3, 2)))
    controller.modify(changed)
    assert result(target, packet(op=2)) == [(3, 3)]
    for _ in range(20):  # what is replaced is freed: the selector has room for 16 members
        controller.modify(entry)
    controller.delete(entry)
    for _ in range(20):
        controller.insert(entry)
        controller.delete(entry)


def test_one_shot_errors(controller, names):
    def one_shot(*actions):
        return use(names, "Ig.sel_t", 1, action_profile_action_set=action_set(names, *actions))

    assert refused(controller.insert, one_shot((1, 0)))[0] == INVALID
    assert refused(controller.insert, one_shot((1, 1 << 20)))[0] == FULL
    plain = use(names, "Ig.prof_t", 1, action_profile_action_set=action_set(names, (1, 1)))
    assert refused(controller.insert, plain)[0] == INVALID
    controller.insert(one_shot((1, 1)))
    assert refused(controller.insert, names.member("Ig.sel", 1, "Ig.drop"))[0] == INVALID
    controller.delete(one_shot())
    controller.insert(names.member("Ig.sel", 1, "Ig.drop"))
    assert refused(controller.insert, one_shot((1, 1)))[0] == INVALID


def test_watch_ports(target, controller, names):
    forward(controller, names)
    controller.insert(*(names.member("Ig.sel", id, "Ig.set", id, id) for id in (1, 2)))
    group = names.group("Ig.sel", 4, (1, 1), (2, 1))
    for member in group.members:
        member.watch_port = bytes([member.member_id])
    controller.insert(group)
    assert controller.read(names.group("Ig.sel", 4)) == [group]
    controller.insert(use(names, "Ig.sel_t", 1, action_profile_group_id=4))
    target.plane.set_port(1, up=False)
    wait_until(lambda: result(target, packet(op=2)) == [(2, 2)])
    target.plane.set_port(1, up=True)
    wait_until(lambda: result(target, packet(op=2)) == [(1, 1)])
    group.members[0].watch_port = b"\2\0"
    assert refused(controller.modify, group)[0] == INVALID


def wait_until(condition):
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


# -- replication


def multicast(id, *replicas):
    entry = p4r.MulticastGroupEntry(multicast_group_id=id)
    for port, instance in replicas:
        entry.replicas.add(port=bytes([port]), instance=instance)
    return p4r.PacketReplicationEngineEntry(multicast_group_entry=entry)


def clone(id, *ports, **fields):
    entry = p4r.CloneSessionEntry(session_id=id, **fields)
    for port in ports:
        entry.replicas.add(egress_port=port, instance=1)
    return p4r.PacketReplicationEngineEntry(clone_session_entry=entry)


def test_multicast_groups(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.flood", 6))
    assert result(target, packet()) == []
    controller.insert(multicast(6, (1, 0), (2, 0), (2, 1)))
    assert sorted(p for p, _ in result(target, packet())) == [1, 2, 2]
    controller.modify(multicast(6, (3, 0)))
    assert [p for p, _ in result(target, packet())] == [3]
    assert controller.read(multicast(6)) == [multicast(6, (3, 0))]
    controller.insert(multicast(7))
    assert len(controller.read(multicast(0))) == 2
    controller.delete(multicast(6))
    assert result(target, packet()) == []
    assert refused(controller.read, multicast(6))[0] == NOT_FOUND


def test_multicast_errors(controller):
    assert refused(controller.insert, multicast(0, (1, 1)))[0] == INVALID
    assert refused(controller.insert, multicast(70000))[0] == INVALID
    assert refused(controller.insert, multicast(1, (1, 1), (1, 1)))[0] == INVALID
    assert refused(controller.insert, multicast(1, (1, 70000)))[0] == INVALID
    assert refused(controller.modify, multicast(1))[0] == NOT_FOUND
    assert refused(controller.delete, multicast(1))[0] == NOT_FOUND
    controller.insert(multicast(1))
    assert refused(controller.insert, multicast(1))[0] == EXISTS
    with_backup = multicast(2, (1, 1))
    with_backup.multicast_group_entry.replicas[0].backup_replicas.add(port=b"\2")
    assert refused(controller.insert, with_backup)[0] == UNIMPLEMENTED
    bad_port = multicast(2, (1, 1))
    bad_port.multicast_group_entry.replicas[0].port = b"\2\0"
    assert refused(controller.insert, bad_port)[0] == INVALID
    assert refused(controller.insert, p4r.PacketReplicationEngineEntry())[0] == INVALID


def test_clone_sessions(target, controller, names):
    forward(controller, names)
    controller.insert(clone(5, 9, packet_length_bytes=4))
    out = sorted(target.plane.process(0, packet(op=8)))
    assert [(port, len(data)) for port, data in out] == [(5, 10), (9, 4)]
    assert controller.read(clone(0)) == [clone(5, 9, packet_length_bytes=4)]
    controller.delete(clone(5))
    assert len(target.plane.process(0, packet(op=8))) == 1
    assert refused(controller.insert, clone(0, 1))[0] == INVALID
    assert refused(controller.insert, clone(1, 1, class_of_service=1))[0] == UNIMPLEMENTED
    assert refused(controller.insert, clone(1, 1, packet_length_bytes=-1))[0] == INVALID


# -- value sets


def value_set(names, *values):
    entry = p4r.ValueSetEntry(value_set_id=names.id("P.specials"))
    for value in values:
        field = p4r.FieldMatch(field_id=1, exact=p4r.FieldMatch.Exact(value=bytes([value])))
        entry.members.add(match=[field])
    return entry


def test_value_sets(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "NoAction"))
    assert result(target, packet(op=3)) == [(0, 0)]
    controller.modify(value_set(names, 3, 4))
    assert result(target, packet(op=3)) == [(0, 0xEE)]
    assert controller.read(value_set(names)) == [value_set(names, 3, 4)]
    controller.modify(value_set(names))
    assert result(target, packet(op=3)) == [(0, 0)]
    assert refused(controller.modify, value_set(names, 1, 2, 3, 4, 5))[0] == FULL
    assert refused(controller.modify, value_set(names, 1, 1))[0] == EXISTS
    assert refused(controller.insert, value_set(names, 1))[0] == INVALID
    assert controller.read(p4r.ValueSetEntry()) == [value_set(names)]


# -- digests


def test_digest_configuration(controller, names):
    entry = p4r.DigestEntry(digest_id=names.id("learn_t"))
    assert controller.read(p4r.DigestEntry()) == []
    assert refused(controller.modify, entry)[0] == NOT_FOUND
    assert refused(controller.delete, entry)[0] == NOT_FOUND
    entry.config.max_list_size = 5
    controller.insert(entry)
    assert refused(controller.insert, entry)[0] == EXISTS
    entry.config.ack_timeout_ns = 9
    controller.modify(entry)
    assert controller.read(p4r.DigestEntry()) == [entry]
    entry.config.ack_timeout_ns = -9
    assert refused(controller.modify, entry)[0] == INVALID
    controller.delete(entry)
    assert controller.read(p4r.DigestEntry()) == []


def test_extern_entries_are_not_supported(controller):
    assert refused(controller.insert, p4r.ExternEntry())[0] == UNIMPLEMENTED
    with pytest.raises(grpc.RpcError):
        controller.read(p4r.ExternEntry())
