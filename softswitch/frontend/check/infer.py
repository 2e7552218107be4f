# SPDX-License-Identifier: MIT
"""Inference of type arguments by unification, and whether a control fits a control type."""

from __future__ import annotations

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check.typerefs import own_bindings, substitute

Inferred = dict[ast.TypeParameter, ty.Type]


class MismatchError(Exception):
    """Two types that cannot be the same; the text says why, ``param`` where."""

    def __init__(self, message: str, param: ast.Parameter | None = None) -> None:
        super().__init__(message)
        self.param = param


def unify(
    formal: ty.Type, actual: ty.Type, inferred: Inferred, open_: set[ast.TypeParameter]
) -> None:
    """Finds types for the parameters ``open_`` so that ``actual`` fits ``formal``.

    Only collects what it can learn; whether a value converts is decided by `coerce` afterwards.
    Raises `MismatchError` for parsers and controls that do not fit.
    """
    if isinstance(formal, ty.TypeVar) and formal.decl in open_:
        _learn(formal, actual, inferred)
        return
    match formal, actual:
        case ty.Stack(element=a), ty.Stack(element=b):
            unify(a, b, inferred, open_)
        case (ty.List(element=a), ty.List(element=b)) | (ty.Set(element=a), ty.Set(element=b)):
            unify(a, b, inferred, open_)
        case ty.List(element=a), ty.Tuple(elements=parts):
            for b in parts:
                unify(a, b, inferred, open_)
        case ty.Tuple(elements=a_parts), ty.Tuple(elements=b_parts):
            for a, b in zip(a_parts, b_parts, strict=False):
                unify(a, b, inferred, open_)
        case ty.Struct(fields=fields), ty.Tuple(elements=parts):
            for field, b in zip(fields, parts, strict=False):
                unify(field.type, b, inferred, open_)
        case ty.Struct(), ty.AnonStruct(fields=pairs):
            for name, b in pairs:
                field_ = formal.field(name)
                if field_ is not None:
                    unify(field_.type, b, inferred, open_)
        case ty.ParserType(), ty.ParserType():
            _unify_callables(formal, actual, inferred, open_)
        case ty.ControlType(), ty.ControlType():
            _unify_callables(formal, actual, inferred, open_)
        case ty.Declared(), ty.Declared() if formal.decl is actual.decl:
            for a, b in zip(formal.args, actual.args, strict=False):
                unify(a, b, inferred, open_)


def _learn(formal: ty.TypeVar, actual: ty.Type, inferred: Inferred) -> None:
    if isinstance(actual, (ty.DontCare, ty.Unknown)):
        return
    known = inferred.get(formal.decl)
    sized = isinstance(actual, (ty.Bit, ty.Int, ty.NewType, ty.SerEnum))
    if known is None or (isinstance(known, ty.InfInt) and sized):
        inferred[formal.decl] = actual


def _unify_callables(
    formal: ty.ParserType | ty.ControlType,
    actual: ty.ParserType | ty.ControlType,
    inferred: Inferred,
    open_: set[ast.TypeParameter],
) -> None:
    wanted, given = apply_params(formal), apply_params(actual)
    if len(wanted) != len(given):
        raise MismatchError(
            f"Cannot unify functions with different number of arguments: "
            f"{actual.name} ({len(given)}) to {formal.name} ({len(wanted)})"
        )
    for a, b in zip(wanted, given, strict=True):
        if a.direction != b.direction:
            raise MismatchError(
                f"Cannot unify parameter {b.name} of {actual.name} with {a.name} of "
                f"{formal.name}: directions '{b.direction}' and '{a.direction}' differ",
                b.decl,
            )
        unify(a.type, b.type, inferred, open_)
        expected = substitute(a.type, inferred)
        if expected != b.type and not isinstance(expected, ty.TypeVar):
            raise MismatchError(
                f"Cannot unify parameter {b.name} of {actual.name} with {a.name} of "
                f"{formal.name}: type '{b.type}' is not '{expected}'",
                b.decl,
            )


def apply_params(kind: ty.ParserType | ty.ControlType) -> list[ty.Param]:
    """Parameters of ``apply`` after substitution."""
    bindings = own_bindings(kind)
    params: list[ast.Parameter] = kind.decl.params  # type: ignore[attr-defined]
    return [ty.Param(p.name, p.direction, substitute(p.type, bindings), p) for p in params]


def fits(formal: ty.Type, actual: ty.Type) -> MismatchError | None:
    """Why a parser or control does not fit a parser or control type; None if it does."""
    if not isinstance(formal, (ty.ParserType, ty.ControlType)) or type(formal) is not type(actual):
        return MismatchError(f"Cannot cast implicitly type '{actual}' to type '{formal}'")
    assert isinstance(actual, (ty.ParserType, ty.ControlType))
    try:
        _unify_callables(formal, actual, {}, set())
    except MismatchError as failure:
        return failure
    return None
