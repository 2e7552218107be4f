# SPDX-License-Identifier: MIT
"""Types as written to types: name lookup, widths, generic instances, substitution."""

from __future__ import annotations

from collections.abc import Mapping

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.session import Scope, poisoned, type_error
from softswitch.frontend.diagnostics import error

Bindings = Mapping[ast.TypeParameter, ty.Type]

MAX_WIDTH = 2048  # p4c's limit for bit, int and varbit is of the same kind
MAX_STACK = 4096
_BASE: dict[str, ty.Type] = {
    "bool": ty.BOOL,
    "error": ty.ERROR,
    "string": ty.STRING,
    "match_kind": ty.MATCH_KIND,
    "void": ty.VOID,
    "_": ty.DONT_CARE,
}
_STRUCTS: dict[str, type[ty.StructLike]] = {
    "struct": ty.Struct,
    "header": ty.Header,
    "header_union": ty.HeaderUnion,
}


def resolve(scope: Scope, ref: ast.TypeRef, *, bare_generic: bool = False) -> ty.Type:
    """The type that ``ref`` means, also stored in it.

    ``bare_generic`` lets a generic type stand without its arguments, to be inferred.
    """
    match ref:
        case ast.BaseTypeRef():
            ref.type = _base(scope, ref)
        case ast.NamedTypeRef():
            ref.type = _named(scope, ref, bare_generic)
        case ast.StackTypeRef():
            ref.type = _stack(scope, ref)
        case ast.TupleTypeRef(elements=elements):
            ref.type = ty.Tuple(tuple(resolve(scope, e) for e in elements))
        case ast.ListTypeRef(element=element):
            ref.type = ty.List(resolve(scope, element))
    return ref.type


def _base(scope: Scope, ref: ast.BaseTypeRef) -> ty.Type:
    fixed = _BASE.get(ref.keyword)
    if fixed is not None:
        return fixed
    if ref.width is None:
        return ty.INF_INT if ref.keyword == "int" else ty.Bit(1)
    width = constant_int(scope, ref, "width")
    smallest = 1 if ref.keyword == "int" else 0
    if width < smallest or width > MAX_WIDTH:
        message = f"{ref.keyword}<{width}>: illegal type size ({smallest} to {MAX_WIDTH})"
        raise error("invalid", message, ref.span)
    if ref.keyword == "bit":
        return ty.Bit(width)
    return ty.Int(width) if ref.keyword == "int" else ty.Varbit(width)


def constant_int(scope: Scope, ref: ast.BaseTypeRef | ast.StackTypeRef, field: str) -> int:
    """Checks and evaluates the width or size of a type."""
    from softswitch.frontend.check.expressions import check_expression

    value = check_expression(scope, getattr(ref, field))
    setattr(ref, field, value)
    if value.const is None or not is_integer(value.type):
        raise error("expected", f"{field}: expected a constant integer", value.span)
    assert isinstance(value.const, int)
    return value.const


def is_integer(kind: ty.Type) -> bool:
    """Whether constants of the type are numbers."""
    return isinstance(ty.strip(kind), (ty.Bit, ty.Int, ty.InfInt))


def _stack(scope: Scope, ref: ast.StackTypeRef) -> ty.Type:
    element = resolve(scope, ref.element)
    if not isinstance(element, (ty.Header, ty.HeaderUnion, ty.TypeVar)):
        raise type_error(f"Header stack of type {element} is not a header type", ref.span)
    size = constant_int(scope, ref, "size")
    if not 0 < size <= MAX_STACK:
        raise error("invalid", f"{size}: illegal size of a header stack", ref.size.span)
    return ty.Stack(element, size)


def _named(scope: Scope, ref: ast.NamedTypeRef, bare_generic: bool) -> ty.Type:
    decl = scope.lookup_type(ref.name, ref.absolute)
    if decl is None:
        raise _type_not_found(scope, ref)
    ref.decl = decl
    declared = declared_type(scope, decl)
    if declared is None:
        raise type_error(f"{ref.name}: not a type", ref.span)
    if isinstance(declared, ty.Unknown):
        raise poisoned()
    params = type_params(decl)
    if not ref.args:
        if params and not bare_generic:
            message = f"{ref.name}: type requires {len(params)} type arguments"
            raise type_error(message, ref.span)
        return declared
    if len(params) != len(ref.args):
        message = f"{ref.name}: {len(params)} type parameters, {len(ref.args)} arguments given"
        raise type_error(message, ref.span)
    args = tuple(resolve(scope, a) for a in ref.args)
    for arg, arg_ref in zip(args, ref.args, strict=True):
        if isinstance(arg, ty.Void):
            raise type_error("void cannot be a type argument", arg_ref.span)
    return substitute(declared, dict(zip(params, args, strict=True)))


