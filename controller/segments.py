# SPDX-License-Identifier: MIT
"""Parts of a register array: powers of two, aligned, first fit, merged when freed."""

from __future__ import annotations


def power_of_two(count: int) -> int:
    """The smallest power of two that is not below `count` (at least 1)."""
    return 1 << max(count - 1, 0).bit_length()


class Segments:
    """Which of `size` cells are free."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._free: list[tuple[int, int]] = [(0, size)] if size else []

    @property
    def free_ranges(self) -> tuple[tuple[int, int], ...]:
        """(first, end) of each free range, ascending; neighbours are one."""
        return tuple(self._free)

    def allocate(self, count: int) -> int | None:
        """First cell of a segment of at least `count` cells; None: no room."""
        size = power_of_two(count)
        for at, (first, end) in enumerate(self._free):
            base = -(-first // size) * size
            if base + size <= end:
                rest = [(first, base), (base + size, end)]
                self._free[at : at + 1] = [part for part in rest if part[0] < part[1]]
                return base
        return None

    def release(self, base: int, count: int) -> None:
        """Give a segment back.

        Raises:
            ValueError: some of it is free already.
        """
        end = base + power_of_two(count)
        if end > self.size or any(base < e and f < end for f, e in self._free):
            raise ValueError(f"cells {base} to {end - 1} are not taken")
        merged: list[tuple[int, int]] = []
        for first, stop in sorted([*self._free, (base, end)]):
            if merged and merged[-1][1] == first:
                merged[-1] = (merged[-1][0], stop)
            else:
                merged.append((first, stop))
        self._free = merged
