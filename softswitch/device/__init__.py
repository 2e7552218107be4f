# SPDX-License-Identifier: MIT
"""A running switch: ports on Linux interfaces, queues, delays and faults around one program."""

from softswitch.device.device import Device
from softswitch.device.errors import (
    BuildError,
    DeviceError,
    InterfaceMissingError,
    PermissionMissingError,
    PortError,
    PortTakenError,
)
from softswitch.device.events import DigestMessage, Frame, PacketIn, PortEvent
from softswitch.device.options import DeviceOptions, FaultSpec, PortConfig, PortFaults
from softswitch.device.sim import SimDevice

__all__ = [
    "BuildError",
    "Device",
    "DeviceError",
    "DeviceOptions",
    "DigestMessage",
    "FaultSpec",
    "Frame",
    "InterfaceMissingError",
    "PacketIn",
    "PermissionMissingError",
    "PortConfig",
    "PortError",
    "PortEvent",
    "PortFaults",
    "PortTakenError",
    "SimDevice",
]
