# SPDX-License-Identifier: MIT
"""Hash inputs: fields joined most significant bit first, then the algorithm."""

from __future__ import annotations

from softswitch.engine.errors import ConfigError
from softswitch.engine.expr import ExprGen
from softswitch.engine.gen_headers import runs, store_run
from softswitch.engine.layout import Layout, c_type, unique
from softswitch.engine.program import Calculation, Checksum, Expr, Field, Source

FUNCTIONS = {
    "crc32": "crc32", "crc32_custom": "crc32", "crc16": "crc16", "crc16_custom": "crc16",
    "crcCCITT": "crc_ccitt", "csum16": "csum16", "cksum16": "csum16", "xor16": "xor16",
    "identity": "identity",
}  # fmt: skip


class CalcGen:
    """Generates one function for each calculation and each selector."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.names: dict[str, str] = {}
        self._taken: set[str] = set()

    def _inputs(
        self, inputs: tuple[tuple[str, Expr | None, int], ...]
    ) -> list[tuple[str | None, str, Field]]:
        """(header that must be valid, C path or constant, field) for each piece."""
        out: list[tuple[str | None, str, Field]] = []
        p = self.layout.program
        for kind, e, width in inputs:
            if kind == "payload" or e is None:
                continue
            if kind == "const" and isinstance(e.value, int):
                if width > 64:
                    raise ConfigError(e.where, "constant of more than 64 bits in a hash input")
                out.append((None, f"UINT64_C(0x{e.value:x})", Field("constant", width)))
            elif kind == "header":
                header = p.headers[str(e.value)]
                for i in range(len(header.type.fields)):
                    path, f = self.layout.field(header.name, i)
                    out.append((header.name, path, f))
            elif e.kind == "field":
                header_name, index = e.value
                path, f = self.layout.field(header_name, index)
                owner = None if p.headers[header_name].metadata else header_name
                out.append((owner, path, f))
            elif e.kind == "valid":
                out.append((None, ExprGen(self.layout).boolean(e), Field("valid", 1)))
            else:
                text = ExprGen(self.layout).value(e, 64).text
                out.append((None, text, Field("expression", max(width, 1))))
        return [x for x in out if x[2].width > 0]

    def function(self, name: str, calc: Calculation) -> list[str]:
        """The definition of ``hash_NAME(sw, h, p)``."""
        ident = self.names.setdefault(name, unique(name, self._taken))
        pieces = self._inputs(calc.inputs)
        payload = any(kind == "payload" for kind, _, _ in calc.inputs)
        room = sum(f.width for _, _, f in pieces) // 8 + 17
        function = f"ss_hash_{FUNCTIONS[calc.algo]}"
        out = [
            "SS_ACTION uint64_t",
            f"hash_{ident}(ss_switch *sw, const struct phv *h, const ss_packet *p)",
            "{",
        ]
        if payload:
            out.append(f"    uint8_t *buf = ss_scratch(sw, {room}u + p->payload_len);")
            out.append("    if (buf == NULL) { return 0; }")
            out.append(f"    memset(buf, 0, {room});")
        else:
            out.append(f"    uint8_t buf[{room}] = {{ 0 }};")
            out.append("    (void)sw; (void)p;")
        out += ["    (void)h;", "    uint32_t bits = 0;"]
        owners = sorted({o for o, _, _ in pieces if o is not None})
        has_varbit = any(f.varbit for _, _, f in pieces)
        dynamic = [f"    {line}" for line in self._dynamic(pieces)]
        if has_varbit:
            out += dynamic
        elif owners:
            test = " && ".join(f"{self.layout.header(o)}.valid" for o in owners)
            out += [f"    if ({test}) {{", *(f"        {s}" for s in self._static(pieces))]
            out += ["    } else {", *(f"    {s}" for s in dynamic), "    }"]
        else:
            out += [f"    {s}" for s in self._static(pieces)]
        out.append("    size_t n = (bits + 7) / 8;")
        if payload:
            out.append("    memcpy(buf + n, p->payload, p->payload_len);")
            out.append("    n += p->payload_len;")
        return [*out, f"    return {function}(buf, n);", "}"]

    def _static(self, pieces: list[tuple[str | None, str, Field]]) -> list[str]:
        out = []
        for offset, bits, members in runs([f.width for _, _, f in pieces]):
            _, path, f = pieces[members[0][0]]
            if f.limbs > 1:
                out.append(f"ss_w_store_bits(buf, {offset}, {bits}, {path});")
            else:
                terms = [
                    f"(uint64_t){pieces[j][1]} << {s}" if s else f"(uint64_t){pieces[j][1]}"
                    for j, s in members
                ]
                out.append(store_run("buf", offset, bits, " | ".join(terms)))
        return [*out, f"bits = {sum(f.width for _, _, f in pieces)};"]

    def _dynamic(self, pieces: list[tuple[str | None, str, Field]]) -> list[str]:
        out = []
        for owner, path, f in pieces:
            if f.varbit:
                body = (
                    f"if (bits % 8 == 0) {{ memcpy(buf + bits / 8, {path}.bytes, "
                    f"{path}.bits / 8u); bits += {path}.bits; }}"
                )
            elif f.limbs > 1:
                body = f"ss_w_store_bits(buf, bits, {f.width}, {path}); bits += {f.width};"
            else:
                body = f"ss_store_bits(buf, bits, {f.width}, (uint64_t){path}); bits += {f.width};"
            out.append(
                f"if ({self.layout.header(owner)}.valid) {{ {body} }}" if owner else f"{{ {body} }}"
            )
        return out

    def call(self, name: str) -> str:
        """C that computes the calculation."""
        return f"hash_{self.names[name]}(sw, h, p)"

    def checksum(self, c: Checksum, verify: bool) -> list[str]:
        """Statements that verify or update one checksum."""
        gen = ExprGen(self.layout)
        test = "true" if c.condition is None else gen.boolean(c.condition)
        pre = gen.take_pre()
        path, f = gen.lvalue(c.target)
        if f.width > 64:
            raise ConfigError(c.target.where, "checksum field of more than 64 bits")
        owner = str(c.target.value[0]) if c.target.kind == "field" else ""
        valid = (
            ""
            if self.layout.program.headers[owner].metadata
            else f"{self.layout.header(owner)}.valid && "
        )
        mask = f"UINT64_C(0x{(1 << f.width) - 1:x})"
        value = f"({self.call(c.calculation.name)} & {mask})"
        comment = [f"/* {clean(str(c.source))} */"] if c.source else []
        if verify:
            body = f"if ({path} != {value}) {{ h->std.checksum_error = 1; }}"
        else:
            body = f"{path} = ({c_type(f.width)}){value};"
        return [
            *comment,
            "{",
            *(f"    {s}" for s in pre),
            f"    if ({valid}{test}) {{ {body} }}",
            "}",
        ]


def origin(source: Source | None) -> str:
    """A C string for the trace: file, line and fragment of the P4 source."""
    if source is None or not source.line:
        return '""'
    return quote(f"{source.file}:{source.line}\t{clean(source.fragment)}")


def quote(text: str) -> str:
    """A C string literal."""
    out = []
    for byte in text.encode():
        plain = 32 <= byte < 127 and byte not in b'"\\?'
        out.append(chr(byte) if plain else f"\\{byte:03o}")
    return '"' + "".join(out) + '"'


def clean(text: str) -> str:
    """Text that can stand in a C comment."""
    return text.replace("*/", "* /").replace("/*", "/ *").replace("\\", "/")[:100]
