# SPDX-License-Identifier: MIT
"""The port that a member of a selector group watches."""

from __future__ import annotations

from softswitch.server.state import GroupMember


def watched_port(member: GroupMember) -> int | None:
    """The port a member watches, None if it watches none."""
    if member.watch_port is not None:
        return int.from_bytes(member.watch_port, "big")
    # In the deprecated field 0 means that nothing is watched.
    return member.watch or None
