# SPDX-License-Identifier: MIT
"""Multipath rows over real P4Runtime servers, without interfaces and without root."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack
from pathlib import Path

import topologies
from controller import Controller, Program
from controller.multipath import options_for, states
from hosts.multipath.decision import Policy
from hosts.multipath.flow_wire import Kind, Message, pack
from hosts.multipath.switch import FlowKey
from softswitch.frontend import compile_p4
from softswitch.server.local import LocalDataPlane
from softswitch.server.options import ServerOptions
from softswitch.server.process import SwitchProcess
from topologies.datacenters import HOST_PORT, host_address

P4SRC = Path(__file__).parents[2] / "p4src"


def test_a_dead_link_moves_a_flow(tmp_path: Path) -> None:
    network = topologies.load_datacenters("dc8")
    topology = network.topology()
    program = Program(tmp_path / "lcmp.json", tmp_path / "lcmp.p4info.txtpb")
    compile_p4(P4SRC / "lcmp.p4").write(program.json_path, program.p4info_path)
    options = options_for(network, Policy.LCMP, parity=False)
    flow = FlowKey(host_address(3), host_address(120), 10000, 100)
    frame = pack(flow, Message(Kind.DATA, 0, 1), 60, bytes(12))
    with ExitStack() as stack:
        servers = {
            switch.name: stack.enter_context(
                SwitchProcess(
                    ServerOptions(
                        device_id=switch.device_id,
                        grpc_address="127.0.0.1:0",
                        dataplane_address="127.0.0.1:0",
                        cpu_port=510,
                    )
                )
            )
            for switch in topology.switches
        }
        for server in servers.values():
            server.start()

        def sent() -> list[int]:
            plane = servers["s1"].device
            assert isinstance(plane, LocalDataPlane)
            return [port for port, _ in plane.process(HOST_PORT, frame)]

        async def work() -> None:
            addresses = {name: server.address for name, server in servers.items()}
            async with Controller(topology, addresses) as controller:
                await controller.push(program)
                assert sent() == []
                before = states(network, options)
                await controller.apply(before)
                assert await controller.read() == before
                (port,) = sent()
                assert [port] == sent()
                (peer,) = (p for (at, p), n in network.ports().items() if (at, n) == (0, port))
                after = states(network, options, [(0, peer)])
                written = await controller.apply(after)
                assert written["s1"]  # its own link
                assert written["s8"]  # the way back leads there too
                assert await controller.read() == after
                (other,) = sent()
                assert other != port
                await controller.apply(before)
                assert sent() == [other]  # pinned to where it moved

        asyncio.run(work())
