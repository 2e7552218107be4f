# SPDX-License-Identifier: MIT
"""The conformance corpus' STF dialect: text to commands.

The grammar is in docs/packet-tests.md; the p4c dialect is in `p4c.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal, cast

from softswitch.stf import lexing
from softswitch.stf.commands import (
    Add,
    Anything,
    Between,
    CloneSession,
    Command,
    CounterCheck,
    Expect,
    Group,
    GroupRef,
    Key,
    Masked,
    MatchText,
    Member,
    MemberRef,
    MulticastGroup,
    NoPacket,
    Packet,
    Prefix,
    RegisterRead,
    RegisterWrite,
    Script,
    SetDefault,
    StfSyntaxError,
    Target,
    Value,
)
from softswitch.stf.lexing import NUMBER, Reject

_KEY = re.compile(
    rf"(?P<field>\S+):(?:(?P<low>{NUMBER})\.\.(?P<high>{NUMBER})"
    rf"|(?P<value>{NUMBER})&&&(?P<mask>{NUMBER})"
    rf"|(?P<prefix>{NUMBER})/(?P<length>[0-9]+)|(?P<number>{NUMBER})|(?P<any>\*))"
)
_REF = re.compile(r"(member|group)\(([0-9]+)\)")
_WORD = re.compile(r"\S+")


def parse_script(text: str, name: str) -> Script:
    """Parse `text`, called `name` in messages; raise StfSyntaxError('name:line: ...')."""
    commands: list[Command] = []
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.partition("#")[0].strip()
        if not line:
            continue
        word, _, rest = line.partition(" ")
        word, _, more = word.partition("\t")
        handler = _HANDLERS.get(word)
        try:
            if handler is None:
                raise Reject(f"unknown command {word[:40]!r}; expected one of {_COMMAND_NAMES}")
            commands.append(handler(number, f"{more} {rest}".strip()))
        except Reject as error:
            raise StfSyntaxError(f"{name}:{number}: {error}") from None
    return Script(name, tuple(commands))


def _words(rest: str, least: int, usage: str) -> list[str]:
    words = rest.split()
    if len(words) < least:
        raise Reject(f"expected: {usage}")
    return words


def _key(word: str) -> Key | None:
    """`word` as a key, None if it is not one."""
    m = _KEY.fullmatch(word)
    if m is None:
        return None
    match: MatchText
    if m["any"]:
        match = Anything()
    elif m["low"]:
        match = Between(lexing.number(m["low"], "low"), lexing.number(m["high"], "high"))
    elif m["mask"]:
        match = Masked(lexing.number(m["value"], "value"), lexing.number(m["mask"], "mask"))
    elif m["length"]:
        match = Prefix(lexing.number(m["prefix"], "value"), lexing.dec(m["length"], "length"))
    else:
        match = Value(lexing.number(m["number"], "value"))
    return Key(m["field"], match)


def _add(line: int, rest: str) -> Command:
    usage = "add TABLE [PRIORITY] FIELD:MATCH... ACTION(PARAM:VALUE, ...)"
    words = list(_WORD.finditer(rest))
    if len(words) < 2:
        raise Reject(f"expected: {usage}")
    table, words = words[0].group(), words[1:]
    priority = None
    if re.fullmatch(r"[0-9]+", words[0].group()):
        priority = lexing.dec(words[0].group(), "the priority")
        words = words[1:]
    keys: list[Key] = []
    for word in words:
        key = _key(word.group())
        if key is None:
            target = _target(rest[word.start() :])
            return Add(line, table, priority, tuple(keys), target)
        keys.append(key)
    raise Reject(f"the entry has no action; expected: {usage}")


def _target(text: str) -> Target:
    ref = _REF.fullmatch(text.strip())
    if ref:
        id = lexing.dec(ref[2], f"the {ref[1]} id")
        return MemberRef(id) if ref[1] == "member" else GroupRef(id)
    if "(" not in text.split()[0]:
        raise Reject(f"{text.split()[0][:60]!r} is neither a key 'field:match' nor an action")
    return lexing.action_call(text)


def _setdefault(line: int, rest: str) -> Command:
    _words(rest, 2, "setdefault TABLE ACTION(PARAM:VALUE, ...)")
    table, action = rest.split(None, 1)
    return SetDefault(line, table, lexing.action_call(action))


def _member(line: int, rest: str) -> Command:
    _words(rest, 3, "member PROFILE ID ACTION(PARAM:VALUE, ...)")
    profile, id, action = rest.split(None, 2)
    return Member(line, profile, lexing.dec(id, "the member id"), lexing.action_call(action))


def _group(line: int, rest: str) -> Command:
    profile, id, *members = _words(rest, 2, "group PROFILE ID MEMBER[*WEIGHT]...")
    pairs = []
    for word in members:
        member, star, weight = word.partition("*")
        pairs.append(
            (lexing.dec(member, "a member id"), lexing.dec(weight, "a weight") if star else 1)
        )
    return Group(line, profile, lexing.dec(id, "the group id"), tuple(pairs))


def _mc_group(line: int, rest: str) -> Command:
    id, *replicas = _words(rest, 1, "mc_group ID PORT[/RID]...")
    return MulticastGroup(
        line, lexing.dec(id, "the group id"), tuple(lexing.replica(r) for r in replicas)
    )


def _clone_session(line: int, rest: str) -> Command:
    id, *replicas = _words(rest, 1, "clone_session ID PORT[/RID]...")
    return CloneSession(
        line, lexing.dec(id, "the session id"), tuple(lexing.replica(r) for r in replicas)
    )


def _register_write(line: int, rest: str) -> Command:
    usage = "register_write REGISTER INDEX VALUE"
    words = _words(rest, 3, usage)
    if len(words) != 3:
        raise Reject(f"expected: {usage}")
    index = lexing.dec(words[1], "the index")
    return RegisterWrite(line, words[0], index, lexing.number(words[2], "the value"))


def _register_read(line: int, rest: str) -> Command:
    usage = "register_read REGISTER INDEX == VALUE"
    words = _words(rest, 4, usage)
    if len(words) != 4 or words[2] != "==":
        raise Reject(f"expected: {usage}")
    index = lexing.dec(words[1], "the index")
    return RegisterRead(line, words[0], index, lexing.number(words[3], "the value"))


def _counter_check(line: int, rest: str) -> Command:
    usage = "counter_check COUNTER (INDEX | FIELD:MATCH...) (packets | bytes) == VALUE"
    words = _words(rest, 5, usage)
    counter, *where, unit, equal, value = words
    if equal != "==" or unit not in ("packets", "bytes"):
        raise Reject(f"expected: {usage}")
    place: int | tuple[Key, ...]
    if len(where) == 1 and re.fullmatch(r"[0-9]+", where[0]):
        place = lexing.dec(where[0], "the index")
    else:
        keys = [_key(word) for word in where]
        if None in keys:
            raise Reject(f"{where[keys.index(None)]!r} is not a key 'field:match'")
        place = tuple(k for k in keys if k is not None)
    kind = cast(Literal["packets", "bytes"], unit)
    return CounterCheck(line, counter, place, kind, "==", lexing.dec(value, "the value"))


def _packet(line: int, rest: str) -> Command:
    port, *data = _words(rest, 2, "packet PORT HEX...")
    return Packet(line, lexing.dec(port, "the port"), lexing.packet_data(data))


def _expect(line: int, rest: str) -> Command:
    port, *data = _words(rest, 2, "expect PORT PATTERN... [$]")
    digits, exact = lexing.pattern(data)
    if not digits:
        raise Reject("expected: expect PORT PATTERN... [$]")
    return Expect(line, lexing.dec(port, "the port"), digits, exact)


def _no_packet(line: int, rest: str) -> Command:
    if rest:
        raise Reject("no_packet takes no arguments")
    return NoPacket(line)


_HANDLERS: dict[str, Callable[[int, str], Command]] = {
    "add": _add,
    "setdefault": _setdefault,
    "member": _member,
    "group": _group,
    "mc_group": _mc_group,
    "clone_session": _clone_session,
    "register_write": _register_write,
    "register_read": _register_read,
    "counter_check": _counter_check,
    "packet": _packet,
    "expect": _expect,
    "no_packet": _no_packet,
}
_COMMAND_NAMES = ", ".join(_HANDLERS)
