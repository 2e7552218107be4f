# SPDX-License-Identifier: MIT
"""Hostile messages: whatever arrives, the server answers, and record and switch stay the same."""

import os

import pytest
from finsy.proto import p4r
from google.protobuf.descriptor import FieldDescriptor
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from softswitch.engine import Pipeline
from softswitch.server.batch import read_batch, write_batch
from softswitch.server.core import Core
from softswitch.server.errors import BatchError, Code, P4RuntimeError
from softswitch.server.local import LocalDataPlane
from softswitch.server.program import Program
from softswitch.server.roles import FULL_ACCESS
from softswitch.server.streams import Stream
from tests.softswitch.server.conftest import CPU_PORT, DEVICE_ID, uint128

KINDS = ["tables", "actions", "counters", "direct_counters", "meters", "direct_meters"]
KINDS += ["registers", "value_sets", "digests", "action_profiles"]
RELAXED = settings(
    deadline=None,
    # `make fuzz` sets a larger number.
    max_examples=int(os.environ.get("INCA_FUZZ_EXAMPLES", "40")),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_INTEGERS = {
    FieldDescriptor.TYPE_INT32: (-(1 << 31), (1 << 31) - 1),
    FieldDescriptor.TYPE_INT64: (-(1 << 63), (1 << 63) - 1),
    FieldDescriptor.TYPE_UINT32: (0, (1 << 32) - 1),
    FieldDescriptor.TYPE_UINT64: (0, (1 << 64) - 1),
    FieldDescriptor.TYPE_ENUM: (0, 9),
}


def messages(cls, ids, depth=5):
    """Messages of a type: any shape, with ids that often exist and numbers that often fit."""
    return st.builds(
        lambda parts: _assemble(cls, parts),
        st.fixed_dictionaries({}, optional=_fields(cls.DESCRIPTOR, ids, depth)),
    )


def _assemble(cls, parts):
    message = cls()
    for name, value in parts.items():
        field = message.DESCRIPTOR.fields_by_name[name]
        if field.is_repeated:
            getattr(message, name).extend(value)
        elif field.message_type is not None:
            getattr(message, name).CopyFrom(value)
        else:
            setattr(message, name, value)
    return message


def _fields(descriptor, ids, depth):
    fields = {}
    for field in descriptor.fields:
        value = _value(field, ids, depth)
        if value is not None:
            fields[field.name] = st.lists(value, max_size=3) if field.is_repeated else value
    return fields


def _value(field, ids, depth):
    if field.message_type is not None:
        if depth == 0 or field.message_type.full_name == "google.protobuf.Any":
            return None
        return messages(field.message_type._concrete_class, ids, depth - 1)
    if field.type in _INTEGERS:
        low, high = _INTEGERS[field.type]
        small = st.integers(0, min(high, 12))
        if field.name.endswith("_id"):
            small = st.sampled_from(ids) | small
        return small | st.integers(low, high)
    if field.type == FieldDescriptor.TYPE_BYTES:
        return st.binary(max_size=6)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return st.booleans()
    if field.type == FieldDescriptor.TYPE_STRING:
        return st.text(max_size=5)
    return None


@pytest.fixture(scope="module")
def ids(entities_config):
    info = entities_config.p4info
    return [item.preamble.id for kind in KINDS for item in getattr(info, kind)]


@pytest.fixture(scope="module")
def core(entities_config):
    core = Core(LocalDataPlane(CPU_PORT), DEVICE_ID, Pipeline.load, cpu_port=CPU_PORT)
    core.start_with(entities_config)
    return core


def everything(core):
    """All that can be read back, as one value."""
    kinds = (
        p4r.Entity(table_entry=p4r.TableEntry()),
        p4r.Entity(action_profile_member=p4r.ActionProfileMember()),
        p4r.Entity(action_profile_group=p4r.ActionProfileGroup()),
        p4r.Entity(counter_entry=p4r.CounterEntry()),
        p4r.Entity(meter_entry=p4r.MeterEntry()),
        p4r.Entity(register_entry=p4r.RegisterEntry()),
        p4r.Entity(value_set_entry=p4r.ValueSetEntry()),
    )
    return sorted(
        entity.SerializeToString(deterministic=True)
        for response in read_batch(core.active, kinds, FULL_ACCESS)
        for entity in response.entities
    )


def same_tables(core):
    """Whether the record and the switch have the same number of entries in each table."""
    context = core.active
    return all(
        len(context.state.entries.get(id, ())) == len(context.engine.pipeline.tables[t.table.name])
        for id, t in context.program.tables.items()
    )


def errors_of(call):
    """The errors of a batch, [] if it went well; any other exception is a failure."""
    try:
        call()
    except BatchError as error:
        assert error.status().ByteSize()  # noqa: PT017 (it must be possible to send it)
        return error.errors
    return []


def refusal_of(call):
    """The code of the refusal, None if there is none."""
    try:
        call()
    except P4RuntimeError as error:
        return error.code
    return None


@RELAXED
@given(data=st.data())
def test_updates(core, ids, data):
    updates = data.draw(st.lists(messages(p4r.Update, ids), min_size=1, max_size=4))
    before = everything(core)
    errors = errors_of(lambda: write_batch(core.active, updates, 0, FULL_ACCESS))
    assert not any(e is not None and e.code == Code.INTERNAL for e in errors), errors
    if errors and all(errors):
        assert everything(core) == before
    assert same_tables(core)
    core.device.process(1, bytes(10))


@RELAXED
@given(data=st.data())
def test_atomic_batches(core, ids, data):
    updates = data.draw(st.lists(messages(p4r.Update, ids), min_size=1, max_size=4))
    before = everything(core)
    if errors_of(lambda: write_batch(core.active, updates, 1, FULL_ACCESS)):
        assert everything(core) == before
    assert same_tables(core)


@RELAXED
@given(data=st.data())
def test_reads(core, ids, data):
    entities = data.draw(st.lists(messages(p4r.Entity, ids), min_size=1, max_size=3))
    errors = errors_of(lambda: list(read_batch(core.active, entities, FULL_ACCESS)))
    assert not any(e is not None and e.code == Code.INTERNAL for e in errors), errors


@RELAXED
@given(data=st.data())
def test_stream_messages(core, ids, data):
    stream = Stream("fuzz")
    core.receive(stream, p4r.StreamMessageRequest(arbitration=_first()))
    for message in data.draw(st.lists(messages(p4r.StreamMessageRequest, ids), max_size=4)):
        core.receive(stream, message)
    core.disconnected(stream)
    stream.close()
    for answer in stream:
        assert answer.WhichOneof("update")


def _first():
    return p4r.MasterArbitrationUpdate(device_id=DEVICE_ID, election_id=uint128(1 << 100))


@RELAXED
@given(data=st.binary(max_size=200))
def test_bytes_that_are_no_message(core, data):
    """What gRPC's deserialiser lets through is a message like any other."""
    try:
        request = p4r.WriteRequest.FromString(data)
    except Exception:
        return
    with pytest.raises(P4RuntimeError):
        core.write(request)


@RELAXED
@given(data=st.data())
@example(None)
def test_broken_configs(entities_config, data):
    """Program.of refuses broken P4Info and JSON with INVALID_ARGUMENT or takes them."""
    config = p4r.ForwardingPipelineConfig()
    config.CopyFrom(entities_config)
    if data is not None:
        tables = config.p4info.tables
        table = tables[data.draw(st.integers(0, len(tables) - 1))]
        if table.match_fields and data.draw(st.booleans()):
            field = table.match_fields[0]
            field.match_type = data.draw(st.integers(0, 6))
            field.bitwidth = data.draw(st.integers(-5, 100))
        table.action_refs.add(id=data.draw(st.integers(0, 1 << 31)))
        text = bytearray(config.p4_device_config)
        for _ in range(data.draw(st.integers(0, 3))):
            text[data.draw(st.integers(0, len(text) - 1))] = data.draw(st.integers(0, 255))
        config.p4_device_config = bytes(text)
    assert refusal_of(lambda: Program.of(config)) in (None, Code.INVALID_ARGUMENT)
