# SPDX-License-Identifier: MIT
"""`Pipeline`: one switch in this process, made of a BMv2 JSON document."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping
from ctypes import byref, c_uint64
from dataclasses import dataclass
from pathlib import Path
from struct import Struct
from types import MappingProxyType

from softswitch.engine.arrays import CounterView, MeterView, Pre, RegisterView, ValueSetView
from softswitch.engine.build import Builder, Flavour
from softswitch.engine.codegen import generate
from softswitch.engine.errors import EngineError, PacketAssertError
from softswitch.engine.gen_meta import width_bytes
from softswitch.engine.loader import load
from softswitch.engine.native import Instance, check, load_library
from softswitch.engine.program import Program
from softswitch.engine.snapshot import Snapshot, SnapshotKeeper
from softswitch.engine.tables import ProfileView, TableView

_RECORD = Struct("=II")


@dataclass(frozen=True, slots=True)
class Digest:
    """A digest message: the values of the fields of digest ``name``."""

    id: int
    name: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """One line of a trace.

    ``kind``: ingress, parser, extract, table, action, condition, register_read, register_write,
    count, meter, clone, copy, multicast, resubmit, recirculate, digest, enqueue, egress, drop,
    transmit. ``source`` is ``file:line`` in the P4 program, or empty.
    """

    kind: str
    text: str
    source: str = ""
    fragment: str = ""

    @classmethod
    def of(cls, line: str) -> TraceEvent:
        """From a line of the runtime."""
        kind, source, fragment, text = [*line.split("\t", 3), "", "", ""][:4]
        return cls(kind, text, source, fragment)


class Pipeline:
    """A switch: program, control-plane objects and packet processing.

    An instance is not thread-safe. Time and the random seed are inputs: the same calls give the
    same results.
    """

    def __init__(
        self, program: Program, library_path: Path, seed: int = 0, *, trace: bool = False
    ) -> None:
        self.traces = trace
        self.program = program
        self.library_path = library_path
        self.seed = seed
        self._lib = load_library(library_path)
        self._instance = Instance(self._lib, seed)
        p, i = program, self._instance
        self.tables: Mapping[str, TableView] = MappingProxyType(
            {t.name: TableView(i, p, n, t) for n, t in enumerate(p.tables.values())}
        )
        self.action_profiles: Mapping[str, ProfileView] = MappingProxyType(
            {a.name: ProfileView(i, p, n, a) for n, a in enumerate(p.profiles.values())}
        )
        self.registers: Mapping[str, RegisterView] = MappingProxyType(
            {r.name: RegisterView(i, n, r) for n, r in enumerate(p.registers.values())}
        )
        self.counters: Mapping[str, CounterView] = MappingProxyType(
            {c.name: CounterView(i, n, c) for n, c in enumerate(p.counters.values())}
        )
        self.meters: Mapping[str, MeterView] = MappingProxyType(
            {m.name: MeterView(i, n, m) for n, m in enumerate(p.meters.values())}
        )
        self.value_sets: Mapping[str, ValueSetView] = MappingProxyType(
            {v.name: ValueSetView(i, n, v) for n, v in enumerate(p.value_sets.values())}
        )
        self.pre = Pre(i)
        self._size = c_uint64()
        self._size_ref = byref(self._size)
        self._faults = 0
        self._keeper = SnapshotKeeper(self)

    @classmethod
    def load(
        cls,
        config: Path | str | Mapping[str, object],
        *,
        seed: int = 0,
        cache_dir: Path | None = None,
        sanitize: bool = False,
        trace: bool = False,
    ) -> Pipeline:
        """Compile ``config`` (a path, a JSON text or a parsed document) and make an instance.

        Raises ConfigError for a broken or unsupported document, BuildError without a C compiler.
        """
        program = load(config)
        builder = Builder(cache_dir, Flavour(sanitize=sanitize, trace=trace))
        return cls(program, builder.build(generate(program, trace=trace)), seed, trace=trace)

    def clone(self, seed: int | None = None) -> Pipeline:
        """Another, fresh instance of the same program."""
        chosen = self.seed if seed is None else seed
        return Pipeline(self.program, self.library_path, chosen, trace=self.traces)

    @property
    def native(self) -> Instance:
        """The C instance: ``native.lib`` and ``native.ptr``, an ``ss_switch *``."""
        return self._instance

    @property
    def native_library(self) -> int:
        """Handle of ``dlopen``."""
        return int(self._lib._handle)

    @property
    def native_switch(self) -> int:
        """Address of the ``ss_switch``."""
        if self._instance.ptr is None:
            raise EngineError("the pipeline is closed")
        return self._instance.ptr

    def close(self) -> None:
        """Free the C instance; the pipeline cannot be used afterwards."""
        self._instance.close()

    def process(self, port: int, data: bytes, now: int = 0) -> list[tuple[int, bytes]]:
        """Let a packet in on ``port`` at ``now`` (microseconds); returns what comes out.

        All copies, resubmissions and recirculations run to their end. The order is that of the
        switch for each port. Raises PacketAssertError when an assert() of the program failed.
        """
        ptr = self._instance.ptr
        if ptr is None:
            raise EngineError("the pipeline is closed")
        out = self._lib.ss_process(ptr, port, data, len(data), now, self._size_ref)
        size = self._size.value
        result = [] if size == 0 else _records(ctypes.string_at(out, size))
        text = ctypes.c_char_p()
        if self._has_asserts:
            faults = self._lib.ss_faults(ptr, byref(text))
            if faults != self._faults:
                self._faults = faults
                raise PacketAssertError((text.value or b"").decode(errors="replace"))
        return result

    @property
    def _has_asserts(self) -> bool:
        cached = self.__dict__.get("_asserts")
        if cached is None:
            cached = any(s.op in ("assert", "assume") for a in self.program.actions for s in a.body)
            cached = cached or any(
                o.op in ("assert", "assume") for s in self.program.parser.states for o in s.ops
            )
            self.__dict__["_asserts"] = cached
        return bool(cached)

    def digests(self) -> list[Digest]:
        """The digests since the last call."""
        data = self._lib.ss_digests(self._instance.ptr, self._size_ref)
        size = self._size.value
        if size == 0:
            return []
        out = []
        for number, raw in _records(ctypes.string_at(data, size)):
            listed = self.program.digests[number]
            values, at = [], 0
            for e in listed.fields:
                n = width_bytes(self.program.expr_width(e))
                values.append(int.from_bytes(raw[at : at + n], "big"))
                at += n
            out.append(Digest(number, listed.name, tuple(values)))
        return out

    def trace_log(self) -> list[TraceEvent]:
        """What happened since the last call; needs ``load(..., trace=True)``."""
        if not self.traces:
            raise EngineError("the pipeline was not loaded with trace=True")
        data = self._lib.ss_trace_take(self._instance.ptr, self._size_ref)
        size = self._size.value
        text = ctypes.string_at(data, size).decode(errors="replace") if size else ""
        return [TraceEvent.of(line) for line in text.splitlines()]

    def stats(self) -> dict[str, int]:
        """Packets received, sent and dropped by cause, and errors, since the start."""
        s = self._lib.ss_get_stats(self._instance.ptr).contents
        return {name: int(getattr(s, name)) for name, *_ in s._fields_}

    def set_queues(self, count: int) -> None:
        """Number of priorities of a port (default 1): packets with a higher one are dropped."""
        self._lib.ss_set_queues(self._instance.ptr, count)

    # -- state ---------------------------------------------------------------------------

    def state(self) -> bytes:
        """Registers, counters, meters, direct resources and random state, as bytes."""
        data = self._lib.ss_state_save(self._instance.ptr, self._size_ref)
        return ctypes.string_at(data, self._size.value)

    def set_state(self, state: bytes) -> None:
        """Back to a `state` that was taken with the same table entries."""
        check(self._lib.ss_state_load(self._instance.ptr, state, len(state)), "state")

    def snapshot(self) -> Snapshot:
        """The whole state, tables included; cheap while tables do not change."""
        return self._keeper.take()

    def restore(self, snapshot: Snapshot) -> None:
        """Back to a snapshot of this pipeline or of another instance of the program."""
        self._keeper.restore(snapshot)


def _records(raw: bytes) -> list[tuple[int, bytes]]:
    out, at, end = [], 0, len(raw)
    unpack = _RECORD.unpack_from
    while at < end:
        number, n = unpack(raw, at)
        at += 8
        out.append((number, raw[at : at + n]))
        at += n
    return out
