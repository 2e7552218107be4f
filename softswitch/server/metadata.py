# SPDX-License-Identifier: MIT
"""The controller header of packet-in and packet-out (P4Runtime spec, 16.1)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from finsy.proto import p4r

from softswitch.p4info import PacketMetadata
from softswitch.server.codec import byte_width, canonical_int, decode_bytes
from softswitch.server.errors import invalid


class MetadataCodec:
    """Fields of a @controller_header, packed most significant bit first as P4 headers are."""

    def __init__(self, header: PacketMetadata) -> None:
        self._name = header.name
        self._fields = header.fields
        self._index = {field.id: n for n, field in enumerate(header.fields)}
        bits = sum(field.width for field in header.fields)
        for field in header.fields:
            if not field.width:
                raise invalid(
                    f"p4info: {header.name}.{field.name} is translated to a string, which this "
                    "switch does not support"
                )
        if bits % 8:
            raise invalid(f"p4info: the header {header.name!r} has {bits} bits, not whole bytes")
        self.size = byte_width(bits)

    def pack(self, metadata: Iterable[Any]) -> bytes:
        """The header with these PacketMetadata; raise INVALID_ARGUMENT when they don't fit it."""
        values: list[int | None] = [None] * len(self._fields)
        for item in metadata:
            index = self._index.get(item.metadata_id)
            if index is None:
                raise invalid(f"{self._name} has no metadata field with id {item.metadata_id}")
            field = self._fields[index]
            what = f"{self._name}.{field.name}"
            if values[index] is not None:
                raise invalid(f"{what} is given twice")
            values[index] = int.from_bytes(decode_bytes(item.value, field.width, what), "big")
        header = 0
        for field, value in zip(self._fields, values, strict=True):
            if value is None:
                raise invalid(f"{self._name}.{field.name} is missing")
            header = header << field.width | value
        return header.to_bytes(self.size, "big")

    def unpack(self, header: bytes) -> list[Any]:
        """The PacketMetadata of a header of `size` bytes."""
        number = int.from_bytes(header, "big")
        messages = []
        for field in reversed(self._fields):
            value = number & ((1 << field.width) - 1)
            number >>= field.width
            messages.append(p4r.PacketMetadata(metadata_id=field.id, value=canonical_int(value)))
        messages.reverse()
        return messages
