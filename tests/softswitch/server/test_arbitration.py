# SPDX-License-Identifier: MIT
"""Arbitration (P4Runtime spec, section 5): the pure state machine, then through gRPC."""

import grpc
import pytest
from finsy.proto import p4r, stratum
from hypothesis import given
from hypothesis import strategies as st

from softswitch.server.arbitration import Arbiter
from softswitch.server.errors import Code, P4RuntimeError
from softswitch.server.service import MAX_STREAMS
from tests.softswitch.server.conftest import code_of, errors_of, uint128

OK, NOT_FOUND, EXISTS = Code.OK, Code.NOT_FOUND, Code.ALREADY_EXISTS


def update(election_id=None, role=None, device_id=3):
    message = p4r.MasterArbitrationUpdate(device_id=device_id)
    if election_id is not None:
        message.election_id.CopyFrom(uint128(election_id))
    if role is not None:
        message.role.name = role
    return message


def summary(messages):
    return [(c, m.status.code, m.election_id.high << 64 | m.election_id.low) for c, m in messages]


def test_first_client_is_primary_and_a_larger_id_takes_over():
    arbiter = Arbiter(3)
    assert summary(arbiter.update("a", update(5))) == [("a", OK, 5)]
    assert summary(arbiter.update("b", update(4))) == [("b", EXISTS, 5)]
    # The others are told first: when the new primary hears it, nobody else believes to be one.
    assert summary(arbiter.update("c", update(6))) == [
        ("a", EXISTS, 6),
        ("b", EXISTS, 6),
        ("c", OK, 6),
    ]


def test_when_the_primary_leaves_backups_learn_it_and_may_take_over():
    arbiter = Arbiter(3)
    arbiter.update("a", update(5))
    arbiter.update("b", update(4))
    assert summary(arbiter.remove("a")) == [("b", NOT_FOUND, 5)]
    # Too small still: the highest id ever seen counts.
    assert summary(arbiter.update("b", update(4))) == [("b", NOT_FOUND, 5)]
    assert summary(arbiter.update("b", update(5))) == [("b", OK, 5)]
    assert arbiter.remove("nobody") == []


def test_a_primary_can_step_down():
    arbiter = Arbiter(3)
    arbiter.update("a", update(5))
    arbiter.update("b", update(4))
    assert summary(arbiter.update("a", update(1))) == [("a", NOT_FOUND, 5), ("b", NOT_FOUND, 5)]


def test_client_without_election_id_never_becomes_primary():
    arbiter = Arbiter(3)
    (message,) = [m for _, m in arbiter.update("a", update())]
    assert message.status.code == NOT_FOUND
    assert not message.HasField("election_id")
    # An id of zero is an id.
    assert summary(arbiter.update("b", update(0))) == [("a", EXISTS, 0), ("b", OK, 0)]


def test_roles_are_independent():
    arbiter = Arbiter(3)
    arbiter.update("a", update(5))
    assert summary(arbiter.update("b", update(1, role="acl"))) == [("b", OK, 1)]
    arbiter.check_write(p4r.WriteRequest(device_id=3, role="acl", election_id=uint128(1)))
    with pytest.raises(P4RuntimeError) as caught:
        arbiter.check_write(p4r.WriteRequest(device_id=3, election_id=uint128(1)))
    assert caught.value.code == Code.PERMISSION_DENIED


@pytest.mark.parametrize(
    ("second", "code"),
    [
        (update(5, device_id=4), Code.FAILED_PRECONDITION),
        (update(6, role="x"), Code.FAILED_PRECONDITION),
    ],
)
def test_a_stream_keeps_its_identity(second, code):
    arbiter = Arbiter(3)
    arbiter.update("a", update(5))
    with pytest.raises(P4RuntimeError) as caught:
        arbiter.update("a", second)
    assert caught.value.code == code


