# SPDX-License-Identifier: MIT
"""A whole network between datacenters in virtual time: the compiled switches, real frames.

Each DCI switch is the compiled `p4src/lcmp.p4` behind the embedded target's port model.  A
datacenter's hosts are flow senders and sinks with a line of their own each; the switches inside a
datacenter are its port's rate.  Same input, same result.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from controller.desired import SwitchState, difference
from controller.inprocess import install, update
from controller.multipath import MultipathOptions, states
from hosts.multipath.flow_sender import FlowSender, Line, SenderConfig
from hosts.multipath.flow_sink import FlowSink
from hosts.multipath.flow_wire import Kind, Message, frame_bytes, pack, unpack
from hosts.multipath.flows import FlowSpec
from hosts.multipath.switch import FlowKey
from softswitch.device import PortConfig
from softswitch.device.sim import SimDevice
from softswitch.engine import Pipeline
from topologies.datacenters import HOST_PORT, DataCenters, host_address

BIN_NS = 20_000_000
"""Width of the bins of link use."""
FIRST_SOURCE_PORT = 10_000
_HOST, _SWITCH, _ACTION = 0, 1, 2


class SimulationError(RuntimeError):
    """A simulation came to no end."""


@dataclass(frozen=True)
class LinkFailure:
    """A link between two datacenters goes down; the controller hears of it later."""

    a: int
    b: int
    at_ns: int
    notice_ns: int = 50_000_000


@dataclass(frozen=True)
class FlowResult:
    """What became of a flow; ``size`` as in the flow file, unscaled."""

    spec: FlowSpec
    fct_ns: int
    retransmitted: int
    recovered_ns: int | None


@dataclass
class _Flow:
    spec: FlowSpec
    key: FlowKey
    sender: FlowSender


class Simulation:
    """One run.

    Args:
        network: with its scale, which also divides the flows' sizes.
        pipeline: of `p4src/lcmp.p4`; each switch gets a clone.
        progress: told how many flows have completed.
    """

    def __init__(
        self,
        network: DataCenters,
        options: MultipathOptions,
        pipeline: Pipeline,
        flows: Sequence[FlowSpec],
        *,
        failure: LinkFailure | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> None:
        self.network = network
        self._options = options
        self._progress = progress
        self._ports = network.ports()
        self._peers = {
            (at, port): (peer, self._ports[peer, at]) for (at, peer), port in self._ports.items()
        }
        self._delays = {
            ends: 1000 * link.delay_us
            for link in network.links
            for ends in ((link.a, link.b), (link.b, link.a))
        }
        self.sent: Counter[tuple[int, int]] = Counter()
        """(datacenter, neighbour) -> bytes of data frames."""
        self.use: Counter[tuple[int, int, int]] = Counter()
        """(datacenter, neighbour, bin) -> bytes of all frames, by when they left."""
        self.now = 0
        self._events: list[tuple[int, int, int, int]] = []
        self._count = 0
        self._scheduled: dict[int, int] = {}
        self._states = states(network, options)
        self._devices = [self._device(i, pipeline) for i in range(len(network.dci))]
        self._config = SenderConfig(max(1, round(network.nic_bps / network.scale)))
        self._lines: dict[int, Line] = {}
        self._alarms: dict[int, int] = {}
        self._sinks: dict[FlowKey, FlowSink] = {}
        self._flows = self._prepare(flows)
        self._by_key = {flow.key: flow for flow in self._flows}
        self._numbers = {id(flow.sender): n for n, flow in enumerate(self._flows)}
        self._done = 0
        self._actions: list[Callable[[], None]] = []
        if failure is not None:
            self._at(failure.at_ns, lambda: self._cut(failure))
            self._at(failure.at_ns + failure.notice_ns, lambda: self._replan(failure))

    def _device(self, index: int, pipeline: Pipeline) -> SimDevice:
        own = pipeline.clone()
        install(own, self._states[f"s{index + 1}"])
        device = SimDevice()
        device.load(own)
        self._pipelines = [*getattr(self, "_pipelines", []), own]
        for link in self.network.topology().links:
            for end in (link.a, link.b):
                if end.node == f"s{index + 1}":
                    model = link.model
                    config = PortConfig(
                        end.port,
                        str(end),
                        model.rate_bps,
                        model.delay_us,
                        model.queue_packets or 64,
                    )
                    device.add_port(config)
        return device

    def _prepare(self, specs: Sequence[FlowSpec]) -> list[_Flow]:
        """Source ports count up per pair of hosts, in the order of the file, as published."""
        pairs: Counter[tuple[int, int]] = Counter()
        flows = []
        for spec in specs:
            sport = FIRST_SOURCE_PORT + pairs[spec.source, spec.destination]
            pairs[spec.source, spec.destination] += 1
            addresses = host_address(spec.source), host_address(spec.destination)
            size = max(1, round(spec.size / self.network.scale))
            start = round(spec.start * 1e9)
            sender = FlowSender(self._config, size, start)
            flows.append(_Flow(spec, FlowKey(*addresses, sport, spec.dport), sender))
            self._push(start, _HOST, len(flows) - 1)
        return flows

    def run(self, limit_ns: int = 120_000_000_000) -> list[FlowResult]:
        """Until every flow has completed.

        Raises:
            SimulationError: flows are left when virtual time reaches the limit.
        """
        try:
            while self._done < len(self._flows):
                if not self._events or self._events[0][0] > limit_ns:
                    left = len(self._flows) - self._done
                    raise SimulationError(
                        f"{left} of {len(self._flows)} flows are left at {self.now / 1e9:.3f} s"
                    )
                self.now, _, kind, number = heapq.heappop(self._events)
                if kind == _SWITCH:
                    self._turn_of_switch(number)
                elif kind == _HOST:
                    self._turn_of_flow(self._flows[number])
                else:
                    self._actions[number]()
        finally:
            for device in self._devices:
                device.close()
            for pipeline in self._pipelines:
                pipeline.close()
        return [self._result(flow) for flow in self._flows]

    @staticmethod
    def _result(flow: _Flow) -> FlowResult:
        sender = flow.sender
        assert sender.done_ns is not None
        return FlowResult(
            flow.spec, sender.done_ns - sender.start_ns, sender.retransmitted, sender.recovered_ns
        )

    def _push(self, time: int, kind: int, number: int) -> None:
        self._count += 1
        heapq.heappush(self._events, (time, self._count, kind, number))

    def _at(self, time: int, action: Callable[[], None]) -> None:
        self._actions.append(action)
        self._push(time, _ACTION, len(self._actions) - 1)

    def _turn_of_switch(self, index: int) -> None:
        device = self._devices[index]
        if self._scheduled.get(index) == self.now:
            del self._scheduled[index]
        device.advance(self.now)
        self._collect(index)

    def _collect(self, index: int) -> None:
        """Hand over what left a switch, and note when it has work next."""
        device = self._devices[index]
        for frame in device.frames():
            if frame.port == HOST_PORT:
                self._deliver(frame.data, frame.when_ns)
                continue
            peer, port = self._peers[index, frame.port]
            size = len(frame.data)
            left = frame.when_ns - self._delays[index, peer]
            self.use[index, peer, left // BIN_NS] += size
            if frame.data[44] == Kind.DATA:
                self.sent[index, peer] += size
            self._arrive(peer, port, frame.data, frame.when_ns)
        due = device.deadline()
        if due is not None and due < self._scheduled.get(index, due + 1):
            self._scheduled[index] = due
            self._push(due, _SWITCH, index)

    def _arrive(self, index: int, port: int, data: bytes, now: int) -> None:
        self._devices[index].receive(port, data, now)
        self._collect(index)

    def _deliver(self, data: bytes, now: int) -> None:
        parsed = unpack(data)
        assert parsed is not None, "a frame that no host sent"
        key, message = parsed
        if message.kind is Kind.DATA:
            sink = self._sinks.setdefault(key, FlowSink())
            back = FlowKey(key.destination, key.source, key.dport, key.sport, key.protocol)
            frame = pack(back, sink.on_data(message), frame_bytes(0), bytes(12))
            index = self.network.datacenter(key.destination - 0x0B000001 >> 8)
            self._arrive(index, HOST_PORT, frame, now)
            return
        forward = FlowKey(key.destination, key.source, key.dport, key.sport, key.protocol)
        flow = self._by_key[forward]
        fresh = flow.sender.done_ns is None
        flow.sender.on_ack(message.number, message.gap, now)
        if fresh and flow.sender.done_ns is not None:
            self._done += 1
            self._progress(self._done)
        elif message.gap:
            self._turn_of_flow(flow)

    def _turn_of_flow(self, flow: _Flow) -> None:
        """The flow's start, its timer, or a turn on its host's line."""
        sender, source = flow.sender, flow.spec.source
        mine = self._numbers[id(sender)]
        if self._alarms.get(mine, self.now) <= self.now:
            self._alarms.pop(mine, None)
        sender.on_timer(self.now)
        line = self._lines.setdefault(source, Line(self._config.line_bps))
        line.add(sender)
        index = self.network.datacenter(source)
        while (out := line.poll(self.now)) is not None:
            chosen, number = out
            payload = chosen.payload_of(number)
            message = Message(Kind.DATA, number, chosen.count)
            key = self._flows[self._numbers[id(chosen)]].key
            self._arrive(
                index, HOST_PORT, pack(key, message, frame_bytes(payload), bytes(12)), self.now
            )
            self._arm(chosen)
        if (at := line.next_poll()) is not None:
            self._push(max(at, self.now), _HOST, mine)
        self._arm(sender)

    def _arm(self, sender: FlowSender) -> None:
        """One event per flow waits for its timer; it finds out when it was put off."""
        due, number = sender.next_deadline(), self._numbers[id(sender)]
        if due is not None and due < self._alarms.get(number, due + 1):
            self._alarms[number] = due
            self._push(due, _HOST, number)

    def _cut(self, failure: LinkFailure) -> None:
        for a, b in ((failure.a, failure.b), (failure.b, failure.a)):
            self._devices[a].advance(self.now)
            self._collect(a)
            self._devices[a].set_carrier(self._ports[a, b], False)

    def _replan(self, failure: LinkFailure) -> None:
        after: dict[str, SwitchState] = states(
            self.network, self._options, [(failure.a, failure.b)]
        )
        for index, pipeline in enumerate(self._pipelines):
            name = f"s{index + 1}"
            self._devices[index].advance(self.now)
            self._collect(index)
            update(pipeline, difference(self._states[name], after[name]))
        self._states = after
