# SPDX-License-Identifier: MIT
"""The election id of ``inca shell``: able to write, without pushing a controller aside."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from inca.cli.shell import free_election_id
from tests.softswitch.server.conftest import DEVICE_ID, Target


@pytest.fixture
def target() -> Iterator[Target]:
    running = Target()
    yield running
    running.close()


def test_takes_the_place_of_a_controller_that_has_gone(target: Target) -> None:
    controller = target.connect()
    controller.arbitrate(10)
    assert free_election_id(target.address, DEVICE_ID) == "0,1"
    controller.hang_up()
    controller.stream_code()  # blocks until the stream has ended
    # The switch may notice a moment later than the client does.
    deadline = time.monotonic() + 10
    found = free_election_id(target.address, DEVICE_ID)
    while found != "0,10" and time.monotonic() < deadline:
        found = free_election_id(target.address, DEVICE_ID)
    assert found == "0,10"


def test_a_switch_without_history_gives_the_least(target: Target) -> None:
    assert free_election_id(target.address, DEVICE_ID) == "0,1"
