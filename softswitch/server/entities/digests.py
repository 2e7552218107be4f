# SPDX-License-Identifier: MIT
"""DigestEntry: whether and how digests are sent (P4Runtime spec, 9.8)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import Digest
from softswitch.server.entities.base import Context
from softswitch.server.errors import already_exists, invalid, not_found
from softswitch.server.roles import RoleRights
from softswitch.server.state import DigestConfig


class Digests:
    """DigestEntry."""

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Start sending a digest."""
        digest = self._digest(ctx, message)
        rights.check_id(digest.id)
        if digest.id in ctx.state.digests:
            raise already_exists(f"digest {digest.name!r} is enabled already")
        ctx.state.digests[digest.id] = self._config(message)

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Change how a digest is sent."""
        digest = self._enabled(ctx, message, rights)
        ctx.state.digests[digest.id] = self._config(message)

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Stop sending a digest."""
        del ctx.state.digests[self._enabled(ctx, message, rights).id]

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield the configuration of one digest or of all enabled ones."""
        if message.digest_id:
            asked = [self._enabled(ctx, message, None).id]
        else:
            asked = list(ctx.state.digests)
        for id in asked:
            if rights.may_read(id):
                config = p4r.DigestEntry.Config(**ctx.state.digests[id]._asdict())
                yield p4r.Entity(digest_entry=p4r.DigestEntry(digest_id=id, config=config))

    def _enabled(self, ctx: Context, message: Any, rights: RoleRights | None) -> Digest:
        digest = self._digest(ctx, message)
        if rights is not None:
            rights.check_id(digest.id)
        if digest.id not in ctx.state.digests:
            raise not_found(f"digest {digest.name!r} is not enabled")
        return digest

    @staticmethod
    def _digest(ctx: Context, message: Any) -> Digest:
        digest = ctx.program.info.digests.by_id.get(message.digest_id)
        if digest is None:
            raise invalid(f"the program has no digest {message.digest_id:#010x}")
        return digest

    @staticmethod
    def _config(message: Any) -> DigestConfig:
        config = message.config
        made = DigestConfig(config.max_timeout_ns, config.max_list_size, config.ack_timeout_ns)
        if min(made) < 0:
            raise invalid("digest_entry.config: times and sizes must not be negative")
        return made
