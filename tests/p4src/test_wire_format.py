# SPDX-License-Identifier: MIT
"""The P4 headers are the wire formats of hosts/, and constants have the same values."""

import re
from pathlib import Path

import pytest

from controller.aggregation import Event
from hosts.wire.esa import ESA, ESA_UDP_PORT, NO_WORKER, VERSION, Flag, MessageType, Op
from hosts.wire.fields import Header
from hosts.wire.internet import ETHERNET, IPV4, UDP

P4SRC = Path(__file__).parent.parent.parent / "p4src"
HEADERS = (P4SRC / "common/headers.p4").read_text()
TYPES = (P4SRC / "common/types.p4").read_text()
WIDTHS = {"mac_addr_t": 48, "ipv4_addr_t": 32, "msg_type_t": 4, "agg_op_t": 8}


def p4_fields(header: str) -> list[tuple[str, int]]:
    body = re.search(rf"header {header} {{(.*?)}}", HEADERS, re.S)
    assert body is not None
    found = re.findall(r"(?:bit<(\d+)>|(\w+)) (\w+);", body.group(1))
    return [(name, int(bits) if bits else WIDTHS[kind]) for bits, kind, name in found]


def p4_enum(name: str) -> dict[str, int]:
    body = re.search(rf"enum bit<\d+> {name} {{(.*?)}}", TYPES, re.S)
    assert body is not None
    return {key: int(value) for key, value in re.findall(r"(\w+) = (\d+)", body.group(1))}


def p4_constant(name: str) -> int:
    found = re.search(rf"const bit<\d+> {name} = (\w+);", TYPES)
    assert found is not None
    return int(found.group(1), 0)


@pytest.mark.parametrize(
    ("p4_name", "header"),
    [("ethernet_t", ETHERNET), ("ipv4_t", IPV4), ("udp_t", UDP), ("agg_t", ESA)],
)
def test_header_fields(p4_name: str, header: Header) -> None:
    assert p4_fields(p4_name) == [(f.name, f.bits) for f in header]


def test_enums() -> None:
    assert p4_enum("msg_type_t") == {kind.name: kind.value for kind in MessageType}
    assert p4_enum("agg_op_t") == {op.name: op.value for op in Op}
    assert p4_enum("job_event_t") == {event.name: event.value for event in Event}


def test_constants() -> None:
    assert p4_constant("AGG_UDP_PORT") == ESA_UDP_PORT
    assert p4_constant("AGG_VERSION") == VERSION
    assert p4_constant("NO_WORKER") == NO_WORKER
    for flag in Flag:
        assert p4_constant(f"FLAG_{flag.name}") == flag.value
    assert p4_constant("STICKY_FLAGS") == Flag.ECN | Flag.OVERFLOW
