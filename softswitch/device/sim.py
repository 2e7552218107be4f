# SPDX-License-Identifier: MIT
"""A switch in virtual time: the queues, delays and faults of the real one, without wires.

No root, no threads, no clock: the caller hands frames in with the time, asks
for the next deadline and takes out what left.  Same calls, same results.
"""

from __future__ import annotations

import ctypes
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from softswitch.device.errors import PortError, PortTakenError
from softswitch.device.events import DigestMessage, Frame
from softswitch.device.native import NO_PORT, FaultConfig, PortModel, Program, handles, native
from softswitch.device.options import CONFIGURABLE, FaultSpec, PortConfig

_NEVER = (1 << 64) - 1


class SimDevice:
    """One switch around one program; ``interface`` of its ports is only a name.

    Times are nanoseconds since the switch was made and must not go backwards.
    """

    def __init__(self, cpu_port: int | None = None) -> None:
        self._native = native()
        self._lib = self._native.lib
        self._handle = self._lib.dev_sim_new(NO_PORT if cpu_port is None else cpu_port)
        self._program: Program | None = None
        self._ports: dict[int, PortConfig] = {}

    def __enter__(self) -> SimDevice:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back; the program is left as it is, without hooks."""
        if self._handle:
            self._lib.dev_sim_free(self._handle)
            self._handle = None
            self._program = None

    def load(self, program: Program) -> None:
        """Put ``program`` between the ports; what waited for the old one's egress is dropped."""
        if not self._lib.dev_sim_load(self._handle, *handles(program)):
            raise PortError("pipeline: its shared object lacks functions of ss.h; rebuild it")
        self._program = program

    def add_port(self, config: PortConfig) -> None:
        """Add a port; raises :class:`PortTakenError` when its number is in use."""
        if config.number in self._ports:
            raise PortTakenError(f"port {config.number}: in use already")
        self._lib.dev_sim_add_port(self._handle, config.number, ctypes.byref(PortModel.of(config)))
        self._ports[config.number] = config
        for inbound, spec in ((0, config.faults.outbound), (1, config.faults.inbound)):
            self._set_faults(config.number, inbound, spec)

    def configure_port(self, number: int, **changes: object) -> PortConfig:
        """Change the model of a port; faults that did not change keep their packet numbers."""
        old = self.port(number)
        if unknown := set(changes) - CONFIGURABLE:
            raise PortError(f"port {number}: cannot set {', '.join(sorted(unknown))}")
        new = replace(old, **changes)  # type: ignore[arg-type]
        self._lib.dev_sim_set_model(self._handle, number, ctypes.byref(PortModel.of(new)))
        if new.faults.outbound != old.faults.outbound:
            self._set_faults(number, 0, new.faults.outbound)
        if new.faults.inbound != old.faults.inbound:
            self._set_faults(number, 1, new.faults.inbound)
        self._ports[number] = new
        return new

    def _set_faults(self, number: int, inbound: int, spec: FaultSpec) -> None:
        self._lib.dev_sim_set_faults(
            self._handle, number, inbound, ctypes.byref(FaultConfig.of(spec))
        )

    def port(self, number: int) -> PortConfig:
        """Configuration of a port."""
        try:
            return self._ports[number]
        except KeyError:
            raise PortError(f"port {number}: the switch has no such port") from None

    def set_carrier(self, number: int, up: bool) -> None:
        """Cut or restore the line of a port; frames on a cut line are lost."""
        self.port(number)
        self._lib.dev_sim_set_carrier(self._handle, number, int(up))

    def capture(self, number: int, folder: Path) -> None:
        """Write what the port receives and sends to pcap files in ``folder``."""
        base = str(folder / self.port(number).interface)
        if not self._lib.dev_sim_capture(
            self._handle, number, f"{base}_in.pcap".encode(), f"{base}_out.pcap".encode()
        ):
            raise PortError(f"{base}_in.pcap: cannot be written")

    def receive(self, port: int, data: bytes, now_ns: int) -> None:
        """A frame arrives; everything that was due before happens first."""
        self.port(port)
        self._lib.dev_sim_receive(self._handle, port, data, len(data), now_ns)

    def packet_out(self, data: bytes, now_ns: int) -> None:
        """A frame comes from the CPU port."""
        self._lib.dev_sim_packet_out(self._handle, data, len(data), now_ns)

    def advance(self, now_ns: int) -> None:
        """Let time pass: queues, delays and held packets up to ``now_ns``."""
        self._lib.dev_sim_advance(self._handle, now_ns)

    def deadline(self) -> int | None:
        """When :meth:`advance` has work next, or None."""
        due: int = self._lib.dev_sim_deadline(self._handle)
        return None if due == _NEVER else due

    def run(self) -> None:
        """Advance until nothing is due."""
        while (due := self.deadline()) is not None:
            self.advance(due)

    def frames(self) -> list[Frame]:
        """Frames that left since the last call, in order; those for the CPU port too."""
        frames = []
        while event := self._lib.dev_sim_take(self._handle, 0):
            when, port, data = self._native.take(event)
            frames.append(Frame(port, data, when))
        return frames

    def digests(self) -> list[DigestMessage]:
        """Digests since the last call."""
        digests = []
        while event := self._lib.dev_sim_take(self._handle, 1):
            when, digest, data = self._native.take(event)
            digests.append(DigestMessage(digest, data, when))
        return digests

    def queue_depth(self, number: int) -> int:
        """Packets that wait at a port."""
        depth: int = self._lib.dev_sim_queue_depth(self._handle, number)
        return depth

    def counters(self, number: int) -> dict[str, int]:
        """Counters of a port by name."""
        self.port(number)
        return self._native.counters("dev_sim_counters", self._handle, number)
