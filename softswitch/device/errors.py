# SPDX-License-Identifier: MIT
"""What can go wrong with a running switch; the text of each error is one line."""

from __future__ import annotations


class DeviceError(Exception):
    """Anything that a :class:`softswitch.device.Device` refuses to do."""


class PortError(DeviceError):
    """A port cannot be added, found or configured."""


class InterfaceMissingError(PortError):
    """The network interface does not exist in this network namespace."""


class PortTakenError(PortError):
    """The port number, or the interface, belongs to another port already."""


class PermissionMissingError(DeviceError):
    """Raw sockets need root or CAP_NET_RAW."""


class BuildError(DeviceError):
    """The C part of the device cannot be compiled or loaded."""
