# SPDX-License-Identifier: MIT
"""BMv2 JSON (format version 2) to `Program`.

The format is that of behavioral-model's ``docs/JSON_format.md``; additions that p4c writes but the
document does not have (``assert``, ``learn_lists``, ``field_lists``) are marked where they appear.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from softswitch.engine.document import Node
from softswitch.engine.errors import ConfigError
from softswitch.engine.load_controls import ControlLoader, ParserLoader
from softswitch.engine.load_expr import Scope
from softswitch.engine.program import (
    Action,
    Calculation,
    Checksum,
    Counter,
    Expr,
    Field,
    FieldList,
    Header,
    HeaderType,
    Meter,
    Param,
    Profile,
    Program,
    Register,
    Stack,
    Union,
    UnionStack,
)

MAX_FIELD_BITS = 16384
ALGORITHMS = frozenset(
    (
        "crc32",
        "crc32_custom",
        "crc16",
        "crc16_custom",
        "crcCCITT",
        "csum16",
        "cksum16",
        "xor16",
        "identity",
    )
)


def read_document(config: Path | str | Mapping[str, object]) -> tuple[Node, str]:
    """The document and its name, from a path, a JSON text or a parsed document."""
    if isinstance(config, Mapping):
        return Node(dict(config)), str(config.get("program", "program"))
    if isinstance(config, str) and config.lstrip().startswith("{"):
        text, name = config, "program"
    else:
        path = Path(config)
        try:
            text, name = path.read_text(encoding="utf-8"), path.name
        except OSError as e:
            raise ConfigError(str(path), f"cannot be read: {e.strerror}") from None
        except UnicodeDecodeError:
            raise ConfigError(str(path), "is not a text in UTF-8") from None
    try:
        raw = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as e:
        raise ConfigError(name, f"is not JSON: {e}") from None
    return Node(raw), name


def load(config: Path | str | Mapping[str, object]) -> Program:
    """Check ``config`` and resolve its references.

    Raises ConfigError, which names the place in the document.
    """
    document, name = read_document(config)
    try:
        return _Loader(document, name).program()
    except RecursionError:
        raise ConfigError(name, "expressions nest too deeply") from None


class _Loader:
    def __init__(self, document: Node, name: str) -> None:
        self.doc = document
        self.name = name
        if not isinstance(document.raw, dict):
            raise document.fail("expected an object")
        meta = document.get("__meta__")
        version = meta.get("version") if meta else None
        if version is not None and version[0].number() != 2:
            raise version.fail(f"format version {version[0].number()} is not supported, only 2")
        self.types = {t.name: t for t in map(self._header_type, document.items("header_types"))}
        self.scope = Scope()
        self._headers()

    def _header_type(self, n: Node) -> HeaderType:
        fields: list[Field] = []
        names: set[str] = set()
        varbits = 0
        listed = list(n["fields"])
        fixed = sum(f[1].size(MAX_FIELD_BITS) for f in listed if f[1].raw != "*")
        for f in listed:
            name, signed = f[0].text(), False
            if name in names:
                raise f.fail(f"field '{name}' appears twice")
            names.add(name)
            if isinstance(f.raw, list) and len(f.raw) > 2:
                signed = f[2].truth()
            if f[1].raw == "*":
                varbits += 1
                limit = n.get("max_length")
                if varbits > 1 or limit is None:
                    raise f.fail("a varbit field needs max_length, and there can be only one")
                width = limit.size(MAX_FIELD_BITS // 8) * 8 - fixed
                if width <= 0 or sum(x.width for x in fields) % 8:
                    raise f.fail("varbit field of no length or not on a byte boundary")
                fields.append(Field(name, width, varbit=True))
            else:
                fields.append(Field(name, f[1].size(MAX_FIELD_BITS), signed))
        return HeaderType(n["name"].text(), tuple(fields))

    def _headers(self) -> None:
        s, by_id, union_ids = self.scope, {}, {}
        for n in self.doc.items("headers"):
            type_ = self.types.get(n["header_type"].text())
            if type_ is None:
                raise n.fail(f"unknown header type '{n['header_type'].text()}'")
            h = Header(n["name"].text(), type_, n.flag("metadata"), n["id"].number())
            if not h.metadata and h.type.fixed_bits % 8:
                raise n.fail(f"header '{h.name}' is not a whole number of bytes")
            s.headers[h.name] = h
            by_id[h.id] = h.name

        def names(n: Node, key: str, ids: dict[int, str]) -> tuple[str, ...]:
            out = []
            for i in n[key]:
                if i.number() not in ids:
                    raise i.fail(f"unknown id {i.number()}")
                out.append(ids[i.number()])
            if not out:
                raise n.fail("is empty")
            return tuple(out)

        for n in self.doc.items("header_stacks"):
            members = names(n, "header_ids", by_id)
            type_ = s.headers[members[0]].type
            s.stacks[n["name"].text()] = Stack(n["name"].text(), type_, members)
        union_types = {
            n["name"].text(): tuple(m[0].text() for m in n["headers"])
            for n in self.doc.items("header_union_types")
        }
        for n in self.doc.items("header_unions"):
            type_name, members = n["union_type"].text(), names(n, "header_ids", by_id)
            labels = union_types.get(type_name, members)
            if len(labels) != len(members):
                raise n.fail(f"has {len(members)} members, its type {len(labels)}")
            u = Union(n["name"].text(), type_name, tuple(zip(labels, members, strict=True)))
            s.unions[u.name] = u
            union_ids[n["id"].number()] = u.name
        for n in self.doc.items("header_union_stacks"):
            ids = names(n, "header_union_ids", union_ids)
            s.union_stacks[n["name"].text()] = UnionStack(n["name"].text(), ids)

    def _action(self, n: Node) -> Action:
        params = tuple(
            Param(p["name"].text(), p["bitwidth"].size(MAX_FIELD_BITS))
            for p in n.items("runtime_data")
        )
        body = tuple(self.scope.primitive(p, len(params)) for p in n.items("primitives"))
        return Action(n["name"].text(), n["id"].number(), params, body, n.source())

    def _arrays(self) -> None:
        s = self.scope
        for n in self.doc.items("register_arrays"):
            r = Register(n["name"].text(), n["size"].size(), n["bitwidth"].size(MAX_FIELD_BITS))
            if r.width == 0:
                raise n.fail("cells of no width")
            s.registers[r.name] = r
        for n in self.doc.items("counter_arrays"):
            binding = n["binding"].text() if n.flag("is_direct") and n.get("binding") else None
            size = n.get("size")
            c = Counter(n["name"].text(), 0 if size is None else size.size(), binding)
            s.counters[c.name] = c
        for n in self.doc.items("meter_arrays"):
            direct = n.flag("is_direct")
            target = n.get("result_target")
            m = Meter(
                n["name"].text(),
                0 if direct else n["size"].size(),
                n["type"].text() == "bytes",
                n["binding"].text() if direct else None,
                s.field(target) if direct and target is not None else None,
            )
            s.meters[m.name] = m

    def _calculation(self, n: Node) -> Calculation:
        algo = n["algo"].text()
        if algo not in ALGORITHMS:
            raise n["algo"].fail(f"hash algorithm '{algo}' is not supported")
        return Calculation(n["name"].text(), algo, self._inputs(n["input"]))

    def _inputs(self, n: Node) -> tuple[tuple[str, Expr | None, int], ...]:
        out: list[tuple[str, Expr | None, int]] = []
        for i in n:
            kind = i["type"].text()
            if kind == "payload":
                out.append(("payload", None, 0))
            elif kind == "hexstr":
                width = i["bitwidth"].size(MAX_FIELD_BITS)
                value = i["value"].hex() & ((1 << width) - 1)
                out.append(("const", Expr("const", value), width))
            elif kind == "header":
                out.append(("header", self.scope.named(i, "header"), 0))
            elif kind == "field":
                e = self.scope.field(i["value"])
                out.append(("field", e, self.scope.width(e)))
            else:
                raise i.fail(f"input of type '{kind}' is not supported")
        return tuple(out)

    def _checksum(self, n: Node) -> Checksum:
        name = n["calculation"].text()
        if name not in self.scope.calculations:
            raise n.fail(f"unknown calculation '{name}'")
        condition, verify, update = n.get("if_cond"), n.get("verify"), n.get("update")
        return Checksum(
            self.scope.field(n["target"]),
            self.scope.calculations[name],
            verify is None or verify.truth(),
            update is None or update.truth(),
            None if condition is None else self.scope.expr(condition),
            n.source(),
        )

    def _field_list(self, n: Node) -> FieldList:
        fields = []
        for e in n["elements"]:
            kind = e["type"].text()
            if kind == "field":
                fields.append(self.scope.field(e["value"]))
            elif kind == "header":
                header = self.scope.headers[str(self.scope.named(e, "header").value)]
                fields += [Expr("field", (header.name, i)) for i in range(len(header.type.fields))]
            else:
                raise e.fail(f"element of type '{kind}' is not supported")
        return FieldList(n["id"].number(), n["name"].text(), tuple(fields))

    def _profiles(self) -> dict[str, Profile]:
        out = {}
        for pipeline in self.doc.items("pipelines"):
            for n in pipeline.items("action_profiles"):
                selector = n.get("selector")
                chosen = None
                if selector is not None:
                    algo = selector["algo"].text()
                    if algo not in ALGORITHMS:
                        raise selector["algo"].fail(f"hash algorithm '{algo}' is not supported")
                    inputs = self._inputs(selector["input"])
                    chosen = (algo, tuple(e for _, e, _ in inputs if e is not None))
                p = Profile(n["name"].text(), n["max_size"].size(), chosen)
                out[p.name] = p
        return out

    def program(self) -> Program:
        s, doc = self.scope, self.doc
        self._arrays()
        s.calculations.update(
            {c.name: c for c in map(self._calculation, doc.items("calculations"))}
        )
        errors = {e[0].text(): e[1].number() for e in doc.items("errors")}
        actions = tuple(self._action(a) for a in doc.items("actions"))
        controls = ControlLoader(s, actions, self._profiles())
        pipelines = {p["name"].text(): p for p in doc.items("pipelines")}
        for wanted in ("ingress", "egress"):
            if wanted not in pipelines:
                raise ConfigError("pipelines", f"there is no '{wanted}'")
        ingress = controls.control(pipelines["ingress"])
        egress = controls.control(pipelines["egress"])
        parser = ParserLoader(s, {v["name"].text(): v for v in doc.items("parse_vsets")})
        loaded_parser = parser.parser(list(doc.items("parsers")))
        return Program(
            name=self.name,
            headers=s.headers,
            stacks=s.stacks,
            unions=s.unions,
            union_stacks=s.union_stacks,
            errors=errors,
            parser=loaded_parser,
            value_sets=parser.value_sets(),
            deparser=self._deparser(),
            deparser_ops=tuple(
                s.primitive(p, 0) for d in doc.items("deparsers") for p in d.items("primitives")
            ),
            actions=actions,
            ingress=ingress,
            egress=egress,
            tables={t.name: t for t in (*ingress.tables, *egress.tables)},
            profiles=controls.finished_profiles(),
            calculations=s.calculations,
            checksums=tuple(self._checksum(c) for c in doc.items("checksums")),
            registers=s.registers,
            counters=s.counters,
            meters=s.meters,
            field_lists={f.id: f for f in map(self._field_list, doc.items("field_lists"))},
            digests={f.id: f for f in map(self._field_list, doc.items("learn_lists"))},
            aliases=self._aliases(),
        )

    def _deparser(self) -> tuple[str, ...]:
        order: list[str] = []
        for d in self.doc.items("deparsers"):
            for n in d["order"]:
                if n.text() not in self.scope.headers:
                    raise n.fail(f"unknown header '{n.text()}'")
                order.append(n.text())
            break
        return tuple(order)

    def _aliases(self) -> dict[tuple[str, str], str]:
        return {
            (a[1][0].text(), a[1][1].text()): a[0].text() for a in self.doc.items("field_aliases")
        }
