# SPDX-License-Identifier: MIT
"""The constant tables that describe a program to the runtime (``ss_prog``)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from softswitch.engine.gen_calc import quote
from softswitch.engine.gen_tables import key_places
from softswitch.engine.layout import Layout, c_type
from softswitch.engine.program import Action, Register, Table

ARENA_START = 64
MATCH = {"exact": "SS_EXACT", "lpm": "SS_LPM", "ternary": "SS_TERNARY", "range": "SS_RANGE",
         "optional": "SS_TERNARY"}  # fmt: skip
COUNTER_BYTES = 16
METER_BYTES = 64


def width_bytes(width: int) -> int:
    """Bytes of a value of ``width`` bits on the control interface."""
    return (width + 7) // 8


def packed(values: Sequence[int], widths: Sequence[int]) -> bytes:
    """Values as big-endian bytes, one after the other."""
    return b"".join(v.to_bytes(width_bytes(w), "big") for v, w in zip(values, widths, strict=True))


def cell_bytes(width: int) -> int:
    """Bytes of a register cell."""
    if width > 64:
        return (width + 63) // 64 * 8
    return 1 if width <= 8 else 2 if width <= 16 else 4 if width <= 32 else 8


def _bytes_c(data: bytes) -> str:
    return f"(const uint8_t[]){{ {', '.join(str(b) for b in data)} }}" if data else "NULL"


def _array(kind: str, name: str, items: Iterable[str]) -> list[str]:
    listed = list(items)
    if not listed:
        return [f"static const {kind} {name}[1];"]
    return [f"static const {kind} {name}[] = {{", *(f"    {i}," for i in listed), "};"]


class Meta:
    """Generates definitions that the code needs and the tables at the end of the file."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.program = layout.program
        self.arena = ARENA_START
        self.offsets: dict[tuple[str, str], int] = {}
        p = self.program
        self.strides: dict[str, int] = {}
        self._place_registers()
        for c in p.counters.values():
            self._place("counter", c.name, c.size * COUNTER_BYTES)
        for m in p.meters.values():
            self._place("meter", m.name, m.size * METER_BYTES)

    def _place_registers(self) -> None:
        """Arrays of equal size are interleaved: what one packet touches lies side by side."""
        groups: dict[int, list[Register]] = {}
        for r in self.program.registers.values():
            groups.setdefault(r.size, []).append(r)
        for size, members in groups.items():
            members.sort(key=lambda r: -cell_bytes(r.width))
            stride = sum(cell_bytes(r.width) for r in members)
            if len(members) > 1:
                stride = (stride + 7) // 8 * 8
            self.arena = (self.arena + 63) // 64 * 64
            at = self.arena
            for r in members:
                self.offsets["register", r.name] = at
                self.strides[r.name] = stride
                at += cell_bytes(r.width)
            self.arena += (size * stride + 15) // 16 * 16

    def _place(self, kind: str, name: str, size: int) -> None:
        self.offsets[kind, name] = self.arena
        self.arena += (size + 15) // 16 * 16

    def definitions(self) -> list[str]:
        """Types and places of registers, counters and tables."""
        out = []
        for i, r in enumerate(self.program.registers.values()):
            at = self.offsets["register", r.name]
            if r.width <= 64:
                cell = c_type(r.width)
            else:
                cell = f"struct r{i}_cell"
                out.append(f"{cell} {{ uint64_t w[{(r.width + 63) // 64}]; }};")
            out.append(
                f"/* register {quote(r.name)}: bit<{r.width}>[{r.size}] */".replace('*/"', '"')
            )
            place = f"(sw)->arena + {at} + (size_t)(i) * {self.strides[r.name]}"
            out.append(f"#define R{i}(sw, i) (*({cell} *)(void *)({place}))")
        out += [
            f"#define C{i}_SIZE {c.size}u" for i, c in enumerate(self.program.counters.values())
        ]
        for i, t in enumerate(self.program.tables.values()):
            _, words = key_places(t)
            ranges = sum(k.kind == "range" for k in t.keys)
            out.append(f"#define T{i}_DATA (sizeof(ss_entry) + {words * 8 + ranges * 16})")
            sizes = self._data_size(self._actions(t))
            out.append(f"#define T{i}_STRIDE ((uint32_t)((T{i}_DATA + {sizes} + 7) & ~(size_t)7))")
        return [*out, ""]

    def _actions(self, t: Table) -> list[int]:
        extra = t.default_action
        return [*t.actions, *([] if extra is None or extra in t.actions else [extra])]

    def _data_size(self, actions: Iterable[int]) -> int:
        """Upper bound of the bytes of the largest action data; the same rule as in C."""
        return max((data_layout(self.program.actions[a])[1] for a in actions), default=0)

    def _action_rows(self) -> tuple[list[str], list[str]]:
        params, rows = [], []
        for i, a in enumerate(self.program.actions):
            offsets, size = data_layout(a)
            items = [
                f"{{ {p.width}, {at}, {stored_bytes(p.width)} }}"
                for p, at in zip(a.params, offsets, strict=True)
            ]
            if items:
                params.append(
                    f"static const ss_param_desc a{i}_params[] = {{ {', '.join(items)} }};"
                )
                for j, at in enumerate(offsets):
                    member = f"{self.layout.action_struct(i)}, {self.layout.param(a, j)}"
                    params.append(f'_Static_assert(offsetof({member}) == {at}, "layout");')
                params.append(
                    f'_Static_assert(sizeof({self.layout.action_struct(i)}) == {size}, "layout");'
                )
            wire = sum(width_bytes(p.width) for p in a.params)
            where = f"a{i}_params" if items else "NULL"
            rows.append(f"{{ {quote(a.name)}, {len(a.params)}, {size}, {wire}, {where} }}")
        return params, rows

    def _entries(self, i: int, t: Table) -> list[str]:
        widths = [k.width for k in t.keys]
        rows = []
        for e in t.entries:
            params = packed(e.params, [p.width for p in self.program.actions[e.action].params])
            key, arg = packed(e.values, widths), packed(e.args, widths)
            texts = [_bytes_c(key), _bytes_c(arg), _bytes_c(params), str(e.priority), str(e.action)]
            rows.append("{ " + ", ".join(texts) + " }")
        return _array("ss_const_entry", f"t{i}_entries", rows) if rows else []

    def _table(self, i: int, t: Table) -> tuple[list[str], str]:
        places, words = key_places(t)
        keys = [
            f"{{ {k.width}, {p.word}, {p.shift}, {MATCH[k.kind]} }}"
            for k, p in zip(t.keys, places, strict=True)
        ]
        before = _array("ss_key_desc", f"t{i}_key", keys)
        before += _array("uint16_t", f"t{i}_actions", (str(a) for a in self._actions(t)))
        before += self._entries(i, t)
        meter = self.program.meters.get(t.direct_meter) if t.direct_meter else None
        default = b""
        if t.default_action is not None:
            widths = [p.width for p in self.program.actions[t.default_action].params]
            default = packed(t.default_params, widths)
        fields = {
            "name": quote(t.name),
            "key": f"t{i}_key",
            "actions": f"t{i}_actions",
            "entries": f"t{i}_entries" if t.entries else "NULL",
            "default_params": _bytes_c(default),
            "default_action": -1 if t.default_action is None else t.default_action,
            "profile": -1 if t.profile is None else list(self.program.profiles).index(t.profile),
            "meter_bytes": -1 if meter is None else int(meter.counts_bytes),
            "keys": len(t.keys),
            "key_bytes": sum(width_bytes(k.width) for k in t.keys),
            "words": words,
            "n_actions": len(self._actions(t)),
            "n_entries": len(t.entries),
            "max_size": max(t.max_size, len(t.entries)),
            "data_size": self._data_size(self._actions(t)),
            "match": MATCH[t.match_kind],
            "ranges": sum(k.kind == "range" for k in t.keys),
            "with_counters": int(t.with_counters),
            "with_timeout": int(t.with_timeout),
            "default_action_const": int(t.default_action_const),
            "default_entry_const": int(t.default_entry_const),
        }
        return before, "{ " + ", ".join(f".{k} = {v}" for k, v in fields.items()) + " }"

    def _profiles(self) -> tuple[list[str], list[str]]:
        before, rows = [], []
        for i, p in enumerate(self.program.profiles.values()):
            before += _array("uint16_t", f"p{i}_actions", (str(a) for a in p.actions))
            rows.append(
                f"{{ {quote(p.name)}, p{i}_actions, {len(p.actions)}, {max(p.max_size, 1)}, "
                f"{self._data_size(p.actions)}, {int(p.selector is not None)} }}"
            )
        return before, rows

    def _array_rows(self) -> list[str]:
        p = self.program
        registers = [
            self._row(
                "register", r.name, r.size, r.width, cell_bytes(r.width), self.strides[r.name], 0
            )
            for r in p.registers.values()
        ]
        counters = [
            self._row("counter", c.name, c.size, 0, COUNTER_BYTES, COUNTER_BYTES, 0)
            for c in p.counters.values()
        ]
        meters = [
            self._row("meter", m.name, m.size, 0, METER_BYTES, METER_BYTES, int(m.counts_bytes))
            for m in p.meters.values()
        ]
        return [
            *_array("ss_array_desc", "registers", registers),
            *_array("ss_array_desc", "counters", counters),
            *_array("ss_array_desc", "meters", meters),
        ]

    def _row(self, kind: str, name: str, *numbers: int) -> str:
        values = ", ".join(str(n) for n in (self.offsets[kind, name], *numbers))
        return f"{{ {quote(name)}, {values} }}"

    def tables(self) -> list[str]:
        """The tables and ``ss_prog``."""
        p = self.program
        params, action_rows = self._action_rows()
        out = [*params, *_array("ss_action_desc", "actions", action_rows)]
        rows = []
        for i, t in enumerate(p.tables.values()):
            before, row = self._table(i, t)
            out += before
            rows.append(row)
        out += _array("ss_table_desc", "tables", rows)
        before, profile_rows = self._profiles()
        out += [*before, *_array("ss_profile_desc", "profiles", profile_rows), *self._array_rows()]
        vsets = (
            f"{{ {quote(v.name)}, {sum(map(width_bytes, v.widths))} }}"
            for v in p.value_sets.values()
        )
        out += _array("ss_vset_desc", "vsets", vsets)
        most = sum(p.headers[name].type.max_bytes for name in p.deparser)
        return [
            *out,
            f'_Static_assert(sizeof(ss_meter_cell) == {METER_BYTES}, "layout");',
            "const ss_program ss_prog = {",
            f"    .name = {quote(p.name)},",
            "    .actions = actions, .tables = tables, .profiles = profiles,",
            "    .registers = registers, .counters = counters, .meters = meters, .vsets = vsets,",
            f"    .n_actions = {len(p.actions)}, .n_tables = {len(p.tables)},",
            f"    .n_profiles = {len(p.profiles)},",
            f"    .n_registers = {len(p.registers)}, .n_counters = {len(p.counters)},",
            f"    .n_meters = {len(p.meters)}, .n_vsets = {len(p.value_sets)},",
            "    .phv_size = sizeof(struct phv),",
            "    .meta_size = offsetof(struct phv, headers_from_here),",
            f"    .max_header_bytes = {most}, .arena_size = {self.arena},",
            "};",
        ]


def stored_bytes(width: int) -> int:
    """Bytes of a parameter in the action data structure."""
    return cell_bytes(max(width, 1))


def data_layout(action: Action) -> tuple[list[int], int]:
    """Offsets and size of the C structure of an action's data, by the rules of C."""
    offsets, at, most = [], 0, 1
    for p in action.params:
        size = stored_bytes(p.width)
        align = min(size, 8)
        at = (at + align - 1) // align * align
        offsets.append(at)
        at, most = at + size, max(most, align)
    return offsets, (at + most - 1) // most * most
