# SPDX-License-Identifier: MIT
"""Mininet's host and switch, for P4 networks.

Importing this module imports Mininet, which is Debian's package and not on PyPI.
"""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from typing import Any

from mininet.link import Intf, Link
from mininet.node import Host as MininetHost
from mininet.node import Switch as MininetSwitch

from topologies.errors import NetworkError
from topologies.model import Host
from topologies.state import NetworkState, Process, end_sessions, wait_until
from topologies.targets import SwitchCommand

_READY_SECONDS = 30.0


class Port(Intf):  # type: ignore[misc]
    """An interface that is left alone until its node configures it."""

    def config(self, **_params: Any) -> dict[str, Any]:
        """Nothing: Mininet would run ifconfig for every interface."""
        return {}


class VethLink(Link):  # type: ignore[misc]
    """A veth pair; the network deletes all of them at once."""

    def stop(self) -> None:
        """Nothing."""


class P4Host(MininetHost):  # type: ignore[misc]
    """A host with one interface, eth0, that sends only what its programs send.

    No offloads (a switch in user space sees what is on the wire), no IPv6
    chatter, static ARP.
    """

    def __init__(self, name: str, description: Host, peers: Sequence[Host], **params: Any) -> None:
        self.description = description
        self.peers = peers
        super().__init__(name, **params)

    def config(self, **_params: Any) -> dict[str, Any]:
        """Bring eth0 up with its address, routes and neighbours."""
        me = self.description
        subnet = me.interface.network
        lines = [
            "sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1",
            "ip link set lo up",
            "ethtool -K eth0 rx off tx off sg off tso off gso off gro off",
            f"ip addr replace {me.interface} dev eth0",
            "ip link set eth0 up",
        ]
        for peer in self.peers:
            if peer.name != me.name and peer.interface.ip in subnet:
                lines.append(f"ip neigh replace {peer.ip} lladdr {peer.mac} dev eth0")
        if me.gateway != me.ip:
            lines.append(f"ip neigh replace {me.gateway} lladdr {me.gateway_mac} dev eth0")
            lines.append(f"ip route replace default via {me.gateway} dev eth0")
        problems = self.cmd(" && ".join(f"{line} >/dev/null" for line in lines))
        if problems.strip():
            raise NetworkError(f"{self.name}: cannot configure eth0: {problems.strip()}")
        # Mininet's own notion of the address, which its CLI substitutes.
        self.defaultIntf().ip, self.defaultIntf().prefixLen = me.ip, subnet.prefixlen
        for command in me.commands:
            self.cmd(command)
        return {}


class P4Switch(MininetSwitch):  # type: ignore[misc]
    """A switch process in the root namespace, with simple_switch_grpc's options."""

    def __init__(self, name: str, number: int, state: NetworkState, **params: Any) -> None:
        self.state = state
        self.command: SwitchCommand | None = None
        self.target = ""
        self.process: subprocess.Popen[bytes] | None = None
        super().__init__(name, dpid=f"{number:x}", **params)

    def start(self, _controllers: object = ()) -> None:
        """Start the process; `wait_ready` waits for it."""
        if self.command is None:
            raise NetworkError(f"{self.name}: no command to start it with")
        self.command.log.parent.mkdir(parents=True, exist_ok=True)
        if self.command.pcaps is not None:
            self.command.pcaps.mkdir(parents=True, exist_ok=True)
        with self.command.log.open("wb") as output:
            self.process = subprocess.Popen(
                self.command.arguments(self.target),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.state.add_session(self.process.pid)

    def wait_ready(self) -> None:
        """Wait until P4Runtime answers.

        Raises:
            NetworkError: the process ended, or does not answer in time.
        """
        import grpc

        assert self.command is not None
        options = [
            ("grpc.enable_http_proxy", 0),
            ("grpc.initial_reconnect_backoff_ms", 20),
            ("grpc.min_reconnect_backoff_ms", 20),
            ("grpc.max_reconnect_backoff_ms", 100),
        ]
        with grpc.insecure_channel(self.command.grpc_address, options=options) as channel:
            ready = grpc.channel_ready_future(channel)
            settled = wait_until(lambda: ready.done() or not self.alive, _READY_SECONDS)
            ready.cancel()
        self.check()
        if not settled:
            raise NetworkError(
                f"{self.name}: P4Runtime on {self.command.grpc_address} does not answer "
                f"after {_READY_SECONDS:g} s: see {self.command.log}"
            )

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self.process is not None and self.process.poll() is None

    def check(self) -> None:
        """Raise when the process has ended.

        Raises:
            NetworkError: with the last line it wrote.
        """
        if self.process is not None and self.process.poll() is not None:
            assert self.command is not None
            path = self.command.log
            lines = path.read_text(errors="replace").strip().splitlines()
            last = lines[-1].strip() if lines else "no output"
            code = self.process.returncode
            raise NetworkError(f"{self.name}: the switch ended (exit {code}): {last}: see {path}")

    def stop(self, deleteIntfs: bool = True) -> None:
        """End the process by its pid; its ports are the network's to delete."""
        if self.process is not None:
            if self.process.poll() is None:
                end_sessions([Process.of(self.process.pid)])
            self.process.wait()
            self.process = None
