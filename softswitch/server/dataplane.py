# SPDX-License-Identifier: MIT
"""What the server needs of the running switch; `softswitch.device.Device` has it."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from softswitch.device import DigestMessage, PacketIn, PortEvent
    from softswitch.engine import Pipeline


class DataPlane(Protocol):
    """A switch that packets flow through."""

    def load(self, program: Pipeline | None) -> None:
        """Replace the program."""

    def locked(self) -> AbstractContextManager[None]:
        """Keep packets out while the program's state is touched; not re-entrant."""

    def now_us(self) -> int:
        """The clock of the switch's timestamps."""

    @property
    def ports(self) -> Mapping[int, Any]:
        """The ports by number."""

    def port_state(self, number: int) -> str:
        """`up` or not."""

    def packet_out(self, data: bytes) -> bool:
        """Hand a frame to the program as if received on the CPU port; False: queue full."""

    def next_packet_in(self, timeout: float | None = None) -> PacketIn | None:
        """Wait for a packet-in; None after the timeout or when the switch has stopped."""

    def next_digest(self, timeout: float | None = None) -> DigestMessage | None:
        """Wait for a digest."""

    def next_port_event(self, timeout: float | None = None) -> PortEvent | None:
        """Wait for a change of a port's state."""
