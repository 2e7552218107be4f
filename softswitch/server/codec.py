# SPDX-License-Identifier: MIT
"""P4Runtime messages to the switch's own form and back, precomputed per table and action.

Inside the server a match is two strings of equal length, `key` and `arg`, in which each key
field takes ceil(width / 8) bytes, most significant first:

    exact              value, ones
    lpm                value, prefix mask
    ternary, optional  value, mask
    range              low, high

Parameters of an action are one such string.  These are the strings of `ss_control.h`, so that a
write passes through with no detour over integers; and because every match has exactly one such
form, they are also the keys of the server's own bookkeeping.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from finsy.proto import p4r

from softswitch.p4info import Action, Field, MatchKind
from softswitch.server.errors import P4RuntimeError, invalid


def byte_width(bits: int) -> int:
    """Bytes that a value of `bits` bits takes."""
    return (bits + 7) // 8


def decode_bytes(value: bytes, width: int, what: str) -> bytes:
    """Pad or strip a P4Runtime byte string to ceil(width / 8) bytes.

    Raises INVALID_ARGUMENT when it is empty or its value does not fit in `width` bits
    (spec, 8.4): longer strings are fine as long as the value fits.
    """
    size = (width + 7) >> 3
    have = len(value)
    if have < size:
        if not have:
            raise invalid(f"{what}: the byte string is empty")
        return value.rjust(size, b"\0")
    if have > size:
        value = value.lstrip(b"\0").rjust(size, b"\0")
        if len(value) > size:
            raise invalid(f"{what}: the value does not fit in {width} bits")
    if width & 7 and value[0] >> (width & 7):
        raise invalid(f"{what}: the value does not fit in {width} bits")
    return value


def canonical(value: bytes) -> bytes:
    """The shortest P4Runtime byte string with this value."""
    return value.lstrip(b"\0") or b"\0"


def canonical_int(value: int) -> bytes:
    """The shortest P4Runtime byte string for a number that is not negative."""
    return value.to_bytes(max(1, (value.bit_length() + 7) // 8), "big")


_ONEOF = {
    MatchKind.EXACT: "exact",
    MatchKind.LPM: "lpm",
    MatchKind.TERNARY: "ternary",
    MatchKind.RANGE: "range",
    MatchKind.OPTIONAL: "optional",
}


class _FieldCodec:
    """One key field: `decode` gives its (key, arg) parts."""

    def __init__(self, index: int, field: Field, width: int, offset: int, owner: str) -> None:
        self.index = index
        self.field = field
        self.kind = field.kind
        self.name = _ONEOF[field.kind]
        self.width = width
        self.size = byte_width(width)
        self.offset = offset
        self.ones = ((1 << width) - 1).to_bytes(self.size, "big")
        self._what = f"{owner}: key {field.name!r}"
        zero = bytes(self.size)
        # The parts of a field that is left out: anything.
        self.key0 = zero
        self.arg0 = self.ones if field.kind is MatchKind.RANGE else zero
        self._decode = {
            MatchKind.EXACT: self._exact,
            MatchKind.LPM: self._lpm,
            MatchKind.TERNARY: self._ternary,
            MatchKind.OPTIONAL: self._exact,
            MatchKind.RANGE: self._range,
        }[field.kind]
        # By prefix length: the mask, and the bits that a value must not have.
        self._masks: list[tuple[bytes, int]] = []
        if field.kind is MatchKind.LPM:
            full = (1 << width) - 1
            self._masks = [
                ((full ^ (full >> length)).to_bytes(self.size, "big"), full >> length)
                for length in range(width + 1)
            ]

    def decode(self, match: Any) -> tuple[bytes, bytes]:
        """Decode a FieldMatch; raise INVALID_ARGUMENT."""
        name = self.name
        which = match.WhichOneof("field_match_type")
        if which != name:
            raise invalid(f"{self._what} is {self.kind.value}, not {which or 'empty'}")
        return self._decode(getattr(match, name))

    def _exact(self, exact: Any) -> tuple[bytes, bytes]:
        return decode_bytes(exact.value, self.width, self._what), self.ones

    def _lpm(self, lpm: Any) -> tuple[bytes, bytes]:
        length = lpm.prefix_len
        value = decode_bytes(lpm.value, self.width, self._what)
        if not 0 < length <= self.width:
            if length == 0:
                raise invalid(f"{self._what}: leave out a field with a prefix length of 0")
            raise invalid(f"{self._what}: the prefix length {length} is not in 1..{self.width}")
        mask, outside = self._masks[length]
        if int.from_bytes(value, "big") & outside:
            raise invalid(f"{self._what}: the value has bits outside the prefix /{length}")
        return value, mask

    def _ternary(self, ternary: Any) -> tuple[bytes, bytes]:
        value = decode_bytes(ternary.value, self.width, self._what)
        mask = decode_bytes(ternary.mask, self.width, f"{self._what} (mask)")
        if mask == self.key0:
            raise invalid(f"{self._what}: leave out a field whose mask is 0")
        if _outside(value, mask):
            raise invalid(f"{self._what}: the value has bits outside the mask")
        return value, mask

    def _range(self, bounds: Any) -> tuple[bytes, bytes]:
        low = decode_bytes(bounds.low, self.width, f"{self._what} (low)")
        high = decode_bytes(bounds.high, self.width, f"{self._what} (high)")
        if low > high:
            raise invalid(f"{self._what}: the range is empty: low is above high")
        if low == self.key0 and high == self.arg0:
            raise invalid(f"{self._what}: leave out a field whose range is everything")
        return low, high

    def encode(self, key: bytes, arg: bytes) -> Any:
        """The FieldMatch of the parts; None when it matches anything."""
        kind = self.kind
        if kind is MatchKind.EXACT:
            return p4r.FieldMatch(
                field_id=self.field.id, exact=p4r.FieldMatch.Exact(value=canonical(key))
            )
        if key == self.key0 and arg == self.arg0:
            return None
        message = p4r.FieldMatch(field_id=self.field.id)
        if kind is MatchKind.LPM:
            message.lpm.value = canonical(key)
            message.lpm.prefix_len = int.from_bytes(arg, "big").bit_count()
        elif kind is MatchKind.TERNARY:
            message.ternary.value = canonical(key)
            message.ternary.mask = canonical(arg)
        elif kind is MatchKind.OPTIONAL:
            message.optional.value = canonical(key)
        else:
            message.range.low = canonical(key)
            message.range.high = canonical(arg)
        return message


def _outside(value: bytes, mask: bytes) -> bool:
    return bool(int.from_bytes(value, "big") & ~int.from_bytes(mask, "big"))


class MatchCodec:
    """The whole key of a table or of a value set's member."""

    def __init__(self, owner: str, fields: Sequence[Field], widths: Sequence[int]) -> None:
        self._owner = owner
        self._fields: list[_FieldCodec] = []
        offset = 0
        for index, (field, width) in enumerate(zip(fields, widths, strict=True)):
            codec = _FieldCodec(index, field, width, offset, owner)
            self._fields.append(codec)
            offset += codec.size
        self._by_id = {codec.field.id: codec for codec in self._fields}
        self._only = self._fields[0] if len(self._fields) == 1 else None
        self._key0 = [codec.key0 for codec in self._fields]
        self._arg0 = [codec.arg0 for codec in self._fields]
        self._exact = [c for c in self._fields if c.kind is MatchKind.EXACT]
        self.size = offset
        self.widths = tuple(widths)

    def decode(self, match: Any) -> tuple[bytes, bytes]:
        """Decode repeated FieldMatch; raise INVALID_ARGUMENT."""
        if self._only is not None and len(match) == 1:
            only = match[0]
            if only.field_id == self._only.field.id:
                return self._only.decode(only)
        keys, args = self._key0.copy(), self._arg0.copy()
        seen = set()
        for field in match:
            codec = self._by_id.get(field.field_id)
            if codec is None:
                raise invalid(f"{self._owner} has no key with id {field.field_id}")
            index = codec.index
            if index in seen:
                raise invalid(f"{self._owner}: key {codec.field.name!r} is given twice")
            seen.add(index)
            keys[index], args[index] = codec.decode(field)
        for codec in self._exact:
            if codec.index not in seen:
                raise invalid(f"{self._owner}: the exact key {codec.field.name!r} is missing")
        return b"".join(keys), b"".join(args)

    def encode(self, key: bytes, arg: bytes) -> list[Any]:
        """The FieldMatch messages of a match, those that match anything left out."""
        messages = []
        for codec in self._fields:
            end = codec.offset + codec.size
            message = codec.encode(key[codec.offset : end], arg[codec.offset : end])
            if message is not None:
                messages.append(message)
        return messages

    def parts(self, key: bytes, arg: bytes) -> Iterable[tuple[Field, int, int, int]]:
        """(field, width, key part, arg part) of each field, as numbers."""
        for c in self._fields:
            end = c.offset + c.size
            yield (
                c.field,
                c.width,
                int.from_bytes(key[c.offset : end], "big"),
                int.from_bytes(arg[c.offset : end], "big"),
            )

    def join(self, parts: Sequence[tuple[int, int]]) -> tuple[bytes, bytes]:
        """(key, arg) from the numbers of each field; the inverse of `parts`."""
        key = b"".join(
            k.to_bytes(c.size, "big") for c, (k, _) in zip(self._fields, parts, strict=True)
        )
        arg = b"".join(
            a.to_bytes(c.size, "big") for c, (_, a) in zip(self._fields, parts, strict=True)
        )
        return key, arg


