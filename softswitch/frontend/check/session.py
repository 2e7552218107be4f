# SPDX-License-Identifier: MIT
"""What the checker carries along: diagnostics, scopes, and the place it is at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import (
    Diagnostic,
    P4CompileError,
    diagnostic,
    error,
    suggestion,
)

Generic = ast.FunctionDecl | ast.ControlDecl | ast.ParserDecl

_MAX_ERRORS = 20
_TYPES = (
    *(ast.StructDecl, ast.EnumDecl, ast.TypedefDecl, ast.ExternDecl, ast.TypeParameter),
    *(ast.ParserDecl, ast.ParserTypeDecl, ast.ControlDecl, ast.ControlTypeDecl, ast.PackageDecl),
)
_OVERLOADABLE = (ast.FunctionDecl, ast.ActionDecl)


@dataclass(slots=True)
class Session:
    """State of one check of one program."""

    diagnostics: list[Diagnostic] = field(default_factory=list)
    errors: dict[str, ast.EnumMember] = field(default_factory=dict)
    match_kinds: dict[str, ast.EnumMember] = field(default_factory=dict)
    declared: dict[ast.Declaration, ty.Type] = field(default_factory=dict)
    # generic code: an unchecked copy, the scope around it, the specialised copies
    pristine: dict[Generic, tuple[Generic, Scope]] = field(default_factory=dict)
    specialised: dict[tuple[Generic, tuple[ty.Type, ...]], Generic] = field(default_factory=dict)
    current: ast.Span = ast.NO_SPAN

    def warn(self, kind: str, message: str, span: ast.Span) -> None:
        """Notes a warning."""
        self.diagnostics.append(diagnostic(kind, message, span, "warning"))

    def report(self, failure: P4CompileError) -> None:
        """Notes errors; gives up after too many."""
        for item in failure.diagnostics:
            if item not in self.diagnostics:
                self.diagnostics.append(item)
        if sum(d.severity == "error" for d in self.diagnostics) >= _MAX_ERRORS:
            raise TooManyErrorsError

    @contextmanager
    def collect(self) -> Iterator[None]:
        """Notes the errors of one statement or declaration and goes on after it."""
        try:
            yield
        except P4CompileError as failure:
            self.report(failure)


class TooManyErrorsError(Exception):
    """Ends a check early."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where code stands: ``kind`` is program, parser, state, control, apply, action, function."""

    kind: str = "program"
    decl: ast.Declaration | None = None
    result: ty.Type = ty.VOID
    in_loop: bool = False


class Scope:
    """Names declared so far; declarations are visible from where they stand."""

    __slots__ = ("names", "parent", "place", "session")

    def __init__(self, session: Session, parent: Scope | None, place: Place) -> None:
        self.session = session
        self.parent = parent
        self.place = place
        self.names: dict[str, list[ast.Declaration]] = {}

    def child(self, place: Place | None = None) -> Scope:
        """A scope inside this one."""
        return Scope(self.session, self, place or self.place)

    def declare(self, decl: ast.Declaration) -> None:
        """Adds a declaration; functions may share a name if their parameters differ."""
        if decl.name == "_":
            raise error("invalid", f"{decl.name}: illegal name", decl.name_span)
        existing = self.names.get(decl.name)
        if existing is None:
            self._no_shadowed_parameter(decl)
            self.names[decl.name] = [decl]
            return
        if decl in existing:
            return
        if not all(_may_overload(old, decl) for old in existing):
            message = f"{decl.name}: Duplicates declaration {existing[0].name}"
            raise error("duplicate", message, decl.name_span)
        existing.append(decl)

    def _no_shadowed_parameter(self, decl: ast.Declaration) -> None:
        """As p4c: a local declaration must not hide a parameter."""
        if isinstance(decl, (ast.Parameter, ast.TypeParameter)) or self.parent is None:
            return
        hidden = self.parent.lookup(decl.name)
        if hidden and isinstance(hidden[0], ast.Parameter):
            message = f"declaration of '{decl.name}' shadows a parameter"
            raise error("shadow", message, decl.name_span)

    def lookup_type(self, name: str, absolute: bool = False) -> ast.Declaration | None:
        """The innermost type declaration called ``name``; others do not hide it."""
        scope: Scope | None = self
        while scope is not None:
            if not absolute or scope.parent is None:
                for decl in scope.names.get(name, ()):
                    if isinstance(decl, _TYPES):
                        return decl
            scope = scope.parent
        return None

    def not_found(self, name: str, span: ast.Span) -> P4CompileError:
        """The error for a name that is not declared, with the nearest one that is."""
        known: set[str] = set()
        scope: Scope | None = self
        while scope is not None:
            known.update(scope.names)
            scope = scope.parent
        message = f"{name}: declaration not found{suggestion(name, known)}"
        return error("not-found", message, span)

    def lookup(self, name: str, absolute: bool = False) -> list[ast.Declaration]:
        """Declarations of ``name`` in the innermost scope that has it; empty if there is none."""
        scope: Scope | None = self
        if absolute:
            while scope is not None and scope.parent is not None:
                scope = scope.parent
        while scope is not None:
            found = scope.names.get(name)
            if found:
                return found
            scope = scope.parent
        return []


def _may_overload(old: ast.Declaration, new: ast.Declaration) -> bool:
    if not isinstance(old, _OVERLOADABLE) or type(old) is not type(new):
        return False
    return signature(old.params) != signature(new.params)


def signature(params: list[ast.Parameter]) -> frozenset[str] | int:
    """What tells overloads apart: the number of parameters and their names."""
    return frozenset([*(p.name for p in params), str(len(params))])


def type_error(message: str, span: ast.Span) -> P4CompileError:
    """An error of kind ``type-error``."""
    return error("type-error", message, span)


def poisoned() -> P4CompileError:
    """What is raised where the cause was reported before: no message."""
    return P4CompileError(())


def text(node: ast.Expression) -> str:
    """Source text of an expression, as well as it can be told, for messages."""
    match node:
        case ast.Name(name=name):
            return name
        case ast.Member(base=base, name=name):
            return f"{text(base)}.{name}"
        case ast.IntLiteral(value=value, width=width, signed=signed):
            return f"{value}" if width is None else f"{width}{'s' if signed else 'w'}{value}"
        case ast.BoolLiteral(value=value):
            return "true" if value else "false"
        case ast.StringLiteral(value=string):
            return f'"{string}"'
        case ast.TypeExpr(ref=ref):
            return ref.name if isinstance(ref, ast.NamedTypeRef) else str(ref.type)
        case ast.Unary(op=op, operand=operand):
            return f"{op}{text(operand)}"
        case ast.Binary(op=op, left=left, right=right):
            return f"{text(left)} {op} {text(right)}"
        case ast.Index(base=base, index=index):
            return f"{text(base)}[{text(index)}]"
        case ast.Slice(base=base, high=high, low=low):
            return f"{text(base)}[{text(high)}:{text(low)}]"
        case ast.Call(callee=callee, args=args):
            return f"{text(callee)}({', '.join(text(a.value) for a in args)})"
        case ast.Mask(value=value_, mask=mask):
            return f"{text(value_)} &&& {text(mask)}"
        case ast.Range(low=low, high=high):
            return f"{text(low)} .. {text(high)}"
        case ast.DefaultExpr(keyword=keyword):
            return keyword
        case ast.Cast(operand=operand, ref=ref):
            return text(operand) if ref is None else f"({ref.type}){text(operand)}"
        case _:
            return "expression"
