# SPDX-License-Identifier: MIT
"""The types of P4_16 (specification 1.2.5, section 7), as the checker gives them to expressions.

All types are immutable values and compare structurally, except that declared types (struct,
header, enum, extern, ...) are the same type exactly when they come from the same declaration
with the same type arguments.  Type arguments are already substituted: the fields of
``pair_t<bit<8>>`` have type ``bit<8>``.  ``typedef`` leaves no trace; ``type`` gives `NewType`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from softswitch.frontend import ast


@dataclass(frozen=True, slots=True)
class Type:
    """Base class of all types."""

    def __str__(self) -> str:
        return type(self).__name__.lower()


@dataclass(frozen=True, slots=True)
class Bit(Type):
    """``bit<width>``: unsigned, two's complement arithmetic modulo 2**width."""

    width: int

    def __str__(self) -> str:
        return f"bit<{self.width}>"


@dataclass(frozen=True, slots=True)
class Int(Type):
    """``int<width>``: signed, two's complement."""

    width: int

    def __str__(self) -> str:
        return f"int<{self.width}>"


@dataclass(frozen=True, slots=True)
class Varbit(Type):
    """``varbit<width>``: at most ``width`` bits."""

    width: int

    def __str__(self) -> str:
        return f"varbit<{self.width}>"


@dataclass(frozen=True, slots=True)
class InfInt(Type):
    """``int``: integers of any size, compile time only."""

    def __str__(self) -> str:
        return "int"


@dataclass(frozen=True, slots=True)
class Bool(Type):
    """``bool``."""


@dataclass(frozen=True, slots=True)
class String(Type):
    """``string``: compile time only."""


@dataclass(frozen=True, slots=True)
class Error(Type):
    """``error``; constants are `ast.EnumMember` objects."""


@dataclass(frozen=True, slots=True)
class MatchKind(Type):
    """``match_kind``; constants are `ast.EnumMember` objects."""

    def __str__(self) -> str:
        return "match_kind"


@dataclass(frozen=True, slots=True)
class Void(Type):
    """``void``: result of functions without a value."""


@dataclass(frozen=True, slots=True)
class Unknown(Type):
    """Type of an expression already reported as wrong; never in an accepted program."""

    def __str__(self) -> str:
        return "<error>"


@dataclass(frozen=True, slots=True)
class DontCare(Type):
    """``_`` as type argument or argument: to be inferred."""

    def __str__(self) -> str:
        return "_"


