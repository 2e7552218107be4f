# SPDX-License-Identifier: MIT
"""Joining a switch that another controller has programmed, to look and to exchange packets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import finsy as fy

from controller.errors import SwitchUnavailableError
from controller.session import Session

# Packet-outs are for the primary only: more than any controller of ours starts with (10). The
# other one is primary again as soon as we leave.
_ELECTION_ID = 1 << 16
_DEADLINE_S = 5.0


@asynccontextmanager
async def attached(name: str, address: str, device_id: int) -> AsyncIterator[Session]:
    """A session on a running switch; its program stays as it is.

    Raises:
        SwitchUnavailableError: it does not answer.
    """
    options = fy.SwitchOptions(device_id=device_id, initial_election_id=_ELECTION_ID)
    switch = fy.Switch(name, address, options)
    try:
        async with asyncio.timeout(_DEADLINE_S):
            await switch.__aenter__()
    except TimeoutError as error:
        raise SwitchUnavailableError(
            f"no answer from {address}", where=name, hint="is it still running?"
        ) from error
    except fy.P4ClientError as error:
        raise SwitchUnavailableError(
            f"{address} refuses: {error.code.name}: {error.message}", where=name
        ) from error
    try:
        yield Session(switch)
    finally:
        await switch.__aexit__(None, None, None)
