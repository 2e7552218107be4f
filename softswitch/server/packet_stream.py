# SPDX-License-Identifier: MIT
"""p4.bm.DataplaneInterface: packets in and out over gRPC, as in simple_switch_grpc.

For packet tests without root and without interfaces.  When a client ends its side, the stream ends
once the switch has nothing more to send.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from softswitch.server.local import LocalDataPlane

SERVICE = "p4.bm.DataplaneInterface"
MAX_PACKET = 1 << 16
MAX_PORT = 511  # the drop port sends nothing, but packets may come in there


def _make_messages() -> tuple[Any, Any]:
    """PacketStreamRequest and PacketStreamResponse, whose fields are the same."""
    file = descriptor_pb2.FileDescriptorProto(
        name="p4/bm/dataplane_interface.proto", package="p4.bm", syntax="proto3"
    )
    kinds = descriptor_pb2.FieldDescriptorProto
    for name in ("PacketStreamRequest", "PacketStreamResponse"):
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(
            (
                ("device_id", kinds.TYPE_UINT64),
                ("port", kinds.TYPE_UINT32),
                ("packet", kinds.TYPE_BYTES),
            ),
            1,
        ):
            message.field.add(name=field, number=number, type=kind, label=kinds.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    made = [
        message_factory.GetMessageClass(pool.FindMessageTypeByName(f"p4.bm.{name}"))
        for name in ("PacketStreamRequest", "PacketStreamResponse")
    ]
    return made[0], made[1]


PacketStreamRequest, PacketStreamResponse = _make_messages()


def packet_stream(channel: Any) -> Any:
    """The client's side: call the result with an iterator of requests."""
    return channel.stream_stream(
        f"/{SERVICE}/PacketStream",
        request_serializer=PacketStreamRequest.SerializeToString,
        response_deserializer=PacketStreamResponse.FromString,
    )


class DataplaneService:
    """Serves packet streams on a `LocalDataPlane`; every stream sees all that is sent."""

    def __init__(self, plane: LocalDataPlane, device_id: int) -> None:
        self._plane = plane
        self._device_id = device_id
        self._streams: set[queue.SimpleQueue[Any]] = set()
        self._lock = threading.Lock()
        plane.on_sent = self._sent  # type: ignore[method-assign]

    def add_to(self, server: Any) -> None:
        """Register the service with a gRPC server."""
        handler = grpc.stream_stream_rpc_method_handler(
            self._packet_stream,
            request_deserializer=PacketStreamRequest.FromString,
            response_serializer=PacketStreamResponse.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(SERVICE, {"PacketStream": handler}),)
        )

    def _sent(self, port: int, data: bytes) -> None:
        message = PacketStreamResponse(device_id=self._device_id, port=port, packet=data)
        with self._lock:
            for stream in self._streams:
                stream.put(message)

    def _packet_stream(self, requests: Iterator[Any], context: Any) -> Iterator[Any]:
        out: queue.SimpleQueue[Any] = queue.SimpleQueue()
        with self._lock:
            self._streams.add(out)
        context.add_callback(lambda: out.put(None))
        reader = threading.Thread(target=self._receive, args=(requests, out), daemon=True)
        reader.start()
        try:
            while (message := out.get()) is not None:
                yield message
        finally:
            with self._lock:
                self._streams.discard(out)

    def _receive(self, requests: Iterator[Any], out: queue.SimpleQueue[Any]) -> None:
        try:
            for request in requests:
                if request.port <= MAX_PORT and len(request.packet) <= MAX_PACKET:
                    for port, data in self._plane.process(request.port, request.packet):
                        self._sent(port, data)
        except grpc.RpcError:
            pass  # the client is gone
        finally:
            out.put(None)
