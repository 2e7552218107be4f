# SPDX-License-Identifier: MIT
"""What a running switch tells its controller."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PacketIn:
    """A frame that the program sent to the CPU port; ``when_ns`` since the switch was made."""

    data: bytes
    when_ns: int


@dataclass(frozen=True, slots=True)
class DigestMessage:
    """One digest: the fields of list ``digest_id``, each in whole bytes, most significant first."""

    digest_id: int
    data: bytes
    when_ns: int


@dataclass(frozen=True, slots=True)
class PortEvent:
    """A port whose interface gained (``up``) or lost its carrier, or was deleted."""

    port: int
    up: bool
    when_ns: int


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame that left a simulated switch; ``when_ns`` is when its last bit arrived."""

    port: int
    data: bytes
    when_ns: int
