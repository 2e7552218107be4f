# SPDX-License-Identifier: MIT
"""The controller: keeps the switches of a network at their desired state.

A switch that comes back, and a controller that was started again, take the same path: push the
program if it is another one, read the switch back, write the difference.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import finsy as fy

from controller.desired import Difference, SwitchState, difference
from controller.errors import ControllerError, NotPrimaryError, SwitchUnavailableError, WriteError
from controller.logs import FailureWatch, SwitchLogs
from controller.loop import LoopThread
from controller.session import Session
from topologies import Topology

_POLL_S = 0.01
_T = TypeVar("_T")
_LOG = fy.LoggerAdapter(logging.getLogger("inca.controller"))


@dataclass(frozen=True)
class Program:
    """A compiled P4 program."""

    json_path: Path
    p4info_path: Path


class _Managed:
    """A switch, what it should hold, and whether it does."""

    def __init__(self, name: str, address: str, device_id: int) -> None:
        self.name = name
        self.address = address
        self.device_id = device_id
        self.switch: fy.Switch | None = None
        self.want: SwitchState | None = None
        self.lock = asyncio.Lock()
        self.primary = asyncio.Event()
        self.in_step = asyncio.Event()
        self.failure: ControllerError | None = None

    def out_of_step(self, _switch: fy.Switch) -> None:
        """The connection, or the right to write, is gone until the next `_on_ready`."""
        self.primary.clear()
        self.in_step.clear()

    @property
    def session(self) -> Session:
        if self.switch is None or not self.switch.is_up:
            raise SwitchUnavailableError(
                f"not connected at {self.address}", where=self.name, hint="push a program first"
            )
        return Session(self.switch)


class Controller:
    """Controls the switches of a topology, as an async context manager.

        async with Controller(topology, {"s1": "127.0.0.1:50051"}) as controller:
            await controller.push(program)
            await controller.apply(states)

    Args:
        topology: the network; gives the device ids.
        addresses: switch name -> address of its P4Runtime server.
        log_dir: where to write ``<switch>-controller.log``; None: no files.
        deadline_s: how long to wait for switches to answer.

    Raises:
        ControllerError: an address for a switch that the topology has not, or none for one it has.
    """

    def __init__(
        self,
        topology: Topology,
        addresses: Mapping[str, str],
        *,
        log_dir: Path | None = None,
        deadline_s: float = 30.0,
    ) -> None:
        names = {switch.name for switch in topology.switches}
        for name in sorted(names ^ addresses.keys()):
            what = "no such switch in the topology" if name not in names else "no address given"
            raise ControllerError(what, where=name, hint="give one address for each switch")
        self.topology = topology
        self._deadline_s = deadline_s
        self._log_dir = log_dir
        self._logs: SwitchLogs | None = None
        self._watch: FailureWatch | None = None
        self._fleet: fy.Controller | None = None
        self._managed = {
            switch.name: _Managed(switch.name, addresses[switch.name], switch.device_id)
            for switch in topology.switches
        }

    async def __aenter__(self) -> Self:
        if self._log_dir is not None:
            self._logs = SwitchLogs(self._log_dir, self._managed)
        self._watch = FailureWatch(self._on_failure)
        self._fleet = fy.Controller()
        await self._fleet.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._fleet is not None
        await self._fleet.__aexit__(kind, error, trace)
        for handler in (self._watch, self._logs):
            if handler is not None:
                handler.close()

    async def push(self, program: Program, *, force: bool = False) -> None:
        """Load a program on every switch; a switch that already runs it keeps its state.

        Nothing else is written before the first `apply`, so that a new controller can `read`
        what its predecessor left (`JobBook.recover`). From now on switches that go away and come
        back are connected again.

        Args:
            force: load it even where it already runs: tables, registers and counters start empty.

        Raises:
            ControllerError: a file is missing or not what it should be.
            SwitchUnavailableError: a switch does not answer in time.
            WriteError: a switch refuses the program.
        """
        assert self._fleet is not None, "use `async with Controller(...)`"
        for path in (program.json_path, program.p4info_path):
            if not path.is_file():
                raise ControllerError(f"{path}: no such file", hint="compile the program first")
        for managed in self._managed.values():
            if managed.switch is not None:
                await self._fleet.remove(managed.switch).wait()
            managed.want = None
            managed.failure = None
            managed.primary.clear()
            managed.in_step.clear()
            options = fy.SwitchOptions(
                p4info=program.p4info_path,
                p4blob=program.json_path,
                p4force=force,
                device_id=managed.device_id,
                ready_handler=self._on_ready,
            )
            managed.switch = fy.Switch(managed.name, managed.address, options)
            for event in (fy.SwitchEvent.CHANNEL_DOWN, fy.SwitchEvent.BECOME_BACKUP):
                managed.switch.ee.add_listener(event, managed.out_of_step)
            self._fleet.add(managed.switch)
        await self.in_step()

    async def apply(self, states: Mapping[str, SwitchState]) -> dict[str, Difference]:
        """Make each switch hold its state, and keep it so when it comes back.

        Everything else that a controller may write is removed; a switch not named becomes empty.

        Returns:
            What had to be written, by switch.

        While another controller is the primary of a switch, waits for its turn.

        Raises:
            ProgramError: the program lacks something that a state names. Nothing is written.
            SwitchUnavailableError: a switch does not answer in time.
            WriteError: a switch refuses an update.
        """
        for name, managed in self._managed.items():
            managed.session.check(states.get(name, SwitchState()))
        for name, managed in self._managed.items():
            managed.want = states.get(name, SwitchState())
            managed.in_step.clear()
        return await self._everywhere(self._when_primary)

    async def read(self) -> dict[str, SwitchState]:
        """What the switches hold."""
        return await self._everywhere(lambda managed: managed.session.read())

    @property
    def switches(self) -> tuple[str, ...]:
        """Names of all switches, in the topology's order."""
        return tuple(self._managed)

    def session(self, switch: str) -> Session:
        """The connection to one switch, for reading counters and exchanging packets.

        Raises:
            SwitchUnavailableError: it is not connected.
        """
        return self._managed[switch].session

    def _on_failure(self, name: str, error: BaseException) -> None:
        managed = self._managed.get(name)
        if managed is not None and isinstance(error, fy.P4ClientError):
            managed.failure = WriteError(
                f"refused by {managed.address}: {error.code.name}: {error.message}", where=name
            )
            managed.in_step.set()

    async def _on_ready(self, switch: fy.Switch) -> None:
        """Runs on every connection, the first and all later ones."""
        if not switch.is_primary:
            return
        managed = self._managed[switch.name]
        managed.primary.set()
        try:
            await self._reconcile(managed)
        except ControllerError as error:
            _LOG.error("%s", error)

    async def _when_primary(self, managed: _Managed) -> Difference:
        while True:
            await managed.primary.wait()
            try:
                return await self._reconcile(managed)
            except NotPrimaryError:
                # The switch knew before we were told; the news is on its way.
                await asyncio.sleep(_POLL_S)

    async def _reconcile(self, managed: _Managed) -> Difference:
        async with managed.lock:
            try:
                session = managed.session
                updates = Difference()
                if managed.want is not None:
                    updates = difference(await session.read(), managed.want)
                    await session.write(updates)
            except ControllerError as error:
                managed.failure = error
                raise
            except fy.P4ClientError as error:
                managed.failure = SwitchUnavailableError(
                    f"{error.code.name}: {error.message}", where=managed.name
                )
                raise managed.failure from error
            finally:
                managed.in_step.set()
            managed.failure = None
            _LOG.info("%d updates written", len(updates))
            return updates

    async def in_step(self) -> None:
        """Wait until every switch is connected and holds what was applied last.

        Raises:
            SwitchUnavailableError: a switch does not answer in time.
            WriteError: a switch refused its program or an update.
        """
        for managed in self._managed.values():
            await self._within(managed.in_step.wait(), managed)
            if managed.failure is not None:
                raise managed.failure

    async def _everywhere(self, work: Callable[[_Managed], Awaitable[_T]]) -> dict[str, _T]:
        """The same on all switches at once; the first error after all have ended."""

        async def one(managed: _Managed) -> _T:
            return await self._within(work(managed), managed)

        done = await asyncio.gather(*map(one, self._managed.values()), return_exceptions=True)
        results = {}
        for name, result in zip(self._managed, done, strict=True):
            if isinstance(result, BaseException):
                raise result
            results[name] = result
        return results

    async def _within(self, work: Awaitable[_T], managed: _Managed) -> _T:
        try:
            return await asyncio.wait_for(work, self._deadline_s)
        except TimeoutError:
            raise SwitchUnavailableError(
                f"no answer from {managed.address} within {self._deadline_s:g} s",
                where=managed.name,
                hint=f"is the switch running, with this address and device id {managed.device_id}?",
            ) from None


