# SPDX-License-Identifier: MIT
"""Bring a topology up as a Mininet network, and take it down again."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from topologies import state as state_files
from topologies.errors import NetworkError
from topologies.model import FAULTS, Endpoint, Link, LinkModel, Topology
from topologies.targets import (
    BMV2,
    DEFAULT_CPU_PORT,
    SOFTSWITCH,
    PortModel,
    SwitchCommand,
    executable,
    netem_arguments,
)

if TYPE_CHECKING:
    from mininet.net import Mininet

CHECKOUT = Path(__file__).resolve().parent.parent
_LONGEST_INTERFACE_NAME = 15
_OFFLOADS = ("rx", "tx", "sg", "tso", "gso", "gro")
_TOOLS = {"mnexec": "mininet", "ip": "iproute2", "ethtool": "ethtool", "ifconfig": "net-tools"}


@dataclass(frozen=True)
class NetworkOptions:
    """How to bring a network up."""

    logs: Path = Path("logs")
    pcaps: Path | None = None
    """Write a capture per switch port there; None: no captures."""
    seed: int = 0
    """Of link faults; each link without a seed of its own gets one from this."""
    first_grpc_port: int = 50051
    """Switches listen on this port and the following, but for those in use."""
    extra: LinkModel | None = None
    """Faults to put on every link besides what the topology says."""


@dataclass(frozen=True)
class RunningSwitch:
    """Where to find a switch."""

    name: str
    device_id: int
    grpc_address: str
    cpu_port: int
    interfaces: Mapping[int, str]
    log: Path


@dataclass(frozen=True)
class LinkUsage:
    """What went over one direction of a link, as the kernel counts it."""

    link: Link
    source: Endpoint
    destination: Endpoint
    packets: int
    bytes: int


@dataclass
class Network:
    """A running network, between entering and leaving the context.

    Raises:
        NetworkError: no root, no Mininet, a switch that does not start; whatever
            had been made by then is removed again.
    """

    topology: Topology
    target: str = SOFTSWITCH
    options: NetworkOptions = field(default_factory=NetworkOptions)

    def __post_init__(self) -> None:
        self.switches: dict[str, RunningSwitch] = {}
        self._state: state_files.NetworkState | None = None
        self._mininet: Mininet | None = None
        self._agents: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # --- up and down

    def start(self) -> None:
        """Bring the network up and wait until every switch answers."""
        _check_machine(self.target)
        self._state = state_files.allocate(
            CHECKOUT, self.topology.name, self.target, self.options.logs.resolve()
        )
        try:
            self._build()
            self._start_switches()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Take everything down; does nothing the second time."""
        if self._state is None:
            return
        state, self._state = self._state, None
        state_files.end_sessions(
            state_files.Process.of(agent.pid) for agent in self._agents if agent.poll() is None
        )
        for agent in self._agents:
            agent.wait()
        try:
            if self._mininet is not None:
                self._mininet.stop()
        finally:
            self._mininet = None
            self.switches = {}
            state_files.clear(state)

    def _build(self) -> None:
        from mininet.net import Mininet

        from topologies.nodes import P4Host, P4Switch, Port, VethLink

        assert self._state is not None
        # Mininet.init() would raise kernel limits for the whole machine.
        Mininet.inited = True
        net = self._mininet = Mininet(controller=None, build=False, link=VethLink, intf=Port)
        for number, switch in enumerate(self.topology.switches, start=1):
            node = net.addSwitch(switch.name, cls=P4Switch, number=number, state=self._state)
            self._state.add_session(node.pid)
        for host in self.topology.hosts:
            node = net.addHost(
                host.name, cls=P4Host, description=host, peers=self.topology.hosts, ip=None
            )
            self._state.hosts[host.name] = {
                "pid": node.pid,
                "ip": host.ip,
                "mac": host.mac,
                "role": host.role,
                "interface": self.interface_name(self.topology.attachment(host.name)),
            }
            self._state.add_session(node.pid)
        for link in self.topology.links:
            self._add_link(net, link)
        net.build()
        self._shape(net)

    def _add_link(self, net: Mininet, link: Link) -> None:
        assert self._state is not None
        # A host first: its interface is made in its own namespace.
        ends = sorted((link.a, link.b), key=lambda end: end.port > 0)
        names = [self.interface_name(end) if end.port else "eth0" for end in ends]
        addresses = [None if end.port else self.topology.host(end.node).mac for end in ends]
        own = [name for name, end in zip(names, ends, strict=True) if end.port]
        self._state.interfaces += own
        self._state.save()
        known = {f"addr{i}": mac for i, mac in enumerate(addresses, start=1) if mac}
        net.addLink(
            ends[0].node,
            ends[1].node,
            ends[0].port,
            ends[1].port,
            intfName1=names[0],
            intfName2=names[1],
            **known,
        )
        for name in own:
            _quiet_port(name)

    def interface_name(self, end: Endpoint) -> str:
        """The interface of a switch port, in the root namespace."""
        assert self._state is not None
        name = f"inca{self._state.number}-{end.node}-{end.port}"
        if len(name) > _LONGEST_INTERFACE_NAME:
            index = [s.name for s in self.topology.switches].index(end.node)
            name = f"inca{self._state.number}.{index}.{end.port}"
        return name

    def _shape(self, net: Mininet) -> None:
        """What the target's own port model does not do, the kernel does."""
        for link in self.topology.links:
            model = self.model(link)
            for end in (link.a, link.b):
                device = self.interface_name(end) if end.port else "eth0"
                if self.target == BMV2 and netem_arguments(model):
                    words = ["netem", *netem_arguments(model)]
                elif self.target == SOFTSWITCH and not end.port and model.rate_bps:
                    words = _token_bucket(model)
                else:
                    continue
                command = " ".join(["tc", "qdisc", "replace", "dev", device, "root", *words])
                problem = net[end.node].cmd(command).strip()
                if problem:
                    raise NetworkError(
                        f"{link.name}: {problem.splitlines()[0]}: this kernel lacks the qdisc "
                        f"{words[0]!r}; leave the link's options out"
                    )

    def model(self, link: Link) -> LinkModel:
        """How a link behaves in this run: the topology's model, and the run's extra faults."""
        model, extra = link.model, self.options.extra
        if extra is not None:
            changes = {name: getattr(extra, name) for name in FAULTS if getattr(extra, name)}
            model = replace(model, **changes)
        if model.faulty and model.seed is None:
            index = self.topology.links.index(link)
            model = replace(model, seed=self.options.seed * len(self.topology.links) + index)
        return model

    def _start_switches(self) -> None:
        assert self._mininet is not None
        assert self._state is not None
        self._reserve_grpc_ports()
        for switch in self.topology.switches:
            models = {
                link.end(switch.name).port: PortModel.of(link, switch.name, self.model(link))
                for link in self.topology.links_of(switch.name)
            }
            interfaces = {
                port: self.interface_name(Endpoint(switch.name, port))
                for port in self.topology.ports(switch.name)
            }
            log = self.options.logs.resolve() / f"{switch.name}.log"
            address = self._state.switches[switch.name]["grpc"]
            node = self._mininet[switch.name]
            node.target = self.target
            node.command = SwitchCommand(
                switch, address, interfaces, models, log, self.options.pcaps
            )
            self.switches[switch.name] = RunningSwitch(
                switch.name,
                switch.device_id,
                address,
                switch.cpu_port or DEFAULT_CPU_PORT,
                interfaces,
                log,
            )
        self._mininet.start()
        for switch in self.topology.switches:
            self._mininet[switch.name].wait_ready()

    def _reserve_grpc_ports(self) -> None:
        assert self._state is not None
        switches = self.topology.switches
        with state_files.locked():
            ports = _free_ports(len(switches), self.options.first_grpc_port)
            for switch, port in zip(switches, ports, strict=True):
                self._state.switches[switch.name] = {
                    "grpc": f"127.0.0.1:{port}",
                    "device_id": switch.device_id,
                    "interfaces": [
                        self.interface_name(Endpoint(switch.name, port))
                        for port in self.topology.ports(switch.name)
                    ],
                }
            self._state.save()

    # --- while it runs

    @property
    def mininet(self) -> Mininet:
        """The Mininet object, for its CLI."""
        if self._mininet is None:
            raise NetworkError("the network is not up")
        return self._mininet

    @property
    def number(self) -> int:
        """Tells this network from others on the machine; part of its interfaces' names."""
        if self._state is None:
            raise NetworkError("the network is not up")
        return self._state.number

    def check(self) -> None:
        """Raise when a switch has ended.

        Raises:
            NetworkError: naming the switch, with the last line it wrote.
        """
        for switch in self.topology.switches:
            self.mininet[switch.name].check()

    def spawn(
        self, host: str, arguments: Sequence[str | Path], *, log: Path | None = None, **options: Any
    ) -> subprocess.Popen[bytes]:
        """Start a program in a host's namespace; it ends with the network at the latest.

        Args:
            host: name of the host.
            arguments: the command line.
            log: file for its output; None: as `options` say (stdout, stderr).
            options: of `subprocess.Popen`.
        """
        assert self._state is not None
        if log is not None:
            log.parent.mkdir(parents=True, exist_ok=True)
            with log.open("wb") as output:
                options.setdefault("stdout", output)
                options.setdefault("stderr", subprocess.STDOUT)
                process = self._popen(host, arguments, options)
        else:
            process = self._popen(host, arguments, options)
        self._agents.append(process)
        self._state.add_session(process.pid)
        return process

    def _popen(
        self, host: str, arguments: Sequence[str | Path], options: dict[str, Any]
    ) -> subprocess.Popen[bytes]:
        options.setdefault("stdin", subprocess.DEVNULL)
        # In Python, not by mnexec -d: its setsid would race with noting the session.
        process: subprocess.Popen[bytes] = self.mininet[host].popen(
            [str(a) for a in arguments],
            mncmd=["mnexec", "-a", str(self.mininet[host].pid)],
            start_new_session=True,
            **options,
        )
        return process

    def usage(self) -> list[LinkUsage]:
        """Packets and bytes of both directions of every link since it was made.

        Counted by the kernel at switch ports, before the faults of the port model
        on the way in, and after them on the way out.
        """
        rows = []
        for link in self.topology.links:
            for source, destination in ((link.a, link.b), (link.b, link.a)):
                at, way = (source, "tx") if source.port else (destination, "rx")
                folder = Path("/sys/class/net", self.interface_name(at), "statistics")
                packets, octets = (
                    int((folder / f"{way}_{what}").read_text()) for what in ("packets", "bytes")
                )
                rows.append(LinkUsage(link, source, destination, packets, octets))
        return rows


