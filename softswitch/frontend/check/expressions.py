# SPDX-License-Identifier: MIT
"""Types and constants of expressions.

`check_expression` works bottom-up; what the surroundings expect is applied by
`softswitch.frontend.check.coerce.coerce`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from softswitch.frontend import ast
from softswitch.frontend import types as ty
from softswitch.frontend.check import fold, members, operators, typerefs
from softswitch.frontend.check.coerce import (
    cast_node,
    coerce,
    compile_time,
    explicit_cast,
    finish_list,
    finish_struct,
)
from softswitch.frontend.check.session import Scope, poisoned, text, type_error
from softswitch.frontend.diagnostics import error


def check_expression(scope: Scope, node: ast.Expression) -> ast.Expression:
    """Checks an expression of any type; the result replaces ``node`` in its parent."""
    return _CHECKS[type(node)](scope, node)


def check_value(scope: Scope, node: ast.Expression, target: ty.Type) -> ast.Expression:
    """Checks an expression that must be of type ``target``."""
    return coerce(scope, check_expression(scope, node), target)


def check_rvalue(scope: Scope, node: ast.Expression) -> ast.Expression:
    """Checks an expression that must be a value (not a type, table, action, ...)."""
    value = check_expression(scope, node)
    if isinstance(value.type, (ty.TypeName, ty.FunctionType, ty.ActionType, ty.TableType)):
        raise type_error(f"{text(value)}: not a value", value.span)
    return value


def check_condition(scope: Scope, node: ast.Expression) -> ast.Expression:
    """Checks the condition of an if, loop or ternary."""
    value = check_rvalue(scope, node)
    if not isinstance(value.type, ty.Bool):
        raise type_error(f"Condition of type {value.type} must be a bool", value.span)
    return value


def check_constant(scope: Scope, node: ast.Expression, what: str) -> ast.Expression:
    """Checks an expression that must be an integer constant."""
    value = check_expression(scope, node)
    if not isinstance(value.const, int) or not typerefs.is_integer(value.type):
        raise type_error(f"{what}: expected a compile-time integer", value.span)
    return value


def _int_literal(scope: Scope, node: ast.IntLiteral) -> ast.Expression:
    node.const = node.value
    if node.width is None:
        node.type = ty.INF_INT
        return node
    if not 0 <= node.width <= typerefs.MAX_WIDTH or (node.signed and node.width == 0):
        raise error("invalid", f"{node.width}: illegal width of a literal", node.span)
    kind = ty.Int(node.width) if node.signed else ty.Bit(node.width)
    node.type = kind
    node.const = fold.wrap(node.value, kind)
    if node.const != node.value:
        message = f"{text(node)}: value does not fit {kind}, truncated to {node.const}"
        scope.session.warn("overflow", message, node.span)
    return node


def _bool_literal(scope: Scope, node: ast.BoolLiteral) -> ast.Expression:
    node.type, node.const = ty.BOOL, node.value
    return node


def _string_literal(scope: Scope, node: ast.StringLiteral) -> ast.Expression:
    node.type, node.const = ty.STRING, node.value
    return node


def _name(scope: Scope, node: ast.Name) -> ast.Expression:
    found = scope.lookup(node.name, node.absolute)
    if not found:
        raise scope.not_found(node.name, node.span)
    node.decl = found[0]
    node.type, node.const = _type_of(scope, node.decl)
    if isinstance(node.type, ty.Unknown):
        raise poisoned()
    return node


def _type_of(scope: Scope, decl: ast.Declaration) -> tuple[ty.Type, ast.Const | None]:
    match decl:
        case ast.ConstDecl():
            return decl.type, decl.init.const
        case ast.VariableDecl() | ast.Parameter() | ast.InstanceDecl():
            return decl.type, None
        case ast.ActionDecl():
            return ty.ActionType(decl), None
        case ast.TableDecl():
            return ty.TableType(decl), None
        case ast.FunctionDecl() | ast.MethodDecl():
            return ty.FunctionType(decl), None
        case ast.ValueSetDecl():
            return (ty.UNKNOWN if decl.type == ty.UNKNOWN else ty.Set(decl.type)), None
        case ast.StateDecl():
            return ty.STATE, None
        case _:
            declared = typerefs.declared_type(scope, decl)
            return (ty.UNKNOWN if declared is None else ty.TypeName(declared)), None


def _this(scope: Scope, node: ast.This) -> ast.Expression:
    place = scope.place
    if not isinstance(place.decl, ast.InstanceDecl):
        raise error("invalid", "this: only inside the methods of an instance", node.span)
    node.type = place.decl.type
    return node


def _type_expr(scope: Scope, node: ast.TypeExpr) -> ast.Expression:
    node.type = ty.TypeName(typerefs.resolve(scope, node.ref, bare_generic=True))
    return node


def _index(scope: Scope, node: ast.Index) -> ast.Expression:
    node.base = check_rvalue(scope, node.base)
    node.index = check_rvalue(scope, node.index)
    index, kind = node.index, node.base.type
    if isinstance(index.type, ty.SerEnum):
        index = node.index = cast_node(scope, index, index.type.underlying)
    if not typerefs.is_integer(index.type) or isinstance(index.type, ty.NewType):
        raise type_error(
            f"Array index {text(index)} must be an integer, not {index.type}", node.span
        )
    if isinstance(kind, ty.Stack):
        return _stack_index(scope, node, kind)
    if not isinstance(kind, ty.Tuple):
        raise type_error(f"Array indexing {text(node)} applied to non-array type {kind}", node.span)
    if not isinstance(index.const, int):
        raise type_error(f"{text(index)}: tuple index must be constant", index.span)
    if not 0 <= index.const < len(kind.elements):
        raise type_error(f"Tuple index {index.const} out of bounds of {kind}", index.span)
    node.type = kind.elements[index.const]
    if isinstance(node.base.const, tuple):
        node.const = node.base.const[index.const]
    return node


def _stack_index(scope: Scope, node: ast.Index, kind: ty.Stack) -> ast.Expression:
    index = node.index
    if isinstance(index.const, int):
        if not 0 <= index.const < kind.size:
            raise type_error(f"Array index {index.const} out of bounds of {kind}", index.span)
        if isinstance(index.type, ty.InfInt):
            node.index = cast_node(scope, index, ty.Bit(32))
    node.type = kind.element
    return node


def _slice(scope: Scope, node: ast.Slice) -> ast.Expression:
    node.base = check_rvalue(scope, node.base)
    if isinstance(node.base.type, ty.SerEnum):
        node.base = cast_node(scope, node.base, node.base.type.underlying)
    kind = node.base.type
    if not isinstance(kind, (ty.Bit, ty.Int)):
        raise type_error(f"{text(node)}: bit extraction is not defined on type {kind}", node.span)
    if node.plus:
        return _plus_slice(scope, node, kind)
    node.high = check_constant(scope, node.high, "bit index")
    node.low = check_constant(scope, node.low, "bit index")
    high, low = node.high.const, node.low.const
    assert isinstance(high, int)
    assert isinstance(low, int)
    if high < 0 or low < 0:
        raise type_error(f"{text(node)}: negative bit index", node.span)
    if high >= kind.width or low >= kind.width:
        message = f"{max(high, low)}: Bit index greater than width {kind.width}"
        raise type_error(message, node.span)
    if low > high:
        raise type_error(f"LSB index {low} greater than MSB index {high}", node.span)
    node.type = ty.Bit(high - low + 1)
    if isinstance(node.base.const, int):
        node.const = fold.wrap(node.base.const >> low, node.type)
    return node


def _plus_slice(scope: Scope, node: ast.Slice, kind: ty.Bit | ty.Int) -> ast.Expression:
    """``base[low +: width]``: an ordinary slice if ``low`` is constant, else a shift."""
    width = check_constant(scope, node.high, "slice width")
    node.low = check_rvalue(scope, node.low)
    assert isinstance(width.const, int)
    if not 0 < width.const <= kind.width:
        raise type_error(f"{width.const}: slice wider than {kind}", width.span)
    if isinstance(node.low.const, int):
        high = ast.IntLiteral(node.low.const + width.const - 1, span=width.span)
        return _slice(scope, ast.Slice(node.base, high, node.low, span=node.span))
    shifted: ast.Expression = node.base
    if isinstance(kind, ty.Int):
        shifted = cast_node(scope, shifted, ty.Bit(kind.width))
    moved = ast.Binary(">>", shifted, node.low, span=node.span)
    operators.check_binary(scope, moved)
    return cast_node(scope, moved, ty.Bit(width.const))


def _unary(scope: Scope, node: ast.Unary) -> ast.Expression:
    node.operand = check_rvalue(scope, node.operand)
    return operators.check_unary(scope, node)


def _binary(scope: Scope, node: ast.Binary) -> ast.Expression:
    node.left = check_rvalue(scope, node.left)
    node.right = check_rvalue(scope, node.right)
    return operators.check_binary(scope, node)


def _ternary(scope: Scope, node: ast.Ternary) -> ast.Expression:
    node.condition = check_condition(scope, node.condition)
    node.then = check_rvalue(scope, node.then)
    node.otherwise = check_rvalue(scope, node.otherwise)
    a, b = node.then, node.otherwise
    if a.type != b.type:
        lists = (ast.ListExpr, ast.StructExpr, ast.InvalidHeader, ast.DefaultValue)
        if isinstance(a.type, ty.InfInt) or isinstance(a, lists):
            node.then = coerce(scope, a, b.type)
        else:
            node.otherwise = coerce(scope, b, a.type)
    node.type = node.then.type
    if isinstance(node.type, ty.InfInt) and not compile_time(node.condition):
        message = f"{text(node.then)} ? : width of the values of a conditional must be known"
        raise type_error(message, node.span)
    if node.condition.const is not None:
        node.const = node.then.const if node.condition.const else node.otherwise.const
    return node


def _cast(scope: Scope, node: ast.Cast) -> ast.Expression:
    assert node.ref is not None
    target = typerefs.resolve(scope, node.ref)
    node.operand = check_rvalue(scope, node.operand)
    return explicit_cast(scope, node, target)


def _list(scope: Scope, node: ast.ListExpr) -> ast.Expression:
    node.elements = [check_rvalue(scope, e) for e in node.elements]
    if node.rest:
        node.type = ty.Tuple(tuple(e.type for e in node.elements))
        return node
    return finish_list(node, ty.Tuple(tuple(e.type for e in node.elements)))


def _struct(scope: Scope, node: ast.StructExpr) -> ast.Expression:
    node.fields = {n: check_rvalue(scope, e) for n, e in node.fields.items()}
    kind = ty.AnonStruct(tuple((n, e.type) for n, e in node.fields.items()))
    if node.rest:
        node.type = kind
        return node
    return finish_struct(node, kind)


def _untyped(scope: Scope, node: ast.Expression) -> ast.Expression:
    node.type = ty.DONT_CARE  # the surroundings decide
    return node


def check_set(scope: Scope, node: ast.Expression, element: ty.Type) -> ast.Expression:
    """Checks one member of a key set against the type of its key."""
    match node:
        case ast.DefaultExpr():
            node.type = ty.Set(element)
            return node
        case ast.Mask():
            base = _set_base(node, element, "&&&")
            node.value = check_value(scope, node.value, base)
            node.mask = check_value(scope, node.mask, base)
            node.type = ty.Set(element)
            return node
        case ast.Range():
            base = _set_base(node, element, "..")
            node.low = check_value(scope, node.low, base)
            node.high = check_value(scope, node.high, base)
            node.type = ty.Set(element)
            return node
    value = check_rvalue(scope, node)
    if isinstance(value.type, ty.Set):
        if not members.same_set(value.type.element, element):
            message = f"value set of {value.type.element} does not match a key of type {element}"
            raise type_error(message, value.span)
        return value
    return coerce(scope, value, element)


def _set_base(node: ast.Expression, element: ty.Type, op: str) -> ty.Type:
    base = element.underlying if isinstance(element, ty.SerEnum) else element
    if not isinstance(ty.strip(base), (ty.Bit, ty.Int, ty.InfInt)):
        raise type_error(f"{op} is not defined on type {element}", node.span)
    return base


def _range(scope: Scope, node: ast.Range) -> ast.Expression:
    raise type_error("a range stands only in key sets and for-in loops", node.span)


def _call(scope: Scope, node: ast.Call) -> ast.Expression:
    from softswitch.frontend.check.calls import check_call

    return check_call(scope, node)


_CHECKS: dict[type[ast.Expression], Callable[[Scope, Any], ast.Expression]] = {
    ast.IntLiteral: _int_literal,
    ast.BoolLiteral: _bool_literal,
    ast.StringLiteral: _string_literal,
    ast.Name: _name,
    ast.This: _this,
    ast.TypeExpr: _type_expr,
    ast.Member: members.check_member,
    ast.Index: _index,
    ast.Slice: _slice,
    ast.Unary: _unary,
    ast.Binary: _binary,
    ast.Ternary: _ternary,
    ast.Cast: _cast,
    ast.ListExpr: _list,
    ast.StructExpr: _struct,
    ast.InvalidHeader: _untyped,
    ast.DefaultValue: _untyped,
    ast.DefaultExpr: _untyped,
    ast.Mask: _range,
    ast.Range: _range,
    ast.Call: _call,
}
