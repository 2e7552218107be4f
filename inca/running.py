# SPDX-License-Identifier: MIT
"""Finding the nodes of networks that are running on this machine."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from inca.paths import ROOT
from topologies import state

KINDS = {"hosts": "host", "switches": "switch"}


class NotRunningError(Exception):
    """No running network has the node that was asked for."""


def _networks(number: int | None) -> list[state.NetworkState]:
    """Living networks, those of this checkout and the newest first."""
    living = [n for n in state.running() if n.owner.alive and number in (None, n.number)]
    return sorted(living, key=lambda n: (n.checkout == str(ROOT), n.owner.start), reverse=True)


def _find(kind: str, name: str, number: int | None) -> dict[str, Any]:
    networks = _networks(number)
    if not networks:
        which = "no network" if number is None else f"no network {number}"
        raise NotRunningError(f"{which} is running: start one with make topo TOPO=star4")
    known: list[str] = []
    for network in networks:
        nodes: dict[str, dict[str, Any]] = getattr(network, kind)
        if name in nodes:
            return nodes[name]
        known += [node for node in nodes if node not in known]
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"running: {', '.join(known)}"
    raise NotRunningError(f"no running {KINDS[kind]} {name!r}: {hint}")


def newest(
    number: int | None = None,
) -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Switches and hosts of the network that was started last, as `switch` and `host` give them.

    Raises:
        NotRunningError: no network is running.
    """
    networks = _networks(number)
    if not networks:
        raise NotRunningError("no network is running: start one with make topo TOPO=star4")
    return networks[0].switches, networks[0].hosts


def names(kind: str, network: int | None = None) -> set[str]:
    """Names of all running nodes of a kind, ``hosts`` or ``switches``."""
    return {name for found in _networks(network) for name in getattr(found, kind)}


def switch(name: str, network: int | None = None) -> dict[str, Any]:
    """Where a running switch answers: ``grpc``, ``device_id``.

    Raises:
        NotRunningError: there is none of that name.
    """
    return _find("switches", name, network)


def host(name: str, network: int | None = None) -> dict[str, Any]:
    """A running host: ``pid`` in its namespace, ``ip``, ``mac``, ``role``, ``interface``.

    Raises:
        NotRunningError: there is none of that name.
    """
    return _find("hosts", name, network)
