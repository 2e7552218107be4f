# SPDX-License-Identifier: MIT
"""Key sets of table entries and select expressions as values, masks, ranges, prefixes."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower.context import Context
from softswitch.frontend.lower.exprs import constant
from softswitch.frontend.lower.model import KeyMatch, Table, TableEntry


def key_matches(ctx: Context, made: Table, entry: ast.Entry) -> list[KeyMatch]:
    """What an entry demands of each key."""
    keysets = entry.keysets
    if len(keysets) == 1 and isinstance(keysets[0], ast.DefaultExpr):
        keysets = [keysets[0]] * len(made.keys)
    if len(keysets) != len(made.keys):
        text = f"the entry has {len(keysets)} keys, the table has {len(made.keys)}"
        raise error("type-error", text, entry.span)
    return [
        _match(ctx, keyset, key.kind, key.width)
        for keyset, key in zip(keysets, made.keys, strict=True)
    ]


def is_default(expr: ast.Expression) -> bool:
    """Whether a key set is ``default`` or ``_``."""
    return isinstance(expr, ast.DefaultExpr)


def _match(ctx: Context, keyset: ast.Expression, kind: str, width: int) -> KeyMatch:
    full = (1 << width) - 1
    low, high, mask = bounds(ctx, keyset, width)
    anything = mask == 0
    plain = high is None and mask is None
    if kind == "range":
        if anything:
            return KeyMatch(0, high=full, any=True)
        if high is None and mask is not None:
            raise error("invalid", "a mask cannot be used with a range key", keyset.span)
        high = low if high is None else high
        if low < 0 <= high:
            text = "a range that contains -1 and 0 is not supported by this target"
            raise error("unsupported", text, keyset.span)
        return KeyMatch(low & full, high=high & full)
    if high is not None:
        raise error("invalid", f"a range cannot be used with a key of kind {kind}", keyset.span)
    if kind == "exact":
        if not plain:
            raise error("invalid", "an exact key needs one value", keyset.span)
        return KeyMatch(low)
    if kind == "lpm":
        length = width if mask is None else mask.bit_count()
        if mask is not None and mask != full ^ (full >> length):
            raise error("invalid", "the mask of an lpm key must be a prefix", keyset.span)
        return KeyMatch(low, prefix=length, any=anything)
    if kind == "optional" and not plain and not anything:
        raise error("invalid", "an optional key needs one value or _", keyset.span)
    return KeyMatch(low, mask=full if mask is None else mask, any=anything)


def bounds(ctx: Context, keyset: ast.Expression, width: int) -> tuple[int, int | None, int | None]:
    """(value, upper bound, mask) of a key set; mask 0 matches anything."""
    full = (1 << width) - 1
    if is_default(keyset):
        return 0, None, 0
    if isinstance(keyset, ast.Mask):
        mask = constant(ctx, keyset.mask, "a mask") & full
        return constant(ctx, keyset.value, "a key") & mask, None, mask
    if isinstance(keyset, ast.Range):
        low = constant(ctx, keyset.low, "a bound")
        high = constant(ctx, keyset.high, "a bound")
        return low, high, None
    return constant(ctx, keyset, "a key") & full, None, None


def range_masks(low: int, high: int, width: int) -> list[tuple[int, int]]:
    """The (value, mask) pairs that cover ``low..high``."""
    full = (1 << width) - 1
    result: list[tuple[int, int]] = []
    if low < 0:
        # the negative part of a signed range stands above the positive part
        result = range_masks(low & full, min(high, -1) & full, width)
        low = 0
    while low <= high:
        size = low & -low if low else 1 << width
        while size > high - low + 1:
            size >>= 1
        result.append((low, full ^ (size - 1)))
        low += size
    return result


def sort_entries(
    found: list[tuple[int | None, TableEntry]], largest: bool, delta: int
) -> list[TableEntry]:
    """Entries from best to worst; a missing priority follows from the one before."""
    ranked: list[tuple[int, int, TableEntry]] = []
    last: int | None = None
    for at, (given, entry) in enumerate(found):
        if given is not None:
            last = given
        elif last is None:
            last = 1 + (len(found) - 1) * delta if largest else 1
        else:
            last += -delta if largest else delta
        ranked.append((-last if largest else last, at, entry))
    ranked.sort(key=lambda item: item[:2])
    for number, (_, _, entry) in enumerate(ranked, start=1):
        entry.priority = number
    return [entry for _, _, entry in ranked]
