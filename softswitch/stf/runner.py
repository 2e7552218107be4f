# SPDX-License-Identifier: MIT
"""Runs the commands of one packet test against one switch."""

from __future__ import annotations

import operator
from dataclasses import replace
from functools import singledispatchmethod

from softswitch.p4info import Counter, CounterUnit, P4Info, Register, Table
from softswitch.stf import resolve
from softswitch.stf.commands import (
    ActionCall,
    Add,
    CloneDelete,
    CloneSession,
    CloneToGroup,
    Command,
    CounterCheck,
    CounterWrite,
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
    StfFailure,
)
from softswitch.stf.lexing import Reject
from softswitch.stf.names import named
from softswitch.stf.packets import PortsAtEnd, PortsInOrder
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


def run_script(script: Script, info: P4Info, target: Target) -> None:
    """Run `script`; raise StfFailure or StfError('name:line: ...') at the first trouble."""
    run = _Run(info, target, script)
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

    def __init__(self, info: P4Info, target: Target, script: Script) -> None:
        self._info = info
        self._target = target
        self._p4c = script.p4c
        self._smaller_wins = script.smaller_priority_wins
        self._packets = PortsAtEnd() if script.p4c else PortsInOrder()
        self._nodes: list[tuple[int, tuple[int, ...]]] = []
        self._groups: dict[int, list[int]] = {}
        self._clones_to: dict[int, int] = {}
        self._handles: dict[str, Add] = {}

    def end(self) -> None:
        """Check what is due at the end: nothing may be left."""
        self._packets.end()

    @singledispatchmethod
    def execute(self, command: Command) -> None:
        """Run one command."""
        raise Reject(f"{type(command).__name__} is not implemented")

    @execute.register
    def _(self, c: Add) -> None:
        table = self._table(c.table)
        match = resolve.entry_match(table, c.keys, p4c=self._p4c, defaults=self._p4c)
        priority = self._priority(table, c.priority)
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
        if c.handle is None:
            for table in self._info.tables:
                if not table.const:
                    self._target.clear(table)
            return
        entry = self._entry(c.handle)
        table = self._table(entry.table)
        match = resolve.entry_match(table, entry.keys, p4c=self._p4c, defaults=self._p4c)
        self._target.delete(table, match, self._priority(table, entry.priority))

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
        self._groups[c.group] = []
        self._set_group(c.group)

    @execute.register
    def _(self, c: McNodeCreate) -> None:
        _ports_checked([(port, c.rid) for port in c.ports])
        if c.replaces is None:
            self._nodes.append((c.rid, c.ports))
            return
        if c.replaces >= len(self._nodes):
            raise Reject(f"there is no multicast node {c.replaces}")
        self._nodes[c.replaces] = (self._nodes[c.replaces][0], c.ports)
        for group in self._groups:
            self._set_group(group)

    @execute.register
    def _(self, c: McNodeAssociate) -> None:
        if c.group not in self._groups:
            raise Reject(f"there is no multicast group {c.group}")
        if c.node >= len(self._nodes):
            raise Reject(f"there is no multicast node {c.node}")
        self._groups[c.group].append(c.node)
        self._set_group(c.group)

    @execute.register
    def _(self, c: CloneToGroup) -> None:
        self._clones_to[c.session] = c.group
        self._target.set_clone_session(c.session, self._replicas(c.group))

    @execute.register
    def _(self, c: CloneDelete) -> None:
        self._clones_to.pop(c.session, None)
        self._target.set_clone_session(c.session, [])

    def _replicas(self, group: int) -> list[tuple[int, int]]:
        nodes = [self._nodes[node] for node in self._groups.get(group, [])]
        return [(port, rid) for rid, ports in nodes for port in ports]

    def _set_group(self, group: int) -> None:
        replicas = self._replicas(group)
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
        if c.unit is None:
            return
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
            entry = self._entry(keys)
            keys = entry.keys
            priority = self._priority(table, entry.priority)
        match = resolve.entry_match(table, keys, p4c=self._p4c, defaults=self._p4c)
        return self._target.read_direct_counter(counter, table, match, priority)

    @execute.register
    def _(self, c: CounterWrite) -> None:
        counter = named(self._info.counters, c.counter, p4c=self._p4c)
        index = resolve.counter_cell(counter, c.index)
        self._target.write_counter(counter, index, c.packets, c.bytes)

    @execute.register
    def _(self, c: Packet) -> None:
        if c.port > MAX_PORT:
            raise Reject(f"port {c.port} does not exist; ports are 0 to {MAX_PORT}")
        self._packets.sent_to(c.port)
        for port, data in self._target.send(c.port, c.data):
            self._packets.received(port, data)

    @execute.register
    def _(self, c: Expect) -> None:
        self._packets.expect(c)

    @execute.register
    def _(self, c: NoPacket) -> None:
        self._packets.expect_none()

    def _entry(self, handle: str) -> Add:
        entry = self._handles.get(handle)
        if entry is None:
            raise Reject(f"no entry has the handle {handle!r}")
        return entry

    def _priority(self, table: Table, priority: int | None) -> int:
        return resolve.priority_of(table, priority, smaller_wins=self._smaller_wins, p4c=self._p4c)

    def _table(self, name: str) -> Table:
        return named(self._info.tables, name, p4c=self._p4c)

    def _spelled(self, table: Table, call: ActionCall) -> ActionCall:
        """Complete the name of one of the table's actions, by the dialect's rules."""
        if not self._p4c or any(ref.action.name == call.name for ref in table.actions):
            return call
        ends = [r.action.name for r in table.actions if r.action.name.endswith(f".{call.name}")]
        return replace(call, name=ends[0]) if len(ends) == 1 else call


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
