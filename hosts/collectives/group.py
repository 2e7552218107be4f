# SPDX-License-Identifier: MIT
"""The user's side: `group.allreduce(array)`, in the style of mpi4py and torch.distributed.

Every member calls the same operations in the same order. Operations run one after the other, also
when several handles are open. Packets move while somebody waits; there is no thread, so a member
that is done must stay (`barrier` before leaving) until the others are.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Generator
from typing import Any, TypeAlias

import numpy as np

from hosts.collectives.backends import (
    NEXT,
    PREVIOUS,
    Backend,
    InNetwork,
    Key,
    Received,
    Ring,
    Stage,
)
from hosts.collectives.description import (
    GroupDescription,
    GroupMember,
    Primitive,
    host_qp,
    switch_qp,
)
from hosts.collectives.encoding import (
    Array,
    bits,
    blocks_of,
    flip,
    from_bits,
    integers,
    ordered,
    rows_of,
)
from hosts.collectives.endpoint import Endpoint, EndpointConfig
from hosts.collectives.port import Address, CollectivePort, Connection
from hosts.driver import Transport
from hosts.errors import CollectiveTimeout
from hosts.quantise import BlockFloat
from hosts.wire.esa import Op

OPERATIONS = {"sum": Op.SUM, "max": Op.MAX, "min": Op.MIN}
_Program: TypeAlias = Generator[Stage, Received, Array | None]


class Handle:
    """A collective under way."""

    def __init__(self, group: Group, name: str, program: _Program) -> None:
        self.name = name
        self._group = group
        self._program = program
        self._stage: Stage | None = None
        self._result: Array | None = None
        self._error: Exception | None = None
        self.done = False

    def wait(self) -> Array | None:
        """The result.

        Raises:
            CollectiveTimeout: no progress within the group's deadline.
            NonFiniteError: NaN or infinity inside, on any member.
        """
        self._group._drive(self)
        if self._error is not None:
            raise self._error
        return self._result

    def _advance(self, received: Received | None) -> Stage | None:
        """Run the program to its next stage; None at its end."""
        try:
            self._stage = next(self._program) if received is None else self._program.send(received)
            return self._stage
        except StopIteration as end:
            self._result = end.value
        except Exception as error:
            self._error = error
        self.done = True
        return None


class Group:
    """One member's end of a group; a `hosts.direct.Process`.

    Args:
        description: the controller's answer.
        rank: position among the members.
        transport: moves packets while a call waits.
    """

    def __init__(
        self, description: GroupDescription, rank: int, transport: Transport | None = None
    ) -> None:
        self.description = description
        self.rank = rank
        self.transport = transport
        self.stats: Counter[str] = Counter()
        self._endpoints = _endpoints(description, rank)
        self._port = _port(description, rank, self._endpoints)
        kind = InNetwork if description.number else Ring
        self._backend: Backend = kind(rank, description.size)
        self._queue: deque[Handle] = deque()
        self._float = BlockFloat(description.size, description.elements)

    @property
    def size(self) -> int:
        """Number of members."""
        return self.description.size

    def allreduce(self, array: Array, op: str = "sum") -> Array:
        """Reduce over all members; see `iallreduce`."""
        return _there(self.iallreduce(array, op).wait())

    def reduce(self, array: Array, root: int = 0, op: str = "sum") -> Array | None:
        """Reduce to one member: its shape and dtype there, None elsewhere."""
        return self.ireduce(array, root, op).wait()

    def broadcast(self, array: Array, root: int = 0) -> Array:
        """The root's array; elsewhere `array` gives shape and dtype, of any kind."""
        return _there(self.ibroadcast(array, root).wait())

    def allgather(self, array: Array) -> Array:
        """The arrays of all members, shape (size, *shape), any dtype."""
        return _there(self.iallgather(array).wait())

    def reduce_scatter(self, array: Array, op: str = "sum") -> Array:
        """Reduce arrays of shape (size, ...); each member gets the row of its rank."""
        return _there(self.ireduce_scatter(array, op).wait())

    def barrier(self) -> None:
        """Return when every member has called this."""
        self.ibarrier().wait()

    def iallreduce(self, array: Array, op: str = "sum") -> Handle:
        """Begin to reduce `array` (any shape) over all members.

        Integers (as int32) are exact; a sum saturates. float16, float32 and float64 are summed
        with one exponent per `elements` values, see `hosts.quantise.BlockFloat` for the error;
        float16 and float32 have exact min and max.

        Raises:
            ValueError: unknown operation, or one that the dtype does not have.
            RangeError: an integer beyond int32.
        """
        return self._begin("allreduce", self._allreduce(array, self._operation(op, array)))

    def ireduce(self, array: Array, root: int = 0, op: str = "sum") -> Handle:
        """Begin to reduce to `root`; errors as for `iallreduce`."""
        self._check_root(root)
        operation = self._operation(op, array)
        if operation is Op.SUM:
            return self._begin("reduce", self._reduce(array, root))
        return self._begin("reduce", self._only_at(root, self._allreduce(array, operation)))

    def ibroadcast(self, array: Array, root: int = 0) -> Handle:
        """Begin a broadcast."""
        self._check_root(root)
        return self._begin("broadcast", self._broadcast(array, root))

    def iallgather(self, array: Array) -> Handle:
        """Begin an all-gather."""
        return self._begin("allgather", self._allgather(array))

    def ireduce_scatter(self, array: Array, op: str = "sum") -> Handle:
        """Begin a reduce-scatter; errors as for `iallreduce`."""
        if array.ndim == 0 or len(array) != self.size:
            raise ValueError(
                f"reduce_scatter: shape {array.shape}: the first axis must be {self.size} long, "
                "one row per member"
            )
        operation = self._operation(op, array)
        if operation is Op.SUM:
            return self._begin("reduce_scatter", self._reduce_scatter(array))
        return self._begin("reduce_scatter", self._own_row(self._allreduce(array, operation)))

    def ibarrier(self) -> Handle:
        """Begin a barrier: an all-reduce of one packet."""
        return self._begin("barrier", self._allreduce(np.zeros(1, np.int32), Op.SUM))

    # What a host process needs.

    def receive(self, frames: list[bytes], now: int) -> None:
        """Take frames."""
        self._port.receive(frames, now)
        self._advance()

    def on_timer(self, now: int) -> None:
        """Do what is due."""
        self._port.on_timer(now)

    def next_deadline(self) -> int | None:
        """When something is due."""
        return self._port.next_deadline()

    def send(self, now: int) -> list[bytes]:
        """Frames to send."""
        return self._port.send(now)

    @property
    def resent(self) -> int:
        """Data packets that were repeated."""
        return sum(end.resent for end in self._endpoints.values())

    # Programs.

    def _allreduce(self, array: Array, op: Op) -> _Program:
        elements = self.description.elements
        if not np.issubdtype(array.dtype, np.floating):
            got = yield from self._backend.allreduce(rows_of(integers(array), elements), op)
            return _shaped(got, array)
        if op is not Op.SUM:
            got = yield from self._backend.allreduce(rows_of(ordered(array), elements), op)
            return _shaped(flip(got).view(np.float32), array)
        blocks = blocks_of(array, elements)
        shared = yield from self._exponents(blocks)
        rows = self._float.quantise(blocks, shared)
        got = yield from self._backend.allreduce(rows, op)
        return _shaped(self._float.dequantise(got, shared), array)

    def _reduce(self, array: Array, root: int) -> _Program:
        elements = self.description.elements
        if not np.issubdtype(array.dtype, np.floating):
            got = yield from self._backend.reduce(rows_of(integers(array), elements), root)
            return _shaped(got, array) if self.rank == root else None
        blocks = blocks_of(array, elements)
        shared = yield from self._exponents(blocks)
        got = yield from self._backend.reduce(self._float.quantise(blocks, shared), root)
        if self.rank != root:
            return None
        return _shaped(self._float.dequantise(got, shared), array)

    def _broadcast(self, array: Array, root: int) -> _Program:
        rows = rows_of(bits(array), self.description.elements)
        got = yield from self._backend.broadcast(rows, root)
        return from_bits(got, array)

    def _allgather(self, array: Array) -> _Program:
        rows = rows_of(bits(array), self.description.elements)
        got = yield from self._backend.allgather(rows)
        return np.stack([from_bits(part, array) for part in np.split(got, self.size)])

    def _reduce_scatter(self, array: Array) -> _Program:
        elements = self.description.elements
        if not np.issubdtype(array.dtype, np.floating):
            words = integers(array)
            rows = np.concatenate([rows_of(part, elements) for part in words])
            got = yield from self._backend.reduce_scatter(rows)
            return _shaped(got, array[self.rank])
        blocks = np.concatenate([blocks_of(part, elements) for part in array])
        shared = yield from self._exponents(blocks)
        got = yield from self._backend.reduce_scatter(self._float.quantise(blocks, shared))
        mine = np.split(shared, self.size)[self.rank]
        return _shaped(self._float.dequantise(got, mine), array[self.rank])

    def _exponents(self, blocks: Array) -> Generator[Stage, Received, Any]:
        """The largest exponent of each block among the members."""
        own = self._float.exponents(blocks)
        got = yield from self._backend.allreduce(rows_of(own, self.description.elements), Op.MAX)
        return got.reshape(-1)[: len(own)]

    def _only_at(self, root: int, program: _Program) -> _Program:
        result = yield from program
        return result if self.rank == root else None

    def _own_row(self, program: _Program) -> _Program:
        row: Array = _there((yield from program))[self.rank]
        return row

    # Running them.

    def _operation(self, op: str, array: Array) -> Op:
        if op not in OPERATIONS:
            raise ValueError(f"operation {op!r}: give one of {', '.join(OPERATIONS)}")
        is_float = np.issubdtype(array.dtype, np.floating)
        if not is_float and not np.issubdtype(array.dtype, np.integer):
            raise ValueError(f"dtype {array.dtype}: only integers and floats can be reduced")
        if is_float and op != "sum" and array.dtype.itemsize > 4:
            raise ValueError(f"operation {op!r} on {array.dtype}: give float32 or float16")
        if not is_float:
            integers(array)
        return OPERATIONS[op]

    def _check_root(self, root: int) -> None:
        if not 0 <= root < self.size:
            raise ValueError(f"root {root}: the group has ranks 0 to {self.size - 1}")

    def _begin(self, name: str, program: _Program) -> Handle:
        handle = Handle(self, name, program)
        self.stats[self._backend.name] += 1
        self._queue.append(handle)
        self._advance()
        return handle

    def _advance(self) -> None:
        """Run the first operation, and the next when it is done, as far as data allows."""
        while self._queue:
            handle = self._queue[0]
            stage = handle._stage
            if stage is None:
                stage = handle._advance(None)
            elif self._complete(stage):
                received = {
                    key: self._endpoints[key].collect(count)
                    for key, count in stage.receives.items()
                }
                stage = handle._advance(received)
            else:
                return
            if stage is None:
                self._queue.popleft()
            else:
                for key, rows in stage.sends.items():
                    self._endpoints[key].offer(rows)

    def _complete(self, stage: Stage) -> bool:
        return all(self._endpoints[key].idle for key in stage.sends) and all(
            self._endpoints[key].received >= count for key, count in stage.receives.items()
        )

    def _drive(self, handle: Handle) -> None:
        if handle.done:
            return
        if self.transport is None:
            raise ValueError("a group without a transport cannot wait: give one")
        patience = self.description.deadline_us
        progress, since = self._progress(), self.transport.now()
        while not handle.done:
            self.transport.step(patience)
            now = self.transport.now()
            if progress != self._progress():
                progress, since = self._progress(), now
            elif now - since >= patience and not handle.done:
                self._fail(self._explain(handle, now - since))

    def _fail(self, text: str) -> None:
        """Nothing of the group can go on: its members no longer agree on what was sent."""
        while self._queue:
            handle = self._queue.popleft()
            handle._error = CollectiveTimeout(text)
            handle.done = True

    def _explain(self, handle: Handle, waited_us: int) -> str:
        stage = self._queue[0]._stage or Stage()
        stuck = [
            f"{_name(key)}: sent, not acknowledged"
            for key in stage.sends
            if not self._endpoints[key].idle
        ]
        stuck += [
            f"{_name(key)}: {count - self._endpoints[key].received} packets missing"
            for key, count in stage.receives.items()
            if self._endpoints[key].received < count
        ]
        return (
            f"group {self.description.name}: {handle.name} at rank {self.rank} had no progress "
            f"for {waited_us / 1e6:.1f} s ({'; '.join(stuck)}): is every member in this call?"
        )

    def _progress(self) -> int:
        return sum(end.progress for end in self._endpoints.values())


