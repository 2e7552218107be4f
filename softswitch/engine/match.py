# SPDX-License-Identifier: MIT
"""The five ways in which an entry can match one key field."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Exact:
    """The field equals ``value``."""

    value: int


@dataclass(frozen=True, slots=True)
class Lpm:
    """The ``prefix_len`` most significant bits of the field equal those of ``value``."""

    value: int
    prefix_len: int


@dataclass(frozen=True, slots=True)
class Ternary:
    """``field & mask == value & mask``."""

    value: int
    mask: int


@dataclass(frozen=True, slots=True)
class Range:
    """``low <= field <= high``."""

    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Optional:
    """The field equals ``value``, or anything when ``value`` is None."""

    value: int | None


Match = Exact | Lpm | Ternary | Range | Optional
