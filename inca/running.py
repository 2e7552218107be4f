# SPDX-License-Identifier: MIT
"""Finding the nodes of networks that are running on this machine."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from topologies import state


class NotRunningError(Exception):
    """No running network has the node that was asked for."""


def _find(kind: str, name: str) -> dict[str, Any]:
    networks = [network for network in state.running() if network.owner.alive]
    if not networks:
        raise NotRunningError("no network is running: start one with make topo TOPO=star4")
    known: list[str] = []
    # The newest first: what somebody has just started is what they mean.
    for network in reversed(networks):
        nodes: dict[str, dict[str, Any]] = getattr(network, kind)
        if name in nodes:
            return nodes[name]
        known += nodes
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean {close[0]!r}?" if close else f"running: {', '.join(known)}"
    raise NotRunningError(
        f"no running {kind.removesuffix('es').removesuffix('s')} {name!r}: {hint}"
    )


def newest() -> tuple[dict[str, dict[str, Any]], dict[str, dict[str, Any]]]:
    """Switches and hosts of the network that was started last, as `switch` and `host` give them.

    Raises:
        NotRunningError: no network is running.
    """
    networks = [network for network in state.running() if network.owner.alive]
    if not networks:
        raise NotRunningError("no network is running: start one with make topo TOPO=star4")
    return networks[-1].switches, networks[-1].hosts


def names(kind: str) -> set[str]:
    """Names of all running nodes of a kind: ``hosts`` or ``switches``."""
    networks = [network for network in state.running() if network.owner.alive]
    return {name for network in networks for name in getattr(network, kind)}


def switch(name: str) -> dict[str, Any]:
    """Where a running switch answers: ``grpc``, ``device_id``.

    Raises:
        NotRunningError: there is none of that name.
    """
    return _find("switches", name)


def host(name: str) -> dict[str, Any]:
    """A running host: ``pid`` of a process in its namespace, ``ip``, ``mac``, ``role``.

    Raises:
        NotRunningError: there is none of that name.
    """
    return _find("hosts", name)
