# SPDX-License-Identifier: MIT
"""Collects digests into lists, and remembers those not acknowledged (P4Runtime spec, 9.8).

No clocks and no threads: time is an argument, in nanoseconds.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from softswitch.server.state import DigestConfig

# Digests kept for one list when the client gives no limit, and lists kept for acknowledgement.
MAX_LIST = 1024
MAX_UNACKNOWLEDGED = 4096


@dataclass(frozen=True, slots=True)
class DigestList:
    """A list to send: `entries` are the packed digests, all different."""

    digest_id: int
    list_id: int
    entries: tuple[bytes, ...]


@dataclass(slots=True)
class _Buffer:
    entries: dict[bytes, None] = field(default_factory=dict)
    since_ns: int = 0
    # Sent and not acknowledged: list id -> (when, entries); entry -> lists it is in.
    sent: dict[int, tuple[int, tuple[bytes, ...]]] = field(default_factory=dict)
    pending: dict[bytes, int] = field(default_factory=dict)


class DigestLists:
    """The buffers and caches of all digests of a program."""

    def __init__(self) -> None:
        self._buffers: dict[int, _Buffer] = {}
        self._next_list_id = 1

    def clear(self) -> None:
        """Forget everything, as after a new program or a change of the primary client."""
        self._buffers.clear()

    def add(
        self, digest_id: int, entry: bytes, config: DigestConfig, now_ns: int
    ) -> DigestList | None:
        """Take a digest from the data plane; return a list that is due now."""
        buffer = self._buffers.setdefault(digest_id, _Buffer())
        self._expire(buffer, config, now_ns)
        if entry in buffer.entries or entry in buffer.pending:
            return None
        if not buffer.entries:
            buffer.since_ns = now_ns
        buffer.entries[entry] = None
        limit = config.max_list_size or MAX_LIST
        if len(buffer.entries) >= limit or not config.max_timeout_ns:
            return self._send(digest_id, buffer, config, now_ns)
        return None

    def due(self, digest_id: int, config: DigestConfig, now_ns: int) -> DigestList | None:
        """Return the list whose oldest digest has waited for its maximum."""
        buffer = self._buffers.get(digest_id)
        if buffer is None:
            return None
        self._expire(buffer, config, now_ns)
        if not buffer.entries or now_ns - buffer.since_ns < config.max_timeout_ns:
            return None
        return self._send(digest_id, buffer, config, now_ns)

    def next_deadline(self, digest_id: int, config: DigestConfig) -> int | None:
        """When `due` will have something; None when nothing waits."""
        buffer = self._buffers.get(digest_id)
        if buffer is None or not buffer.entries:
            return None
        return buffer.since_ns + config.max_timeout_ns

    def acknowledge(self, digest_id: int, list_id: int) -> None:
        """Forget a list that the client has seen: the same digests may be sent again."""
        buffer = self._buffers.get(digest_id)
        if buffer is not None:
            self._forget(buffer, list_id)

    def _send(
        self, digest_id: int, buffer: _Buffer, config: DigestConfig, now_ns: int
    ) -> DigestList:
        entries = tuple(buffer.entries)
        buffer.entries.clear()
        list_id = self._next_list_id
        self._next_list_id += 1
        if config.ack_timeout_ns:
            buffer.sent[list_id] = (now_ns, entries)
            for entry in entries:
                buffer.pending[entry] = list_id
            while len(buffer.sent) > MAX_UNACKNOWLEDGED:
                self._forget(buffer, next(iter(buffer.sent)))
        return DigestList(digest_id, list_id, entries)

    def _expire(self, buffer: _Buffer, config: DigestConfig, now_ns: int) -> None:
        """Forget lists that have waited for an acknowledgement long enough; oldest come first."""
        while buffer.sent:
            list_id, (when, _) = next(iter(buffer.sent.items()))
            if now_ns - when < config.ack_timeout_ns:
                return
            self._forget(buffer, list_id)

    @staticmethod
    def _forget(buffer: _Buffer, list_id: int) -> None:
        _, entries = buffer.sent.pop(list_id, (0, ()))
        for entry in entries:
            buffer.pending.pop(entry, None)
