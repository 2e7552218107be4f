# SPDX-License-Identifier: MIT
"""P4Data: values of P4 types as messages (P4Runtime spec, 8.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from finsy.proto import p4d

from softswitch.server.codec import canonical_int
from softswitch.server.errors import invalid, out_of_range, unimplemented


def decode_bits(data: Any, width: int, signed: bool, what: str) -> int:
    """The bits of a bit<W> or int<W> value; raise INVALID_ARGUMENT or OUT_OF_RANGE."""
    if data.WhichOneof("data") != "bitstring":
        raise invalid(f"{what}: the data must be a bitstring")
    if not data.bitstring:
        raise out_of_range(f"{what}: the byte string is empty")
    value = int.from_bytes(data.bitstring, "big", signed=signed)
    if signed:
        if not -(1 << (width - 1)) <= value < 1 << (width - 1):
            raise out_of_range(f"{what}: the value does not fit in int<{width}>")
        return value & ((1 << width) - 1)
    if value >> width:
        raise out_of_range(f"{what}: the value does not fit in bit<{width}>")
    return value


def encode_bits(value: int, width: int, signed: bool) -> Any:
    """The P4Data of a bit<W> or int<W> value given by its bits."""
    value &= (1 << width) - 1
    if not signed:
        return p4d.P4Data(bitstring=canonical_int(value))
    number = value - (1 << width) if value >> (width - 1) else value
    # One more bit than the magnitude needs, for the sign.
    bits = (number if number >= 0 else ~number).bit_length() + 1
    return p4d.P4Data(bitstring=number.to_bytes((bits + 7) // 8, "big", signed=True))


def leaf_types(spec: Any, type_info: Any) -> list[tuple[int, bool]]:
    """(width, signed) of the bit strings of a digest's type, in order.

    Raises INVALID_ARGUMENT or UNIMPLEMENTED for types that digests cannot have here.
    """
    which = spec.WhichOneof("type_spec")
    if which == "bitstring":
        return [_bit_type(spec.bitstring)]
    if which == "bool":
        return [(1, False)]
    if which == "tuple":
        return [leaf for m in spec.tuple.members for leaf in leaf_types(m, type_info)]
    if which == "struct":
        struct = _named(type_info.structs, spec.struct.name)
        return [leaf for m in struct.members for leaf in leaf_types(m.type_spec, type_info)]
    if which == "serializable_enum":
        enum = _named(type_info.serializable_enums, spec.serializable_enum.name)
        return [(enum.underlying_type.bitwidth, False)]
    if which == "new_type":
        return leaf_types(_original(spec, type_info), type_info)
    raise unimplemented(f"digests of the type {which!r} are not supported")


def encode_leaves(spec: Any, type_info: Any, values: Sequence[int]) -> Any:
    """The P4Data of type `spec` made of the bit strings `values`, one for each leaf."""
    data, rest = _encode(spec, type_info, list(values))
    assert not rest
    return data


def _encode(spec: Any, type_info: Any, values: list[int]) -> tuple[Any, list[int]]:
    which = spec.WhichOneof("type_spec")
    if which == "bitstring":
        width, signed = _bit_type(spec.bitstring)
        return encode_bits(values[0], width, signed), values[1:]
    if which == "bool":
        return p4d.P4Data(bool=bool(values[0])), values[1:]
    if which == "serializable_enum":
        return p4d.P4Data(enum_value=canonical_int(values[0])), values[1:]
    if which == "new_type":
        return _encode(_original(spec, type_info), type_info, values)
    data = p4d.P4Data()
    if which == "tuple":
        target, members = data.tuple, list(spec.tuple.members)
    else:
        target = data.struct
        struct = _named(type_info.structs, spec.struct.name)
        members = [m.type_spec for m in struct.members]
    for member in members:
        value, values = _encode(member, type_info, values)
        target.members.append(value)
    return data, values


def _bit_type(bits: Any) -> tuple[int, bool]:
    which = bits.WhichOneof("type_spec")
    if which == "bit":
        return bits.bit.bitwidth, False
    if which == "int":
        return bits.int.bitwidth, True
    raise unimplemented("digests of varbit values are not supported")


def _original(spec: Any, type_info: Any) -> Any:
    new_type = _named(type_info.new_types, spec.new_type.name)
    if new_type.WhichOneof("representation") != "original_type":
        raise unimplemented(f"digests of the translated type {spec.new_type.name!r}")
    return new_type.original_type


def _named(types: Any, name: str) -> Any:
    if name not in types:
        raise invalid(f"p4info: the type {name!r} is not in type_info")
    return types[name]