def _type_not_found(scope: Scope, ref: ast.NamedTypeRef) -> Exception:
    place = scope.place
    if isinstance(place.decl, ast.StructDecl) and place.decl.name == ref.name:
        message = f"Self-referencing types not supported: '{ref.name}'"
        return error("unsupported", message, ref.span)
    if scope.lookup(ref.name, ref.absolute):
        return type_error(f"{ref.name}: not a type", ref.span)
    return error("not-found", f"{ref.name}: declaration not found", ref.span)


def type_params(decl: ast.Declaration | None) -> list[ast.TypeParameter]:
    """The type parameters of a declaration."""
    params: list[ast.TypeParameter] = getattr(decl, "type_params", [])
    return params


def declared_type(scope: Scope, decl: ast.Declaration) -> ty.Type | None:
    """The type that a declaration introduces (with its own type parameters), None if none."""
    known = scope.session.declared.get(decl)
    if known is not None:
        return known
    made = _make_type(decl)
    if made is not None:
        scope.session.declared[decl] = made
    return made


def _make_type(decl: ast.Declaration) -> ty.Type | None:
    args = tuple(ty.TypeVar(p.name, p) for p in type_params(decl))
    match decl:
        case ast.TypeParameter():
            return ty.TypeVar(decl.name, decl)
        case ast.ExternDecl():
            return ty.Extern(decl, args)
        case ast.ParserDecl() | ast.ParserTypeDecl():
            return ty.ParserType(decl, args)
        case ast.ControlDecl() | ast.ControlTypeDecl():
            return ty.ControlType(decl, args)
        case ast.PackageDecl():
            return ty.PackageType(decl, args)
        case ast.StructDecl() | ast.EnumDecl() | ast.TypedefDecl():
            return ty.UNKNOWN  # its declaration was wrong
        case _:
            return None


def make_struct(decl: ast.StructDecl, fields: tuple[ty.Field, ...]) -> ty.StructLike:
    """The type of a struct declaration whose fields are resolved."""
    args = tuple(ty.TypeVar(p.name, p) for p in decl.type_params)
    return _STRUCTS[decl.keyword](decl, args, fields)


def substitute(kind: ty.Type, bindings: Bindings) -> ty.Type:
    """Replaces type variables."""
    if not bindings:
        return kind
    match kind:
        case ty.TypeVar(decl=decl):
            return bindings.get(decl, kind)
        case ty.StructLike() if kind.args:
            fields = tuple(
                ty.Field(f.name, substitute(f.type, bindings), f.decl) for f in kind.fields
            )
            return type(kind)(kind.decl, _all(kind.args, bindings), fields)
        case ty.Declared() if kind.args:
            return type(kind)(kind.decl, _all(kind.args, bindings))
        case ty.Stack(element=element, size=size):
            return ty.Stack(substitute(element, bindings), size)
        case ty.Tuple(elements=elements):
            return ty.Tuple(_all(elements, bindings))
        case ty.List(element=element):
            return ty.List(substitute(element, bindings))
        case ty.Set(element=element):
            return ty.Set(substitute(element, bindings))
        case ty.AnonStruct(fields=pairs):
            return ty.AnonStruct(tuple((n, substitute(t, bindings)) for n, t in pairs))
        case _:
            return kind


def _all(kinds: tuple[ty.Type, ...], bindings: Bindings) -> tuple[ty.Type, ...]:
    return tuple(substitute(k, bindings) for k in kinds)


def is_ground(kind: ty.Type) -> bool:
    """Whether the type has no type variables (and nothing left to infer)."""
    match kind:
        case ty.TypeVar() | ty.DontCare() | ty.Unknown():
            return False
        case ty.Declared(args=args):
            return all(map(is_ground, args))
        case ty.Stack(element=element) | ty.List(element=element) | ty.Set(element=element):
            return is_ground(element)
        case ty.Tuple(elements=elements):
            return all(map(is_ground, elements))
        case ty.AnonStruct(fields=pairs):
            return all(is_ground(t) for _, t in pairs)
        case _:
            return True


def own_bindings(kind: ty.Declared) -> dict[ast.TypeParameter, ty.Type]:
    """Type parameters of the declaration bound to the arguments of this instance."""
    return dict(zip(type_params(kind.decl), kind.args, strict=False))
