# SPDX-License-Identifier: MIT
"""How each switch target is started; both take simple_switch_grpc's options."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from topologies.errors import NetworkError
from topologies.model import FAULTS, Link, LinkModel, Switch

SOFTSWITCH = "softswitch"
BMV2 = "bmv2"
TARGETS = (SOFTSWITCH, BMV2)
DEFAULT_CPU_PORT = 510


@dataclass(frozen=True)
class PortModel:
    """What the switch does to packets at one port."""

    outbound: LinkModel
    inbound: LinkModel | None
    """Faults of the other direction, when nobody at the other end can apply them: a host's."""

    @classmethod
    def of(cls, link: Link, switch: str, model: LinkModel) -> PortModel:
        """The part of a link's model that a switch applies.

        Each direction gets a seed of its own, or the same packets would suffer in both.
        """
        away, here = (0, 1) if link.a.node == switch else (1, 0)
        from_host = not link.peer(switch).port
        inbound = LinkModel(**{name: getattr(model, name) for name in FAULTS})
        return cls(_seeded(model, away), _seeded(inbound, here, model) if from_host else None)


def _seeded(model: LinkModel, direction: int, source: LinkModel | None = None) -> LinkModel:
    seed = (source or model).seed
    return replace(model, seed=None if seed is None else 2 * seed + direction)


@dataclass(frozen=True)
class SwitchCommand:
    """What a switch process is started with."""

    switch: Switch
    grpc_address: str
    interfaces: Mapping[int, str]
    """Port number -> interface name."""
    models: Mapping[int, PortModel]
    """Port number -> what the switch does to packets there."""
    log: Path
    """Gets what the process prints."""
    pcaps: Path | None = None

    def arguments(self, target: str) -> list[str]:
        """The command line.

        Raises:
            NetworkError: the target is not on this machine, or unknown.
        """
        common = ["--device-id", str(self.switch.device_id)]
        for port, interface in self.interfaces.items():
            common += ["-i", f"{port}@{interface}"]
        if self.pcaps is not None:
            common += ["--pcap", str(self.pcaps)]
        common += ["--log-console", "--log-level", "info", "--no-p4"]
        cpu_port = self.switch.cpu_port or DEFAULT_CPU_PORT
        own = ["--", "--grpc-server-addr", self.grpc_address, "--cpu-port", str(cpu_port)]
        return [*executable(target), *common, *self._port_options(target), *own]

    def _port_options(self, target: str) -> list[str]:
        if target != SOFTSWITCH:
            return []
        options = []
        for port, model in self.models.items():
            text = port_config(model, self.switch.priority_queues)
            if text:
                options += ["--port-config", f"{port}:{text}"]
        return options


def executable(target: str) -> list[str]:
    """The program of a target.

    Raises:
        NetworkError: it is not on this machine, or unknown.
    """
    if target == SOFTSWITCH:
        return [sys.executable, "-m", "softswitch.server"]
    if target == BMV2:
        path = shutil.which("simple_switch_grpc")
        if path is None:
            raise NetworkError(
                "simple_switch_grpc is not on PATH: install p4lang's packages, "
                "or leave TARGET=bmv2 out"
            )
        return [path]
    raise NetworkError(f"unknown target {target!r}: one of {', '.join(TARGETS)}")


def port_config(model: PortModel, priorities: int = 1) -> str:
    """A port as the value of ``--port-config PORT:...``; empty when nothing is set."""
    out = model.outbound
    values: dict[str, object] = {}
    if out.rate_bps is not None:
        values["rate"] = out.rate_bps
    if out.delay_us:
        values["delay"] = f"{out.delay_us}us"
    if out.queue_packets is not None:
        values["queue"] = out.queue_packets
    if priorities > 1:
        values["priorities"] = priorities
    values |= _faults(out, "")
    if model.inbound is not None:
        values |= _faults(model.inbound, "in_")
    return ",".join(f"{key}={value}" for key, value in values.items())


def _faults(model: LinkModel, prefix: str) -> dict[str, object]:
    if not model.faulty:
        return {}
    values = {f"{prefix}{name}": getattr(model, name) for name in FAULTS if getattr(model, name)}
    return values if model.seed is None else {**values, f"{prefix}seed": model.seed}


def netem_arguments(model: LinkModel) -> list[str]:
    """A link as arguments of ``tc qdisc ... netem``, for targets without a port model."""
    words: list[str] = []
    if model.delay_us:
        words += ["delay", f"{model.delay_us}us"]
    if model.queue_packets is not None:
        words += ["limit", str(model.queue_packets)]
    for fault in FAULTS:
        probability = getattr(model, fault)
        if probability:
            words += [fault, f"{probability * 100:g}%"]
    if model.reorder and not model.delay_us:
        # netem reorders by sending some packets ahead of a delay.
        words = ["delay", "1ms", *words]
    if model.rate_bps is not None:
        words += ["rate", f"{model.rate_bps}bit"]
    return words
