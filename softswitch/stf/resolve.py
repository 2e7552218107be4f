# SPDX-License-Identifier: MIT
"""Checks the names, widths and priorities of a packet test against the program's P4Info."""

from __future__ import annotations

from collections.abc import Sequence

from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.p4info import (
    Action,
    ActionProfile,
    Counter,
    Field,
    MatchKind,
    P4Info,
    Scope,
    Table,
)
from softswitch.stf.commands import (
    ActionCall,
    Anything,
    Between,
    DigitMask,
    GroupRef,
    Key,
    Masked,
    MatchText,
    Prefix,
    Value,
)
from softswitch.stf.commands import Target as WrittenTarget
from softswitch.stf.lexing import Reject
from softswitch.stf.names import field_named
from softswitch.stf.target import BoundAction, EntryTarget

MAX_PRIORITY = 0x7FFFFFFF


def entry_match(
    table: Table, keys: Sequence[Key], *, p4c: bool = False, defaults: bool = False
) -> tuple[Match, ...]:
    """Turn written keys into one match per key field of `table`.

    Fields left out match anything; an exact one may not be left out unless `defaults` (p4c's
    runner takes 0 then).  `p4c` selects that dialect's shorter field names.
    """
    written: dict[int, MatchText] = {}
    for key in keys:
        field = field_named(table, key.field, p4c=p4c)
        if field.id in written:
            raise Reject(f"key {key.field!r} is given twice")
        written[field.id] = key.match
    result = []
    for field in table.fields:
        text = written.get(field.id)
        if text is None:
            if field.kind is MatchKind.EXACT and not defaults:
                raise Reject(f"table {table.name!r}: the exact key {field.name!r} is missing")
            text = Value(0) if field.kind is MatchKind.EXACT else Anything()
        result.append(_match(field, text, p4c=p4c))
    return tuple(result)


def _match(field: Field, text: MatchText, *, p4c: bool) -> Match:
    if not field.width:
        raise Reject(f"key {field.name!r} is a string for controllers; STF has only numbers")
    for value in _numbers(text):
        _fits(value, field.width, f"key {field.name!r}")
    full = (1 << field.width) - 1
    if isinstance(text, DigitMask):
        text = _digit_mask(field, text)
    match field.kind, text:
        case MatchKind.EXACT, Value(value):
            return Exact(value)
        case MatchKind.LPM, Anything():
            return Lpm(0, 0)
        case MatchKind.LPM, Value(value):
            return Lpm(value, field.width)
        case MatchKind.LPM, Prefix(value, length):
            return _prefix(field, value, length, p4c)
        case MatchKind.TERNARY, Anything():
            return Ternary(0, 0)
        case MatchKind.TERNARY, Value(value):
            return Ternary(value, full)
        case MatchKind.TERNARY, Masked(value, mask):
            if value & ~mask and not p4c:
                raise Reject(f"key {field.name!r}: the value has bits outside the mask")
            return Ternary(value & mask, mask)
        case MatchKind.RANGE, Anything():
            return Range(0, full)
        case MatchKind.RANGE, Value(value):
            return Range(value, value)
        case MatchKind.RANGE, Between(low, high):
            if low > high:
                raise Reject(f"key {field.name!r}: the range {low}..{high} is empty")
            return Range(low, high)
        case MatchKind.OPTIONAL, Anything():
            return Optional(None)
        case MatchKind.OPTIONAL, Value(value):
            return Optional(value)
    raise Reject(f"key {field.name!r} is {field.kind.value}; {_SYNTAX[field.kind]}")


_SYNTAX = {
    MatchKind.EXACT: "write a number",
    MatchKind.LPM: "write value/length, a number or *",
    MatchKind.TERNARY: "write value&&&mask, a number or *",
    MatchKind.RANGE: "write low..high, a number or *",
    MatchKind.OPTIONAL: "write a number or *",
}


def _prefix(field: Field, value: int, length: int, p4c: bool) -> Lpm:
    if length > field.width:
        raise Reject(f"key {field.name!r}: /{length} is longer than its {field.width} bits")
    rest = (1 << (field.width - length)) - 1
    if value & rest and not p4c:
        raise Reject(f"key {field.name!r}: the value has bits outside the prefix /{length}")
    return Lpm(value & ~rest, length)


