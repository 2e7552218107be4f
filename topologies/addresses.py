# SPDX-License-Identifier: MIT
"""Addresses that a topology file leaves out.

Host n of switch k is 10.0.k.n/24 with MAC 08:00:00:00:0k:nn, as in
p4lang/tutorials; its default gateway is 10.0.k.254, which resolves to the
switch's own MAC, 08:00:00:00:0k:00.
"""

from __future__ import annotations

from ipaddress import IPv4Interface

from topologies.model import Host

_GATEWAY_HOST = 254


def switch_mac(number: int) -> str:
    """The MAC that the gateway address of switch `number` (from 1) resolves to."""
    return f"08:00:00:00:{number:02x}:00"


def gateway_of(interface: IPv4Interface) -> str:
    """The gateway of a host's subnet: its last usable address but for /31 and /32."""
    network = interface.network
    if network.prefixlen > 30:
        return str(interface.ip)
    offset = min(_GATEWAY_HOST, network.num_addresses - 2)
    return str(network[offset])


def default_host(name: str, switch_number: int, host_number: int) -> Host:
    """Host `host_number` (from 1) of switch `switch_number` (from 1)."""
    interface = IPv4Interface(f"10.0.{switch_number}.{host_number}/24")
    return Host(
        name=name,
        interface=interface,
        mac=f"08:00:00:00:{switch_number:02x}:{host_number:02x}",
        gateway=gateway_of(interface),
        gateway_mac=switch_mac(switch_number),
    )
