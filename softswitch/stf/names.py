# SPDX-License-Identifier: MIT
"""Finding what a packet test names: exactly as in P4Info, or by p4c's looser rules."""

from __future__ import annotations

import re

from softswitch.p4info import Field, Index, P4InfoError, T, Table
from softswitch.stf.lexing import Reject

_STACK_INDEX = re.compile(r"\$([0-9]+)")


def named(index: Index[T], name: str, *, p4c: bool = False) -> T:
    """Return the object `name` of `index`.

    p4c's tests may leave out leading parts of a name as long as it stays unique.
    """
    if p4c and name not in index.by_name:
        ends = [item for item in index if item.name.endswith(f".{name}")]
        if len(ends) == 1:
            return ends[0]
    try:
        return index.get(name)
    except P4InfoError as error:
        raise Reject(str(error)) from None


def field_named(table: Table, name: str, *, p4c: bool = False) -> Field:
    """Return the key field `name` of `table`."""
    candidates = _p4c_spellings(name) if p4c else [name]
    for spelling in candidates:
        for field in table.fields:
            if field.name == spelling:
                return field
    if p4c:
        ends = [f for f in table.fields if any(f.name.endswith(f".{s}") for s in candidates)]
        if len(ends) == 1:
            return ends[0]
    names = ", ".join(f.name for f in table.fields) or "none"
    raise Reject(f"table {table.name!r} has no key {name!r}; it has {names}")


def _p4c_spellings(name: str) -> list[str]:
    """The spellings under which p4c's tests refer to a field."""
    stack = _STACK_INDEX.sub(r"[\1]", name)
    spellings = [name, stack, f"{name}$", f"{stack}.$valid$"]
    if stack.endswith(".valid"):
        spellings.append(f"{stack[:-6]}.$valid$")
    if stack == "valid":
        spellings.append("$valid$")
    return spellings