def _name(key: Key) -> str:
    return key if isinstance(key, str) else f"{key.primitive} channel"


def _endpoints(group: GroupDescription, rank: int) -> dict[Key, Endpoint]:
    """The ends of a member: of its channels, or of the ring."""

    def end(echo: bool = False) -> Endpoint:
        return Endpoint(
            EndpointConfig(group.elements, group.window, group.rto_us, group.start_psn, echo)
        )

    if group.number:
        return {c: end(c.primitive is Primitive.ALLREDUCE) for c in group.channels}
    return {NEXT: end(), PREVIOUS: end()} if group.size > 1 else {}


def _port(group: GroupDescription, rank: int, ends: dict[Key, Endpoint]) -> CollectivePort:
    """The connections of a member: with its switch, or with its neighbours of the ring."""
    own = group.members[rank]
    port = CollectivePort(own.ip, group.elements)

    def connect(key: Key, qp: int, peer_ip: str, peer_qp: int) -> None:
        here = Address(own.mac, own.ip, qp)
        port.add(Connection(ends[key], here, Address(own.gateway_mac, peer_ip, peer_qp)))

    for index, channel in enumerate(group.channels):
        number = group.first_channel + index
        there = switch_qp(group.epoch, number)
        connect(channel, host_qp(group.epoch, number), own.gateway_ip, there)
    if NEXT in ends:
        ring_out, ring_in = host_qp(group.epoch, 0), switch_qp(group.epoch, 0)
        following: GroupMember = group.members[(rank + 1) % group.size]
        connect(NEXT, ring_out, following.ip, ring_in)
        connect(PREVIOUS, ring_in, group.members[rank - 1].ip, ring_out)
    return port


def _there(array: Array | None) -> Array:
    assert array is not None
    return array


def _shaped(values: Array, like: Array) -> Array:
    return values.reshape(-1)[: like.size].reshape(like.shape).astype(like.dtype)
