# SPDX-License-Identifier: MIT
"""A server on a free port around an in-process switch, and raw gRPC clients for it."""

from __future__ import annotations

import json
import os
import queue
import subprocess
from pathlib import Path

import grpc
import pytest
from finsy.proto import p4r, p4r_grpc, rpc_status

from softswitch.engine import Pipeline
from softswitch.frontend import compile_p4
from softswitch.p4info import P4Info
from softswitch.server.codec import canonical_int
from softswitch.server.core import Core
from softswitch.server.local import LocalDataPlane
from softswitch.server.notifications import Notifier
from softswitch.server.process import make_server
from softswitch.server.service import P4RuntimeService

PROGRAMS = Path(__file__).parent / "programs"
CPU_PORT = 510
DEVICE_ID = 3
DEADLINE_S = 30
INSERT, MODIFY, DELETE = p4r.Update.INSERT, p4r.Update.MODIFY, p4r.Update.DELETE
Config = p4r.SetForwardingPipelineConfigRequest


def make_config(name: str, cookie: int) -> p4r.ForwardingPipelineConfig:
    compiled = compile_p4(PROGRAMS / f"{name}.p4")
    return p4r.ForwardingPipelineConfig(
        p4info=compiled.p4info,
        p4_device_config=json.dumps(compiled.bmv2_json).encode(),
        cookie=p4r.ForwardingPipelineConfig.Cookie(cookie=cookie),
    )


@pytest.fixture(scope="session")
def entities_config():
    return make_config("entities", 7)


@pytest.fixture(scope="session")
def other_config():
    return make_config("other", 8)


@pytest.fixture(scope="session")
def names(entities_config):
    return Names(P4Info.of(entities_config.p4info))


class Target:
    """The server and its switch."""

    def __init__(self):
        self.plane = LocalDataPlane(CPU_PORT)
        self.core = Core(self.plane, DEVICE_ID, Pipeline.load, cpu_port=CPU_PORT)
        self.notifier = Notifier(self.core)
        self.server, self.address = make_server("127.0.0.1:0")
        p4r_grpc.add_P4RuntimeServicer_to_server(P4RuntimeService(self.core), self.server)
        self.notifier.start()
        self.server.start()
        self.clients = []

    def connect(self, election_id=None, role=None, device_id=DEVICE_ID):
        client = Client(self.address, election_id, role, device_id)
        self.clients.append(client)
        return client

    def close(self):
        for client in self.clients:
            client.close()
        self.server.stop(0).wait()
        self.plane.stop()
        self.notifier.stop()


class Client:
    """A controller: unary calls and a stream whose responses can be waited for."""

    def __init__(self, address, election_id, role, device_id):
        self.channel = grpc.insecure_channel(address)
        self.stub = p4r_grpc.P4RuntimeStub(self.channel)
        self.election_id = election_id
        self.role = role
        self.device_id = device_id
        self._requests = queue.SimpleQueue()
        self._call = self.stub.StreamChannel(iter(self._requests.get, None), timeout=60)

    def close(self):
        self._requests.put(None)
        self._call.cancel()
        self.channel.close()

    def hang_up(self):
        """End the stream in an orderly way."""
        self._requests.put(None)

    def stream_code(self):
        """How the stream ended."""
        return self._call.code()

    def send(self, **update):
        self._requests.put(p4r.StreamMessageRequest(**update))

    def receive(self):
        """The next message of the stream; raises grpc.RpcError when the stream has failed."""
        return next(self._call)

    def arbitrate(self, election_id=None, role_config=None):
        """Send an arbitration update and return the answer."""
        if election_id is not None:
            self.election_id = election_id
        update = p4r.MasterArbitrationUpdate(device_id=self.device_id)
        if self.election_id is not None:
            update.election_id.CopyFrom(uint128(self.election_id))
        if self.role is not None:
            update.role.name = self.role
        if role_config is not None:
            update.role.config.Pack(role_config)
        self.send(arbitration=update)
        return self.receive().arbitration

    def _identity(self):
        kwargs = {"device_id": self.device_id}
        if self.election_id is not None:
            kwargs["election_id"] = uint128(self.election_id)
        if self.role is not None:
            kwargs["role"] = self.role
        return kwargs

    def set_config(self, config=None, action=Config.VERIFY_AND_COMMIT):
        request = Config(action=action, **self._identity())
        if config is not None:
            request.config.CopyFrom(config)
        return self.stub.SetForwardingPipelineConfig(request, timeout=60)

    def get_config(self, kind=p4r.GetForwardingPipelineConfigRequest.ALL):
        request = p4r.GetForwardingPipelineConfigRequest(
            device_id=self.device_id, response_type=kind
        )
        return self.stub.GetForwardingPipelineConfig(request, timeout=10)

    def write(self, *updates, atomicity=0):
        request = p4r.WriteRequest(atomicity=atomicity, **self._identity())
        for kind, entity in updates:
            request.updates.add(type=kind, entity=as_entity(entity))
        return self.stub.Write(request, timeout=30)

    def insert(self, *entities):
        return self.write(*((INSERT, e) for e in entities))

    def modify(self, *entities):
        return self.write(*((MODIFY, e) for e in entities))

    def delete(self, *entities):
        return self.write(*((DELETE, e) for e in entities))

    def read(self, *entities):
        request = p4r.ReadRequest(device_id=self.device_id)
        if self.role is not None:
            request.role = self.role
        for entity in entities:
            request.entities.append(as_entity(entity))
        found = []
        for response in self.stub.Read(request, timeout=30):
            for entity in response.entities:
                found.append(getattr(entity, entity.WhichOneof("entity")))
        return found


