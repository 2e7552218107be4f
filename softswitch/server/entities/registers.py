# SPDX-License-Identifier: MIT
"""RegisterEntry (P4Runtime spec, 9.7); BMv2's own server does not have it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import Register
from softswitch.server.entities.base import Context, checked_index
from softswitch.server.errors import invalid
from softswitch.server.p4data import decode_bits, encode_bits
from softswitch.server.roles import RoleRights


class Registers:
    """RegisterEntry.

    The cells are always there, so INSERT is refused like DELETE; the specification's example
    writes with INSERT, hence it is taken as MODIFY.
    """

    def insert(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Write, as `modify`."""
        self.modify(ctx, message, rights)

    def modify(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Write one cell, or all of them when there is no index."""
        register = self._register(ctx, message)
        rights.check_id(register.id)
        what = f"register {register.name!r}"
        if not message.HasField("data"):
            raise invalid(f"{what}: the entry has no data")
        value = decode_bits(message.data, register.width, register.signed, what)
        if message.HasField("index"):
            index = checked_index(message, register.size, what)
            ctx.engine.write_register(register, index, value)
        else:
            ctx.engine.fill_register(register, value)

    def delete(self, ctx: Context, message: Any, rights: RoleRights) -> None:
        """Refuse."""
        raise invalid("a register can only be modified, not deleted")

    def read(self, ctx: Context, message: Any, rights: RoleRights) -> Iterator[Any]:
        """Yield one cell, a register, or all registers."""
        asked = (
            [self._register(ctx, message)] if message.register_id else ctx.program.info.registers
        )
        for register in asked:
            if not rights.may_read(register.id):
                continue
            if message.register_id and message.HasField("index"):
                index = checked_index(message, register.size, f"register {register.name!r}")
                cells = [(index, ctx.engine.read_register(register, index))]
            else:
                cells = list(enumerate(ctx.engine.read_registers(register)))
            for index, value in cells:
                yield p4r.Entity(
                    register_entry=p4r.RegisterEntry(
                        register_id=register.id,
                        index=p4r.Index(index=index),
                        data=encode_bits(value, register.width, register.signed),
                    )
                )

    @staticmethod
    def _register(ctx: Context, message: Any) -> Register:
        register = ctx.program.info.registers.by_id.get(message.register_id)
        if register is None:
            raise invalid(f"the program has no register {message.register_id:#010x}")
        return register
