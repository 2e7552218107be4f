# SPDX-License-Identifier: MIT
"""MurmurHash3_x86_32 over 32-bit words: the published ECMP hash of the LCMP simulations."""

from __future__ import annotations

from collections.abc import Sequence

_MASK = 0xFFFFFFFF


def _rotl(value: int, by: int) -> int:
    return (value << by | value >> (32 - by)) & _MASK


def murmur3(words: Sequence[int], seed: int) -> int:
    """The 32-bit hash of ``words`` (unsigned 32-bit integers) under ``seed``."""
    h = seed & _MASK
    for word in words:
        k = word * 0xCC9E2D51 & _MASK
        k = _rotl(k, 15) * 0x1B873593 & _MASK
        h = _rotl(h ^ k, 13) * 5 + 0xE6546B64 & _MASK
    h ^= 4 * len(words)
    h = (h ^ h >> 16) * 0x85EBCA6B & _MASK
    h = (h ^ h >> 13) * 0xC2B2AE35 & _MASK
    return h ^ h >> 16


def ecmp_hash(sip: int, dip: int, sport: int, dport: int, seed: int) -> int:
    """The flow hash of a switch; ``seed`` is the switch's node id in the published runs."""
    return murmur3((sip, dip, sport | dport << 16), seed)