def uint128(value):
    return p4r.Uint128(high=value >> 64, low=value & (1 << 64) - 1)


_FIELDS = {
    p4r.TableEntry: "table_entry",
    p4r.ActionProfileMember: "action_profile_member",
    p4r.ActionProfileGroup: "action_profile_group",
    p4r.MeterEntry: "meter_entry",
    p4r.DirectMeterEntry: "direct_meter_entry",
    p4r.CounterEntry: "counter_entry",
    p4r.DirectCounterEntry: "direct_counter_entry",
    p4r.PacketReplicationEngineEntry: "packet_replication_engine_entry",
    p4r.ValueSetEntry: "value_set_entry",
    p4r.RegisterEntry: "register_entry",
    p4r.DigestEntry: "digest_entry",
    p4r.ExternEntry: "extern_entry",
}


def as_entity(message):
    if isinstance(message, p4r.Entity):
        return message
    return p4r.Entity(**{_FIELDS[type(message)]: message})


class Names:
    """Builds messages by names."""

    def __init__(self, info):
        self.info = info

    def id(self, name):
        for index in (
            self.info.tables,
            self.info.actions,
            self.info.profiles,
            self.info.counters,
            self.info.direct_counters,
            self.info.meters,
            self.info.direct_meters,
            self.info.registers,
            self.info.value_sets,
            self.info.digests,
        ):
            if name in index.by_name:
                return index.by_name[name].id
        raise KeyError(name)

    def action(self, name, *values):
        action = self.info.actions.get(name)
        message = p4r.Action(action_id=action.id)
        for param, value in zip(action.params, values, strict=True):
            message.params.add(param_id=param.id, value=canonical_int(value))
        return message

    def match(self, table, **keys):
        """keys: by the last part of the name; int, (value, length), (value, mask, ''), range."""
        fields = {f.name.rsplit(".", 1)[-1]: f for f in self.info.tables.get(table).fields}
        result = []
        for name, value in keys.items():
            field = fields[name]
            message = p4r.FieldMatch(field_id=field.id)
            kind = getattr(message, field.kind.value)
            if field.kind.value in ("exact", "optional"):
                kind.value = canonical_int(value)
            elif field.kind.value == "lpm":
                kind.value, kind.prefix_len = canonical_int(value[0]), value[1]
            elif field.kind.value == "ternary":
                kind.value, kind.mask = canonical_int(value[0]), canonical_int(value[1])
            else:
                kind.low, kind.high = canonical_int(value[0]), canonical_int(value[1])
            result.append(message)
        return result

    def entry(self, table, keys, action=None, *values, **fields):
        message = p4r.TableEntry(table_id=self.id(table), match=self.match(table, **keys), **fields)
        if isinstance(action, str):
            message.action.action.CopyFrom(self.action(action, *values))
        elif action is not None:
            message.action.CopyFrom(action)
        return message

    def member(self, profile, id, action=None, *values):
        message = p4r.ActionProfileMember(action_profile_id=self.id(profile), member_id=id)
        if action is not None:
            message.action.CopyFrom(self.action(action, *values))
        return message

    def group(self, profile, id, *members, **fields):
        message = p4r.ActionProfileGroup(action_profile_id=self.id(profile), group_id=id, **fields)
        for member, weight in members:
            message.members.add(member_id=member, weight=weight)
        return message


def code_of(error):
    return error.value.code()


def errors_of(error):
    """(code, message) of each p4.v1.Error in a failed batch."""
    for key, value in error.value.trailing_metadata():
        if key == "grpc-status-details-bin":
            status = rpc_status.Status.FromString(value)
            assert status.code == error.value.code().value[0]
            assert status.message == error.value.details()
            errors = []
            for detail in status.details:
                message = p4r.Error()
                assert detail.Unpack(message)
                errors.append((message.canonical_code, message.message))
            return errors
    raise AssertionError("the status has no details")


@pytest.fixture
def target():
    made = Target()
    yield made
    made.close()


@pytest.fixture
def primary(target):
    """A primary client without a program."""
    client = target.connect(1)
    client.arbitrate()
    return client


@pytest.fixture
def controller(primary, entities_config):
    """A primary client with entities.p4 running."""
    primary.set_config(entities_config)
    return primary


@pytest.fixture
def veths():
    """Two veth pairs with nothing of the kernel's own traffic: ((a0, a1), (b0, b1))."""
    name = f"inca{os.getpid() % 100000}"
    pairs = ((f"{name}a0", f"{name}a1"), (f"{name}b0", f"{name}b1"))
    try:
        for one, two in pairs:
            ip("link", "add", one, "type", "veth", "peer", "name", two)
            for end in (one, two):
                ip("link", "set", end, "addrgenmode", "none")
                ip("link", "set", end, "up")
        yield pairs
    finally:
        for one, _ in pairs:
            subprocess.run(["ip", "link", "del", one], capture_output=True, check=False)


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)
