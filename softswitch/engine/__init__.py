# SPDX-License-Identifier: MIT
"""BMv2 JSON to native code: `Pipeline` runs a P4 program in this process."""

from softswitch.engine.errors import (
    ActionError,
    BuildError,
    ConfigError,
    ConstError,
    EngineError,
    ExistsError,
    FullError,
    InUseError,
    InvalidError,
    NotFoundError,
    PacketAssertError,
    WriteError,
)
from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.engine.pipeline import Digest, Pipeline, TraceEvent
from softswitch.engine.snapshot import Snapshot
from softswitch.engine.tables import Entry, Group, Member, MeterRates

__all__ = [
    "ActionError",
    "BuildError",
    "ConfigError",
    "ConstError",
    "Digest",
    "EngineError",
    "Entry",
    "Exact",
    "ExistsError",
    "FullError",
    "Group",
    "InUseError",
    "InvalidError",
    "Lpm",
    "Match",
    "Member",
    "MeterRates",
    "NotFoundError",
    "Optional",
    "PacketAssertError",
    "Pipeline",
    "Range",
    "Snapshot",
    "Ternary",
    "TraceEvent",
    "WriteError",
]
