# SPDX-License-Identifier: MIT
"""ValueSetEntry: parser value sets (P4Runtime spec, 9.6)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import ValueSet
from softswitch.server.codec import MatchCodec
from softswitch.server.entities.base import Context, ModifyOnly
from softswitch.server.errors import already_exists, exhausted, invalid
from softswitch.server.roles import RoleRights


class ValueSets(ModifyOnly):
    """ValueSetEntry."""

    what = "a value set"

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Replace all members."""
        value_set, codec = self._value_set(ctx, message)
        rights.check_id(value_set.id)
        if len(message.members) > value_set.size:
            raise exhausted(
                f"value set {value_set.name!r} holds {value_set.size} members, "
                f"not {len(message.members)}"
            )
        members: dict[tuple[bytes, bytes], None] = {}
        for member in message.members:
            pair = codec.decode(member.match)
            if pair in members:
                raise already_exists(f"value set {value_set.name!r}: a member is given twice")
            members[pair] = None
        ctx.engine.set_value_set(value_set, codec, list(members))
        ctx.state.value_sets[value_set.id] = tuple(members)

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one value set or all."""
        if message.members:
            raise invalid("value_set_entry.members must not be set in a read")
        if message.value_set_id:
            asked = [self._value_set(ctx, message)]
        else:
            asked = list(ctx.program.value_sets.values())
        for value_set, codec in asked:
            if not rights.may_read(value_set.id):
                continue
            entry = p4r.ValueSetEntry(value_set_id=value_set.id)
            for key, arg in ctx.state.value_sets.get(value_set.id, ()):
                entry.members.add(match=codec.encode(key, arg))
            yield p4r.Entity(value_set_entry=entry)

    @staticmethod
    def _value_set(ctx: Context, message: Any) -> tuple[ValueSet, MatchCodec]:
        found = ctx.program.value_sets.get(message.value_set_id)
        if found is None:
            raise invalid(f"the program has no value set {message.value_set_id:#010x}")
        return found
