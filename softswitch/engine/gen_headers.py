# SPDX-License-Identifier: MIT
"""C functions that read headers from bytes, write, copy and compare them."""

from __future__ import annotations

from collections.abc import Sequence

from softswitch.engine.errors import ConfigError
from softswitch.engine.layout import Layout, c_type
from softswitch.engine.program import Field, HeaderType


def runs(widths: Sequence[int]) -> list[tuple[int, int, list[tuple[int, int]]]]:
    """Neighbouring fields that together fill whole bytes.

    Returns (bit offset, bits, [(field index, shift)]); a run of more than 64 bits that could not be
    divided is given as single fields.
    """
    out: list[tuple[int, int, list[tuple[int, int]]]] = []
    start, at, members = 0, 0, []
    for i, w in enumerate(widths):
        members.append(i)
        at += w
        if at % 8 == 0 or i == len(widths) - 1:
            total, position = at - start, at
            if total <= 64:
                shifts = []
                for j in members:
                    position -= widths[j]
                    shifts.append(j)
                placed, left = [], total
                for j in shifts:
                    left -= widths[j]
                    placed.append((j, left))
                out.append((start, total, placed))
            else:
                offset = start
                for j in members:
                    out.append((offset, widths[j], [(j, 0)]))
                    offset += widths[j]
            start, members = at, []
    return out


def load_run(base: str, offset: int, bits: int) -> str:
    """C for the integer in ``bits`` bits at a constant bit offset."""
    if offset % 8 == 0 and bits % 8 == 0:
        return f"ss_load_be({base} + {offset // 8}, {bits // 8})"
    return f"ss_load_bits({base}, {offset}, {bits})"


def store_run(base: str, offset: int, bits: int, value: str) -> str:
    """C that writes an integer at a constant bit offset; bits around it are kept."""
    if offset % 8 == 0 and bits % 8 == 0:
        return f"ss_store_be({base} + {offset // 8}, {value}, {bits // 8});"
    return f"ss_store_bits({base}, {offset}, {bits}, {value});"


def mask_text(width: int) -> str:
    """C constant with ``width`` ones."""
    return f"UINT64_C(0x{(1 << width) - 1:x})"


