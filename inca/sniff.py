# SPDX-License-Identifier: GPL-2.0-only
"""Decode live traffic of interfaces: ``python -m inca.sniff INTERFACE...``; imports Scapy.

``inca sniff`` runs this with the interfaces of a node.
"""

from __future__ import annotations

import argparse
import json
import sys
from datetime import datetime
from typing import Any

from scapy.layers.inet import IP
from scapy.packet import NoPayload, Packet
from scapy.sendrecv import sniff
from scapy.utils import PcapWriter

from hosts.wire.esa_scapy import AETH, BTH, ESA

_OUR_LAYERS = (ESA, BTH)


def is_ours(packet: Packet) -> bool:
    """Whether a packet carries one of the project's headers."""
    return any(layer in packet for layer in _OUR_LAYERS)


def one_line(packet: Packet) -> str:
    """Time, addresses and what the packet is for."""
    when = datetime.fromtimestamp(float(packet.time)).strftime("%H:%M:%S.%f")
    where = getattr(packet, "sniffed_on", None) or ""
    if IP not in packet:
        return f"{when} {where:<12} {packet.summary()}"
    ends = f"{packet[IP].src} > {packet[IP].dst}"
    layer = next((packet[kind] for kind in (ESA, AETH, BTH) if kind in packet), None)
    what = layer.mysummary() if layer is not None else ""
    return f"{when} {where:<12} {ends:<25} {what or packet.summary()}"


def as_json(packet: Packet) -> dict[str, Any]:
    """The layers and their fields, as JSON can hold them."""
    layers: dict[str, Any] = {}
    layer = packet
    while layer and not isinstance(layer, NoPayload):
        fields = {str(name): _plain(value) for name, value in layer.fields.items()}
        layers[str(layer.name)] = fields
        layer = layer.payload
    return {
        "time": float(packet.time),
        "interface": getattr(packet, "sniffed_on", None),
        "bytes": len(packet),
        "layers": layers,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, int | float | str | None):
        return value
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return str(value)


def main() -> None:
    """Print packets until the count is reached or Ctrl-C."""
    parser = argparse.ArgumentParser(prog="inca sniff")
    parser.add_argument("interfaces", nargs="+")
    parser.add_argument("--count", type=int, default=0)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--pcap")
    chosen = parser.parse_args()
    writer = PcapWriter(chosen.pcap, sync=True) if chosen.pcap else None

    def show(packet: Packet) -> None:
        if writer is not None:
            writer.write(packet)
        if chosen.json:
            print(json.dumps(as_json(packet)), flush=True)
        elif chosen.full:
            print(packet.show2(dump=True), flush=True)
        else:
            print(one_line(packet), flush=True)

    def announce() -> None:
        print(f"listening on {', '.join(chosen.interfaces)}", file=sys.stderr, flush=True)

    sniff(
        iface=chosen.interfaces,
        prn=show,
        lfilter=None if chosen.all else is_ours,
        store=False,
        count=chosen.count,
        started_callback=announce,
    )


if __name__ == "__main__":
    main()
