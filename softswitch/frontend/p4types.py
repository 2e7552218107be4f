# SPDX-License-Identifier: MIT
"""Types as P4Info describes them: p4data specifications and the table of named types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from finsy.proto import p4i, p4t

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower.model import bit_width
from softswitch.frontend.lower.places import header_fields


@dataclass(frozen=True)
class Translation:
    """``@p4runtime_translation(uri, type)``: ``width`` 0 stands for string."""

    uri: str
    width: int


def translation(kind: ty.Type) -> Translation | None:
    """The translation annotation of a ``type`` declaration."""
    if not isinstance(kind, ty.NewType):
        return None
    note = ast.find_annotation(kind.decl.annotations, "p4runtime_translation")
    if note is None:
        return None
    tokens = [t for t in note.tokens if t != ","]
    if not tokens or not tokens[0].startswith('"'):
        raise error("invalid", "@p4runtime_translation needs a URI and a type", note.span)
    rest = tokens[1:]
    if rest == ["string"]:
        width = 0
    elif rest[:2] == ["bit", "<"] and len(rest) == 4:
        width = int(rest[2], 0)
    elif len(rest) == 1 and rest[0][0].isdigit():
        width = int(rest[0], 0)
    else:
        raise error("invalid", "@p4runtime_translation needs bit<W> or string", note.span)
    return Translation(tokens[0][1:-1], width)


def width_of(kind: ty.Type) -> int:
    """The bitwidth of a match field or parameter; 0 for strings and errors."""
    found = translation(kind)
    if found is not None:
        return found.width
    if isinstance(kind, ty.Error):
        return 0
    return bit_width(kind)


def type_name(kind: ty.Type) -> str | None:
    """The name of a type introduced with ``type``."""
    return kind.name if isinstance(kind, ty.NewType) else None


class TypeTable:
    """Fills ``P4Info.type_info`` with the types that are used."""

    def __init__(self, info: p4i.P4Info, errors: Sequence[str] = ()) -> None:
        self.info = info
        self.errors = errors

    def use(self, kind: ty.Type) -> p4t.P4DataTypeSpec:
        """The specification of a type; declared types are entered in the table."""
        spec = p4t.P4DataTypeSpec()
        table = self.info.type_info
        match kind:
            case ty.NewType():
                spec.new_type.name = kind.name
                self._new_type(kind)
            case ty.SerEnum():
                spec.serializable_enum.name = kind.name
                self._serializable(kind)
            case ty.Enum():
                spec.enum.name = kind.name
                if kind.name not in table.enums:
                    entry = table.enums[kind.name]
                    for member in kind.decl.members:  # type: ignore[attr-defined]
                        entry.members.add(name=member.name)
            case ty.Bit(width):
                spec.bitstring.bit.bitwidth = width
            case ty.Int(width):
                spec.bitstring.int.bitwidth = width
            case ty.Varbit(width):
                spec.bitstring.varbit.max_bitwidth = width
            case ty.Bool():
                spec.bool.SetInParent()
            case ty.Error():
                spec.error.SetInParent()
                if not table.error.members:
                    table.error.members.extend(self.errors)
            case ty.Tuple(elements):
                spec.tuple.SetInParent()
                for element in elements:
                    spec.tuple.members.append(self.use(element))
            case ty.Struct():
                spec.struct.name = kind.name
                if kind.name not in table.structs:
                    self._members(table.structs[kind.name], kind)
            case ty.Header():
                spec.header.name = kind.name
                self._header(kind)
            case ty.HeaderUnion():
                spec.header_union.name = kind.name
                if kind.name not in table.header_unions:
                    union = table.header_unions[kind.name]
                    for field in kind.fields:
                        assert isinstance(field.type, ty.Header)
                        self._header(field.type)
                        member = union.members.add(name=field.name)
                        member.header.name = field.type.name
            case ty.Stack(element, size):
                if isinstance(element, ty.Header):
                    spec.header_stack.header.name = element.name
                    spec.header_stack.size = size
                    self._header(element)
        return spec

    def _new_type(self, kind: ty.NewType) -> None:
        table = self.info.type_info
        if kind.name in table.new_types:
            return
        entry = table.new_types[kind.name]
        found = translation(kind)
        if found is None:
            entry.original_type.CopyFrom(self.use(kind.underlying))
            return
        entry.translated_type.uri = found.uri
        if found.width:
            entry.translated_type.sdn_bitwidth = found.width
        else:
            entry.translated_type.sdn_string.SetInParent()

    def _serializable(self, kind: ty.SerEnum) -> None:
        table = self.info.type_info
        if kind.name in table.serializable_enums:
            return
        width = bit_width(kind)
        entry = table.serializable_enums[kind.name]
        entry.underlying_type.bitwidth = width
        for member in kind.decl.members:  # type: ignore[attr-defined]
            number = member.const & ((1 << width) - 1)
            entry.members.add(name=member.name, value=number.to_bytes((width + 7) // 8, "big"))

    def _header(self, kind: ty.Header) -> None:
        table = self.info.type_info
        if kind.name in table.headers:
            return
        entry = table.headers[kind.name]
        for name, field_type in header_fields(kind):
            member = entry.members.add(name=name)
            spec = self.use(field_type)
            if spec.HasField("bitstring"):
                member.type_spec.CopyFrom(spec.bitstring)
            else:
                member.type_spec.bit.bitwidth = bit_width(field_type)

    def _members(self, entry: p4t.P4StructTypeSpec, kind: ty.Struct) -> None:
        for field in kind.fields:
            member = entry.members.add(name=field.name)
            member.type_spec.CopyFrom(self.use(field.type))