def _digit_mask(field: Field, text: DigitMask) -> MatchText:
    """Give `0x1*` the meaning it has for the field's match kind."""
    if field.kind is MatchKind.LPM:
        return Prefix(text.value, text.mask.bit_count())
    if field.kind is MatchKind.TERNARY:
        return Masked(text.value, text.mask & ((1 << field.width) - 1))
    if text.starred:
        raise Reject(f"key {field.name!r} is {field.kind.value}: it takes no '*' digits")
    return Value(text.value)


def _numbers(text: MatchText) -> tuple[int, ...]:
    match text:
        case Value(value) | DigitMask(value) | Prefix(value):
            return (value,)
        case Masked(value, mask):
            return (value, mask)
        case Between(low, high):
            return (low, high)
    return ()


def _fits(value: int, width: int, what: str) -> None:
    if value >> width:
        raise Reject(f"{what}: {value:#x} does not fit in {width} bits")


def priority_of(
    table: Table, priority: int | None, *, smaller_wins: bool = False, p4c: bool = False
) -> int:
    """Check that a priority is given exactly when needed; return it so that the larger wins.

    p4c's tests may leave it out, give 0, or give one that the table doesn't need.
    """
    if not table.needs_priority:
        if priority is None or p4c:
            return 0
        raise Reject(
            f"table {table.name!r} has no ternary, range or optional key: give no priority"
        )
    if priority is None:
        if p4c:
            return 1
        raise Reject(f"table {table.name!r} has ternary, range or optional keys: give a priority")
    if p4c and 0 <= priority < MAX_PRIORITY - 1:
        return MAX_PRIORITY - 1 - priority if smaller_wins else priority + 1
    if not 0 < priority < MAX_PRIORITY:
        raise Reject(f"the priority must be between 1 and {MAX_PRIORITY - 1}")
    return priority


def entry_target(info: P4Info, table: Table, target: WrittenTarget) -> EntryTarget:
    """Check the action, member or group of an entry against its table."""
    if isinstance(target, ActionCall):
        if table.implementation_id:
            profile = info.profiles.by_id[table.implementation_id]
            raise Reject(
                f"table {table.name!r} uses {profile.name!r}: give member(id) or group(id)"
            )
        return table_action(table, target, default=False)
    if not table.implementation_id:
        raise Reject(f"table {table.name!r} has no action profile: give an action")
    if isinstance(target, GroupRef):
        selector_of(info.profiles.by_id[table.implementation_id])
    return target


def selector_of(profile: ActionProfile) -> ActionProfile:
    """Return `profile` if it can have groups."""
    if not profile.with_selector:
        raise Reject(f"action profile {profile.name!r} is not a selector: it has no groups")
    return profile


def table_action(table: Table, call: ActionCall, *, default: bool) -> BoundAction:
    """Check an action with its arguments against what `table` allows."""
    forbidden = Scope.TABLE_ONLY if default else Scope.DEFAULT_ONLY
    for ref in table.actions:
        if ref.action.name == call.name:
            if ref.scope is forbidden:
                where = "the default" if default else "entries"
                raise Reject(f"action {call.name!r} may not be used for {where} of {table.name!r}")
            return bound(ref.action, call)
    names = ", ".join(ref.action.name for ref in table.actions)
    raise Reject(f"table {table.name!r} has no action {call.name!r}; it has {names}")


def profile_action(info: P4Info, profile: ActionProfile, call: ActionCall) -> BoundAction:
    """Check the action of a member: any table that uses the profile must allow it."""
    for table_id in profile.table_ids:
        table = info.tables.by_id.get(table_id)
        if table and any(ref.action.name == call.name for ref in table.actions):
            return table_action(table, call, default=False)
    raise Reject(f"no table that uses {profile.name!r} has an action {call.name!r}")


def bound(action: Action, call: ActionCall) -> BoundAction:
    """Order the arguments as P4Info does and check their widths."""
    given: dict[str, int] = {}
    for name, value in call.args:
        if name in given:
            raise Reject(f"action {call.name!r}: parameter {name!r} is given twice")
        given[name] = value
    values = []
    for param in action.params:
        if param.name not in given:
            raise Reject(f"action {call.name!r}: parameter {param.name!r} is missing")
        value = given.pop(param.name)
        _fits(value, param.width, f"action {call.name!r}: parameter {param.name!r}")
        values.append(value)
    if given:
        raise Reject(f"action {call.name!r} has no parameter {next(iter(given))!r}")
    return BoundAction(action, tuple(values))


def counter_cell(counter: Counter, index: int) -> int:
    """Check the index of an indirect counter."""
    if index >= counter.size:
        raise Reject(f"counter {counter.name!r} has {counter.size} cells, there is no {index}")
    return index
