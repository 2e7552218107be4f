# SPDX-License-Identifier: MIT
"""The stream: packet-in and packet-out, digests, idle timeouts, errors."""

import grpc
import pytest
from finsy.proto import p4r

from tests.softswitch.server.conftest import code_of
from tests.softswitch.server.test_tables import packet

MS = 1_000_000


def metadata(*values):
    return [p4r.PacketMetadata(metadata_id=n, value=v) for n, v in enumerate(values, 1)]


def digest_config(controller, names, **config):
    entry = p4r.DigestEntry(digest_id=names.id("learn_t"), config=config)
    controller.insert(entry)
    return entry.digest_id


def learn(target, addr, port=3, wide=0xABC):
    target.plane.process(port, packet(op=7, addr=addr, wide=wide))


def addresses(digest):
    return [bytes(d.struct.members[0].bitstring) for d in digest.data]


# -- packets


def test_packet_in(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.to_cpu"))
    assert target.plane.process(300, packet()) == []
    message = controller.receive().packet
    assert message.payload == packet()
    assert list(message.metadata) == metadata(b"\x01\x2c", b"\x05")


def test_only_the_primary_gets_packets(target, controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.to_cpu"))
    backup = target.connect(0)
    backup.arbitrate()
    target.plane.process(1, packet())
    assert controller.receive().packet.payload == packet()
    # Had the packet come here, it would be what is received now.
    assert backup.arbitrate(2).status.code == 0


def test_packet_out(target, controller):
    sent = []
    target.plane.on_sent = lambda port, data: sent.append((port, data))
    controller.send(packet=p4r.PacketOut(payload=packet(), metadata=metadata(b"\x07", b"\0")))
    # An answer to something later shows that the packet has been handled.
    controller.arbitrate()
    assert sent == [(7, packet())]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (metadata(b"\x07"), "_pad is missing"),
        (metadata(b"\x07", b"\0", b"\0"), "no metadata field with id 3"),
        (metadata(b"\x02\x00", b"\0"), "does not fit in 9 bits"),
        ([*metadata(b"\x07"), *metadata(b"\x07")], "given twice"),
    ],
)
def test_bad_packet_outs_are_reported(controller, fields, message):
    out = p4r.PacketOut(payload=b"xyz", metadata=fields)
    controller.send(packet=out)
    error = controller.receive().error
    assert error.canonical_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert message in error.message
    assert error.packet_out.packet_out == out


def test_backups_may_not_send_packets(target, controller):
    backup = target.connect(0)
    backup.arbitrate()
    backup.send(packet=p4r.PacketOut(payload=b"x"))
    error = backup.receive().error
    assert error.canonical_code == grpc.StatusCode.PERMISSION_DENIED.value[0]


def test_unknown_stream_messages_are_reported(controller):
    controller.send(other={})
    assert controller.receive().error.WhichOneof("details") == "other"
    controller.send()
    assert controller.receive().error.WhichOneof("details") == "other"


def test_orderly_end(target, controller):
    other = target.connect(0)
    other.arbitrate()
    other.hang_up()
    with pytest.raises(StopIteration):
        other.receive()
    assert other.stream_code() == grpc.StatusCode.OK


# -- digests


def test_each_digest_at_once(target, controller, names):
    digest_id = digest_config(controller, names, max_list_size=1)
    learn(target, 0x01020304)
    digest = controller.receive().digest
    assert (digest.digest_id, digest.list_id) == (digest_id, 1)
    (data,) = digest.data
    assert [m.bitstring for m in data.struct.members] == [b"\1\2\3\4", b"\3", b"\x0a\xbc"]
    assert digest.timestamp > 0


def test_digests_are_gathered_and_duplicates_dropped(target, controller, names):
    digest_config(controller, names, max_list_size=2, max_timeout_ns=60_000 * MS)
    for addr in (1, 1, 2):
        learn(target, addr)
    assert addresses(controller.receive().digest) == [b"\1", b"\2"]


def test_digests_are_sent_after_the_timeout(target, controller, names):
    digest_config(controller, names, max_list_size=100, max_timeout_ns=20 * MS)
    learn(target, 1)
    assert addresses(controller.receive().digest) == [b"\1"]


def test_acknowledged_digests_may_come_again(target, controller, names):
    digest_id = digest_config(controller, names, max_list_size=1, ack_timeout_ns=60_000 * MS)
    learn(target, 1)
    first = controller.receive().digest
    learn(target, 1)  # not acknowledged: not sent again
    learn(target, 2)
    assert addresses(controller.receive().digest) == [b"\2"]
    controller.send(digest_ack=p4r.DigestListAck(digest_id=digest_id, list_id=first.list_id))
    controller.arbitrate()
    learn(target, 1)
    assert addresses(controller.receive().digest) == [b"\1"]


def test_bad_acknowledgements_are_reported(controller):
    controller.send(digest_ack=p4r.DigestListAck(digest_id=1))
    error = controller.receive().error
    assert error.canonical_code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert error.digest_list_ack.digest_list_ack.digest_id == 1


def test_digests_that_are_not_enabled_are_not_sent(target, controller, names):
    entry = p4r.DigestEntry(digest_id=digest_config(controller, names, max_list_size=1))
    learn(target, 1)
    assert addresses(controller.receive().digest) == [b"\1"]
    controller.delete(entry)
    learn(target, 2)
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.to_cpu"))
    target.plane.process(1, packet())
    assert controller.receive().packet.payload == packet()


# -- idle timeouts


def test_idle_timeouts(target, controller, names):
    entry = names.entry("Ig.exact_t", {"k": 1}, "Ig.drop", idle_timeout_ns=50 * MS, metadata=b"m")
    controller.insert(entry)
    for _ in range(2):  # told again after another timeout
        (expired,) = controller.receive().idle_timeout_notification.table_entry
        assert expired.match == entry.match
        assert (expired.metadata, expired.idle_timeout_ns) == (b"m", 50 * MS)
    ask = p4r.TableEntry(table_id=entry.table_id)
    ask.time_since_last_hit.SetInParent()
    (found,) = controller.read(ask)
    assert found.time_since_last_hit.elapsed_ns >= 100 * MS
    target.plane.process(0, packet())
    (found,) = controller.read(ask)
    assert found.idle_timeout_ns == 50 * MS
    controller.delete(entry)


def test_entries_without_timeout_and_changed_ones(controller, names):
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.drop", idle_timeout_ns=100 * MS))
    controller.modify(names.entry("Ig.exact_t", {"k": 1}, "Ig.drop"))
    controller.insert(names.entry("Ig.exact_t", {"k": 2}, "Ig.drop", idle_timeout_ns=200 * MS))
    expired = controller.receive().idle_timeout_notification.table_entry
    assert [e.match[0].exact.value for e in expired] == [b"\2"]


def test_tables_without_idle_timeout(controller, names):
    entry = names.entry("Ig.counted_t", {"k": 1}, "NoAction", idle_timeout_ns=5)
    with pytest.raises(grpc.RpcError) as error:
        controller.insert(entry)
    assert "does not support idle timeouts" in error.value.details()
    ask = p4r.TableEntry(table_id=entry.table_id)
    ask.time_since_last_hit.SetInParent()
    with pytest.raises(grpc.RpcError) as error:
        controller.read(ask)
    assert code_of(error) == grpc.StatusCode.UNKNOWN
