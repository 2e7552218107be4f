# SPDX-License-Identifier: MIT
"""Runs the commands of one packet test against one switch."""

from __future__ import annotations

import operator
from collections import defaultdict, deque
from dataclasses import replace
from functools import singledispatchmethod

from softswitch.p4info import Counter, CounterUnit, P4Info, Register, Table
from softswitch.stf import resolve
from softswitch.stf.commands import (
    ActionCall,
    Add,
    CloneSession,
    CloneToGroup,
    Command,
    CounterCheck,
    Expect,
    Group,
    McGroupCreate,
    McNodeAssociate,
    McNodeCreate,
    Member,
    MulticastGroup,
    NoPacket,
    Packet,
    RegisterRead,
    RegisterWrite,
    Remove,
    Script,
    SetDefault,
    StfError,
)
from softswitch.stf.lexing import Reject
from softswitch.stf.names import named
from softswitch.stf.target import Target, TargetError

_COMPARE = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
MAX_PORT = 511


class StfFailure(StfError):
    """A packet test ran and the switch did something else than expected."""


def run_script(script: Script, info: P4Info, target: Target) -> None:
    """Run `script`; raise StfFailure or StfError('name:line: ...') at the first trouble."""
    run = _Run(info, target, p4c=script.smaller_priority_wins)
    line = 0
    try:
        for command in script.commands:
            line = command.line
            run.execute(command)
        run.end()
    except (Reject, TargetError) as error:
        raise StfError(f"{script.name}:{line}: {error}") from error
    except StfFailure as failure:
        raise StfFailure(f"{script.name}:{line}: {failure}") from None


