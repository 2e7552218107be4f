# SPDX-License-Identifier: MIT
"""Expressions and calls."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import TYPE_CHECKING, Union

from softswitch.frontend import types as ty
from softswitch.frontend.ast.base import Declaration, Node, TypeRef

if TYPE_CHECKING:
    from softswitch.frontend.ast.declarations import EnumMember, Parameter

Const = Union[int, bool, str, "EnumMember", tuple["Const", ...], dict[str, "Const"]]


@dataclass(slots=True, eq=False)
class Expression(Node):
    """Base of expressions."""

    # filled by the checker
    type: ty.Type = field(default=ty.UNKNOWN, init=False)
    const: Const | None = field(default=None, init=False)


@dataclass(slots=True, eq=False)
class IntLiteral(Expression):
    """``5``, ``8w5``, ``4s7``: ``width`` None without a width, ``signed`` for ``s``."""

    value: int
    width: int | None = None
    signed: bool = False


@dataclass(slots=True, eq=False)
class BoolLiteral(Expression):
    """``true`` or ``false``."""

    value: bool


@dataclass(slots=True, eq=False)
class StringLiteral(Expression):
    """A string, escapes resolved."""

    value: str


@dataclass(slots=True, eq=False)
class Name(Expression):
    """A name used as a value; ``decl`` is any named declaration, parameter or variable."""

    name: str
    absolute: bool = False
    # filled by the checker
    decl: Declaration | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class This(Expression):
    """``this`` inside the methods of an instantiated extern."""


@dataclass(slots=True, eq=False)
class TypeExpr(Expression):
    """A type where an expression stands: ``E`` in ``E.A``, ``error``, ``C<T>`` in ``C<T>()``."""

    ref: TypeRef


class MemberKind(Enum):
    """What ``base.name`` is."""

    FIELD = auto()  # field of a struct, header, header union
    ENUM = auto()  # member of an enum; `decl` is the EnumMember
    ERROR = auto()  # error.X; `decl` is the EnumMember
    STACK = auto()  # next, last, lastIndex, size of a header stack
    APPLY_RESULT = auto()  # hit, miss, action_run of a table application
    METHOD = auto()  # callee of a call: see Call.kind


@dataclass(slots=True, eq=False)
class Member(Expression):
    """``base.name``."""

    base: Expression
    name: str
    # filled by the checker
    kind: MemberKind | None = field(default=None, init=False)
    decl: Declaration | None = field(default=None, init=False, repr=False)


@dataclass(slots=True, eq=False)
class Index(Expression):
    """``base[index]`` of a header stack or a tuple."""

    base: Expression
    index: Expression


@dataclass(slots=True, eq=False)
class Slice(Expression):
    """``base[high:low]``; ``high`` and ``low`` have ``const``.

    With ``plus`` it was written ``base[low +: high]``; the checker rewrites that.
    """

    base: Expression
    high: Expression
    low: Expression
    plus: bool = False


@dataclass(slots=True, eq=False)
class Unary(Expression):
    """``op operand`` with op one of ``! ~ - +``."""

    op: str
    operand: Expression


@dataclass(slots=True, eq=False)
class Binary(Expression):
    """``left op right``: ``+ - * / % |+| |-| << >> & | ^ ++ == != < <= > >= && ||``."""

    op: str
    left: Expression
    right: Expression


@dataclass(slots=True, eq=False)
class Ternary(Expression):
    """``condition ? then : otherwise``."""

    condition: Expression
    then: Expression
    otherwise: Expression


@dataclass(slots=True, eq=False)
class Cast(Expression):
    """``(ref) operand``; the target is ``type``.  ``ref`` is None for implicit casts."""

    ref: TypeRef | None
    operand: Expression
    implicit: bool = False


@dataclass(slots=True, eq=False)
class Mask(Expression):
    """``value &&& mask`` in a key set; ``type`` is `types.Set`."""

    value: Expression
    mask: Expression


@dataclass(slots=True, eq=False)
class Range(Expression):
    """``low .. high`` in a key set (both included) or as the collection of a for-in loop."""

    low: Expression
    high: Expression


@dataclass(slots=True, eq=False)
class DefaultExpr(Expression):
    """``default`` or ``_`` in a key set; ``_`` as an argument."""

    keyword: str = "default"


@dataclass(slots=True, eq=False)
class ListExpr(Expression):
    """``{ a, b }``, also ``(a, b)`` in key sets; ``rest`` for a final ``...``."""

    elements: list[Expression]
    rest: bool = False


@dataclass(slots=True, eq=False)
class StructExpr(Expression):
    """``{ a = 1, b = 2 }``, optionally with a type in front; ``rest`` for a final ``...``."""

    fields: dict[str, Expression]
    ref: TypeRef | None = None
    rest: bool = False


@dataclass(slots=True, eq=False)
class InvalidHeader(Expression):
    """``{#}``: an invalid header or header union."""


@dataclass(slots=True, eq=False)
class DefaultValue(Expression):
    """``...`` as an initialiser, or for one field: the default value of ``type``."""


@dataclass(slots=True, eq=False)
class Argument(Node):
    """An argument as written: ``value`` or ``name = value``; ``_`` is a `DefaultExpr`."""

    value: Expression
    name: str | None = None


class CallKind(Enum):
    """What a call does; see `Call`."""

    FUNCTION = auto()  # decl FunctionDecl with a body
    EXTERN_FUNCTION = auto()  # decl FunctionDecl without a body
    ACTION = auto()  # decl ActionDecl
    METHOD = auto()  # decl MethodDecl of the extern object `target`
    APPLY = auto()  # control or parser `target`.apply(); decl ControlDecl/ParserDecl or type
    TABLE_APPLY = auto()  # decl TableDecl
    CONSTRUCTOR = auto()  # decl ExternDecl's MethodDecl | ControlDecl | ParserDecl | PackageDecl
    BUILTIN = auto()  # method of header, header union or stack; `builtin` is its name


@dataclass(slots=True, eq=False)
class BoundArgument:
    """An argument after binding.

    ``value`` is None where an @optional parameter got no argument; a `DefaultExpr` where an out
    argument is ``_``.  ``type`` is the parameter's type after substitution.
    """

    param: Parameter
    type: ty.Type
    value: Expression | None

    @property
    def direction(self) -> str:
        """``in``, ``out``, ``inout`` or '' (directionless)."""
        return self.param.direction


@dataclass(slots=True, eq=False)
class Call(Expression):
    """``callee<type_args>(args)``."""

    callee: Expression
    type_args: list[TypeRef]
    args: list[Argument]
    # filled by the checker
    kind: CallKind | None = field(default=None, init=False)
    decl: Declaration | None = field(default=None, init=False, repr=False)
    target: Expression | None = field(default=None, init=False)  # METHOD, APPLY, BUILTIN
    builtin: str = field(default="", init=False)
    type_arguments: tuple[ty.Type, ...] = field(default=(), init=False)
    bound: list[BoundArgument] = field(default_factory=list, init=False)
