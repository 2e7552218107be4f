# SPDX-License-Identifier: MIT
"""Declarative header tables and what is derived from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

_WORD_TYPES = {8: "u1", 16: ">u2", 32: ">u4", 64: ">u8"}


class WireFormatError(ValueError):
    """A header table that cannot be laid out in whole words."""


@dataclass(frozen=True)
class Field:
    """One header field: `bits` wide, in network order.

    Fields that do not fill a machine word by themselves name the `word` they share with their
    neighbours; the word becomes one column of the NumPy dtype. `values` names the codes of an
    enumeration, `flags` the bits of a set, most significant first.
    """

    name: str
    bits: int
    meaning: str
    default: int = 0
    word: str = ""
    values: Mapping[str, int] = field(default_factory=dict, compare=False)
    flags: tuple[str, ...] = ()

    @property
    def column(self) -> str:
        """Name of the NumPy column that holds the field."""
        return self.word or self.name


@dataclass(frozen=True)
class Header:
    """A header: its fields in the order of the wire."""

    name: str
    title: str
    fields: tuple[Field, ...]

    @property
    def size(self) -> int:
        """Length in bytes."""
        return sum(f.bits for f in self.fields) // 8

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __getitem__(self, name: str) -> Field:
        for candidate in self.fields:
            if candidate.name == name:
                return candidate
        raise KeyError(f"header {self.name} has no field {name!r}")

    @cached_property
    def dtype(self) -> np.dtype[np.void]:
        """Packed big-endian structured dtype, one column per word."""
        return np.dtype([(name, *_word_type(self.name, name, w)) for name, w in self._words()])

    def _words(self) -> list[tuple[str, list[Field]]]:
        return [(name, list(group)) for name, group in groupby(self.fields, key=lambda f: f.column)]

    def shift(self, name: str) -> int:
        """Right shift that brings field `name` to the low end of its word."""
        wanted = self[name]
        word = next(w for n, w in self._words() if n == wanted.column)
        return sum(f.bits for f in word[word.index(wanted) + 1 :])

    def get(self, rows: NDArray[np.void], name: str) -> NDArray[Any]:
        """Column of field `name`, unpacked from its word; `rows` has this header's dtype."""
        wanted = self[name]
        column: NDArray[Any] = rows[wanted.column]
        if not wanted.word:
            return column
        mask = column.dtype.type((1 << wanted.bits) - 1)
        shifted: NDArray[Any] = (column >> column.dtype.type(self.shift(name))) & mask
        return shifted

    def pack(self, **given: int) -> NDArray[np.void]:
        """One row (0-dimensional) with the fields' defaults replaced by `given`."""
        unknown = set(given) - {f.name for f in self.fields}
        if unknown:
            raise KeyError(f"header {self.name} has no field {sorted(unknown)[0]!r}")
        row = np.zeros((), dtype=self.dtype)
        for name, word in self._words():
            total = 0
            for f in word:
                value = given.get(f.name, f.default)
                if not 0 <= value < 1 << f.bits:
                    raise WireFormatError(f"{self.name}.{f.name}: {value} needs over {f.bits} bits")
                total = total << f.bits | value
            bits = sum(f.bits for f in word)
            if bits in _WORD_TYPES:
                row[name] = total
            else:
                row[name] = np.frombuffer(total.to_bytes(bits // 8, "big"), np.uint8)
        return row

    def markdown(self) -> str:
        """Documentation table: offset, field, bits, meaning."""
        lines = ["| byte | field | bits | meaning |", "| ---: | --- | ---: | --- |"]
        position = 0
        for f in self.fields:
            codes = ", ".join(f"{v} {k}" for k, v in f.values.items())
            top = len(f.flags) - 1
            codes += ", ".join(f"{1 << top - i:#04x} {k}" for i, k in enumerate(f.flags))
            meaning = f"{f.meaning}: {codes}" if codes else f.meaning
            lines.append(f"| {position // 8} | `{f.name}` | {f.bits} | {meaning} |")
            position += f.bits
        return "\n".join(lines)


def _word_type(header: str, name: str, word: list[Field]) -> tuple[Any, ...]:
    bits = sum(f.bits for f in word)
    if bits in _WORD_TYPES:
        return (_WORD_TYPES[bits],)
    if bits % 8:
        raise WireFormatError(f"{header}.{name}: {bits} bits do not fill whole bytes")
    return ("u1", (bits // 8,))
