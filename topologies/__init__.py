# SPDX-License-Identifier: MIT
"""Networks as data, and bringing them up with Mininet.

``load("star4")`` gives a frozen `Topology`; ``with Network(topology) as net:``
makes it real and takes it down again.
"""

from topologies.catalog import load, load_datacenters, names
from topologies.datacenters import DataCenters
from topologies.errors import NetworkError, TopologyError
from topologies.model import Endpoint, Host, Link, LinkModel, Switch, Topology
from topologies.network import LinkUsage, Network, NetworkOptions, RunningSwitch
from topologies.reader import parse, read

__all__ = [
    "DataCenters",
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
    "load_datacenters",
    "names",
    "parse",
    "read",
]
