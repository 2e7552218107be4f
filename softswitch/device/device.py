# SPDX-License-Identifier: MIT
"""A running switch: ports on Linux interfaces around one program.

The packets are moved by a thread of the C part, which never holds Python's
interpreter lock; see ``softswitch/runtime/device.h``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Literal

from softswitch.device.errors import (
    DeviceError,
    InterfaceMissingError,
    PermissionMissingError,
    PortError,
    PortTakenError,
)
from softswitch.device.events import DigestMessage, PacketIn, PortEvent
from softswitch.device.native import (
    NO_PORT,
    FaultConfig,
    NativeOptions,
    PortModel,
    Program,
    Totals,
    handles,
    native,
)
from softswitch.device.options import CONFIGURABLE, DeviceOptions, FaultSpec, PortConfig

PortState = Literal["up", "down", "gone"]
EventKind = Literal["packet_ins", "digests", "port_events", "logs"]
_QUEUES: dict[EventKind, int] = {"packet_ins": 0, "digests": 1, "port_events": 2, "logs": 3}
_OK, _NO_INTERFACE, _PERMISSION, _MTU = range(4)


class Device:
    """One switch.  ``start()`` starts forwarding, ``stop()`` gives everything back.

    All methods may be called from any thread.  Ports can be added, removed and
    configured while packets flow, and ``load()`` replaces the program between
    two packets.
    """

    def __init__(self, options: DeviceOptions | None = None) -> None:
        self.options = options or DeviceOptions()
        self._handle: int | None = None
        self._native = native()
        self._lib = self._native.lib
        o = self.options
        native_options = NativeOptions(
            NO_PORT if o.cpu_port is None else o.cpu_port,
            o.event_limit,
            o.busy_poll_us,
            o.coalesce_us,
            int(o.log_messages),
            o.rx_frames,
            int(o.qdisc_bypass),
        )
        self._handle = self._lib.device_new(ctypes.byref(native_options))
        if not self._handle:
            raise DeviceError(f"switch: {os.strerror(ctypes.get_errno())}")
        self._program: Program | None = None
        self._ports: dict[int, PortConfig] = {}
        self._change = threading.RLock()
        self._final: dict[str, object] | None = None

    def __enter__(self) -> Device:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def __del__(self) -> None:
        # Only now: a thread that waits in next_packet_in() keeps the object alive.
        if self._handle:
            self._lib.device_free(self._handle)

    # -- life ------------------------------------------------------------------

    def start(self) -> None:
        """Start moving packets; without a program, they are dropped and counted."""
        self._running()
        if not self._lib.device_start(self._handle):
            raise DeviceError(f"packet loop: {os.strerror(ctypes.get_errno())}")

    def stop(self) -> None:
        """Stop, flush captures, close the ports and end all waits; idempotent."""
        with self._change:
            if self._final is not None:
                return
            self._lib.device_stop(self._handle)
            self._final = self.stats()
            for number in list(self._ports):
                self._lib.device_remove_port(self._handle, number)
            self._lib.device_load(self._handle, None, None)
            self._program = None
            self._lib.device_wake_readers(self._handle)

    def _running(self) -> None:
        if self._final is not None:
            raise DeviceError("switch: stopped already; make a new one")

    def load(self, program: Program | None) -> None:
        """Replace the program; packets that wait for the old one's egress are dropped, counted."""
        with self._change:
            self._running()
            handle, switch = (None, None) if program is None else handles(program)
            if not self._lib.device_load(self._handle, handle, switch):
                raise DeviceError("pipeline: its shared object lacks functions of ss.h; rebuild it")
            self._program = program

    @property
    def program(self) -> Program | None:
        """The program that runs."""
        return self._program

    @property
    def cpu_port(self) -> int | None:
        """The port of packet-ins and packet-outs."""
        return self.options.cpu_port

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the packets out while the program's state is read or written.

        Packets wait as long as the block runs: keep it to one table write.  Not
        re-entrant.
        """
        self._native.lock(self._handle)
        try:
            yield
        finally:
            self._native.unlock(self._handle)

    def now_us(self) -> int:
        """Microseconds since the switch was made: the clock of its timestamps."""
        now: int = self._lib.device_now_ns(self._handle)
        return now // 1000

    # -- ports -----------------------------------------------------------------

    def add_port(self, config: PortConfig) -> None:
        """Attach an interface.

        Raises :class:`InterfaceMissingError`, :class:`PortTakenError`,
        :class:`PermissionMissingError` or :class:`PortError`.
        """
        with self._change:
            self._running()
            self._check_free(config)
            model = PortModel.of(config)
            code = self._lib.device_add_port(
                self._handle, config.number, config.interface.encode(), ctypes.byref(model)
            )
            if code != _OK:
                raise _port_error(config, code, ctypes.get_errno())
            self._ports[config.number] = config
            if config.faults.outbound.active:
                self._set_faults(config.number, 0, config.faults.outbound)
            if config.faults.inbound.active:
                self._set_faults(config.number, 1, config.faults.inbound)
            if self.options.pcap_dir is not None:
                self._capture(config)

    def _check_free(self, config: PortConfig) -> None:
        if config.number in self._ports:
            other = self._ports[config.number].interface
            raise PortTakenError(
                f"port {config.number}: in use by {other}; choose another number"
                f" for {config.interface}"
            )
        if config.number == self.options.cpu_port:
            raise PortTakenError(f"port {config.number}: is the CPU port; choose another number")
        for port in self._ports.values():
            if port.interface == config.interface:
                raise PortTakenError(
                    f"interface {config.interface}: is port {port.number} already;"
                    f" give port {config.number} another one"
                )

    def _capture(self, config: PortConfig) -> None:
        folder = self.options.pcap_dir
        assert folder is not None
        base = folder / config.interface
        names = [f"{base}_in.pcap".encode(), f"{base}_out.pcap".encode()]
        try:
            folder.mkdir(parents=True, exist_ok=True)
            if not self._lib.device_capture(self._handle, config.number, *names):
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
        except OSError as error:
            self.remove_port(config.number)
            raise PortError(f"{base}_in.pcap: cannot be written: {error.strerror}") from None

    def remove_port(self, number: int) -> None:
        """Detach a port; what waits there is dropped."""
        with self._change:
            self.port(number)
            self._lib.device_remove_port(self._handle, number)
            del self._ports[number]

    def configure_port(self, number: int, **changes: object) -> PortConfig:
        """Change rate, delay, queue, priorities, faults or ``enabled`` of a port that runs.

        Faults that do not change keep counting their packets; others start at 1.
        """
        with self._change:
            old = self.port(number)
            if unknown := set(changes) - CONFIGURABLE:
                raise PortError(
                    f"port {number}: cannot set {', '.join(sorted(unknown))};"
                    f" known: {', '.join(sorted(CONFIGURABLE))}"
                )
            new = replace(old, **changes)  # type: ignore[arg-type]
            self._lib.device_set_model(self._handle, number, ctypes.byref(PortModel.of(new)))
            if new.faults.outbound != old.faults.outbound:
                self._set_faults(number, 0, new.faults.outbound)
            if new.faults.inbound != old.faults.inbound:
                self._set_faults(number, 1, new.faults.inbound)
            self._ports[number] = new
            return new

    def _set_faults(self, number: int, inbound: int, spec: FaultSpec) -> None:
        faults = FaultConfig.of(spec)
        if not self._lib.device_set_faults(self._handle, number, inbound, ctypes.byref(faults)):
            raise PortError(f"port {number}: no memory for its faults")

    def port(self, number: int) -> PortConfig:
        """Configuration of a port."""
        try:
            return self._ports[number]
        except KeyError:
            raise PortError(
                f"port {number}: the switch has no such port; it has"
                f" {', '.join(map(str, sorted(self._ports))) or 'none'}"
            ) from None

    @property
    def ports(self) -> dict[int, PortConfig]:
        """All ports by number (a copy)."""
        return dict(self._ports)

    def port_state(self, number: int) -> PortState:
        """``up`` (the interface has a carrier), ``down``, or ``gone`` (it was deleted)."""
        self.port(number)
        states: dict[int, PortState] = {1: "up", 0: "down"}
        return states.get(self._lib.device_port_state(self._handle, number), "gone")

    # -- controller ------------------------------------------------------------

    def packet_out(self, data: bytes) -> bool:
        """Hand a frame to the program as if received on the CPU port; False: queue full."""
        if self.options.cpu_port is None:
            raise DeviceError("packet-out: the switch has no CPU port; start it with --cpu-port")
        sent: bool = self._lib.device_packet_out(self._handle, data, len(data))
        return sent

    def _next(self, kind: EventKind, timeout: float | None) -> tuple[int, int, bytes] | None:
        milliseconds = -1 if timeout is None else max(0, round(timeout * 1000))
        event = self._lib.device_take(self._handle, _QUEUES[kind], milliseconds)
        return self._native.take(event) if event else None

    def next_packet_in(self, timeout: float | None = None) -> PacketIn | None:
        """Wait for a packet-in (seconds, None: for ever); None: timeout, signal, or stopped."""
        event = self._next("packet_ins", timeout)
        return PacketIn(event[2], event[0]) if event else None

    def next_digest(self, timeout: float | None = None) -> DigestMessage | None:
        """Wait for a digest, like :meth:`next_packet_in`."""
        event = self._next("digests", timeout)
        return DigestMessage(event[1], event[2], event[0]) if event else None

    def next_port_event(self, timeout: float | None = None) -> PortEvent | None:
        """Wait for a change of a port's carrier, like :meth:`next_packet_in`."""
        event = self._next("port_events", timeout)
        return PortEvent(event[1], event[2] == b"\x01", event[0]) if event else None

    def next_log(self, timeout: float | None = None) -> str | None:
        """Wait for a line that the program logged, like :meth:`next_packet_in`.

        Only with ``DeviceOptions(log_messages=True)``.
        """
        event = self._next("logs", timeout)
        return event[2].decode(errors="replace") if event else None

    def packet_ins(self) -> Iterator[PacketIn]:
        """Packet-ins until the switch stops."""
        while True:
            if (packet := self.next_packet_in()) is not None:
                yield packet
            elif self._final is not None:
                return

    def event_fd(self, kind: EventKind) -> int:
        """A descriptor that is readable while events of that kind wait (for an event loop)."""
        fd: int = self._lib.device_event_fd(self._handle, _QUEUES[kind])
        return fd

    # -- numbers ---------------------------------------------------------------

    def stats(self) -> dict[str, object]:
        """Counters as plain data, ready for JSON: ``ports`` by number, ``switch``, ``queues``."""
        with self._change:
            if self._final is not None:
                return self._final
            totals = Totals()
            self._lib.device_get_totals(self._handle, ctypes.byref(totals))
            return {
                "ports": {str(number): self._port_stats(number) for number in sorted(self._ports)},
                "switch": {name: getattr(totals, name) for name, *_ in Totals._fields_}
                | {"uptime_us": self.now_us()},
                "events_dropped": {
                    kind: self._lib.device_events_dropped(self._handle, queue)
                    for kind, queue in _QUEUES.items()
                },
            }

    def _port_stats(self, number: int) -> dict[str, object]:
        return {
            "interface": self._ports[number].interface,
            "state": self.port_state(number),
            "queue_depth": self._lib.device_queue_depth(self._handle, number),
            **self.port_counters(number),
        }

    def port_counters(self, number: int) -> dict[str, int]:
        """Counters of one port; their meaning is in ``softswitch/runtime/device_core.h``."""
        self.port(number)
        return self._native.counters("device_port_counters", self._handle, number)


def _port_error(config: PortConfig, code: int, error: int) -> DeviceError:
    name = config.interface
    if code == _NO_INTERFACE:
        return InterfaceMissingError(
            f"interface {name}: not found (port {config.number}); see: ip link"
        )
    if code == _PERMISSION:
        return PermissionMissingError(
            f"interface {name}: raw sockets are not permitted; run as root or with CAP_NET_RAW"
        )
    if code == _MTU:
        return PortError(f"interface {name}: MTU above 9216; set it: ip link set {name} mtu 9000")
    if error == errno.ENOMEM:
        return PortError(f"interface {name}: no memory for the receive ring; use smaller rx_frames")
    return PortError(f"interface {name}: cannot be opened: {os.strerror(error)}")
