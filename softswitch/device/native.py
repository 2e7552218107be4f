# SPDX-License-Identifier: MIT
"""The C part of the device: compile once, load, declare.

The library is built from ``softswitch/runtime/device*.c`` with gcc and kept
under a name that depends on the sources and the flags.
"""

from __future__ import annotations

import ctypes as c
import functools
import hashlib
import os
import subprocess
from pathlib import Path
from typing import Protocol

from softswitch.device.errors import BuildError, DeviceError
from softswitch.device.options import ETHERNET_OVERHEAD, FaultSpec, PortConfig

RUNTIME = Path(__file__).resolve().parent.parent / "runtime"
FLAGS = [
    *("-std=c11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-shared", "-pthread"),
    *("-Wall", "-Wextra", "-Wshadow", "-Wstrict-prototypes", "-Werror"),
]
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=undefined"]
NO_PORT = 512
FAULT_KINDS = 4


def cache_dir() -> Path:
    """Folder of compiled libraries: ``$INCA_CACHE``, else ``$XDG_CACHE_HOME/inca``."""
    if own := os.environ.get("INCA_CACHE"):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inca"


def build(sources: list[Path], name: str, flags: list[str], headers: list[Path]) -> Path:
    """Compile ``sources`` to a shared object in the cache, unless it is there; return its path."""
    digest = hashlib.sha256(" ".join(flags).encode())
    for path in sorted([*sources, *headers]):
        digest.update(path.name.encode() + path.read_bytes())
    folder = cache_dir()
    target = folder / f"{name}-{digest.hexdigest()[:20]}.so"
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    # A name of our own until it is complete: several switches may start at once.
    partial = target.with_suffix(f".{os.getpid()}.tmp")
    command = ["gcc", *flags, "-o", str(partial), *map(str, sources)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise BuildError("gcc: not found; install it with: apt install gcc libc6-dev") from None
    if done.returncode != 0:
        first = (done.stderr.strip().splitlines() or ["gcc failed"])[0]
        raise BuildError(f"{name}: cannot compile the packet loop: {first}")
    partial.rename(target)
    return target


class PortModel(c.Structure):
    """``dev_port_model``."""

    _fields_ = (
        ("rate_bps", c.c_uint64),
        ("delay_ns", c.c_uint64),
        ("queue_packets", c.c_uint32),
        ("priorities", c.c_uint32),
        ("overhead_bytes", c.c_uint32),
        ("enabled", c.c_uint32),
    )

    @classmethod
    def of(cls, config: PortConfig) -> PortModel:
        """The model that ``config`` describes."""
        return cls(
            config.rate_bps or 0,
            round(config.delay_us * 1000),
            config.queue_packets,
            config.priorities,
            ETHERNET_OVERHEAD if config.ethernet_overhead else 0,
            int(config.enabled),
        )


class FaultConfig(c.Structure):
    """``dev_fault_config``."""

    _fields_ = (
        ("probability", c.c_double * FAULT_KINDS),
        ("list", c.POINTER(c.c_uint64) * FAULT_KINDS),
        ("list_length", c.c_uint64 * FAULT_KINDS),
        ("reorder_packets", c.c_uint64),
        ("reorder_ns", c.c_uint64),
        ("seed", c.c_uint64),
    )

    @classmethod
    def of(cls, spec: FaultSpec) -> FaultConfig:
        """The configuration that ``spec`` describes."""
        own = cls()
        own.probability[:] = [spec.loss, spec.duplicate, spec.reorder, spec.corrupt]
        lists = (
            spec.lose_packets,
            spec.duplicate_packets,
            spec.reorder_packets,
            spec.corrupt_packets,
        )
        for kind, numbers in enumerate(lists):
            ordered = sorted(set(numbers))
            own.list[kind] = (c.c_uint64 * len(ordered))(*ordered)
            own.list_length[kind] = len(ordered)
        own.reorder_packets = spec.reorder_by
        own.reorder_ns = round(spec.reorder_us * 1000)
        own.seed = spec.seed & 0xFFFF_FFFF_FFFF_FFFF
        return own


class Event(c.Structure):
    """``dev_event``; its bytes follow the structure."""

    _fields_ = (
        ("next", c.c_void_p),
        ("when_ns", c.c_uint64),
        ("id", c.c_uint32),
        ("length", c.c_uint32),
    )


class NativeOptions(c.Structure):
    """``device_options``."""

    _fields_ = (
        ("cpu_port", c.c_uint32),
        ("event_limit", c.c_uint32),
        ("busy_poll_us", c.c_uint32),
        ("coalesce_us", c.c_uint32),
        ("log_messages", c.c_uint32),
        ("rx_frames", c.c_uint32),
        ("qdisc_bypass", c.c_uint32),
    )


class Totals(c.Structure):
    """``device_totals``."""

    _fields_ = tuple(
        (name, c.c_uint64)
        for name in (
            "drop_no_port",
            "drop_memory",
            "cpu_packets_in",
            "cpu_packets_out",
            "drop_packet_out",
            "bursts",
            "sleeps",
            "longest_wait_ns",
        )
    )


class ProgramInstance(Protocol):
    """One ``ss_switch``: the library with its code, and its address (None: closed)."""

    lib: c.CDLL
    ptr: int | None


class Program(Protocol):
    """What the device needs of a ``Pipeline``."""

    @property
    def native(self) -> ProgramInstance:
        """The C instance."""


def handles(program: Program) -> tuple[int, int]:
    """``dlopen`` handle and address of an instance; raises :class:`DeviceError` when closed."""
    if program.native.ptr is None:
        raise DeviceError("pipeline: closed already; load another one")
    return program.native.lib._handle, program.native.ptr


_P, _U, _L, _B, _S = c.c_void_p, c.c_uint32, c.c_uint64, c.c_bool, c.c_char_p
_MODEL, _FAULTS = c.POINTER(PortModel), c.POINTER(FaultConfig)
_COUNTERS, _EVENT = c.POINTER(c.c_uint64), c.c_void_p
_FUNCTIONS: dict[str, tuple[object, list[object]]] = {
    "device_new": (_P, [c.POINTER(NativeOptions)]),
    "device_free": (None, [_P]),
    "device_load": (_B, [_P, _P, _P]),
    "device_add_port": (c.c_int, [_P, _U, _S, _MODEL]),
    "device_remove_port": (_B, [_P, _U]),
    "device_set_model": (_B, [_P, _U, _MODEL]),
    "device_set_faults": (_B, [_P, _U, _U, _FAULTS]),
    "device_capture": (_B, [_P, _U, _S, _S]),
    "device_start": (_B, [_P]),
    "device_stop": (None, [_P]),
    "device_now_ns": (_L, [_P]),
    "device_packet_out": (_B, [_P, _S, _U]),
    "device_take": (_EVENT, [_P, c.c_int, c.c_int]),
    "device_event_free": (None, [_EVENT]),
    "device_event_fd": (c.c_int, [_P, c.c_int]),
    "device_events_dropped": (_L, [_P, c.c_int]),
    "device_wake_readers": (None, [_P]),
    "device_port_state": (c.c_int, [_P, _U]),
    "device_queue_depth": (_U, [_P, _U]),
    "device_port_counters": (_B, [_P, _U, _COUNTERS]),
    "device_counter_name": (_S, [_U]),
    "device_get_totals": (None, [_P, c.POINTER(Totals)]),
    "dev_sim_new": (_P, [_U]),
    "dev_sim_free": (None, [_P]),
    "dev_sim_load": (_B, [_P, _P, _P]),
    "dev_sim_add_port": (_B, [_P, _U, _MODEL]),
    "dev_sim_set_model": (_B, [_P, _U, _MODEL]),
    "dev_sim_set_faults": (_B, [_P, _U, _U, _FAULTS]),
    "dev_sim_set_carrier": (_B, [_P, _U, _U]),
    "dev_sim_capture": (_B, [_P, _U, _S, _S]),
    "dev_sim_receive": (_B, [_P, _U, _S, _U, _L]),
    "dev_sim_packet_out": (_B, [_P, _S, _U, _L]),
    "dev_sim_advance": (None, [_P, _L]),
    "dev_sim_deadline": (_L, [_P]),
    "dev_sim_take": (_EVENT, [_P, _U]),
    "dev_sim_queue_depth": (_U, [_P, _U]),
    "dev_sim_counters": (_B, [_P, _U, _COUNTERS]),
}


class Native:
    """The loaded library: functions as attributes, and what is derived from it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self.lib = c.CDLL(str(path), use_errno=True)
            held = c.PyDLL(str(path))
        except OSError as error:
            raise BuildError(f"{path.name}: cannot load the packet loop: {error}") from None
        for name, (result, arguments) in _FUNCTIONS.items():
            function = getattr(self.lib, name)
            function.restype, function.argtypes = result, arguments
        # The packet loop never wants the interpreter lock, so waiting for it with that
        # lock held is short and cannot deadlock; giving it up first would let another
        # Python thread run while packets wait for us.
        self.lock, self.unlock = held.device_lock, held.device_unlock
        for function in (self.lock, self.unlock):
            function.restype, function.argtypes = None, [_P]
        names: list[str] = []
        while (name_bytes := self.lib.device_counter_name(len(names))) is not None:
            names.append(name_bytes.decode())
        self.counter_names = tuple(names)

    def counters(self, function: str, handle: int | None, port: int) -> dict[str, int]:
        """The counters of a port by name."""
        values = (c.c_uint64 * len(self.counter_names))()
        getattr(self.lib, function)(handle, port, values)
        return dict(zip(self.counter_names, values, strict=True))

    def take(self, event: int) -> tuple[int, int, bytes]:
        """``(when_ns, id, bytes)`` of an event, which is freed."""
        head = Event.from_address(event)
        data = c.string_at(event + c.sizeof(Event), head.length)
        result = (head.when_ns, head.id, data)
        self.lib.device_event_free(event)
        return result


def compile_flags() -> list[str]:
    """Flags of gcc; with AddressSanitizer and UBSan when ``INCA_SANITIZE=1``."""
    return FLAGS + (SANITIZERS if os.environ.get("INCA_SANITIZE") == "1" else [])


@functools.cache
def native() -> Native:
    """The library, built when needed."""
    headers = [*RUNTIME.glob("device*.h"), RUNTIME / "ss.h"]
    return Native(build(sorted(RUNTIME.glob("device*.c")), "device", compile_flags(), headers))
