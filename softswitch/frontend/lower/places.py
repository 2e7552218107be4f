# SPDX-License-Identifier: MIT
"""Values and l-values during lowering: what a P4 expression of any type stands for.

A scalar value is an `ir.Expr`; a struct, tuple, header, union or stack is the `Place` that
holds it or an `Aggregate` built by a list or struct expression.
"""

from __future__ import annotations

from dataclasses import dataclass

from softswitch.frontend import types as ty
from softswitch.frontend.lower import fold
from softswitch.frontend.lower.ir import (
    DynField,
    Expr,
    FieldRef,
    LastIndex,
    Op,
    StackLast,
    UnionLast,
    ValidUnion,
)
from softswitch.frontend.lower.model import bit_width, is_signed


@dataclass(slots=True, eq=False)
class Place:
    """Base of l-values."""

    type: ty.Type


@dataclass(slots=True, eq=False)
class ScalarPlace(Place):
    """A field or variable; ``ref`` is an l-value expression."""

    ref: Expr

    @property
    def varbit(self) -> bool:
        """Whether it holds a ``varbit``."""
        return isinstance(self.type, ty.Varbit)


@dataclass(slots=True, eq=False)
class SlicePlace(Place):
    """``whole[high:low]``."""

    whole: Expr
    high: int
    low: int


@dataclass(slots=True, eq=False)
class StructPlace(Place):
    """A struct, or a tuple with fields ``0``, ``1``, ..."""

    fields: dict[str, Place]


@dataclass(slots=True, eq=False)
class HeaderPlace(Place):
    """A header instance."""

    name: str
    fields: dict[str, Place]


@dataclass(slots=True, eq=False)
class UnionPlace(Place):
    """A header union instance."""

    name: str
    members: dict[str, HeaderPlace]


@dataclass(slots=True, eq=False)
class StackPlace(Place):
    """A header stack."""

    name: str
    elements: list[Place]


@dataclass(slots=True, eq=False)
class ElementPlace(Place):
    """``stack[at]`` with a run-time index."""

    stack: StackPlace
    at: Expr


@dataclass(slots=True, eq=False)
class NextPlace(Place):
    """``stack.next``; with ``member`` one member of a stack of unions."""

    stack: StackPlace
    member: str = ""


@dataclass(slots=True, eq=False)
class LastPlace(Place):
    """``stack.last``; with ``member`` one member of a stack of unions."""

    stack: StackPlace
    member: str = ""


@dataclass(slots=True, eq=False)
class DiscardPlace(Place):
    """``_`` as an out argument."""


@dataclass(slots=True, eq=False)
class Aggregate:
    """A list or struct expression: values by field name (tuples and stacks: ``0``, ``1``, ...)."""

    type: ty.Type
    fields: dict[str, Value]


@dataclass(slots=True, eq=False)
class Invalid:
    """``{#}``."""

    type: ty.Type


Value = Expr | Place | Aggregate | Invalid | str


def header_fields(kind: ty.Header) -> list[tuple[str, ty.Type]]:
    """Fields of a header, structs inside it flattened to dotted names."""
    result: list[tuple[str, ty.Type]] = []

    def add(prefix: str, kind: ty.Type) -> None:
        if isinstance(ty.strip(kind), ty.Struct):
            for inner in kind.fields:  # type: ignore[attr-defined]
                add(f"{prefix}.{inner.name}", inner.type)
        else:
            result.append((prefix, kind))

    for item in kind.fields:
        add(item.name, item.type)
    return result


def scalar_of(kind: ty.Type) -> tuple[int, bool, bool]:
    """(width, signed, boolean) of a scalar type."""
    stripped = ty.strip(kind)
    return bit_width(kind), is_signed(kind), isinstance(stripped, ty.Bool)


def field_of(place: Place, name: str, kind: ty.Type) -> Place:
    """``place.name`` of type ``kind``."""
    if isinstance(place, (StructPlace, HeaderPlace)):
        return place.fields[name]
    if isinstance(place, UnionPlace):
        return place.members[name]
    if isinstance(place, ElementPlace):
        element = place.type
        assert isinstance(element, ty.Header)
        index = [n for n, _ in header_fields(element)].index(name)
        width, signed, boolean = scalar_of(kind)
        ref = DynField(width, signed, boolean, place.stack.name, place.at, name, index)
        return ScalarPlace(kind, ref)
    if isinstance(place, NextPlace):
        return NextPlace(kind, place.stack, name)
    if isinstance(place, LastPlace):
        return _last_field(place, name, kind)
    raise AssertionError(place)


def _last_field(place: LastPlace, name: str, kind: ty.Type) -> Place:
    element = place.type
    if isinstance(element, ty.HeaderUnion):
        return LastPlace(kind, place.stack, name)
    width, signed, boolean = scalar_of(kind)
    if place.member:
        ref: Expr = UnionLast(width, signed, boolean, place.stack.name, place.member, name)
        return ScalarPlace(kind, ref)
    assert isinstance(element, ty.Header)
    index = [n for n, _ in header_fields(element)].index(name)
    return ScalarPlace(kind, StackLast(width, signed, boolean, place.stack.name, name, index))


def last_index(stack: StackPlace) -> Expr:
    """``stack.lastIndex``."""
    # BMv2 gives -1 for an empty stack
    raw = LastIndex(32, False, False, stack.name)
    full = fold.number(fold.mask(32), 32)
    return Op(32, False, False, "&", (raw, full))


def is_valid(place: Place) -> Expr:
    """``place.isValid()``; a run-time index tests the elements one by one."""
    if isinstance(place, HeaderPlace):
        return fold.valid(place.name)
    if isinstance(place, UnionPlace):
        return ValidUnion(1, False, True, place.name)
    if isinstance(place, LastPlace):
        place = ElementPlace(place.type, place.stack, last_index(place.stack))
    assert isinstance(place, ElementPlace)
    result: Expr = fold.FALSE
    for at, element in enumerate(place.stack.elements):
        here = fold.compare("==", place.at, fold.number(at, place.at.width))
        result = fold.either(result, fold.both(here, is_valid(element)))
    return result


def leaf_refs(value: Value) -> list[Expr]:
    """All scalars of a value, in order."""
    if isinstance(value, Expr):
        return [value]
    if isinstance(value, ScalarPlace):
        return [value.ref]
    if isinstance(value, (StructPlace, HeaderPlace)):
        return [r for f in value.fields.values() for r in leaf_refs(f)]
    if isinstance(value, Aggregate):
        return [r for f in value.fields.values() for r in leaf_refs(f)]
    if isinstance(value, SlicePlace):
        return [fold.slice_of(value.whole, value.high, value.low)]
    if isinstance(value, UnionPlace):
        return [r for m in value.members.values() for r in leaf_refs(m)]
    if isinstance(value, StackPlace):
        return [r for e in value.elements for r in leaf_refs(e)]
    raise AssertionError(value)


def headers_in(value: Value) -> list[HeaderPlace]:
    """All header instances of a value, in order of declaration."""
    if isinstance(value, HeaderPlace):
        return [value]
    if isinstance(value, StructPlace):
        return [h for f in value.fields.values() for h in headers_in(f)]
    if isinstance(value, UnionPlace):
        return list(value.members.values())
    if isinstance(value, StackPlace):
        return [h for e in value.elements for h in headers_in(e)]
    return []


def field_ref(value: Value) -> FieldRef | None:
    """The plain field that a value is, or None."""
    ref = value.ref if isinstance(value, ScalarPlace) else value
    return ref if isinstance(ref, FieldRef) else None
