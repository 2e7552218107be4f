# SPDX-License-Identifier: MIT
"""Where things live: header instances, stacks, unions, and the metadata header ``scalars``."""

from __future__ import annotations

from softswitch.frontend import types as ty
from softswitch.frontend.diagnostics import error
from softswitch.frontend.lower.ir import Const, Expr, FieldRef
from softswitch.frontend.lower.model import (
    HeaderType,
    Instance,
    Model,
    StackInstance,
    UnionInstance,
    UnionType,
    bit_width,
    is_signed,
)
from softswitch.frontend.lower.places import (
    HeaderPlace,
    Place,
    ScalarPlace,
    StackPlace,
    StructPlace,
    UnionPlace,
    header_fields,
    scalar_of,
)

SCALARS = "scalars"


class Store:
    """Allocates storage and gives out unique names."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.scalars = HeaderType("scalars_0", [])
        self.keep: set[str] = set()
        self._names: set[str] = {SCALARS, "standard_metadata"}
        self._scalar_names: set[str] = set()
        self._header_types: dict[ty.Type, HeaderType] = {}
        self._union_types: dict[ty.Type, UnionType] = {}
        self._varbit_types: dict[int, HeaderType] = {}
        self._type_names: set[str] = {"scalars_0", "standard_metadata"}
        model.header_types.append(self.scalars)
        model.instances[SCALARS] = Instance(SCALARS, self.scalars, metadata=True, program=True)

    def scalar(self, hint: str, kind: ty.Type, program: bool = False) -> ScalarPlace:
        """A variable in ``scalars``; ``program``: it belongs to the user's metadata."""
        name = unique(hint, self._scalar_names)
        self.scalars.fields.append((name, bit_width(kind), is_signed(kind)))
        if program:
            self.keep.add(name)
        return ScalarPlace(kind, FieldRef(*scalar_of(kind), SCALARS, name))

    def temporary(self, hint: str, width: int, signed: bool, boolean: bool) -> FieldRef:
        """A variable by its width."""
        name = unique(hint, self._scalar_names)
        self.scalars.fields.append((name, width, signed))
        return FieldRef(width, signed, boolean, SCALARS, name)

    def place(self, kind: ty.Type, name: str, program: bool = False, prefix: str = "") -> Place:
        """Storage for a variable of any type.

        ``prefix`` is put before the names of headers, as ``userMetadata.``.
        """
        if isinstance(kind, ty.Struct):
            fields = {
                f.name: self.place(f.type, _join(name, f.name), program, prefix)
                for f in kind.fields
            }
            return StructPlace(kind, fields)
        if isinstance(kind, ty.AnonStruct):
            return StructPlace(
                kind, {n: self.place(t, _join(name, n), program, prefix) for n, t in kind.fields}
            )
        if isinstance(kind, ty.Tuple):
            items = {
                str(i): self.place(t, f"{name}.{i}", program, prefix)
                for i, t in enumerate(kind.elements)
            }
            return StructPlace(kind, items)
        if isinstance(kind, (ty.Header, ty.HeaderUnion, ty.Stack)):
            return self._header_like(kind, unique(prefix + name, self._names), program)
        if isinstance(kind, ty.Varbit):
            return self._varbit(kind, unique(name, self._names))
        return self.scalar(name, kind, program)

    def _varbit(self, kind: ty.Varbit, name: str) -> ScalarPlace:
        """A variable of a varbit type: an instance of its own, as in p4c."""
        layout = self._varbit_types.get(kind.width)
        if layout is None:
            layout = HeaderType(f"$varbit{kind.width}", [("field", -kind.width, False)])
            self._varbit_types[kind.width] = layout
            self.model.header_types.append(layout)
        self.model.instances[name] = Instance(name, layout, metadata=True)
        return ScalarPlace(kind, FieldRef(kind.width, False, False, name, "field"))

    def _header_like(self, kind: ty.Type, name: str, program: bool) -> Place:
        if isinstance(kind, ty.Header):
            return self.header(kind, name, program)
        if isinstance(kind, ty.HeaderUnion):
            return self._union(kind, name, program)
        assert isinstance(kind, ty.Stack)
        elements = [
            self._header_like(kind.element, f"{name}[{i}]", program) for i in range(kind.size)
        ]
        union = isinstance(kind.element, ty.HeaderUnion)
        element_type = (
            self.union_type(kind.element) if union else self.header_type(kind.element)  # type: ignore[arg-type]
        )
        names = [e.name for e in elements]  # type: ignore[attr-defined]
        self.model.stacks[name] = StackInstance(name, element_type, names, union)
        return StackPlace(kind, name, elements)

    def header(self, kind: ty.Header, name: str, program: bool = False) -> HeaderPlace:
        """A header instance under exactly this name."""
        layout = self.header_type(kind)
        self.model.instances[name] = Instance(name, layout, program=program)
        return HeaderPlace(kind, name, _header_places(kind, name))

    def _union(self, kind: ty.HeaderUnion, name: str, program: bool) -> UnionPlace:
        members: dict[str, HeaderPlace] = {}
        for item in kind.fields:
            assert isinstance(item.type, ty.Header)
            members[item.name] = self.header(item.type, f"{name}.{item.name}", program)
        names = [m.name for m in members.values()]
        self.model.unions[name] = UnionInstance(name, self.union_type(kind), names)
        return UnionPlace(kind, name, members)

    def is_fixed(self, expr: Expr) -> bool:
        """Whether a calculation can read the expression where it is.

        Constants, the program's metadata, and varbit fields, which cannot be copied elsewhere.
        """
        if isinstance(expr, Const):
            return True
        if not isinstance(expr, FieldRef) or expr.header not in self.model.instances:
            return False
        if expr.header == SCALARS:
            return expr.name in self.keep
        fields = self.model.instances[expr.header].type.fields
        varbit = any(n == expr.name and width < 0 for n, width, _ in fields)
        return varbit or expr.header == "standard_metadata"

    def header_type(self, kind: ty.Header) -> HeaderType:
        """The layout of a header type."""
        found = self._header_types.get(kind)
        if found is None:
            fields = [
                (n, -bit_width(t) if isinstance(t, ty.Varbit) else bit_width(t), is_signed(t))
                for n, t in header_fields(kind)
            ]
            found = HeaderType(unique(kind.name, self._type_names), fields)
            _check_layout(kind, found)
            self._header_types[kind] = found
            self.model.header_types.append(found)
        return found

    def union_type(self, kind: ty.HeaderUnion) -> UnionType:
        """The layout of a header union type."""
        found = self._union_types.get(kind)
        if found is None:
            members = [(f.name, self.header_type(f.type)) for f in kind.fields]  # type: ignore[arg-type]
            found = UnionType(unique(kind.name, self._type_names), members)
            self._union_types[kind] = found
            self.model.union_types.append(found)
        return found


