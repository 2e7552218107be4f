# SPDX-License-Identifier: MIT
"""What `p4src/lcmp.p4` wants to be told, as rows and default actions."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from controller.desired import Action, Key, SwitchState, row
from controller.errors import ControllerError
from hosts.multipath.cost import CostModel
from hosts.multipath.decision import MAX_CANDIDATES, Candidate
from hosts.multipath.switch import SwitchConfig

CONFIG = "LcmpIngress.multipath_config.multipath_config"
ROUTES = "LcmpIngress.route.routes"
NEIGHBOURS = "LcmpIngress.neighbours"
PROFILES = "LcmpEgress.signals.port_profiles"
WEIGHTS = "LcmpEgress.signals.congestion_weights"
PORTS = 64
"""Ports that may be candidates: the live mask has a bit for each."""
ALL_LIVE = (1 << PORTS) - 1


def live_mask(dead_ports: Iterable[int]) -> int:
    """Bit p is set unless port p is down."""
    mask = ALL_LIVE
    for port in dead_ports:
        mask &= ~(1 << port)
    return mask


def config_action(config: SwitchConfig, dead_ports: Iterable[int] = ()) -> Action:
    """The default action that holds the settings of the whole switch: one write per event."""
    weights = config.model.weights
    args = {
        "policy": int(config.policy),
        "parity": int(config.parity),
        "seed": config.seed,
        "alpha": weights.alpha,
        "beta": weights.beta,
        "total_shift": weights.total_shift,
        "threshold": config.threshold,
        "live_mask": live_mask(dead_ports),
        "idle_after": config.idle_after_us,
        "stale_after": config.stale_after_us,
    }
    return Action("LcmpIngress.multipath_config.configure", tuple(args.items()))


def settings(config: SwitchConfig, dead_ports: Iterable[int] = ()) -> SwitchState:
    """Default actions of both sides of the switch."""
    weights = config.model.weights
    fuse = {
        "queue_weight": weights.queue,
        "trend_weight": weights.trend,
        "duration_weight": weights.duration,
        "shift": weights.congestion_shift,
    }
    return SwitchState(
        defaults={
            CONFIG: config_action(config, dead_ports),
            WEIGHTS: Action("LcmpEgress.signals.fuse", tuple(fuse.items())),
        }
    )


def remote(
    destination: int, prefix_len: int, candidates: Sequence[Candidate], where: str = ""
) -> tuple[Key, Action]:
    """The row of a destination behind candidate next hops, in the order in which they hash.

    Raises:
        ControllerError: no candidate, more than the switch holds, or a port or weight beyond it.
    """
    if not candidates:
        raise ControllerError("unreachable destination", where=where, hint="connect it by a link")
    if len(candidates) > MAX_CANDIDATES:
        raise ControllerError(
            f"{len(candidates)} candidate next hops, but a switch holds {MAX_CANDIDATES}",
            where=where,
            hint="ask for fewer first hops, or remove parallel links",
        )
    args = {"candidates": len(candidates)}
    for i in range(MAX_CANDIDATES):
        known = candidates[i] if i < len(candidates) else Candidate(0, 0, 0)
        if known.port >= PORTS or known.weight > 255:
            raise ControllerError(
                f"candidate port {known.port} with weight {known.weight}",
                where=where,
                hint=f"ports go up to {PORTS - 1}, weights up to 255",
            )
        args |= {f"port_{i}": known.port, f"path_{i}": known.path_cost, f"weight_{i}": known.weight}
    match = [("hdr.ipv4.dst_addr", (destination, prefix_len))]
    return row(ROUTES, match, "LcmpIngress.route.remote", **args)


def remote_key(destination: int, prefix_len: int) -> Key:
    """What names the row of a destination."""
    return Key(ROUTES, (("hdr.ipv4.dst_addr", (destination, prefix_len)),))


def local(destination: int, port: int, mac: int, prefix_len: int = 32) -> tuple[Key, Action]:
    """The row of hosts behind a port of this switch."""
    match = [("hdr.ipv4.dst_addr", (destination, prefix_len))]
    return row(ROUTES, match, "LcmpIngress.route.local", port=port, dst_addr=mac)


def neighbour(port: int, own_mac: int, mac: int) -> tuple[Key, Action]:
    """Addresses of frames to the switch behind a port."""
    action = "LcmpIngress.to_neighbour"
    return row(NEIGHBOURS, [("meta.port", port)], action, src_addr=own_mac, dst_addr=mac)


def profile(
    port: int, *, every_us: int, drained: int, model: CostModel, packet_bytes: int = 1
) -> tuple[Key, Action]:
    """How a port's queue is sampled.

    Args:
        every_us: time between samples.
        drained: packets that the port sends in that time.
        model: gives the levels in bytes.
        packet_bytes: what a packet counts for, since the switch counts packets.
    """
    levels = {
        f"from_{i}": -(-level // packet_bytes) for i, level in enumerate(model.queue_thresholds())
    }
    action = "LcmpEgress.signals.sample"
    return row(
        PROFILES, [("sm.egress_port", port)], action, every=every_us, drain=drained, **levels
    )