class _Run:
    """The state of one test: packets not yet taken, and p4c's multicast nodes and handles."""

    def __init__(self, info: P4Info, target: Target, *, p4c: bool) -> None:
        self._info = info
        self._target = target
        self._p4c = p4c
        self._out: defaultdict[int, deque[bytes]] = defaultdict(deque)
        self._any_ports: set[int] = set()
        self._nodes: list[tuple[int, tuple[int, ...]]] = []
        self._groups: dict[int, list[tuple[int, int]]] = {}
        self._clones_to: dict[int, int] = {}
        self._handles: dict[str, Add] = {}

    def end(self) -> None:
        """Apply the rule that nothing may be left."""
        for port in self._any_ports:
            self._out.pop(port, None)
        self._no_packet(None)

    @singledispatchmethod
    def execute(self, command: Command) -> None:
        """Run one command."""
        raise Reject(f"{type(command).__name__} is not implemented")

    @execute.register
    def _(self, c: Add) -> None:
        table = self._table(c.table)
        match = resolve.entry_match(table, c.keys, p4c=self._p4c, defaults=self._p4c)
        priority = resolve.priority_of(table, c.priority, smaller_wins=self._p4c)
        written = self._spelled(table, c.target) if isinstance(c.target, ActionCall) else c.target
        target = resolve.entry_target(self._info, table, written)
        self._target.insert(table, match, target, priority)
        if c.handle is not None:
            self._handles[c.handle] = c

    @execute.register
    def _(self, c: SetDefault) -> None:
        table = self._table(c.table)
        if table.const_default_action_id:
            raise Reject(f"the default action of {table.name!r} is const")
        if table.implementation_id:
            raise Reject(f"the default action of {table.name!r} is in its action profile")
        call = self._spelled(table, c.action)
        self._target.set_default(table, resolve.table_action(table, call, default=True))

    @execute.register
    def _(self, c: Remove) -> None:
        tables = self._info.tables if c.table is None else [self._table(c.table)]
        for table in tables:
            if not table.const:
                self._target.clear(table)

    @execute.register
    def _(self, c: Member) -> None:
        profile = named(self._info.profiles, c.profile, p4c=self._p4c)
        action = resolve.profile_action(self._info, profile, c.action)
        self._target.add_member(profile, c.id, action)

    @execute.register
    def _(self, c: Group) -> None:
        profile = resolve.selector_of(named(self._info.profiles, c.profile, p4c=self._p4c))
        self._target.add_group(profile, c.id, c.members)

    @execute.register
    def _(self, c: MulticastGroup) -> None:
        self._target.set_multicast_group(c.id, _ports_checked(c.replicas))

    @execute.register
    def _(self, c: CloneSession) -> None:
        self._target.set_clone_session(c.id, _ports_checked(c.replicas))

    @execute.register
    def _(self, c: McGroupCreate) -> None:
        if c.group in self._groups:
            raise Reject(f"multicast group {c.group} exists already")
        self._set_group(c.group, [])

    @execute.register
    def _(self, c: McNodeCreate) -> None:
        _ports_checked([(port, c.rid) for port in c.ports])
        self._nodes.append((c.rid, c.ports))

    @execute.register
    def _(self, c: McNodeAssociate) -> None:
        if c.group not in self._groups:
            raise Reject(f"there is no multicast group {c.group}")
        if c.node >= len(self._nodes):
            raise Reject(f"there is no multicast node {c.node}")
        rid, ports = self._nodes[c.node]
        self._set_group(c.group, self._groups[c.group] + [(port, rid) for port in ports])

    @execute.register
    def _(self, c: CloneToGroup) -> None:
        self._clones_to[c.session] = c.group
        self._target.set_clone_session(c.session, self._groups.get(c.group, []))

    def _set_group(self, group: int, replicas: list[tuple[int, int]]) -> None:
        self._groups[group] = replicas
        self._target.set_multicast_group(group, replicas)
        for session, source in self._clones_to.items():
            if source == group:
                self._target.set_clone_session(session, replicas)

    @execute.register
    def _(self, c: RegisterWrite) -> None:
        register = named(self._info.registers, c.register, p4c=self._p4c)
        if c.index is not None:
            _cell(register, c.index)
        if c.value >> register.width:
            raise Reject(f"{c.value:#x} does not fit in the {register.width} bits of a cell")
        self._target.write_register(register, c.index, c.value)

    @execute.register
    def _(self, c: RegisterRead) -> None:
        register = named(self._info.registers, c.register, p4c=self._p4c)
        value = self._target.read_register(register, _cell(register, c.index))
        if c.value is not None and value != c.value:
            raise StfFailure(
                f"register {register.name}[{c.index}] is {value:#x}, expected {c.value:#x}"
            )

    @execute.register
    def _(self, c: CounterCheck) -> None:
        counter = self._counter(c)
        if c.unit == "packets" and counter.unit is CounterUnit.BYTES:
            raise Reject(f"counter {counter.name!r} counts bytes only")
        if c.unit == "bytes" and counter.unit is CounterUnit.PACKETS:
            raise Reject(f"counter {counter.name!r} counts packets only")
        packets, octets = self._read(c, counter)
        value = packets if c.unit == "packets" else octets
        if not _COMPARE[c.comparison](value, c.value):
            raise StfFailure(
                f"counter {counter.name} has {value} {c.unit}, expected {c.comparison} {c.value}"
            )

    def _counter(self, c: CounterCheck) -> Counter:
        if isinstance(c.where, int):
            return named(self._info.counters, c.counter, p4c=self._p4c)
        return named(self._info.direct_counters, c.counter, p4c=self._p4c)

    def _read(self, c: CounterCheck, counter: Counter) -> tuple[int, int]:
        if isinstance(c.where, int):
            return self._target.read_counter(counter, resolve.counter_cell(counter, c.where))
        table = self._info.tables.by_id[counter.table_id]
        priority = None
        keys = c.where
        if isinstance(keys, str):
            entry = self._handles.get(keys)
            if entry is None:
                raise Reject(f"no entry has the handle {keys!r}")
            keys = entry.keys
            priority = resolve.priority_of(table, entry.priority, smaller_wins=self._p4c)
        match = resolve.entry_match(table, keys, p4c=self._p4c, defaults=self._p4c)
        return self._target.read_direct_counter(counter, table, match, priority)

    @execute.register
    def _(self, c: Packet) -> None:
        if c.port > MAX_PORT:
            raise Reject(f"port {c.port} does not exist; ports are 0 to {MAX_PORT}")
        for port, data in self._target.send(c.port, c.data):
            self._out[port].append(data)

    @execute.register
    def _(self, c: Expect) -> None:
        if c.pattern is None:
            self._any_ports.add(c.port)
            return
        if not self._out[c.port]:
            raise StfFailure(f"no packet on port {c.port}{self._others(c.port)}")
        data = self._out[c.port].popleft()
        trouble = difference(data, c.pattern, exact_length=c.exact_length)
        if trouble:
            raise StfFailure(f"packet on port {c.port} {trouble}")

    @execute.register
    def _(self, c: NoPacket) -> None:
        self._no_packet(c.port)

    def _no_packet(self, port: int | None) -> None:
        for number, queue in sorted(self._out.items()):
            if queue and port in (None, number):
                more = f" (and {len(queue) - 1} more)" if len(queue) > 1 else ""
                raise StfFailure(
                    f"unexpected packet on port {number}: {_shortened(queue[0].hex())}{more}"
                )

    def _others(self, port: int) -> str:
        others = [f"port {n}: {_shortened(q[0].hex())}" for n, q in self._out.items() if q]
        return f", but there is one on {', '.join(others)}" if others else ""

    def _table(self, name: str) -> Table:
        return named(self._info.tables, name, p4c=self._p4c)

    def _spelled(self, table: Table, call: ActionCall) -> ActionCall:
        """Complete the name of one of the table's actions, by the dialect's rules."""
        if not self._p4c or any(ref.action.name == call.name for ref in table.actions):
            return call
        ends = [r.action.name for r in table.actions if r.action.name.endswith(f".{call.name}")]
        return replace(call, name=ends[0]) if len(ends) == 1 else call


def difference(data: bytes, pattern: str, *, exact_length: bool) -> str | None:
    """Compare a packet with a pattern of nibbles; None if it matches, else what differs."""
    digits = data.hex()
    for at, (got, want) in enumerate(zip(digits, pattern, strict=False)):
        if want not in ("*", got):
            return (
                f"differs at byte {at // 2}: expected {_shortened(pattern, at)}, "
                f"got {_shortened(digits, at)}"
            )
    if len(digits) < len(pattern) or (exact_length and len(digits) != len(pattern)):
        return (
            f"is {len(digits) / 2:g} bytes, expected {len(pattern) / 2:g}: "
            f"got {_shortened(digits)}, expected {_shortened(pattern)}"
        )
    return None


def _shortened(digits: str, at: int = 0) -> str:
    """At most 64 nibbles, around `at`."""
    start = max(0, at - 32) & ~1
    head = "…" if start else ""
    tail = "…" if len(digits) > start + 64 else ""
    return f"{head}{digits[start : start + 64]}{tail}"


def _ports_checked(
    replicas: list[tuple[int, int]] | tuple[tuple[int, int], ...],
) -> list[tuple[int, int]]:
    for port, rid in replicas:
        if port > MAX_PORT or rid > 0xFFFF:
            raise Reject(f"replica {port}/{rid}: a port is at most {MAX_PORT}, a rid 65535")
    return list(replicas)


def _cell(register: Register, index: int) -> int:
    if index >= register.size:
        raise Reject(f"register {register.name!r} has {register.size} cells, there is no {index}")
    return index