def _check_layout(kind: ty.Header, layout: HeaderType) -> None:
    if layout.bits % 8:
        text = (
            f"{kind.name}: header with fields totaling {layout.bits} bits; this target only "
            "supports headers with fields totaling a multiple of 8 bits"
        )
        raise error("overlimit", text, kind.decl.name_span)
    if sum(width < 0 for _, width, _ in layout.fields) > 1:
        raise error("unsupported", "headers with several varbit fields", kind.decl.name_span)


def _join(name: str, part: str) -> str:
    return f"{name}.{part}" if name else part


def _header_places(kind: ty.Header, name: str) -> dict[str, Place]:
    def build(prefix: str, field_type: ty.Type) -> Place:
        if isinstance(field_type, ty.Struct):
            inner = {f.name: build(f"{prefix}.{f.name}", f.type) for f in field_type.fields}
            return StructPlace(field_type, inner)
        return ScalarPlace(field_type, FieldRef(*scalar_of(field_type), name, prefix))

    return {f.name: build(f.name, f.type) for f in kind.fields}


def unique(hint: str, taken: set[str]) -> str:
    """``hint``, with a number if it is taken."""
    name, number = hint, 0
    while name in taken:
        name = f"{hint}_{number}"
        number += 1
    taken.add(name)
    return name
