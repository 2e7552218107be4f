# SPDX-License-Identifier: MIT
"""The dialect of p4c's own STF files: text to commands.

It is what p4c's runner for BMv2 accepts (its lexer is free with blanks and quotes).  Packets are
compared at the end of the test, port by port, and only ports that the test mentions; see
`PortsAtEnd`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, cast

from softswitch.stf import lexing
from softswitch.stf.commands import (
    Add,
    Anything,
    CloneDelete,
    CloneSession,
    CloneToGroup,
    Command,
    Comparison,
    CounterCheck,
    CounterWrite,
    DigitMask,
    Expect,
    Key,
    Masked,
    MatchText,
    McGroupCreate,
    McNodeAssociate,
    McNodeCreate,
    NoPacket,
    Packet,
    Prefix,
    RegisterRead,
    RegisterWrite,
    Remove,
    Script,
    SetDefault,
    StfSyntaxError,
    Value,
)
from softswitch.stf.lexing import NUMBER, Reject

_DIGITS = {"0x": ("0123456789abcdef*", 4), "0b": ("01*", 1), "0o": ("01234567*", 3)}
_STARRED = re.compile(r"0[xXbBoO][0-9a-fA-F*]+")
_ADD = re.compile(
    r"(?P<table>\S+)(?:\s+(?P<priority>[0-9]+))?(?P<keys>(?:\s+[^\s(]+)*)\s+"
    r"(?P<action>[^\s(]+\s*\([^()]*\))\s*(?:=\s*(?P<handle>\w+))?"
)
_CHECK = re.compile(
    rf"(?P<counter>[^\s(]+)\s*\(\s*(?:\$(?P<handle>\w+)|(?P<index>{NUMBER}))\s*\)"
    rf"(?:\s*(?P<unit>packets|bytes)\s*(?P<op>==|!=|<=|>=|<|>)\s*(?P<value>{NUMBER}))?"
)


def parse_p4c_script(text: str, name: str) -> Script:
    """Parse `text`, called `name` in messages; raise StfSyntaxError('name:line: ...')."""
    commands: list[Command] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        word, _, rest = line.replace("\t", " ").partition(" ")
        handler = _HANDLERS.get(word.lower())
        try:
            if handler is None:
                raise Reject(f"unknown command {word[:40]!r}; expected one of {_COMMAND_NAMES}")
            command = handler(number, rest.strip())
        except Reject as error:
            raise StfSyntaxError(f"{name}:{number}: {error}") from None
        if command is not None:
            commands.append(command)
    return Script(name, tuple(commands), p4c=True, smaller_priority_wins=True)


def _tidy(text: str) -> str:
    """Remove quotes, and blanks around the colons of keys and arguments."""
    return re.sub(r"\s*(:|&&&)\s*", r"\1", text.replace('"', ""))


def _match(text: str) -> MatchText:
    value, masked, mask = text.partition("&&&")
    if masked:
        return Masked(lexing.number(value, "the value"), lexing.number(mask, "the mask"))
    value, slash, length = text.partition("/")
    if slash:
        return Prefix(lexing.number(value, "the value"), lexing.dec(length, "the prefix length"))
    if text == "*":
        return Anything()
    if _STARRED.fullmatch(text):
        return _digit_mask(text.lower())
    return Value(lexing.number(text, "the value"))


def _digit_mask(text: str) -> DigitMask:
    alphabet, bits = _DIGITS[text[:2]]
    value = mask = 0
    for digit in text[2:]:
        if digit not in alphabet:
            raise Reject(f"{digit!r} is not a digit of {text[:40]!r}")
        value, mask = value << bits, mask << bits
        if digit != "*":
            value |= int(digit, 16)
            mask |= (1 << bits) - 1
    return DigitMask(value, mask, "*" in text)


def _add(line: int, rest: str) -> Command:
    m = _ADD.fullmatch(_tidy(rest))
    if m is None:
        raise Reject("expected: add TABLE [PRIORITY] FIELD:MATCH... ACTION(PARAM:VALUE, ...)")
    keys = []
    for word in m["keys"].split():
        field, colon, match = word.rpartition(":")
        if not colon:
            raise Reject(f"{word[:60]!r} is neither a key 'field:match' nor an action")
        keys.append(Key(field, _match(match)))
    priority = int(m["priority"]) if m["priority"] else None
    action = lexing.action_call(m["action"])
    return Add(line, m["table"], priority, tuple(keys), action, m["handle"])


def _setdefault(line: int, rest: str) -> Command:
    table, _, action = _tidy(rest).partition(" ")
    return SetDefault(line, table, lexing.action_call(action))


def _remove(line: int, rest: str) -> Command:
    word = rest.strip().lower()
    if word in ("", "all"):
        return Remove(line)
    return Remove(line, rest.strip().removeprefix("$"))


def _check_counter(line: int, rest: str) -> Command:
    m = _CHECK.fullmatch(_tidy(rest))
    if m is None:
        raise Reject("expected: check_counter COUNTER(INDEX | $HANDLE) [packets|bytes OP VALUE]")
    where: int | str = m["handle"] or lexing.number(m["index"], "the index")
    unit = cast(Literal["packets", "bytes"] | None, m["unit"])
    op = cast(Comparison, m["op"] or ">=")
    value = lexing.number(m["value"], "the value") if m["value"] else 0
    return CounterCheck(line, m["counter"], where, unit, op, value)


def _numbers(rest: str, least: int, usage: str) -> list[int]:
    words = rest.split()
    if len(words) < least:
        raise Reject(f"expected: {usage}")
    return [lexing.number(word, "each argument") for word in words]


def _mirroring_add(line: int, rest: str) -> Command:
    session, port = _numbers(rest, 2, "mirroring_add SESSION PORT")[:2]
    return CloneSession(line, session, ((port, 0),))


def _mirroring_add_mc(line: int, rest: str) -> Command:
    session, group = _numbers(rest, 2, "mirroring_add_mc SESSION GROUP")[:2]
    return CloneToGroup(line, session, group)


def _mirroring_delete(line: int, rest: str) -> Command:
    return CloneDelete(line, _numbers(rest, 1, "mirroring_delete SESSION")[0])


def _mirroring_get(line: int, rest: str) -> None:
    _numbers(rest, 1, "mirroring_get SESSION")


def _mc_mgrp_create(line: int, rest: str) -> Command:
    return McGroupCreate(line, _numbers(rest, 1, "mc_mgrp_create GROUP")[0])


def _mc_node_create(line: int, rest: str) -> Command:
    rid, *ports = _numbers(rest, 1, "mc_node_create RID PORT...")
    return McNodeCreate(line, rid, tuple(ports))


def _mc_node_update(line: int, rest: str) -> Command:
    node, *ports = _numbers(rest, 1, "mc_node_update NODE PORT...")
    return McNodeCreate(line, 0, tuple(ports), replaces=node)


def _mc_node_associate(line: int, rest: str) -> Command:
    group, node = _numbers(rest, 2, "mc_node_associate GROUP NODE")[:2]
    return McNodeAssociate(line, group, node)


def _named(rest: str, count: int, usage: str) -> tuple[str, list[int]]:
    name, *words = rest.replace('"', "").split() or [""]
    if len(words) < count:
        raise Reject(f"expected: {usage}")
    return name, [lexing.number(word, "each argument") for word in words]


def _counter_read(line: int, rest: str) -> Command:
    name, (index, *_) = _named(rest, 1, "counter_read COUNTER INDEX")
    return CounterCheck(line, name, index, None, ">=", 0)


def _counter_write(line: int, rest: str) -> Command:
    name, numbers = _named(rest, 3, "counter_write COUNTER INDEX PACKETS BYTES")
    return CounterWrite(line, name, numbers[0], numbers[1], numbers[2])


def _register_read(line: int, rest: str) -> Command:
    rest, equal, value = rest.partition("==")
    name, (index, *_) = _named(rest, 1, "register_read REGISTER INDEX [== VALUE]")
    wanted = lexing.number(value.strip(), "the value") if equal else None
    return RegisterRead(line, name, index, wanted)


def _register_write(line: int, rest: str) -> Command:
    name, numbers = _named(rest, 2, "register_write REGISTER INDEX VALUE")
    return RegisterWrite(line, name, numbers[0], numbers[1])


def _register_reset(line: int, rest: str) -> Command:
    name, _ = _named(rest, 0, "register_reset REGISTER")
    return RegisterWrite(line, name, None, 0)


def _packet(line: int, rest: str) -> Command:
    port, *data = rest.split() or [""]
    return Packet(line, lexing.dec(port, "the port"), lexing.packet_data(data))


def _expect(line: int, rest: str) -> Command:
    port, *data = rest.split() or [""]
    digits, exact = lexing.pattern(data)
    pattern = digits if data else None
    return Expect(line, lexing.dec(port, "the port"), pattern, exact)


def _no_packet(line: int, rest: str) -> Command:
    return NoPacket(line, lexing.dec(rest, "the port") if rest else None)


def _wait(line: int, rest: str) -> None:
    """Packets are finished before the next line anyway."""


def _unsupported(line: int, rest: str) -> Command:
    raise Reject("meters cannot be configured from a packet test")


_HANDLERS: dict[str, Callable[[int, str], Command | None]] = {
    "add": _add,
    "setdefault": _setdefault,
    "remove": _remove,
    "check_counter": _check_counter,
    "packet": _packet,
    "expect": _expect,
    "no_packet": _no_packet,
    "wait": _wait,
    "mirroring_add": _mirroring_add,
    "mirroring_add_mc": _mirroring_add_mc,
    "mirroring_delete": _mirroring_delete,
    "mirroring_get": _mirroring_get,
    "mc_mgrp_create": _mc_mgrp_create,
    "mc_node_create": _mc_node_create,
    "mc_node_update": _mc_node_update,
    "mc_node_associate": _mc_node_associate,
    "counter_read": _counter_read,
    "counter_write": _counter_write,
    "register_read": _register_read,
    "register_write": _register_write,
    "register_reset": _register_reset,
    "meter_get_rates": _unsupported,
    "meter_set_rates": _unsupported,
    "meter_array_set_rates": _unsupported,
}
_COMMAND_NAMES = ", ".join(_HANDLERS)
