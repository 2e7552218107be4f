# SPDX-License-Identifier: MIT
"""The P4Runtime server without gRPC: requests in, answers out, messages to streams.

One lock orders everything that touches the record or the switch: arbitration, writes, reads and
the exchange of programs.  Programs are compiled outside of it, so packets and reads go on.
"""

from __future__ import annotations

import logging
import threading
from typing import Any

from finsy.proto import p4r

from softswitch.server.arbitration import Arbiter
from softswitch.server.batch import read_batch, write_batch
from softswitch.server.dataplane import DataPlane
from softswitch.server.entities.base import Context
from softswitch.server.errors import (
    P4RuntimeError,
    denied,
    invalid,
    not_found,
    precondition,
    unimplemented,
)
from softswitch.server.pipelines import LoadPipeline, load_context, reconcile
from softswitch.server.streams import Stream

_log = logging.getLogger(__name__)

API_VERSION = "1.4.0"
_NO_CONFIG = "No forwarding pipeline config set for this device"

_Action = p4r.SetForwardingPipelineConfigRequest


class Core:
    """One device under P4Runtime."""

    def __init__(
        self,
        device: DataPlane,
        device_id: int,
        load: LoadPipeline,
        *,
        cpu_port: int | None = None,
    ) -> None:
        self.device = device
        self.device_id = device_id
        self.cpu_port = cpu_port
        self.lock = threading.RLock()
        self._load = load
        self._loading = threading.Lock()
        self._arbiter: Arbiter[Stream] = Arbiter(device_id)
        self._active: Context | None = None
        self._saved: Context | None = None
        self._bare: Context | None = None
        self.observers: list[Observer] = []

    # -- programs

    @property
    def active(self) -> Context | None:
        """The pipeline that packets go through."""
        return self._active

    def start_with(self, config: Any) -> None:
        """Load a program before any client is there; raise P4RuntimeError."""
        with self._loading:
            self._commit(load_context(config, self._load, self.device))

    def start_bare(self, config: Any) -> None:
        """Load a program without P4Info: packets flow, clients see no pipeline config yet."""
        with self._loading:
            context = load_context(config, self._load, self.device)
            with self.lock:
                self.device.load(context.engine.pipeline)
                self._bare = context

    def set_config(self, request: Any) -> None:
        """SetForwardingPipelineConfig."""
        with self.lock:
            rights = self._arbiter.check_write(request)
            if not rights.can_push_pipeline:
                raise denied("the role may not set the pipeline")
        action = request.action
        if action == _Action.COMMIT:
            self._commit_saved(request)
            return
        if action not in (
            _Action.VERIFY,
            _Action.VERIFY_AND_SAVE,
            _Action.VERIFY_AND_COMMIT,
            _Action.RECONCILE_AND_COMMIT,
        ):
            raise invalid("the request has no known action: VERIFY, VERIFY_AND_SAVE, ...")
        if not request.HasField("config"):
            raise invalid("the request has no config")
        with self._loading:
            self._set_new(request)

    def _set_new(self, request: Any) -> None:
        context = load_context(request.config, self._load, self.device)
        if request.action == _Action.VERIFY:
            return
        with self.lock:
            # Compiling takes a while: the client may have lost its place meanwhile.
            self._arbiter.check_write(request)
            if request.action == _Action.VERIFY_AND_SAVE:
                context.engine.detach()
                self._saved = context
                return
            if request.action == _Action.RECONCILE_AND_COMMIT and self._active is not None:
                context.engine.detach()
                reconcile(self._active, context)
            self._commit(context)

    def _commit_saved(self, request: Any) -> None:
        if request.HasField("config"):
            raise invalid("COMMIT takes no config: it commits the one that was saved")
        with self._loading, self.lock:
            if self._saved is None:
                raise not_found("there is no saved config: send VERIFY_AND_SAVE first")
            self._commit(self._saved)

    def _commit(self, context: Context) -> None:
        with self.lock:
            context.engine.detach()
            self.device.load(context.engine.pipeline)
            context.engine.attach()
            self._active, self._saved, self._bare = context, None, None
            for observer in self.observers:
                observer.program_changed(context)

    def get_config(self, request: Any) -> Any:
        """GetForwardingPipelineConfig."""
        self._check_device(request)
        kind = p4r.GetForwardingPipelineConfigRequest
        response = p4r.GetForwardingPipelineConfigResponse()
        with self.lock:
            context = self._saved or self._active
            if context is None:
                return response
            config = context.program.config
            response.config.SetInParent()
            if config.HasField("cookie"):
                response.config.cookie.CopyFrom(config.cookie)
            if request.response_type in (kind.ALL, kind.P4INFO_AND_COOKIE):
                response.config.p4info.CopyFrom(config.p4info)
            if request.response_type in (kind.ALL, kind.DEVICE_CONFIG_AND_COOKIE):
                response.config.p4_device_config = config.p4_device_config
        return response

    # -- entities

    def write(self, request: Any) -> None:
        """Write; raises P4RuntimeError, or BatchError when some updates failed."""
        with self.lock:
            rights = self._arbiter.check_write(request)
            write_batch(self._current(), request.updates, request.atomicity, rights)

    def read(self, request: Any) -> tuple[list[Any], P4RuntimeError | None]:
        """Read; the responses and the error that follows them, if any.

        All is read before the first response leaves, so a slow client holds nothing up.
        """
        self._check_device(request)
        with self.lock:
            rights = self._arbiter.rights_of_role(request.role)
            responses: list[Any] = []
            try:
                for response in read_batch(self._current(), request.entities, rights):
                    responses.append(response)
            except P4RuntimeError as error:
                return responses, error
        return responses, None

    def _current(self) -> Context:
        context = self._saved or self._active
        if context is None:
            raise precondition(_NO_CONFIG)
        return context

    def _check_device(self, request: Any) -> None:
        if request.device_id != self.device_id:
            raise not_found(f"this is device {self.device_id}, not {request.device_id}")

    # -- streams

    def receive(self, stream: Stream, message: Any) -> None:
        """Handle a StreamMessageRequest; errors go to the stream."""
        which = message.WhichOneof("update")
        if which == "arbitration":
            self._arbitrate(stream, message.arbitration)
        elif which == "packet":
            self._packet_out(stream, message.packet)
        elif which == "digest_ack":
            self._digest_ack(stream, message.digest_ack)
        else:
            error = unimplemented(f"stream messages of the kind {which} are not supported")
            stream.send_error(error, other=p4r.StreamOtherError())

    def disconnected(self, stream: Stream) -> None:
        """Forget a client whose stream ended."""
        with self.lock:
            self._notify(self._arbiter.remove(stream))

    def send_to_primaries(self, object_id: int, **update: Any) -> None:
        """Send a notification about a P4Info object to every primary that may see it."""
        with self.lock:
            for stream, rights in self._arbiter.primaries():
                if not object_id or rights.may_read(object_id):
                    stream.send(**update)

    def send_packet_in(self, packet: Any) -> None:
        """Send a PacketIn to every primary whose role wants it."""
        metadata = {m.metadata_id: m.value for m in packet.metadata}
        with self.lock:
            for stream, rights in self._arbiter.primaries():
                if rights.wants_packet_in(metadata):
                    stream.send(packet=packet)

    def _arbitrate(self, stream: Stream, request: Any) -> None:
        with self.lock:
            try:
                messages = self._arbiter.update(stream, request)
            except P4RuntimeError as error:
                stream.close(error)
                return
            self._notify(messages)

    @staticmethod
    def _notify(messages: list[tuple[Stream, Any]]) -> None:
        for stream, update in messages:
            stream.send(important=True, arbitration=update)

    def _packet_out(self, stream: Stream, packet: Any) -> None:
        try:
            with self.lock:
                if self._arbiter.rights_if_primary(stream) is None:
                    raise denied("only the primary client may send packets")
                if self._active is None:
                    raise precondition(_NO_CONFIG)
                codec = self._active.program.packet_out
            if codec is not None:
                header = codec.pack(packet.metadata)
            elif packet.metadata:
                raise invalid("the program has no packet_out header: no metadata can be given")
            else:
                header = b""
            if self.cpu_port is None:
                raise precondition("the switch has no CPU port; start it with --cpu-port")
            if not self.device.packet_out(header + packet.payload):
                raise precondition("the packet was dropped: it is too long or the queue is full")
        except P4RuntimeError as error:
            stream.send_error(error, packet_out=p4r.PacketOutError(packet_out=packet))

    def _digest_ack(self, stream: Stream, ack: Any) -> None:
        error: P4RuntimeError | None = None
        with self.lock:
            context = self._active
            if self._arbiter.rights_if_primary(stream) is None:
                error = denied("only the primary client may acknowledge digests")
            elif context is None or ack.digest_id not in context.program.info.digests.by_id:
                error = invalid(f"the program has no digest {ack.digest_id:#010x}")
            else:
                for observer in self.observers:
                    observer.digest_acknowledged(ack.digest_id, ack.list_id)
        if error is not None:
            details = p4r.DigestListAckError(digest_list_ack=ack)
            stream.send_error(error, digest_list_ack=details)


class Observer:
    """What notifications need to hear from the core; called with its lock held."""

    def program_changed(self, context: Context) -> None:
        """Another program runs from now on."""

    def digest_acknowledged(self, digest_id: int, list_id: int) -> None:
        """The primary client has seen a list of digests."""
