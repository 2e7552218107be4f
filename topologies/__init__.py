# SPDX-License-Identifier: MIT
"""Networks as data, and bringing them up with Mininet.

``load("star4")`` gives a frozen `Topology`; ``with Network(topology) as net:``
makes it real and takes it down again.
"""

from topologies.catalog import load, names
from topologies.errors import NetworkError, TopologyError
from topologies.model import Endpoint, Host, Link, LinkModel, Switch, Topology
from topologies.network import LinkUsage, Network, NetworkOptions, RunningSwitch
from topologies.reader import parse, read

__all__ = [
    "Endpoint",
    "Host",
    "Link",
    "LinkModel",
    "LinkUsage",
    "Network",
    "NetworkError",
    "NetworkOptions",
    "RunningSwitch",
    "Switch",
    "Topology",
    "TopologyError",
    "load",
    "names",
    "parse",
    "read",
]