@dataclass(frozen=True, slots=True)
class TypeVar(Type):
    """A type parameter inside the generic declaration that introduces it."""

    name: str
    decl: ast.TypeParameter = field(repr=False)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a struct, header or header union; ``decl`` has annotations and position."""

    name: str
    type: Type
    decl: ast.StructField = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Declared(Type):
    """Base of types that a declaration introduces; ``args`` are its type arguments."""

    decl: ast.Declaration = field(repr=False)
    args: tuple[Type, ...] = ()

    @property
    def name(self) -> str:
        """Name in the source."""
        return self.decl.name

    def __str__(self) -> str:
        if not self.args:
            return self.name
        return f"{self.name}<{', '.join(map(str, self.args))}>"


@dataclass(frozen=True, slots=True)
class StructLike(Declared):
    """Base of struct, header and header union."""

    fields: tuple[Field, ...] = field(default=(), compare=False, repr=False)

    def field(self, name: str) -> Field | None:
        """The field called ``name``, or None."""
        return next((f for f in self.fields if f.name == name), None)


@dataclass(frozen=True, slots=True)
class Struct(StructLike):
    """``struct``."""

    def __str__(self) -> str:
        return "struct " + Declared.__str__(self)


@dataclass(frozen=True, slots=True)
class Header(StructLike):
    """``header``."""

    def __str__(self) -> str:
        return "header " + Declared.__str__(self)


@dataclass(frozen=True, slots=True)
class HeaderUnion(StructLike):
    """``header_union``."""

    def __str__(self) -> str:
        return "header_union " + Declared.__str__(self)


@dataclass(frozen=True, slots=True)
class Enum(Declared):
    """``enum`` without underlying type; constants are `ast.EnumMember` objects."""


@dataclass(frozen=True, slots=True)
class SerEnum(Declared):
    """``enum bit<W>`` / ``enum int<W>``; constants are Python integers of type ``underlying``."""

    underlying: Type = field(default_factory=Unknown, compare=False)


@dataclass(frozen=True, slots=True)
class NewType(Declared):
    """``type T name``: distinct from ``underlying``, constants are those of ``underlying``."""

    underlying: Type = field(default_factory=Unknown, compare=False)


@dataclass(frozen=True, slots=True)
class Stack(Type):
    """Header stack ``element[size]``; the element is a header or a header union."""

    element: Type
    size: int

    def __str__(self) -> str:
        return f"{self.element}[{self.size}]"


@dataclass(frozen=True, slots=True)
class Tuple(Type):
    """``tuple<...>``, also the type of ``{ a, b }`` where nothing else is expected."""

    elements: tuple[Type, ...]

    def __str__(self) -> str:
        return f"tuple<{', '.join(map(str, self.elements))}>"


@dataclass(frozen=True, slots=True)
class List(Type):
    """``list<element>``: compile time only."""

    element: Type

    def __str__(self) -> str:
        return f"list<{self.element}>"


@dataclass(frozen=True, slots=True)
class AnonStruct(Type):
    """Type of ``{ a = 1, b = 2 }`` where no declared type is expected."""

    fields: tuple[tuple[str, Type], ...]

    def __str__(self) -> str:
        return "{" + ", ".join(f"{t} {n}" for n, t in self.fields) + "}"


@dataclass(frozen=True, slots=True)
class Set(Type):
    """Type of ``a &&& b``, ``a .. b``, ``default`` and value sets: a set of ``element``."""

    element: Type

    def __str__(self) -> str:
        return f"set<{self.element}>"


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter of a callable after substitution; ``direction`` is ``in/out/inout`` or ''."""

    name: str
    direction: str
    type: Type
    decl: ast.Parameter = field(repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Extern(Declared):
    """An extern object type; methods are in ``decl`` (`ast.ExternDecl`)."""


@dataclass(frozen=True, slots=True)
class ParserType(Declared):
    """Type of a parser: ``decl`` is `ast.ParserDecl` (with a body) or `ast.ParserTypeDecl`."""


@dataclass(frozen=True, slots=True)
class ControlType(Declared):
    """Type of a control: ``decl`` is `ast.ControlDecl` or `ast.ControlTypeDecl`."""


@dataclass(frozen=True, slots=True)
class PackageType(Declared):
    """Type of a package instance."""


@dataclass(frozen=True, slots=True)
class FunctionType(Declared):
    """Type of a function, extern function or method name (only as the callee of a call)."""


@dataclass(frozen=True, slots=True)
class ActionType(Declared):
    """Type of an action name."""


@dataclass(frozen=True, slots=True)
class TableType(Declared):
    """Type of a table name."""


@dataclass(frozen=True, slots=True)
class ApplyResult(Declared):
    """Type of ``t.apply()``: has ``hit``, ``miss`` and ``action_run``; ``decl`` is the table."""


@dataclass(frozen=True, slots=True)
class ActionEnum(Declared):
    """Type of ``t.apply().action_run``; labels of a switch are the table's action names."""


@dataclass(frozen=True, slots=True)
class StateType(Type):
    """Type of a parser state name."""


@dataclass(frozen=True, slots=True)
class TypeName(Type):
    """Type of a type used as an expression, as ``E`` in ``E.A`` and ``C`` in ``C.apply()``."""

    named: Type

    def __str__(self) -> str:
        return str(self.named)


BOOL = Bool()
INF_INT = InfInt()
STRING = String()
ERROR = Error()
MATCH_KIND = MatchKind()
VOID = Void()
UNKNOWN = Unknown()
DONT_CARE = DontCare()
STATE = StateType()


def strip(kind: Type) -> Type:
    """The type below ``type`` declarations and serializable enums: how a value is stored."""
    while isinstance(kind, (NewType, SerEnum)):
        kind = kind.underlying
    return kind
