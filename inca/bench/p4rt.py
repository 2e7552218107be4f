# SPDX-License-Identifier: MIT
"""A P4Runtime client that does what a benchmark needs: push a program, write many entries.

It prepares all messages before the clock starts, so that the switch is
measured and not the client.
"""

from __future__ import annotations

import queue
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import grpc
from finsy.proto import p4i, p4r, p4r_grpc
from google.protobuf import text_format

from inca.bench.namespace import BenchError
from inca.bench.workloads import Entry, Workload

BATCH = 500
CONNECT_SECONDS = 30.0


def _bytes(value: int) -> bytes:
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


class Names:
    """Ids and widths of a program's tables and actions."""

    def __init__(self, p4info: Any) -> None:
        self._tables = {t.preamble.name: t for t in p4info.tables}
        self._actions = {a.preamble.name: a for a in p4info.actions}

    def table_entry(self, entry: Entry) -> Any:
        """The P4Runtime entity of a workload's entry."""
        table, action = self._tables[entry.table], self._actions[entry.action]
        entity = p4r.Entity()
        target = entity.table_entry
        target.table_id = table.preamble.id
        match = target.match.add()
        match.field_id = table.match_fields[0].id
        value, prefix = entry.match
        if prefix is None:
            match.exact.value = _bytes(value)
        else:
            match.lpm.value, match.lpm.prefix_len = _bytes(value), prefix
        target.action.action.action_id = action.preamble.id
        for parameter, number in zip(action.params, entry.params, strict=True):
            target.action.action.params.add(param_id=parameter.id, value=_bytes(number))
        return entity


class Client:
    """The primary controller of one switch."""

    def __init__(self, address: str, device_id: int = 1) -> None:
        self._device_id = device_id
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.enable_http_proxy", 0), ("grpc.max_send_message_length", -1)]
        )
        self._stub = p4r_grpc.P4RuntimeStub(self._channel)
        self._requests: queue.Queue[Any] = queue.Queue()
        self._stream: Any = None

    def __enter__(self) -> Client:
        try:
            grpc.channel_ready_future(self._channel).result(timeout=CONNECT_SECONDS)
        except grpc.FutureTimeoutError:
            self._channel.close()
            raise BenchError(f"P4Runtime: no answer within {CONNECT_SECONDS:.0f} s") from None
        hello = p4r.StreamMessageRequest()
        hello.arbitration.device_id = self._device_id
        hello.arbitration.election_id.low = 1
        self._requests.put(hello)
        self._stream = self._stub.StreamChannel(self._outgoing())  # the role ends with it
        next(self._stream)
        return self

    def _outgoing(self) -> Iterator[Any]:
        while (request := self._requests.get()) is not None:
            yield request

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._requests.put(None)
        self._channel.close()

    def push(self, config: Path, p4info_path: Path) -> Names:
        """Install a program."""
        request = p4r.SetForwardingPipelineConfigRequest(device_id=self._device_id)
        request.election_id.low = 1
        request.action = p4r.SetForwardingPipelineConfigRequest.VERIFY_AND_COMMIT
        text_format.Parse(p4info_path.read_text(), request.config.p4info)
        request.config.p4_device_config = config.read_bytes()
        self._stub.SetForwardingPipelineConfig(request)
        info = p4i.P4Info()
        info.CopyFrom(request.config.p4info)
        return Names(info)

    def write(self, entities: Sequence[Any], kind: int | None = None) -> float:
        """Write entities in batches; return the seconds that it took."""
        requests = []
        for start in range(0, len(entities), BATCH):
            request = p4r.WriteRequest(device_id=self._device_id)
            request.election_id.low = 1
            for entity in entities[start : start + BATCH]:
                update = request.updates.add(type=p4r.Update.INSERT if kind is None else kind)
                update.entity.CopyFrom(entity)
            requests.append(request)
        began = time.perf_counter()
        for request in requests:
            self._stub.Write(request)
        return time.perf_counter() - began

    def fill(self, workload: Workload, names: Names) -> float:
        """Install a workload's groups and entries; seconds that the entries took."""
        groups = []
        for group, ports in workload.groups:
            entity = p4r.Entity()
            multicast = entity.packet_replication_engine_entry.multicast_group_entry
            multicast.multicast_group_id = group
            for port in ports:
                multicast.replicas.add(egress_port=port, instance=0)
            groups.append(entity)
        if groups:
            self.write(groups)
        return self.write([names.table_entry(entry) for entry in workload.entries])
