# SPDX-License-Identifier: MIT
"""What the switch tells its controllers unasked: packets, digests, idle entries, port changes.

Each kind has a thread that sleeps until there is something to do.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from finsy.proto import p4r

from softswitch.server.codec import byte_width
from softswitch.server.core import Core, Observer
from softswitch.server.digest_lists import DigestList, DigestLists
from softswitch.server.entities.base import Context
from softswitch.server.entities.tables import key_message
from softswitch.server.errors import P4RuntimeError
from softswitch.server.p4data import encode_leaves, leaf_types

_log = logging.getLogger(__name__)

# How long a thread waits at most before it looks whether the server has stopped.
_PATIENCE_S = 0.5


class Notifier(Observer):
    """The threads; `start` and `stop` them."""

    def __init__(self, core: Core) -> None:
        self._core = core
        self._device = core.device
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._lists = DigestLists()
        self._digest_ids: dict[int, int] = {}
        core.observers.append(self)
        if core.active is not None:
            self.program_changed(core.active)

    def start(self) -> None:
        """Start the threads."""
        for target in (self._packets, self._digests, self._ports, self._idle):
            thread = threading.Thread(
                target=self._guarded, args=(target,), name=f"notify{target.__name__}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """Stop the threads; the device must have stopped or be about to."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)

    # -- Observer

    def program_changed(self, context: Context) -> None:
        """Learn which digest has which number in the data plane."""
        self._lists.clear()
        by_name = context.program.info.digests.by_name
        self._digest_ids = {}
        for field_list in context.program.json.get("learn_lists", []):
            digest = by_name.get(field_list["name"])
            if digest is not None:
                self._digest_ids[field_list["id"]] = digest.id

    def digest_acknowledged(self, digest_id: int, list_id: int) -> None:
        """Forget the digests of a list."""
        self._lists.acknowledge(digest_id, list_id)

    # -- threads

    def _guarded(self, target: Callable[[], None]) -> None:
        while not self._stopping.is_set():
            try:
                target()
            except Exception:
                _log.exception("internal error in %s", threading.current_thread().name)

    def _packets(self) -> None:
        packet = self._device.next_packet_in(_PATIENCE_S)
        context = self._core.active
        if packet is None or context is None:
            return
        codec = context.program.packet_in
        if codec is None:
            self._core.send_packet_in(p4r.PacketIn(payload=packet.data))
        elif len(packet.data) < codec.size:
            _log.warning("packet-in of %d bytes is shorter than its header", len(packet.data))
        else:
            metadata = codec.unpack(packet.data[: codec.size])
            payload = packet.data[codec.size :]
            self._core.send_packet_in(p4r.PacketIn(payload=payload, metadata=metadata))

    def _digests(self) -> None:
        message = self._device.next_digest(self._digest_wait())
        with self._core.lock:
            context = self._core.active
            if context is None:
                return
            now = time.monotonic_ns()
            if message is not None:
                self._add_digest(context, message.digest_id, message.data, now)
            for digest_id, config in context.state.digests.items():
                due = self._lists.due(digest_id, config, now)
                if due is not None:
                    self._send_digests(context, due)

    def _add_digest(self, context: Context, number: int, data: bytes, now: int) -> None:
        digest_id = self._digest_ids.get(number, 0)
        config = context.state.digests.get(digest_id)
        if config is not None:
            due = self._lists.add(digest_id, data, config, now)
            if due is not None:
                self._send_digests(context, due)

    def _digest_wait(self) -> float:
        with self._core.lock:
            context = self._core.active
            if context is None:
                return _PATIENCE_S
            deadlines = [
                deadline
                for id, config in context.state.digests.items()
                if (deadline := self._lists.next_deadline(id, config)) is not None
            ]
        if not deadlines:
            return _PATIENCE_S
        wait = (min(deadlines) - time.monotonic_ns()) / 1e9
        return min(max(wait, 0.001), _PATIENCE_S)

    def _send_digests(self, context: Context, due: DigestList) -> None:
        digest = context.program.info.digests.by_id[due.digest_id]
        type_info = context.program.info.message.type_info
        try:
            leaves = leaf_types(digest.type_spec, type_info)
            data = [
                encode_leaves(digest.type_spec, type_info, _split(entry, leaves))
                for entry in due.entries
            ]
        except P4RuntimeError as error:
            _log.error("digest %s: %s", digest.name, error)
            return
        self._core.send_to_primaries(
            due.digest_id,
            digest=p4r.DigestList(
                digest_id=due.digest_id, list_id=due.list_id, data=data, timestamp=time.time_ns()
            ),
        )

    def _ports(self) -> None:
        event = self._device.next_port_event(_PATIENCE_S)
        if event is None:
            return
        with self._core.lock:
            context = self._core.active
            if context is not None:
                context.engine.refresh_watches(event.port)

    def _idle(self) -> None:
        self._stopping.wait(self._idle_wait())
        if self._stopping.is_set():
            return
        with self._core.lock:
            context = self._core.active
            if context is not None:
                self._look_at_idle(context)

    def _idle_wait(self) -> float:
        with self._core.lock:
            context = self._core.active
            deadline = context.timers.next_deadline() if context is not None else None
            if deadline is None or context is None:
                return _PATIENCE_S / 5
            return min(max((deadline - context.engine.now_ns()) / 1e9, 0.01), _PATIENCE_S / 5)

    def _look_at_idle(self, context: Context) -> None:
        now = context.engine.now_ns()
        expired: dict[int, list[Any]] = {}
        for watch in context.timers.take_due(now):
            table = context.program.tables[watch.table_id]
            entry = context.state.entries.get(watch.table_id, {}).get(watch.key)
            if entry is None or entry.timer != watch.timer:
                continue  # deleted, or its timeout was changed: another watch is under way
            idle = context.engine.entry_idle_ns(table, entry.handle)
            ttl = entry.idle_timeout_ns
            if idle >= ttl:
                expired.setdefault(watch.table_id, []).append(key_message(table, watch.key, entry))
                idle = 0  # tell again after another timeout (spec, 16.4)
            context.timers.schedule(watch._replace(deadline_ns=now + ttl - idle))
        for table_id, entries in expired.items():
            self._core.send_to_primaries(
                table_id,
                idle_timeout_notification=p4r.IdleTimeoutNotification(
                    table_entry=entries, timestamp=time.time_ns()
                ),
            )


def _split(data: bytes, leaves: list[tuple[int, bool]]) -> list[int]:
    """The values of a digest, each of which takes whole bytes."""
    values = []
    offset = 0
    for width, _ in leaves:
        size = byte_width(width)
        values.append(int.from_bytes(data[offset : offset + size], "big"))
        offset += size
    return values