class SyncController:
    """`Controller` for code without an event loop: the same methods, blocking.

    Runs an event loop in a thread of its own.
    """

    def __init__(
        self,
        topology: Topology,
        addresses: Mapping[str, str],
        *,
        log_dir: Path | None = None,
        deadline_s: float = 30.0,
    ) -> None:
        self._controller = Controller(topology, addresses, log_dir=log_dir, deadline_s=deadline_s)
        self._runner = LoopThread()

    def __enter__(self) -> Self:
        self._runner.start()
        try:
            self._runner.call(self._controller.__aenter__)
        except BaseException:
            self._runner.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self._runner.call(lambda: self._controller.__aexit__(None, None, None))
        finally:
            self._runner.stop()

    def push(self, program: Program, *, force: bool = False) -> None:
        """See `Controller.push`."""
        self._runner.call(lambda: self._controller.push(program, force=force))

    def apply(self, states: Mapping[str, SwitchState]) -> dict[str, Difference]:
        """See `Controller.apply`."""
        return self._runner.call(lambda: self._controller.apply(states))

    def read(self) -> dict[str, SwitchState]:
        """See `Controller.read`."""
        return self._runner.call(self._controller.read)

    def call(self, work: Callable[[Controller], Awaitable[_T]]) -> _T:
        """Run any coroutine that takes the controller, for example a function of `inspection`."""
        return self._runner.call(lambda: work(self._controller))
