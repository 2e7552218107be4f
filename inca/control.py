# SPDX-License-Identifier: MIT
"""Programs and jobs on a running network, through its controller."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from controller import Program, SwitchState, SyncController
from inca.programs import CompiledProgram
from topologies import Network

_NAME = re.compile(r'^\s*name: "([^"]+)"', re.MULTILINE)


@contextmanager
def controlled(network: Network, program: CompiledProgram) -> Iterator[SyncController]:
    """A controller of all switches of a network, with a program loaded on each."""
    addresses = {name: switch.grpc_address for name, switch in network.switches.items()}
    with SyncController(network.topology, addresses, log_dir=network.options.logs) as controller:
        controller.push(Program(program.json_path, program.p4info_path))
        yield controller


def load(network: Network, program: CompiledProgram, states: Mapping[str, SwitchState]) -> None:
    """Load a program and leave the switches to whoever connects next.

    Of the states, what the program has tables for is written.
    """
    names = set(_NAME.findall(program.p4info_path.read_text(encoding="utf-8")))
    with controlled(network, program) as controller:
        controller.apply({switch: _known(state, names) for switch, state in states.items()})


def _known(state: SwitchState, tables: set[str]) -> SwitchState:
    return replace(
        state,
        rows={key: action for key, action in state.rows.items() if key.table in tables},
        defaults={table: a for table, a in state.defaults.items() if table in tables},
    )