def _check_machine(target: str) -> None:
    if os.geteuid() != 0:
        raise NetworkError("networks need root: run the command with sudo")
    for tool, package in _TOOLS.items():
        if shutil.which(tool) is None:
            raise NetworkError(f"{tool} is not on PATH: apt-get install {package}")
    if importlib.util.find_spec("mininet") is None:
        raise NetworkError("this Python lacks mininet: tools/setup run links Debian's package")
    executable(target)


def _quiet_port(name: str) -> None:
    """Keep the machine's own IP stack off a switch port, and bring it up."""
    (Path("/proc/sys/net/ipv6/conf") / name / "disable_ipv6").write_text("1")
    subprocess.run(
        ["ethtool", "-K", name, *(word for offload in _OFFLOADS for word in (offload, "off"))],
        check=False,
        capture_output=True,
    )
    subprocess.run(["ip", "link", "set", name, "arp", "off", "up"], check=True)


def _token_bucket(model: LinkModel) -> list[str]:
    """Limit what a host sends: its switch cannot, being at the other end."""
    assert model.rate_bps is not None
    # A burst of 2 ms, or two frames: less and the timer's granularity limits the rate.
    burst = max(2 * 1514, model.rate_bps // 8 // 500)
    limit = (model.queue_packets or 100) * 1514
    return ["tbf", "rate", f"{model.rate_bps}bit", "burst", str(burst), "limit", str(limit)]


def _free_ports(count: int, first: int) -> list[int]:
    taken = {
        switch["grpc"].rpartition(":")[2]
        for state in state_files.running()
        for switch in state.switches.values()
    }
    found: list[int] = []
    for port in range(first, 65536):
        if len(found) == count:
            break
        if str(port) not in taken and _bindable(port):
            found.append(port)
    return found


def _bindable(port: int) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
