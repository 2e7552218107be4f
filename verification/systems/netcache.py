# SPDX-License-Identifier: MIT
"""A cache of one key in a switch before a storage server, after NetCache (SOSP'17).

Reads are served by the switch while its entry is valid.  A write invalidates the entry on its way
to the server, which stores it, answers, and sends the switch an update with the new value.

The design's risk: an update that was overtaken by a later write makes an old value valid again.
``versioned`` repairs it: the switch remembers the newest write that passed it, and takes updates
at least as new only.

Property (coherence): a read that begins after a write was answered does not return older data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from verification.model import Event, Fault, Link, Packet, Plain, State, Status, Step, System

RETRY = Event("retry", Fault.TIMEOUT)


@dataclass(frozen=True)
class Message:
    """READ, READ_REPLY, WRITE, WRITE_REPLY, UPDATE or UPDATE_REPLY of a value by its number.

    ``request`` tells a read's answer from that of an earlier one.
    """

    kind: str
    value: int = 0
    request: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.value}" + (f" (request {self.request})" * bool(self.request))


@dataclass(frozen=True)
class ClientState:
    """``written``: writes answered; the client then reads once before its next write."""

    written: int = 0
    reading: bool = False
    waiting: bool = False


@dataclass(frozen=True)
class Client(Plain):
    """Writes 1, 2, ... and reads after each answer."""

    name: str
    writes: int

    def initial(self) -> State:
        """Nothing written."""
        return ClientState()

    def status(self, state: ClientState) -> Status:
        """Done after the last read."""
        return Status.DONE | Status.IDLE if self._finished(state) else Status.IDLE

    def _finished(self, state: ClientState) -> bool:
        return state.written == self.writes and not state.reading and not state.waiting

    def events(self, state: ClientState) -> Sequence[Event]:
        """The next request, or its repetition."""
        if self._finished(state):
            return ()
        return (RETRY,) if state.waiting else (Event("next request"),)

    def fire(self, state: ClientState, event: Event) -> Sequence[Step]:
        """Send the request."""
        reading = Message("READ", request=state.written)
        message = reading if state.reading else Message("WRITE", state.written + 1)
        return (Step(replace(state, waiting=True), ((0, message),)),)

    def deliver(self, state: ClientState, port: int, packet: Message) -> Sequence[Step]:
        """An answer; old ones are ignored."""
        expected = "READ_REPLY" if state.reading else "WRITE_REPLY"
        if not state.waiting or packet.kind != expected:
            return (Step(state),)
        if state.reading and packet.request != state.written:
            return (Step(state),)
        if state.reading:
            old = packet.value < state.written
            wrong = f"a read returns {packet.value} after write {state.written}" if old else None
            return (Step(replace(state, reading=False, waiting=False), (), wrong),)
        if packet.value != state.written + 1:
            return (Step(state),)
        return (Step(ClientState(packet.value, reading=True)),)

    def describe(self, state: ClientState) -> str:
        """Progress."""
        return f"{state.written} writes answered, {'reading' if state.reading else 'writing'}"


@dataclass(frozen=True)
class Entry:
    """The switch's cache entry."""

    value: int = 0
    valid: bool = True
    passed: int = 0
    """The newest write that passed."""


@dataclass(frozen=True)
class CacheSwitch(Plain):
    """Port 0 to the client, port 1 to the server."""

    name: str
    versioned: bool

    def initial(self) -> State:
        """The first value is cached."""
        return Entry()

    def status(self, state: State) -> Status:
        """It has nothing to do of its own."""
        return Status.DONE | Status.IDLE

    def events(self, state: State) -> Sequence[Event]:
        """None."""
        return ()

    def fire(self, state: State, event: Event) -> Sequence[Step]:
        """Not called."""
        raise AssertionError(event)

    def deliver(self, state: Entry, port: int, packet: Message) -> Sequence[Step]:
        """One pass of the pipeline."""
        if port == 1 and packet.kind == "UPDATE":
            newer = not self.versioned or packet.value >= state.passed
            following = replace(state, value=packet.value, valid=True) if newer else state
            return (Step(following, ((1, Message("UPDATE_REPLY", packet.value)),)),)
        if port == 1:
            return (Step(state, ((0, packet),)),)
        if packet.kind == "READ" and state.valid:
            return (Step(state, ((0, replace(packet, kind="READ_REPLY", value=state.value)),)),)
        following = state
        if packet.kind == "WRITE":
            newest = max(state.passed, packet.value)
            following = replace(state, valid=False, passed=newest)
        return (Step(following, ((1, packet),)),)

    def describe(self, state: Entry) -> str:
        """The entry."""
        return f"value {state.value}, {'valid' if state.valid else 'invalid'}"


@dataclass(frozen=True)
class Stored:
    """The server's value, and the update that it repeats until it is answered (0: none)."""

    value: int = 0
    updating: int = 0


@dataclass(frozen=True)
class StorageServer(Plain):
    """Stores; pushes each new value to the switch."""

    name: str

    def initial(self) -> State:
        """The first value."""
        return Stored()

    def status(self, state: State) -> Status:
        """It has nothing to do of its own."""
        return Status.DONE | Status.IDLE

    def events(self, state: Stored) -> Sequence[Event]:
        """Repeat an unanswered update."""
        return (RETRY,) if state.updating else ()

    def fire(self, state: Stored, event: Event) -> Sequence[Step]:
        """The update again."""
        return (Step(state, ((0, Message("UPDATE", state.updating)),)),)

    def deliver(self, state: Stored, port: int, packet: Message) -> Sequence[Step]:
        """Serve a request."""
        if packet.kind == "READ":
            return (Step(state, ((0, replace(packet, kind="READ_REPLY", value=state.value)),)),)
        if packet.kind == "UPDATE_REPLY":
            done = packet.value == state.updating
            return (Step(replace(state, updating=0) if done else state),)
        answer = (0, Message("WRITE_REPLY", packet.value))
        # Not only new writes: a repeated one has invalidated the entry again.
        value = max(state.value, packet.value)
        return (Step(Stored(value, value), (answer, (0, Message("UPDATE", value)))),)

    def describe(self, state: Stored) -> str:
        """The value."""
        return f"stores {state.value}"


def netcache(writes: int = 2, *, versioned: bool = True) -> System:
    """One client, the caching switch, one server."""
    return System(
        name="cache, versioned updates" if versioned else "cache, plain updates",
        nodes=(Client("client", writes), CacheSwitch("switch", versioned), StorageServer("server")),
        links=(Link("client", 0, "switch", 0), Link("switch", 1, "server", 0)),
        describe_packet=lambda packet: str(packet),
    )


__all__ = ["Packet", "netcache"]
