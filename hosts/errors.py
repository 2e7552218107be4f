# SPDX-License-Identifier: MIT
"""Errors of the host agents. The text of each is one line: what, where, what to do."""


class HostError(Exception):
    """Base of all errors of this package."""


class InterfaceError(HostError):
    """The packet socket cannot be opened or the interface is missing."""


class AgentConfigError(HostError):
    """A configuration file that an agent cannot use."""


class NonFiniteError(HostError):
    """The array holds NaN or infinity, which fixed point cannot carry."""


class RangeError(HostError):
    """A value is beyond the bound that excludes overflow."""


class SumOverflowError(HostError):
    """A sum left the range of int32 on its way."""


class AllReduceTimeout(HostError):
    """No progress within the deadline; names stuck fragments and missing workers."""


class CollectiveTimeout(HostError):
    """A collective made no progress within the group's deadline."""


class Terminated(HostError):
    """SIGTERM arrived."""
