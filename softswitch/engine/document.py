# SPDX-License-Identifier: MIT
"""Typed access to a JSON document: whatever is missing or of the wrong type names its path."""

from __future__ import annotations

from collections.abc import Iterator

from softswitch.engine.errors import ConfigError
from softswitch.engine.program import Source

MISSING = object()


class Node:
    """A value of the document together with its path."""

    __slots__ = ("path", "raw")

    def __init__(self, raw: object, path: str = "") -> None:
        self.raw = raw
        self.path = path

    def fail(self, what: str) -> ConfigError:
        """An error at this place."""
        return ConfigError(self.path or "document", what)

    def get(self, key: str) -> Node | None:
        """Member ``key``, or None when it is absent or null."""
        if not isinstance(self.raw, dict):
            raise self.fail(f"expected an object with member '{key}'")
        value = self.raw.get(key)
        return None if value is None else Node(value, f"{self.path}.{key}" if self.path else key)

    def __getitem__(self, key: str | int) -> Node:
        if isinstance(key, int):
            if not isinstance(self.raw, list) or not 0 <= key < len(self.raw):
                raise self.fail(f"expected a list with at least {key + 1} items")
            return Node(self.raw[key], f"{self.path}[{key}]")
        found = self.get(key)
        if found is None:
            raise self.fail(f"member '{key}' is missing")
        return found

    def __iter__(self) -> Iterator[Node]:
        if not isinstance(self.raw, list):
            raise self.fail("expected a list")
        return (Node(v, f"{self.path}[{i}]") for i, v in enumerate(self.raw))

    def items(self, key: str) -> Iterator[Node]:
        """Items of the list ``key``; none when it is absent."""
        found = self.get(key)
        return iter(()) if found is None else iter(found)

    def text(self) -> str:
        """The value as a string."""
        if not isinstance(self.raw, str):
            raise self.fail("expected a string")
        return self.raw

    def number(self) -> int:
        """The value as an integer."""
        if isinstance(self.raw, bool) or not isinstance(self.raw, int):
            raise self.fail("expected an integer")
        return self.raw

    def size(self, limit: int = 1 << 28) -> int:
        """The value as a number of things, 0..limit."""
        n = self.number()
        if not 0 <= n <= limit:
            raise self.fail(f"{n} is not between 0 and {limit}")
        return n

    def truth(self) -> bool:
        """The value as a truth value."""
        if not isinstance(self.raw, bool):
            raise self.fail("expected true or false")
        return self.raw

    def hex(self) -> int:
        """The value as a hexadecimal string, maybe negative."""
        text = self.text()
        try:
            return int_of_hex(text)
        except ValueError:
            raise self.fail(f"'{text[:40]}' is not a hexadecimal number") from None

    def flag(self, key: str) -> bool:
        """Member ``key`` as a truth value, False when it is absent."""
        found = self.get(key)
        return False if found is None else found.truth()

    def source(self) -> Source | None:
        """The member ``source_info``."""
        info = self.get("source_info")
        if info is None or not isinstance(info.raw, dict):
            return None
        raw = info.raw
        line, column = raw.get("line", 0), raw.get("column", 0)
        return Source(
            str_or_empty(raw.get("filename")),
            line if isinstance(line, int) else 0,
            column if isinstance(column, int) else 0,
            " ".join(str_or_empty(raw.get("source_fragment")).split()),
        )


def str_or_empty(value: object) -> str:
    """``value`` if it is a string."""
    return value if isinstance(value, str) else ""


def int_of_hex(text: str) -> int:
    """Value of a string such as ``0x1f``, ``1f`` or ``-0x3``."""
    return int(text, 16)
