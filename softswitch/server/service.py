# SPDX-License-Identifier: MIT
"""The gRPC service: P4Runtime v1 on top of `Core`."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

import grpc
from finsy.proto import p4r, p4r_grpc

from softswitch.server.arbitration import MAX_CLIENTS
from softswitch.server.core import API_VERSION, Core
from softswitch.server.errors import BatchError, Code, P4RuntimeError
from softswitch.server.streams import Stream

_log = logging.getLogger(__name__)

_STATUS = {code.value[0]: code for code in grpc.StatusCode}
_DETAILS = "grpc-status-details-bin"

# Each open stream keeps a thread of the pool; the rest is for the other calls.
MAX_STREAMS = MAX_CLIENTS + 8


class P4RuntimeService(p4r_grpc.P4RuntimeServicer):
    """Each call runs in a thread of the server's pool; a StreamChannel keeps its thread."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._free_streams = threading.Semaphore(MAX_STREAMS)

    def Capabilities(self, request: Any, context: Any) -> Any:
        """Say which version of P4Runtime this is."""
        return p4r.CapabilitiesResponse(p4runtime_api_version=API_VERSION)

    def SetForwardingPipelineConfig(self, request: Any, context: Any) -> Any:
        """Verify, save or commit a program."""
        self._guarded(context, lambda: self._core.set_config(request))
        return p4r.SetForwardingPipelineConfigResponse()

    def GetForwardingPipelineConfig(self, request: Any, context: Any) -> Any:
        """Return the program."""
        return self._guarded(context, lambda: self._core.get_config(request))

    def Write(self, request: Any, context: Any) -> Any:
        """Write a batch of entities."""
        self._guarded(context, lambda: self._core.write(request))
        return p4r.WriteResponse()

    def Read(self, request: Any, context: Any) -> Iterator[Any]:
        """Read entities."""
        responses, error = self._guarded(context, lambda: self._core.read(request))
        yield from responses
        if error is not None:
            _abort(context, error)

    def StreamChannel(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """Serve a client's stream: arbitration, packets, digests, notifications."""
        if not self._free_streams.acquire(blocking=False):
            text = f"{MAX_STREAMS} streams are open already"
            _abort(context, P4RuntimeError(Code.RESOURCE_EXHAUSTED, text))
        try:
            yield from self._serve(Stream(context.peer()), request_iterator, context)
        finally:
            self._free_streams.release()

    def _serve(
        self, stream: Stream, request_iterator: Iterator[Any], context: Any
    ) -> Iterator[Any]:
        if not context.add_callback(stream.close):
            return
        reader = threading.Thread(
            target=self._receive_all,
            args=(stream, request_iterator),
            name=f"p4runtime-stream-{stream.number}",
            daemon=True,
        )
        reader.start()
        _log.info("stream %d from %s opened", stream.number, stream.peer)
        try:
            yield from stream
        finally:
            stream.close()
            self._core.disconnected(stream)
            _log.info("stream %d closed, %d messages dropped", stream.number, stream.dropped)
        if stream.error is not None:
            _abort(context, stream.error)

    def _receive_all(self, stream: Stream, requests: Iterator[Any]) -> None:
        try:
            for request in requests:
                if stream.closed.is_set():
                    return
                self._core.receive(stream, request)
        except grpc.RpcError:
            pass  # the client is gone: the stream's end says so, too
        except Exception as error:
            if not stream.closed.is_set():
                _log.exception("internal error in stream %d", stream.number)
                stream.close(P4RuntimeError(Code.INTERNAL, f"internal error: {error}"))
        finally:
            stream.close()

    @staticmethod
    def _guarded(context: Any, call: Callable[[], Any]) -> Any:
        try:
            return call()
        except P4RuntimeError as error:
            _abort(context, error)
        except Exception as error:
            _log.exception("internal error")
            text = f"internal error: {type(error).__name__}: {error}"
            _abort(context, P4RuntimeError(Code.INTERNAL, text))


def _abort(context: Any, error: P4RuntimeError) -> NoReturn:
    if isinstance(error, BatchError):
        context.set_trailing_metadata(((_DETAILS, error.status().SerializeToString()),))
    context.abort(_STATUS[int(error.code)], error.message)
    raise AssertionError("abort() raises")
