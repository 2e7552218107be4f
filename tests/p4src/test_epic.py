# SPDX-License-Identifier: MIT
"""The EPIC programs' headers, constants and sizes are those of hosts and controller."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.collective_rows import ChannelEvent
from controller.groups import MAX_CHANNELS, Capability
from hosts.collectives.description import HOST_QP
from hosts.wire.fields import Header
from hosts.wire.internet import AETH, BTH, ETHERNET, IPV4, ROCE_UDP_PORT, UDP
from hosts.wire.roce import Opcode

EPIC = Path(__file__).parents[2] / "p4src/epic"
HEADERS = (EPIC / "headers.p4").read_text()
TYPES = (EPIC / "types.p4").read_text()
SIZES = (EPIC / "sizes.p4").read_text()
WIDTHS = {"mac_addr_t": 48, "ipv4_addr_t": 32, "qpn_t": 24, "psn_t": 24}


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text, re.S)
    assert match is not None, pattern
    return match.group(1)


@pytest.mark.parametrize(
    ("name", "header"),
    [("ethernet_t", ETHERNET), ("ipv4_t", IPV4), ("udp_t", UDP), ("bth_t", BTH), ("aeth_t", AETH)],
)
def test_header_fields(name: str, header: Header) -> None:
    body = found(rf"header {name} {{(.*?)}}", HEADERS)
    fields = re.findall(r"(?:bit<(\d+)>|(\w+)) (\w+);", body)
    assert [(f, int(bits) if bits else WIDTHS[kind]) for bits, kind, f in fields] == [
        (f.name, f.bits) for f in header
    ]


def test_constants() -> None:
    assert int(found(r"ROCE_UDP_PORT = (\w+);", TYPES), 0) == ROCE_UDP_PORT
    assert int(found(r"OPCODE_SEND_ONLY = (\w+);", TYPES), 0) == Opcode.SEND_ONLY
    assert int(found(r"OPCODE_ACK = (\w+);", TYPES), 0) == Opcode.ACK
    events = re.findall(r"(\w+) = (\d+)", found(r"enum bit<4> channel_event_t {(.*?)}", TYPES))
    assert {name: int(value) for name, value in events} == {e.name: e.value for e in ChannelEvent}


def test_sizes() -> None:
    def size(name: str) -> int:
        return int(found(rf"#define {name} (\d+)", SIZES))

    program = Capability()
    assert size("SLOTS") == program.slots
    assert size("ACK_ROWS") == program.ack_rows
    assert size("FAN_IN") == program.fan_in
    assert size("LANES") == program.elements
    # Channel numbers stay below the bit that tells hosts' QPs from switches'.
    assert size("MAX_CHANNELS") == MAX_CHANNELS == HOST_QP