class BoundAction(NamedTuple):
    """An action with its parameters, in the server's own form."""

    codec: ActionCodec
    params: bytes

    def message(self) -> Any:
        """The p4.v1.Action."""
        return self.codec.encode(self.params)


class ActionCodec:
    """The parameters of one action."""

    def __init__(self, action: Action, widths: Sequence[int]) -> None:
        self.action = action
        self.id = action.id
        self.name = action.name
        self._what = f"action {action.name!r}"
        self._params: list[tuple[int, int, int, int, str]] = []
        offset = 0
        for param, width in zip(action.params, widths, strict=True):
            size = byte_width(width)
            what = f"{self._what}: parameter {param.name!r}"
            self._params.append((param.id, width, offset, size, what))
            offset += size
        self._index = {id: n for n, (id, *_) in enumerate(self._params)}
        self.size = offset

    def decode(self, message: Any) -> BoundAction:
        """Decode a p4.v1.Action whose id is this action's; raise INVALID_ARGUMENT."""
        params = message.params
        if len(params) != len(self._params):
            self._wrong_count(params)
        if not self._params:
            return BoundAction(self, b"")
        in_order = []
        for param, (id, width, _, _, what) in zip(params, self._params, strict=True):
            if param.param_id != id:
                return self._decode_any_order(params)
            in_order.append(decode_bytes(param.value, width, what))
        return BoundAction(self, b"".join(in_order))

    def _decode_any_order(self, params: Any) -> BoundAction:
        parts: list[bytes | None] = [None] * len(self._params)
        for param in params:
            index = self._index.get(param.param_id)
            if index is None:
                raise invalid(f"{self._what} has no parameter with id {param.param_id}")
            if parts[index] is not None:
                raise invalid(f"{self._params[index][4]} is given twice")
            _, width, _, _, what = self._params[index]
            parts[index] = decode_bytes(param.value, width, what)
        # As many parameters as there are, none twice, none unknown: all are there.
        return BoundAction(self, b"".join(parts))  # type: ignore[arg-type]

    def _wrong_count(self, params: Any) -> None:
        given = {param.param_id for param in params}
        for id, *_, what in self._params:
            if id not in given:
                raise invalid(f"{what} is missing")
        for param in params:
            if param.param_id not in self._index:
                raise invalid(f"{self._what} has no parameter with id {param.param_id}")
        raise invalid(f"{self._what}: a parameter is given twice")

    def encode(self, params: bytes) -> Any:
        """The p4.v1.Action with these parameters."""
        message = p4r.Action(action_id=self.id)
        for id, _, offset, size, _ in self._params:
            message.params.add(param_id=id, value=canonical(params[offset : offset + size]))
        return message

    def numbers(self, params: bytes) -> list[int]:
        """The parameters as numbers."""
        return [
            int.from_bytes(params[offset : offset + size], "big")
            for _, _, offset, size, _ in self._params
        ]

    def join(self, numbers: Sequence[int]) -> bytes:
        """The inverse of `numbers`."""
        return b"".join(
            n.to_bytes(size, "big") for n, (*_, size, _) in zip(numbers, self._params, strict=True)
        )


PORT_BITS = 32


def decode_port(value: bytes, what: str) -> int:
    """A port number given as a byte string; ports have no type in P4Info."""
    try:
        return int.from_bytes(decode_bytes(value, PORT_BITS, what), "big")
    except P4RuntimeError:
        raise invalid(f"{what}: not a port number") from None