def test_refusals_of_new_clients():
    arbiter = Arbiter(3, max_clients=1)
    with pytest.raises(P4RuntimeError) as caught:
        arbiter.update("a", update(5, device_id=9))
    assert caught.value.code == Code.NOT_FOUND
    arbiter.update("a", update(5))
    with pytest.raises(P4RuntimeError) as caught:
        arbiter.update("b", update(6))
    assert caught.value.code == Code.RESOURCE_EXHAUSTED


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["update", "remove"]),
            st.sampled_from("abcd"),
            st.none() | st.integers(0, 4) | st.just(1 << 127),
        ),
        max_size=30,
    )
)
def test_at_most_one_primary_and_it_has_the_highest_id(steps):
    arbiter = Arbiter(3)
    status, used, highest = {}, {}, None
    for kind, client, election_id in steps:
        if kind == "remove":
            status.pop(client, None)
            used.pop(client, None)
            messages = arbiter.remove(client)
        else:
            try:
                messages = arbiter.update(client, update(election_id))
            except P4RuntimeError:
                assert election_id in used.values()
                continue
            used[client] = election_id
            if election_id is not None:
                highest = election_id if highest is None else max(highest, election_id)
        for to, message in messages:
            status[to] = message.status.code
            if message.HasField("election_id"):
                assert message.election_id.high << 64 | message.election_id.low == highest
        primaries = [c for c, code in status.items() if code == OK]
        assert primaries == [c for c, _ in arbiter.primaries()]
        assert len(primaries) <= 1


# -- through gRPC


def test_two_controllers_hand_over(target, primary):
    backup = target.connect(0)
    assert backup.arbitrate().status.code == EXISTS
    primary.close()
    lost = backup.receive().arbitration
    assert (lost.status.code, lost.election_id.low) == (NOT_FOUND, 1)
    assert backup.arbitrate(1).status.code == OK


def test_election_id_in_use_ends_the_stream(target, primary):
    other = target.connect(1)
    with pytest.raises(grpc.RpcError) as error:
        other.arbitrate()
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT
    assert "already used" in error.value.details()


def test_unknown_device_ends_the_stream(target):
    other = target.connect(1, device_id=99)
    with pytest.raises(grpc.RpcError) as error:
        other.arbitrate()
    assert code_of(error) == grpc.StatusCode.NOT_FOUND


def test_only_the_primary_writes(target, controller, names):
    backup = target.connect(0)
    backup.arbitrate()
    entry = names.entry("Ig.exact_t", {"k": 1}, "Ig.drop")
    with pytest.raises(grpc.RpcError) as error:
        backup.insert(entry)
    assert code_of(error) == grpc.StatusCode.PERMISSION_DENIED
    nobody = target.connect()
    with pytest.raises(grpc.RpcError) as error:
        nobody.insert(entry)
    assert code_of(error) == grpc.StatusCode.PERMISSION_DENIED
    assert nobody.read(p4r.TableEntry(table_id=names.id("Ig.exact_t"))) == []


def test_role_config_limits_what_a_client_may_do(target, controller, names):
    config = stratum.P4RoleConfig(
        exclusive_p4_ids=[names.id("Ig.exact_t")], can_push_pipeline=False
    )
    limited = target.connect(1, role="exact")
    assert limited.arbitrate(role_config=config).status.code == OK
    limited.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.drop"))
    with pytest.raises(grpc.RpcError) as error:
        limited.insert(names.entry("Ig.counted_t", {"k": 1}, "NoAction"))
    assert errors_of(error)[0][0] == Code.PERMISSION_DENIED
    controller.insert(names.entry("Ig.counted_t", {"k": 1}, "NoAction"))
    assert {e.table_id for e in limited.read(p4r.TableEntry())} == {names.id("Ig.exact_t")}
    with pytest.raises(grpc.RpcError) as error:
        limited.set_config()
    assert code_of(error) == grpc.StatusCode.PERMISSION_DENIED


def test_unknown_role_config_ends_the_stream(target):
    client = target.connect(1, role="x")
    with pytest.raises(grpc.RpcError) as error:
        client.arbitrate(role_config=p4r.CapabilitiesRequest())
    assert code_of(error) == grpc.StatusCode.INVALID_ARGUMENT


def test_streams_that_say_nothing_do_not_block_the_server(target, controller, names):
    silent = [target.connect() for _ in range(MAX_STREAMS)]
    with pytest.raises(grpc.RpcError) as error:
        silent[-1].receive()
    assert code_of(error) == grpc.StatusCode.RESOURCE_EXHAUSTED
    controller.insert(names.entry("Ig.exact_t", {"k": 1}, "Ig.drop"))
