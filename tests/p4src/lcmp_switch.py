# SPDX-License-Identifier: MIT
"""`p4src/lcmp.p4` and its integer model side by side."""

from __future__ import annotations

import struct

from controller import multipath_rows as rows
from controller.desired import Action, SwitchState
from controller.inprocess import install
from hosts.multipath.decision import Candidate
from hosts.multipath.switch import FlowKey, SwitchConfig, SwitchModel
from softswitch.engine import Pipeline
from softswitch.engine.match import Lpm
from tests.p4src.conftest import Loaded

CONGESTION, SAMPLED = "port_congestion", "port_sampled"


def checksum(header: bytes) -> int:
    """The Internet checksum of an IPv4 header whose checksum is zero."""
    total = sum(struct.unpack(f"!{len(header) // 2}H", header))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def frame(flow: FlowKey, ttl: int = 64, size: int = 60) -> bytes:
    """A frame of a flow, with `size` bytes in all."""
    fields = (0x45, 0, size - 14, 0, 0, ttl, flow.protocol)
    addresses = flow.source.to_bytes(4, "big") + flow.destination.to_bytes(4, "big")
    head = struct.pack("!BBHHHBB", *fields)
    ip = head + checksum(head + b"\0\0" + addresses).to_bytes(2, "big") + addresses
    ports = struct.pack("!HH", flow.sport, flow.dport)
    return (bytes(12) + b"\x08\x00" + ip + ports).ljust(size, b"\0")


def state_of(
    config: SwitchConfig,
    routes: dict[int, tuple[Candidate, ...]],
    dead_ports: set[int],
) -> SwitchState:
    """What a controller would write."""
    table = dict(rows.remote(to, 32, candidates) for to, candidates in routes.items())
    return SwitchState(rows=table) | rows.settings(config, dead_ports)


class Pair:
    """The program in a pipeline and the model, told and asked the same."""

    def __init__(
        self,
        loaded: Loaded,
        config: SwitchConfig,
        routes: dict[int, tuple[Candidate, ...]],
        dead_ports: set[int] | None = None,
    ) -> None:
        self.pipeline: Pipeline = loaded.fresh()
        self.model = SwitchModel(config, dict(routes), set(dead_ports or ()))
        install(self.pipeline, state_of(config, routes, self.model.dead_ports))
        self.pipeline.digests()

    def set_congestion(self, port: int, score: int, taken: int) -> None:
        self.pipeline.registers[CONGESTION][port] = score
        self.pipeline.registers[SAMPLED][port] = taken
        self.model.congestion[port] = (score, taken)

    def _values(self, action: Action) -> list[int]:
        params = {a.name: [p.name for p in a.params] for a in self.pipeline.program.actions}
        given = dict(action.args)
        return [given[name] for name in params[action.name]]

    def set_route(self, to: int, candidates: tuple[Candidate, ...]) -> None:
        """Change the candidates of a destination."""
        self.model.routes[to] = candidates
        _, action = rows.remote(to, 32, candidates)
        table = self.pipeline.tables[rows.ROUTES]
        (entry,) = (e for e in table.entries() if e.match == (Lpm(to, 32),))
        table.modify(entry.handle, action.name, self._values(action))

    def set_dead(self, ports: set[int]) -> None:
        self.model.dead_ports = set(ports)
        action = rows.config_action(self.model.config, ports)
        self.pipeline.tables[rows.CONFIG].set_default(action.name, self._values(action))

    def packet(self, flow: FlowKey, now: int) -> int | None:
        """Send one packet through both; they agree on port, costs and whether it was pinned."""
        out = self.pipeline.process(60, frame(flow), now)
        port = out[0][0] if out else None
        outcome = self.model.forward(flow, now)
        assert port == outcome.port, (flow, now, outcome)
        told = self.pipeline.digests()
        assert len(told) == outcome.stored
        if told:
            assert outcome.decision is not None
            values = told[0].values
            assert values[:4] == (flow.source, flow.destination, flow.sport, flow.dport)
            count = values[6]
            assert values[7] == port
            assert values[8 : 8 + count] == outcome.decision.costs
        return port
