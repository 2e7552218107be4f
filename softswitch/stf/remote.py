# SPDX-License-Identifier: MIT
"""A switch process as the target of a packet test: simple_switch_grpc, or anything like it.

Control goes over P4Runtime, packets over BMv2's data-plane gRPC service, so neither root nor
interfaces are needed.
"""

from __future__ import annotations

import json
import queue
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, cast

import grpc
from finsy.proto import p4d, p4r, p4r_grpc, rpc_status

from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.p4info import ActionProfile, Counter, P4Info, Register, Table
from softswitch.server.codec import canonical_int
from softswitch.server.packet_stream import PacketStreamRequest, packet_stream
from softswitch.stf.commands import GroupRef, MemberRef
from softswitch.stf.target import BoundAction, EntryTarget, TargetError

BMV2 = "simple_switch_grpc"
DEADLINE_S = 30.0
_ELECTION_ID = p4r.Uint128(low=1)


def bmv2_command() -> list[str]:
    """The real switch's command; raise TargetError when it is not installed."""
    path = shutil.which(BMV2)
    if path is None:
        raise TargetError(
            f"--target bmv2 needs {BMV2} on PATH: install p4lang-bmv2, or leave the option out"
        )
    return [path]


class RemoteTarget:
    """One switch process with the program loaded."""

    def __init__(self, config: Mapping[str, Any], info: P4Info, command: Sequence[str]) -> None:
        self._info = info
        self._requests: queue.SimpleQueue[Any] = queue.SimpleQueue()
        grpc_port, packet_port, thrift_port = _free_ports(3)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        # fmt: off
        arguments = [
            "--no-p4", "--device-id", "0", "--thrift-port", str(thrift_port),
            "--", "--grpc-server-addr", f"127.0.0.1:{grpc_port}",
            "--dp-grpc-server-addr", f"127.0.0.1:{packet_port}",
        ]
        # fmt: on
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._channel = grpc.insecure_channel(f"127.0.0.1:{grpc_port}")
        self._packets = grpc.insecure_channel(f"127.0.0.1:{packet_port}")
        self._stub = p4r_grpc.P4RuntimeStub(self._channel)
        self._groups: set[int] = set()
        self._sessions: set[int] = set()
        try:
            self._wait_ready()
            self._load(config)
        except Exception:
            self.close()
            raise

    def _wait_ready(self) -> None:
        ready = grpc.channel_ready_future(self._channel)
        deadline = time.monotonic() + DEADLINE_S
        while time.monotonic() < deadline:
            with suppress(grpc.FutureTimeoutError):
                ready.result(timeout=0.2)
                return
            self._check_alive()
        raise TargetError("the switch did not become ready")

    def _check_alive(self) -> None:
        status = self._process.poll()
        if status is None:
            return
        if status < 0:
            raise TargetError(f"the switch died of {signal.Signals(-status).name}")
        raise TargetError(f"the switch ended with status {status}: {self._last_words()}")

    def _last_words(self) -> str:
        self._log.seek(0)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"

    def _load(self, config: Mapping[str, Any]) -> None:
        # Kept for the life of the target: the stream ends with its last reference.
        self._stream = cast(Any, self._stub.StreamChannel(iter(self._requests.get, None)))
        update = p4r.MasterArbitrationUpdate(device_id=0, election_id=_ELECTION_ID)
        self._requests.put(p4r.StreamMessageRequest(arbitration=update))
        request = p4r.SetForwardingPipelineConfigRequest(
            device_id=0,
            election_id=_ELECTION_ID,
            action=p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT,
        )
        request.config.p4info.CopyFrom(self._info.message)
        request.config.p4_device_config = json.dumps(config).encode()
        with _Translated(self):
            next(self._stream)
            self._stub.SetForwardingPipelineConfig(request, timeout=DEADLINE_S)
        # BMv2's packet service answers UNAVAILABLE for a moment after a program was loaded.
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                list(packet_stream(self._packets)(iter(()), timeout=DEADLINE_S))
                return
            except grpc.RpcError as error:
                retry = error.code() == grpc.StatusCode.UNAVAILABLE
                if not retry or time.monotonic() > deadline:
                    raise TargetError(f"packets over gRPC: {error.details()}") from error
                self._check_alive()
                time.sleep(0.02)

    # -- Target

    def insert(
        self, table: Table, match: Sequence[Match], target: EntryTarget, priority: int
    ) -> None:
        """Insert an entry."""
        entry = _entry(table, match, priority)
        if isinstance(target, BoundAction):
            entry.action.action.CopyFrom(_action(target))
        elif isinstance(target, MemberRef):
            entry.action.action_profile_member_id = target.id
        else:
            assert isinstance(target, GroupRef)
            entry.action.action_profile_group_id = target.id
        self._write(p4r.Update.INSERT, table_entry=entry)

    def set_default(self, table: Table, action: BoundAction) -> None:
        """Change the default action."""
        entry = p4r.TableEntry(table_id=table.id, is_default_action=True)
        entry.action.action.CopyFrom(_action(action))
        self._write(p4r.Update.MODIFY, table_entry=entry)

    def delete(self, table: Table, match: Sequence[Match], priority: int) -> None:
        """Delete an entry."""
        self._write(p4r.Update.DELETE, table_entry=_entry(table, match, priority))

    def clear(self, table: Table) -> None:
        """Delete all entries of a table."""
        for entity in self._read(table_entry=p4r.TableEntry(table_id=table.id)):
            if not entity.table_entry.is_const:
                self._write(p4r.Update.DELETE, table_entry=entity.table_entry)

    def add_member(self, profile: ActionProfile, id: int, action: BoundAction) -> None:
        """Add a member."""
        member = p4r.ActionProfileMember(
            action_profile_id=profile.id, member_id=id, action=_action(action)
        )
        self._write(p4r.Update.INSERT, action_profile_member=member)

    def add_group(
        self, profile: ActionProfile, id: int, members: Sequence[tuple[int, int]]
    ) -> None:
        """Add a group."""
        size = profile.max_group_size or sum(weight for _, weight in members)
        group = p4r.ActionProfileGroup(action_profile_id=profile.id, group_id=id, max_size=size)
        for member, weight in members:
            group.members.add(member_id=member, weight=weight)
        self._write(p4r.Update.INSERT, action_profile_group=group)

    def set_multicast_group(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a multicast group."""
        entry = p4r.MulticastGroupEntry(multicast_group_id=id)
        for port, rid in replicas:
            entry.replicas.add(egress_port=port, instance=rid)
        self._replicate(self._groups, id, multicast_group_entry=entry)

    def set_clone_session(self, id: int, replicas: Sequence[tuple[int, int]]) -> None:
        """Create or replace a clone session."""
        entry = p4r.CloneSessionEntry(session_id=id)
        for port, rid in replicas:
            entry.replicas.add(egress_port=port, instance=rid)
        self._replicate(self._sessions, id, clone_session_entry=entry)

    def _replicate(self, known: set[int], id: int, **entry: Any) -> None:
        kind = p4r.Update.MODIFY if id in known else p4r.Update.INSERT
        engine = p4r.PacketReplicationEngineEntry(**entry)
        self._write(kind, packet_replication_engine_entry=engine)
        known.add(id)

    def write_register(self, register: Register, index: int | None, value: int) -> None:
        """Write one cell, or all of them."""
        entry = p4r.RegisterEntry(
            register_id=register.id, data=p4d.P4Data(bitstring=canonical_int(value))
        )
        if index is not None:
            entry.index.index = index
        self._write(p4r.Update.MODIFY, register_entry=entry)

    def read_register(self, register: Register, index: int) -> int:
        """Read one cell."""
        entry = p4r.RegisterEntry(register_id=register.id, index=p4r.Index(index=index))
        (found,) = self._read(register_entry=entry)
        bits: bytes = found.register_entry.data.bitstring
        value = int.from_bytes(bits, "big", signed=register.signed)
        return value & ((1 << register.width) - 1)

    def write_counter(self, counter: Counter, index: int, packets: int, octets: int) -> None:
        """Set one cell."""
        data = p4r.CounterData(packet_count=packets, byte_count=octets)
        entry = p4r.CounterEntry(counter_id=counter.id, index=p4r.Index(index=index), data=data)
        self._write(p4r.Update.MODIFY, counter_entry=entry)

    def read_counter(self, counter: Counter, index: int) -> tuple[int, int]:
        """Read one cell."""
        entry = p4r.CounterEntry(counter_id=counter.id, index=p4r.Index(index=index))
        (found,) = self._read(counter_entry=entry)
        return found.counter_entry.data.packet_count, found.counter_entry.data.byte_count

    def read_direct_counter(
        self, counter: Counter, table: Table, match: Sequence[Match], priority: int | None
    ) -> tuple[int, int]:
        """Read the counter of an entry."""
        asked = p4r.TableEntry(table_id=table.id, counter_data=p4r.CounterData())
        wanted = _entry(table, match, priority or 0)
        found = [
            entity.table_entry
            for entity in self._read(table_entry=asked)
            if list(entity.table_entry.match) == list(wanted.match)
            and priority in (None, entity.table_entry.priority)
        ]
        if len(found) != 1:
            raise TargetError(f"table {table.name!r} has {len(found)} entries with these keys")
        return found[0].counter_data.packet_count, found[0].counter_data.byte_count

    def send(self, port: int, data: bytes) -> list[tuple[int, bytes]]:
        """Inject a packet; the stream ends when the switch has nothing more to send."""
        request = PacketStreamRequest(device_id=0, port=port, packet=data)
        with _Translated(self):
            out = packet_stream(self._packets)(iter([request]), timeout=DEADLINE_S)
            return [(response.port, response.packet) for response in out]

    def close(self) -> None:
        """End the process."""
        self._requests.put(None)
        self._channel.close()
        self._packets.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()

    def _write(self, kind: int, **entity: Any) -> None:
        request = p4r.WriteRequest(device_id=0, election_id=_ELECTION_ID)
        request.updates.add(type=kind, entity=p4r.Entity(**entity))
        with _Translated(self):
            self._stub.Write(request, timeout=DEADLINE_S)

    def _read(self, **entity: Any) -> list[Any]:
        request = p4r.ReadRequest(device_id=0, entities=[p4r.Entity(**entity)])
        with _Translated(self):
            responses = self._stub.Read(request, timeout=DEADLINE_S)
            return [entity for response in responses for entity in response.entities]


class _Translated:
    """Turns gRPC errors into TargetError, and says when the switch has died."""

    def __init__(self, target: RemoteTarget) -> None:
        self._target = target

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, grpc.RpcError):
            return
        call: Any = error
        with suppress(subprocess.TimeoutExpired):
            # A crash is seen as a broken connection a little before the process has ended.
            if call.code() == grpc.StatusCode.UNAVAILABLE:
                self._target._process.wait(2)
        self._target._check_alive()
        raise TargetError(f"the switch refused it: {_details(error)}") from error


def _details(error: Any) -> str:
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = rpc_status.Status.FromString(value)
            for detail in status.details:
                message = p4r.Error()
                if detail.Unpack(message) and message.canonical_code:
                    return f"{message.message or message.canonical_code}"
    return f"{error.code().name}: {error.details()}"


def _action(action: BoundAction) -> Any:
    message = p4r.Action(action_id=action.action.id)
    for param, value in zip(action.action.params, action.values, strict=True):
        message.params.add(param_id=param.id, value=canonical_int(value))
    return message


def _entry(table: Table, match: Sequence[Match], priority: int) -> Any:
    """The key of an entry; fields that match anything are left out."""
    entry = p4r.TableEntry(table_id=table.id, priority=priority)
    for field, m in zip(table.fields, match, strict=True):
        message = p4r.FieldMatch(field_id=field.id)
        match m:
            case Exact(value):
                message.exact.value = canonical_int(value)
            case Lpm(value, length) if length:
                message.lpm.value, message.lpm.prefix_len = canonical_int(value), length
            case Ternary(value, mask) if mask:
                message.ternary.value = canonical_int(value)
                message.ternary.mask = canonical_int(mask)
            case Range(low, high) if (low, high) != (0, (1 << field.width) - 1):
                message.range.low, message.range.high = canonical_int(low), canonical_int(high)
            case Optional(int(value)):
                message.optional.value = canonical_int(value)
            case _:
                continue
        entry.match.append(message)
    return entry


def _free_ports(count: int) -> list[int]:
    """Ports that are free now; BMv2 does not take port 0."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports
