# SPDX-License-Identifier: MIT
"""Ports that members of a selector group watch (P4Runtime spec, 9.2.2)."""

from __future__ import annotations

from typing import Any

from softswitch.server.codec import decode_port
from softswitch.server.entities.base import Context
from softswitch.server.errors import invalid


def checked_watch(ctx: Context, message: Any) -> tuple[int | None, bytes | None]:
    """(watch, watch_port) as written; raise INVALID_ARGUMENT for a port that does not exist."""
    which = message.WhichOneof("watch_kind")
    if which == "watch":
        _check(ctx, message.watch)
        return message.watch, None
    if which == "watch_port" and message.watch_port:
        _check(ctx, decode_port(message.watch_port, "watch_port"))
        return None, bytes(message.watch_port)
    return None, None


def _check(ctx: Context, port: int) -> None:
    if not ctx.engine.has_port(port):
        raise invalid(f"watch_port: the switch has no port {port}")
