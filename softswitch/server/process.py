# SPDX-License-Identifier: MIT
"""A switch process: device, P4Runtime server and signals put together."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any, TextIO

import grpc
from finsy.proto import p4i, p4r, p4r_grpc
from google.protobuf import text_format

from softswitch.device import Device, DeviceOptions, PortConfig
from softswitch.engine import Pipeline
from softswitch.server.arbitration import MAX_CLIENTS
from softswitch.server.core import Core
from softswitch.server.local import LocalDataPlane
from softswitch.server.notifications import Notifier
from softswitch.server.options import ServerOptions, TlsFiles
from softswitch.server.packet_stream import DataplaneService
from softswitch.server.service import P4RuntimeService
from softswitch.server.tracing import Tracer

_log = logging.getLogger(__name__)

MAX_MESSAGE = 256 << 20
# Shorter than Python's 5 ms: a thread that holds the switch's lock gets the interpreter back
# soon, and packets wait for it no longer than that.
_SWITCH_INTERVAL_S = 0.0005
_LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warn": logging.WARNING,
    "error": logging.ERROR,
    "off": logging.CRITICAL + 1,
}


class ServerError(Exception):
    """The switch cannot start; the text is one line."""


class SwitchProcess:
    """A running switch.  `start()`, then `close()`; also a context manager."""

    def __init__(self, options: ServerOptions) -> None:
        self.options = options
        self.device = self._make_device()
        self.core = Core(self.device, options.device_id, self._load, cpu_port=options.cpu_port)
        self.notifier = Notifier(self.core)
        self.address = self.dataplane_address = ""
        self._server: Any = None
        self._dataplane_server: Any = None
        self._tracer: Tracer | None = None
        self._final: dict[str, object] | None = None

    def __enter__(self) -> SwitchProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self) -> None:
        """Attach the ports, load the program and serve; on an error nothing is left behind."""
        with ExitStack() as undo:
            undo.callback(self.close)
            # The address first: it is what is most often taken, and the quickest to check.
            server, self.address = make_server(self.options.grpc_address, self.options.tls)
            self._server = server
            p4r_grpc.add_P4RuntimeServicer_to_server(P4RuntimeService(self.core), server)
            for port in self.options.ports:
                self._add_port(port)
            if isinstance(self.device, LocalDataPlane):
                self._start_dataplane(self.device)
            if self.options.config is not None:
                self._start_program(self.options.config, self.options.p4info)
            self.device.start()
            self.notifier.start()
            if self.options.trace is not None:
                tracer = Tracer(self.core, self.options.trace)
                tracer.start()
                self._tracer = tracer
            server.start()
            undo.pop_all()

    def stats(self) -> dict[str, object]:
        """Counters of the process, ready for JSON."""
        if self._final is not None:
            return self._final
        active = self.core.active
        return {
            "device_id": self.options.device_id,
            "grpc": self.address,
            "program": None if active is None else str(active.program.json.get("program", "")),
            **self.device.stats(),
        }

    def close(self) -> None:
        """Stop serving and forwarding; idempotent."""
        if self._final is not None:
            return
        for server in (self._server, self._dataplane_server):
            if server is not None:
                server.stop(grace=0.2).wait(timeout=5)
        if self._tracer is not None:
            self._tracer.stop()
        self.device.stop()
        self.notifier.stop()
        self._final = self.stats()

    def _make_device(self) -> Device | LocalDataPlane:
        """Interfaces, or packets over gRPC: as in BMv2 it is one or the other."""
        options = self.options
        if options.dataplane_address is not None:
            return LocalDataPlane(options.cpu_port)
        return Device(DeviceOptions(cpu_port=options.cpu_port, pcap_dir=options.pcap_dir))

    def _add_port(self, port: PortConfig) -> None:
        if isinstance(self.device, LocalDataPlane):
            raise ServerError("--dp-grpc-server-addr takes packets over gRPC: leave out -i")
        self.device.add_port(port)

    def _start_dataplane(self, plane: LocalDataPlane) -> None:
        assert self.options.dataplane_address is not None
        server, self.dataplane_address = make_server(self.options.dataplane_address)
        DataplaneService(plane, self.options.device_id).add_to(server)
        server.start()
        self._dataplane_server = server

    def _load(self, config: Any) -> Pipeline:
        options = self.options
        return Pipeline.load(config, seed=options.seed, trace=options.trace is not None)

    def _start_program(self, config: Path, p4info: Path | None) -> None:
        try:
            data = config.read_bytes()
            text = p4info.read_text(encoding="utf-8") if p4info else None
        except (OSError, UnicodeDecodeError) as error:
            raise ServerError(f"cannot read the program: {error}") from None
        message = p4r.ForwardingPipelineConfig(p4_device_config=data)
        if text is not None:
            try:
                text_format.Parse(text, message.p4info)
            except text_format.ParseError as error:
                raise ServerError(f"{p4info}:{error}") from None
            self.core.start_with(message)
            return
        # As in BMv2: packets flow, but P4Runtime has to wait for a P4Info to be pushed.
        message.p4info.CopyFrom(p4i.P4Info())
        self.core.start_bare(message)


def make_server(address: str, tls: TlsFiles | None = None) -> tuple[Any, str]:
    """A gRPC server bound to `address`, and the address with the port that was taken."""
    pool = futures.ThreadPoolExecutor(MAX_CLIENTS + 16, thread_name_prefix="grpc")
    server = grpc.server(
        pool,
        options=[
            ("grpc.so_reuseport", 0),  # two switches on one port must be an error
            ("grpc.max_receive_message_length", MAX_MESSAGE),
            ("grpc.max_send_message_length", MAX_MESSAGE),
            ("grpc.max_metadata_size", 64 << 10),
        ],
    )
    try:
        if tls is None:
            port = server.add_insecure_port(address)
        else:
            port = server.add_secure_port(address, _credentials(tls))
    except RuntimeError:
        port = 0
    if port == 0:
        raise ServerError(
            f"cannot listen on {address}: the port is taken or the address is not this machine's; "
            "choose another --grpc-server-addr"
        )
    host = address.rpartition(":")[0]
    return server, f"{host}:{port}"


def _credentials(tls: TlsFiles) -> Any:
    try:
        key, certificate = tls.key.read_bytes(), tls.certificate.read_bytes()
        ca = tls.ca.read_bytes() if tls.ca else None
    except OSError as error:
        raise ServerError(f"cannot read a TLS file: {error}") from None
    return grpc.ssl_server_credentials(
        [(key, certificate)], root_certificates=ca, require_client_auth=tls.verify_clients
    )


def run(options: ServerOptions, out: TextIO = sys.stdout) -> None:
    """Run a switch until SIGTERM or SIGINT; errors are exceptions with one line of text."""
    _set_up_logging(options)
    for notice in options.notices:
        _log.warning("%s", notice)
        print(f"notice: {notice}", file=sys.stderr)
    sys.setswitchinterval(_SWITCH_INTERVAL_S)
    with _Signals() as signals, SwitchProcess(options) as switch:
        switch.start()
        print(_ready_line(switch), file=out, flush=True)
        while (name := signals.wait()) == "stats":
            print(json.dumps(switch.stats()), file=out, flush=True)
        _log.info("stopping")
    if options.stats_json is not None:
        options.stats_json.write_text(json.dumps(switch.stats()) + "\n", encoding="utf-8")
    del name


def _ready_line(switch: SwitchProcess) -> str:
    options = switch.options
    ports = ", ".join(f"{p.number}@{p.interface}" for p in options.ports) or "no ports"
    if switch.dataplane_address:
        ports = f"packets on {switch.dataplane_address}"
    return (
        f"ready: P4Runtime on {switch.address}, device id {options.device_id}, {ports}, "
        f"seed {options.seed}, pid {os.getpid()}"
    )


class _Signals:
    """SIGTERM and SIGINT end the wait with 'stop', SIGUSR1 with 'stats'."""

    def __init__(self) -> None:
        self._wake = threading.Semaphore(0)
        self._pending: list[str] = []
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> _Signals:
        for number, name in (
            (signal.SIGTERM, "stop"),
            (signal.SIGINT, "stop"),
            (signal.SIGUSR1, "stats"),
        ):
            self._before[number] = signal.signal(number, self._handler(name))
        return self

    def __exit__(self, *_: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)

    def _handler(self, name: str) -> Callable[[int, FrameType | None], None]:
        def handle(number: int, frame: FrameType | None) -> None:
            self._pending.append(name)
            self._wake.release()

        return handle

    def wait(self) -> str:
        """Block until a signal comes."""
        self._wake.acquire()
        return self._pending.pop(0)


def _set_up_logging(options: ServerOptions) -> None:
    handlers: list[logging.Handler] = []
    if options.log_console:
        handlers.append(logging.StreamHandler(sys.stdout))
    if options.log_file is not None:
        path = options.log_file.with_name(options.log_file.name + ".txt")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handlers.append(logging.FileHandler(path, mode="w"))
        except OSError as error:
            raise ServerError(f"cannot write the log {path}: {error.strerror}") from None
    logging.basicConfig(
        level=_LEVELS[options.log_level],
        handlers=handlers or [logging.NullHandler()],
        format="[%(asctime)s.%(msecs)03d] [%(levelname)s] %(name)s: %(message)s",
        datefmt="%H:%M:%S",
        force=True,
    )
