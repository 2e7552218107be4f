# SPDX-License-Identifier: MIT
"""The controller against real P4Runtime servers, without interfaces and without root."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import finsy as fy
import pytest

import topologies
from controller import (
    AggregatorConfig,
    Controller,
    ControllerError,
    JobBook,
    JobRequest,
    Program,
    ProgramError,
    SwitchState,
    SwitchUnavailableError,
    SyncController,
    WriteError,
    row,
)
from controller.accounting import (
    clear_job_events,
    job_events,
    network_events,
    network_slots,
    reclaim_job,
)
from controller.aggregation import EVENTS, Event
from controller.attach import attached
from controller.inspection import held_slots, peek, question, reclaim
from hosts.wire.esa import ENCAPSULATION, ESA, MessageType
from softswitch.frontend import compile_p4
from softswitch.server.local import LocalDataPlane
from softswitch.server.options import ServerOptions
from softswitch.server.process import SwitchProcess
from topologies import Topology

P4SRC = Path(__file__).parent.parent.parent / "p4src"
SMALL = {"LANES": "4", "AGGREGATORS": "64"}


@pytest.fixture(scope="session")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Program]:
    folder = tmp_path_factory.mktemp("built")

    def program(name: str) -> Program:
        made = Program(folder / f"{name}.json", folder / f"{name}.p4info.txtpb")
        if not made.json_path.exists():
            compile_p4(P4SRC / f"{name}.p4", defines=SMALL).write(made.json_path, made.p4info_path)
        return made

    return program


class Fleet:
    """A switch process (without interfaces) for each switch of a topology."""

    def __init__(self, topology: Topology, stack: ExitStack) -> None:
        self.topology = topology
        self._stack = stack
        self.switches: dict[str, SwitchProcess] = {}
        for switch in topology.switches:
            self.start(switch.name)

    def start(self, name: str, address: str = "127.0.0.1:0") -> None:
        options = ServerOptions(
            device_id=self.topology.switch(name).device_id,
            grpc_address=address,
            dataplane_address="127.0.0.1:0",
            cpu_port=510,
        )
        self.switches[name] = self._stack.enter_context(SwitchProcess(options))
        self.switches[name].start()

    @property
    def addresses(self) -> dict[str, str]:
        return {name: switch.address for name, switch in self.switches.items()}

    def send(self, name: str, port: int, frame: bytes) -> list[tuple[int, bytes]]:
        plane = self.switches[name].device
        assert isinstance(plane, LocalDataPlane)
        return plane.process(port, frame)


@pytest.fixture
def fleet() -> Iterator[Callable[[str], Fleet]]:
    with ExitStack() as stack:
        yield lambda name: Fleet(topologies.load(name), stack)


def depth(controller: Controller) -> int:
    return controller.session("s1").register_depth("IncaIngress.slot.bitmap") or 0


def job(name: str, workers: str) -> JobRequest:
    return JobRequest(name, tuple(workers.split()), "ps")


@pytest.mark.parametrize("name", ["star4", "two-rack"])
def test_switches_hold_what_they_should(
    name: str, fleet: Callable[[str], Fleet], build: Callable[[str], Program]
) -> None:
    net = fleet(name)
    book = JobBook(net.topology, AggregatorConfig(aggregators=8), register_depth=64)

    async def work() -> None:
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            assert depth(controller) == 64
            book.admit(job("a", "h1 h2 h3"))
            states = book.states()
            written = await controller.apply(states)
            assert all(written.values())
            assert await controller.read() == states
            again = await controller.apply(states)
            assert not any(again.values())
            book.admit(job("b", "h1 h4"))
            book.remove("a")
            await controller.apply(book.states())
            assert await controller.read() == book.states()

    asyncio.run(work())


def test_foreign_rows_are_removed_and_changed_ones_repaired(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program]
) -> None:
    net = fleet("star4")
    book = JobBook(net.topology, register_depth=64)
    states = book.states()

    async def work() -> None:
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            await controller.apply(states)
            switch = controller.session("s1").switch
            route = "IncaIngress.ipv4_forward.ipv4_lpm"
            to_nowhere = fy.Action("IncaIngress.ipv4_forward.route", dst_addr=1, port=9)
            await switch.write(
                [
                    +fy.P4TableEntry(
                        route,
                        match=fy.Match({"hdr.ipv4.dst_addr": (0x0B000000, 8)}),
                        action=to_nowhere,
                    ),
                    ~fy.P4TableEntry(
                        route,
                        match=fy.Match({"hdr.ipv4.dst_addr": (0x0A000101, 32)}),
                        action=to_nowhere,
                    ),
                    +fy.P4MulticastGroupEntry(77, replicas=[1, 2]),
                ]
            )
            difference = (await controller.apply(states))["s1"]
            assert len(difference.delete_rows) == 1
            assert len(difference.modify_rows) == 1
            assert difference.delete_groups == (77,)
            assert await controller.read() == states

    asyncio.run(work())


def test_new_controller_takes_over_running_jobs(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program]
) -> None:
    net = fleet("two-rack")

    async def first() -> dict[str, SwitchState]:
        book = JobBook(net.topology, register_depth=64)
        book.admit(job("a", "h1 h5"))
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            await controller.apply(book.states())
        return book.states()

    async def second(before: dict[str, SwitchState]) -> None:
        book = JobBook(net.topology, register_depth=64)
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            held = await controller.read()
            assert held == before
            (found,) = book.recover(held)
            assert found.job == 1
            book.admit(job("b", "h2 h6"))
            written = await controller.apply(book.states())
            assert not any(d.delete_rows or d.modify_rows for d in written.values())
            assert await controller.read() == book.states()

    asyncio.run(second(asyncio.run(first())))


def test_switch_that_comes_back_is_programmed_again(
    fleet: Callable[[str], Fleet],
    build: Callable[[str], Program],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # finsy waits 10 s before it connects again to a switch that was up for less than 2 s.
    monkeypatch.setattr("finsy.switch._FAIL_THROTTLE_SECS", 0.1)
    net = fleet("star4")
    book = JobBook(net.topology, register_depth=64)
    book.admit(job("a", "h1 h2"))

    async def work() -> None:
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            await controller.apply(book.states())
            address = net.switches["s1"].address
            await asyncio.to_thread(net.switches["s1"].close)
            await asyncio.to_thread(net.start, "s1", address)
            await controller.in_step()
            assert await controller.read() == book.states()

    asyncio.run(work())


def test_blocking_controller(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program], tmp_path: Path
) -> None:
    net = fleet("star4")
    book = JobBook(net.topology, register_depth=64)
    book.admit(job("a", "h1 h2"))
    with SyncController(net.topology, net.addresses, log_dir=tmp_path) as controller:
        controller.push(build("esa"))
        controller.apply(book.states())
        assert controller.read() == book.states()
        counted = controller.call(lambda c: c.session("s1").read_counters(EVENTS, range(16, 18)))
        assert counted == {16: 0, 17: 0}
    log = (tmp_path / "s1-controller.log").read_text()
    assert "updates written" in log
    handlers = logging.getLogger("finsy").handlers
    assert not [h for h in handlers if isinstance(h, logging.FileHandler)]


def test_slots_are_shown_and_freed(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program]
) -> None:
    net = fleet("star4")
    book = JobBook(net.topology, AggregatorConfig(aggregators=40), register_depth=64)
    book.admit(job("a", "h1 h2"))

    def gradient() -> bytes:
        head = ESA.pack(msg_type=MessageType.GRAD, job=1, seq=5, bitmap=2, src_worker=1, len=4)
        plain = question(0, 4)
        return plain[:ENCAPSULATION] + head.tobytes() + plain[ENCAPSULATION + 24 :]

    async def work() -> None:
        async with Controller(net.topology, net.addresses) as controller:
            await controller.push(build("esa"))
            await controller.apply(book.states())
            net.send("s1", 2, gradient())
            (held,) = (await network_slots(controller))["s1"]
            assert held.seq == 5
            assert (await network_events(controller, 1))["s1"][Event.ALLOCATE] == 1
            assert await reclaim_job(controller, 1) == {"s1": 1}
            await clear_job_events(controller.session("s1"), 1)
            net.send("s1", 2, gradient())
            async with attached(
                "s1", net.addresses["s1"], net.topology.switch("s1").device_id
            ) as session:
                shown = await peek(session.switch, range(40))
                assert [view.index for view in shown] == list(range(40))
                (held,) = [view for view in shown if view.held]
                assert (held.job, held.seq, held.missing(0b11)) == (1, 5, (0,))
                assert [v.index for v in await held_slots(session.switch, 40)] == [held.index]
                assert await held_slots(session.switch, held.index) == []
                assert (await job_events(session, 1))[Event.ALLOCATE] == 1
                await clear_job_events(session, 1)
                assert set((await job_events(session, 1)).values()) == {0}
                assert await reclaim(session.switch, 40, 2) == 0
                assert await reclaim(session.switch, 40, 1) == 1
                assert not any(view.held for view in await peek(session.switch, range(40)))
                # The first controller has to wait for its turn, and gets it.
                book.remove("a")
                waiting = asyncio.create_task(controller.apply(book.states()))
            await waiting
            assert await controller.read() == book.states()

    asyncio.run(work())


def test_errors_say_what_and_where(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program], tmp_path: Path
) -> None:
    net = fleet("star4")
    with pytest.raises(ControllerError, match="s9: no such switch in the topology"):
        Controller(net.topology, net.addresses | {"s9": "127.0.0.1:1"})
    with pytest.raises(ControllerError, match="s1: no address given"):
        Controller(net.topology, {})

    async def work() -> None:
        async with Controller(net.topology, net.addresses) as controller:
            with pytest.raises(ControllerError, match="no such file: compile the program first"):
                await controller.push(Program(tmp_path / "x.json", tmp_path / "x.txtpb"))
            await controller.push(build("esa"))
            wrong = SwitchState(rows=dict([row("IncaIngress.slot.pools", [("f", 1)], "a")]))
            with pytest.raises(ProgramError, match=r"s1: the program has no table .*pools"):
                await controller.apply({"s1": wrong})
            wrong = SwitchState(
                rows=dict([row("IncaIngress.job_lookup.jobs", [("hdr.agg.jop", 1)], "NoAction")])
            )
            with pytest.raises(ProgramError, match=r"hdr\.agg\.jop"):
                await controller.apply({"s1": wrong})

    asyncio.run(work())


def test_refusals_are_told_at_once(
    fleet: Callable[[str], Fleet], build: Callable[[str], Program], tmp_path: Path
) -> None:
    net = fleet("star4")
    good = build("esa")
    broken = Program(tmp_path / "broken.json", good.p4info_path)
    broken.json_path.write_text("{")

    async def push(topology: Topology, program: Program) -> None:
        async with Controller(topology, net.addresses, deadline_s=20) as controller:
            await asyncio.wait_for(controller.push(program), 5)

    with pytest.raises(WriteError, match=r"s1: refused by .*: INVALID_ARGUMENT"):
        asyncio.run(push(net.topology, broken))
    asyncio.run(push(net.topology, good))
    other = dataclasses.replace(
        net.topology, switches=(dataclasses.replace(net.topology.switches[0], device_id=9),)
    )
    with pytest.raises(WriteError, match=r"s1: refused by .*: NOT_FOUND: this is device 1"):
        asyncio.run(push(other, good))


def test_silent_switch_is_named(build: Callable[[str], Program]) -> None:
    topology = topologies.load("star4")

    async def work() -> None:
        async with Controller(topology, {"s1": "127.0.0.1:1"}, deadline_s=0.5) as controller:
            with pytest.raises(SwitchUnavailableError, match=r"s1: no answer from 127\.0\.0\.1:1"):
                await controller.push(build("esa"))

    asyncio.run(work())
