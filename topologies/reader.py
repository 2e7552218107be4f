# SPDX-License-Identifier: MIT
"""Read and check a topology: the ``topology.json`` of p4lang/tutorials, and more keys.

The document has ``hosts``, ``switches`` and ``links``.  A link is a list: two
ends (``"h1"`` or ``"s1-p2"``), then, as in the tutorials, an optional latency
(a number is milliseconds) and bandwidth (Mbit/s), then optionally an object
with ``rate``, ``delay``, ``queue``, ``loss``, ``duplicate``, ``reorder``,
``corrupt`` and ``seed``.  A host may have a ``role``.  What is left out (IP and
MAC addresses, device ids) is derived: see `topologies.addresses`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from ipaddress import IPv4Address, IPv4Interface
from pathlib import Path
from typing import Any

from topologies import addresses
from topologies.datacenters import DataCenters, read_datacenters
from topologies.errors import TopologyError
from topologies.model import Endpoint, Host, Link, LinkModel, Switch, Topology
from topologies.units import parse_delay, parse_probability, parse_rate

_NODE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,7}")
_SWITCH_END = re.compile(r"(?P<node>[A-Za-z][A-Za-z0-9_]*)-p(?P<port>[0-9]+)")
_MAC = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_MAX_PORT = 507  # above lie the CPU port (510), the drop port (511) and spare ones
_HOST_KEYS = ("ip", "mac", "gateway", "role", "commands")
_SWITCH_KEYS = ("device_id", "cpu_port", "priority_queues", "program", "runtime_json", "cli_input")


def _positive(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        raise ValueError(f"bad number {value!r}: a whole number above zero")
    return value


def _natural(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"bad number {value!r}: a whole number, zero or more")
    return value


_LINK_KEYS: dict[str, tuple[str, Callable[[object], Any]]] = {
    "rate": ("rate_bps", parse_rate),
    "delay": ("delay_us", parse_delay),
    "queue": ("queue_packets", _positive),
    "loss": ("loss", parse_probability),
    "duplicate": ("duplicate", parse_probability),
    "reorder": ("reorder", parse_probability),
    "corrupt": ("corrupt", parse_probability),
    "seed": ("seed", _natural),
}


class _Reader:
    """Turns one document into a `Topology`, naming the key at fault."""

    def __init__(self, name: str, source: Path | None) -> None:
        self.name = name
        self.source = source

    def fail(self, key: str, message: str, hint: str = "") -> TopologyError:
        return TopologyError(message, source=self.source, key=key, hint=hint)

    def read(self, document: object) -> Topology:
        top = self.mapping(document, "", ("hosts", "switches", "links", "name"))
        switches = tuple(
            self.switch(name, body, index)
            for index, (name, body) in enumerate(
                self.mapping(top.get("switches", {}), "switches").items(), start=1
            )
        )
        self.unique([(f"switches.{s.name}", "device_id", s.device_id) for s in switches])
        host_bodies = self.mapping(top.get("hosts", {}), "hosts")
        for name in host_bodies:
            if any(s.name == name for s in switches):
                raise self.fail(f"hosts.{name}", "this name is a switch too", "rename one of them")
        links = self.links(top.get("links", []), set(host_bodies), {s.name for s in switches})
        hosts = self.hosts(host_bodies, switches, links)
        return Topology(str(top.get("name", self.name)), hosts, switches, links, self.source)

    def mapping(
        self, value: object, key: str, known: Sequence[str] | None = None
    ) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            what = f"expected an object, found {type(value).__name__}"
            raise self.fail(key, what, 'write "name": {...}' if key else "")
        for name in value:
            if known is not None and name not in known:
                where = f"{key}.{name}" if key else name
                raise self.fail(where, f"unknown key {name!r}", _suggest(name, known))
            if known is None and not _NODE_NAME.fullmatch(name):
                raise self.fail(
                    f"{key}.{name}",
                    f"bad node name {name!r}",
                    "at most 8 letters, digits and _, a letter first",
                )
        return value

    def converted(self, key: str, value: object, convert: Callable[[object], Any]) -> Any:
        try:
            return convert(value)
        except ValueError as error:
            raise self.fail(key, str(error)) from None

    def unique(self, rows: list[tuple[str, str, object]]) -> None:
        seen: dict[object, str] = {}
        for where, key, value in rows:
            if value in seen:
                raise self.fail(
                    f"{where}.{key}", f"{value} is taken by {seen[value]}", "choose another"
                )
            seen[value] = where

    def switch(self, name: str, body: object, index: int) -> Switch:
        where = f"switches.{name}"
        values = self.mapping(body, where, _SWITCH_KEYS)

        def path(key: str) -> Path | None:
            base = self.source.parent if self.source else Path()
            return base / str(values[key]) if key in values else None

        cpu_port = values.get("cpu_port")
        return Switch(
            name=name,
            device_id=self.converted(
                f"{where}.device_id", values.get("device_id", index), _natural
            ),
            mac=addresses.switch_mac(index),
            cpu_port=None
            if cpu_port is None
            else self.converted(f"{where}.cpu_port", cpu_port, _positive),
            priority_queues=self.converted(
                f"{where}.priority_queues", values.get("priority_queues", 1), _positive
            ),
            program=path("program"),
            runtime_json=path("runtime_json"),
        )

    def links(self, value: object, hosts: set[str], switches: set[str]) -> tuple[Link, ...]:
        if not isinstance(value, list):
            raise self.fail("links", "expected a list", 'write "links": [["h1", "s1-p1"]]')
        links: list[Link] = []
        taken: dict[Endpoint, str] = {}
        for index, row in enumerate(value):
            where = f"links[{index}]"
            link = self.link(row, where, hosts, switches)
            for end in (link.a, link.b):
                if end in taken:
                    what = "port" if end.port else "host"
                    raise self.fail(
                        where, f"{what} {end} is taken by {taken[end]}", "choose another"
                    )
                taken[end] = where
            links.append(link)
        return tuple(links)

    def link(self, row: object, where: str, hosts: set[str], switches: set[str]) -> Link:
        if not isinstance(row, list) or len(row) < 2:
            raise self.fail(where, "a link names two ends", 'write ["h1", "s1-p1"]')
        a = self.end(row[0], where, hosts, switches)
        b = self.end(row[1], where, hosts, switches)
        if not a.port and not b.port:
            raise self.fail(where, "a link needs a switch at one end", "connect hosts to a switch")
        if a.node == b.node:
            raise self.fail(where, f"both ends are at {a.node}", "connect two nodes")
        return Link(a, b, self.link_model(row[2:], where))

    def end(self, value: object, where: str, hosts: set[str], switches: set[str]) -> Endpoint:
        text = str(value)
        if text in hosts:
            return Endpoint(text, 0)
        if text in switches:
            raise self.fail(where, f"{text!r} lacks a port", f'write "{text}-p1"')
        match = _SWITCH_END.fullmatch(text)
        if match is None:
            hint = _suggest(text, sorted(hosts)) or 'add it to "hosts"'
            raise self.fail(where, f"unknown host {text!r}", hint)
        if match["node"] not in switches:
            hint = _suggest(match["node"], sorted(switches)) or 'add it to "switches"'
            raise self.fail(where, f"unknown switch {match['node']!r}", hint)
        port = int(match["port"])
        if not 1 <= port <= _MAX_PORT:
            raise self.fail(where, f"bad port {port}", f"ports go from 1 to {_MAX_PORT}")
        return Endpoint(match["node"], port)

    def link_model(self, rest: list[object], where: str) -> LinkModel:
        options = rest[-1] if rest and isinstance(rest[-1], dict) else {}
        positional = rest[: len(rest) - bool(options or (rest and rest[-1] == {}))]
        if len(positional) > 2:
            raise self.fail(where, "too many values", "[end, end, latency, bandwidth, {options}]")
        values: dict[str, Any] = {}
        for value, key in zip(positional, ("delay", "rate"), strict=False):
            name, convert = _LINK_KEYS[key]
            if value is not None:
                values[name] = self.converted(where, value, convert)
        for key, value in self.mapping(options, where, tuple(_LINK_KEYS)).items():
            name, convert = _LINK_KEYS[key]
            if name in values:
                raise self.fail(f"{where}.{key}", f"{key} is given twice", "keep one of them")
            values[name] = self.converted(f"{where}.{key}", value, convert)
        return LinkModel(**values)

    def hosts(
        self, bodies: Mapping[str, Any], switches: tuple[Switch, ...], links: tuple[Link, ...]
    ) -> tuple[Host, ...]:
        attached: dict[str, Endpoint] = {}
        for link in links:
            for end in (link.a, link.b):
                if not end.port:
                    attached[end.node] = link.peer(end.node)
        hosts: list[Host] = []
        on_switch: dict[str, int] = {}
        for name, body in bodies.items():
            if name not in attached:
                raise self.fail(f"hosts.{name}", "this host has no link", 'add one to "links"')
            switch = attached[name].node
            on_switch[switch] = on_switch.get(switch, 0) + 1
            number = [s.name for s in switches].index(switch) + 1
            default = addresses.default_host(name, number, on_switch[switch])
            hosts.append(self.host(default, body))
        self.unique([(f"hosts.{h.name}", "ip", h.ip) for h in hosts])
        self.unique([(f"hosts.{h.name}", "mac", h.mac) for h in hosts])
        return tuple(hosts)

    def host(self, default: Host, body: object) -> Host:
        where = f"hosts.{default.name}"
        values = self.mapping(body, where, _HOST_KEYS)
        host = default
        if "ip" in values:
            text = str(values["ip"])
            interface = self.converted(
                f"{where}.ip",
                text if "/" in text else f"{text}/24",
                lambda v: IPv4Interface(str(v)),
            )
            host = replace(host, interface=interface, gateway=addresses.gateway_of(interface))
        if "mac" in values:
            if not _MAC.fullmatch(str(values["mac"])):
                raise self.fail(
                    f"{where}.mac", f"bad MAC {values['mac']!r}", "six hex bytes with :"
                )
            host = replace(host, mac=str(values["mac"]).lower())
        if "gateway" in values:
            gateway = self.converted(f"{where}.gateway", values["gateway"], _address)
            host = replace(host, gateway=str(gateway))
        commands = values.get("commands", [])
        if not isinstance(commands, list) or not all(isinstance(c, str) for c in commands):
            raise self.fail(f"{where}.commands", "expected a list of strings", 'write ["ip route"]')
        return replace(host, role=str(values.get("role", "")), commands=tuple(commands))


def _address(value: object) -> IPv4Address:
    return IPv4Address(str(value))


def _suggest(name: str, known: Sequence[str]) -> str:
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else ""


def parse(document: object, *, name: str = "topology", source: Path | None = None) -> Topology:
    """Check a parsed JSON document and turn it into a `Topology`.

    Raises:
        TopologyError: naming the key at fault.
    """
    return _Reader(name, source).read(document)


def read(path: Path) -> Topology:
    """Read a topology file.

    Raises:
        TopologyError: no such file, no JSON, or naming the key at fault.
    """
    document = _document(path)
    if isinstance(document, dict) and "datacenters" in document:
        return replace(_datacenters(document, path).topology(), source=path)
    return parse(document, name=path.stem, source=path)


def read_scaled(path: Path, scale: float | None = None) -> DataCenters:
    """Read a file that names a network between datacenters and its scale.

    Args:
        scale: instead of the file's.

    Raises:
        TopologyError: no such file, or naming the key or line at fault.
    """
    document = _document(path)
    if not isinstance(document, dict) or "datacenters" not in document:
        raise TopologyError("no datacenters in it", source=path, hint="see topologies/dc8.json")
    return _datacenters(document if scale is None else {**document, "scale": scale}, path)


def _document(path: Path) -> object:
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise TopologyError(
            error.strerror or str(error), source=path, hint="check the path"
        ) from None
    try:
        return json.loads(text)
    except ValueError as error:
        raise TopologyError(f"not JSON: {error}", source=path, hint="mend the syntax") from None


def _datacenters(document: dict[str, Any], path: Path) -> DataCenters:
    known = ("name", "datacenters", "scale")
    for key in document:
        if key not in known:
            raise TopologyError(
                f"unknown key {key!r}", source=path, key=key, hint=_suggest(key, known)
            )
    scale = document.get("scale", 1)
    if isinstance(scale, bool) or not isinstance(scale, int | float) or scale <= 0:
        raise TopologyError(
            f"bad scale {scale!r}", source=path, key="scale", hint="give a number above zero"
        )
    name = str(document.get("name", path.stem))
    return read_datacenters(path.parent / str(document["datacenters"]), name, float(scale))