class HeaderGen:
    """Generates the functions of one header type; varbit splits it into two fixed parts."""

    def __init__(self, layout: Layout, type_: HeaderType) -> None:
        self.layout = layout
        self.type = type_
        self.name = layout.types[type_.name]
        self.varbit = next((i for i, f in enumerate(type_.fields) if f.varbit), -1)

    def parts(self) -> tuple[list[tuple[int, Field]], list[tuple[int, Field]]]:
        """Fields before and after the varbit field."""
        listed = [(i, f) for i, f in enumerate(self.type.fields) if f.width > 0]
        if self.varbit < 0:
            return listed, []
        return (
            [x for x in listed if x[0] < self.varbit],
            [x for x in listed if x[0] > self.varbit],
        )

    def check(self) -> None:
        """Headers on the wire are whole bytes."""
        before, after = self.parts()
        for part in (before, after):
            if sum(f.width for _, f in part) % 8:
                raise ConfigError(
                    f"header_types '{self.type.name}'", "is not a whole number of bytes"
                )

    def _part(self, part: list[tuple[int, Field]], base: str, load: bool) -> list[str]:
        out = []
        for offset, bits, members in runs([f.width for _, f in part]):
            i, f = part[members[0][0]]
            if f.limbs > 1:
                path = f"x->{self.layout.member(self.type, i)}"
                if load:
                    out.append(f"ss_w_load_bits({path}, {f.limbs}, {base}, {offset}, {bits});")
                else:
                    out.append(f"ss_w_store_bits({base}, {offset}, {bits}, {path});")
            elif load:
                out += self._load(part, members, load_run(base, offset, bits))
            else:
                out.append(store_run(base, offset, bits, self._joined(part, members)))
        return out

    def _load(
        self, part: list[tuple[int, Field]], members: list[tuple[int, int]], word: str
    ) -> list[str]:
        if len(members) == 1:
            i, f = part[members[0][0]]
            return [f"x->{self.layout.member(self.type, i)} = ({c_type(f.width)}){word};"]
        lines = [f"w = {word};"]
        for j, shift in members:
            i, f = part[j]
            text = f"w >> {shift} & {mask_text(f.width)}" if shift else f"w & {mask_text(f.width)}"
            lines.append(f"x->{self.layout.member(self.type, i)} = ({c_type(f.width)})({text});")
        return lines

    def _joined(self, part: list[tuple[int, Field]], members: list[tuple[int, int]]) -> str:
        terms = []
        for j, shift in members:
            path = f"x->{self.layout.member(self.type, part[j][0])}"
            terms.append(f"(uint64_t){path} << {shift}" if shift else f"(uint64_t){path}")
        return " | ".join(terms)

    def load_c(self) -> list[str]:
        """``read_T(x, data[, bits of the varbit field])``."""
        before, after = self.parts()
        struct = self.layout.struct(self.type)
        extra = ", uint32_t bits" if self.varbit >= 0 else ""
        lines = [f"SS_INLINE void read_{self.name}({struct} *x, const uint8_t *data{extra})", "{"]
        body = self._part(before, "data", True)
        if self.varbit >= 0:
            member = self.layout.member(self.type, self.varbit)
            start = sum(f.width for _, f in before) // 8
            body += [
                f"memcpy(x->{member}.bytes, data + {start}, bits / 8);",
                f"x->{member}.bits = (uint16_t)bits;",
                f"data += {start} + bits / 8;",
            ]
            body += self._part(after, "data", True)
        if any(line.startswith("w = ") for line in body):
            body.insert(0, "uint64_t w;")
        tail = [] if body else ["(void)data;"]
        return [*lines, *(f"    {b}" for b in [*body, *tail, "x->valid = 1;"]), "}"]

    def store_c(self) -> list[str]:
        """``write_T(x, out)``: returns the end of what it wrote."""
        before, after = self.parts()
        struct = self.layout.struct(self.type)
        lines = [f"SS_INLINE uint8_t *write_{self.name}(const {struct} *x, uint8_t *out)", "{"]
        body = self._part(before, "out", False)
        size = sum(f.width for _, f in before) // 8
        if self.varbit >= 0:
            member = self.layout.member(self.type, self.varbit)
            body += [
                f"memcpy(out + {size}, x->{member}.bytes, x->{member}.bits / 8u);",
                f"out += {size} + x->{member}.bits / 8u;",
            ]
            body += self._part(after, "out", False)
            size = sum(f.width for _, f in after) // 8
        tail = [] if body else ["(void)x;"]
        return [*lines, *(f"    {b}" for b in [*body, *tail, f"return out + {size};"]), "}"]

    def bytes_text(self, path: str) -> str:
        """C for the number of bytes on the wire."""
        fixed = self.type.fixed_bits // 8
        if self.varbit < 0:
            return f"{fixed}u"
        return f"({fixed}u + {path}.{self.layout.member(self.type, self.varbit)}.bits / 8u)"

    def equal_c(self) -> list[str]:
        """``equal_T(a, b)``: both invalid, or both valid with equal fields."""
        struct = self.layout.struct(self.type)
        tests = []
        for i, f in enumerate(self.type.fields):
            name = self.layout.member(self.type, i)
            if f.varbit:
                tests.append(f"ss_varbit_equal(&a->{name}, &b->{name})")
            elif f.limbs > 1:
                tests.append(f"memcmp(a->{name}, b->{name}, sizeof a->{name}) == 0")
            else:
                tests.append(f"a->{name} == b->{name}")
        joined = "\n            && ".join(["a->valid", *tests])
        return [
            f"SS_INLINE bool equal_{self.name}(const {struct} *a, const {struct} *b)",
            "{",
            "    return a->valid == b->valid && (!a->valid ||",
            f"           ({joined}));",
            "}",
        ]

    def copy_c(self) -> list[str]:
        """``copy_T(a, b)``: a becomes b; of an invalid header only the validity is taken."""
        struct = self.layout.struct(self.type)
        return [
            f"SS_INLINE void copy_{self.name}({struct} *a, const {struct} *b)",
            "{",
            "    if (b->valid) {",
            "        *a = *b;",
            "    } else {",
            "        a->valid = 0;",
            "    }",
            "}",
        ]
