# SPDX-License-Identifier: MIT
"""The steered test program (steered.c) as something a device can load."""

from __future__ import annotations

import ctypes
from pathlib import Path

from softswitch.device.native import RUNTIME, build, compile_flags

HERE = Path(__file__).parent


def packet(
    port: int, *, priority: int = 0, copies: int = 1, mode: int = 0, size: int = 60
) -> bytes:
    """A frame that the program sends to ``port``; byte 4 is free for the caller's tag."""
    return bytes([port, priority, copies, mode]).ljust(size, b"\0")


def tagged(port: int, tag: int, **kwargs: int) -> bytes:
    frame = bytearray(packet(port, **kwargs))
    frame[4] = tag
    return bytes(frame)


class Instance:
    """One instance of the program."""

    def __init__(self) -> None:
        path = build(
            [HERE / "steered.c"], "steered", [*compile_flags(), f"-I{RUNTIME}"], [RUNTIME / "ss.h"]
        )
        self.lib = ctypes.CDLL(str(path))
        self.lib.ss_create.restype = ctypes.c_void_p
        self.lib.ss_create.argtypes = [ctypes.c_uint64, ctypes.c_void_p]
        self.lib.steered_alive.argtypes = [ctypes.c_void_p]
        self.ptr: int | None = self.lib.ss_create(0, None)


class Steered:
    """As much of a ``Pipeline`` as a device needs."""

    def __init__(self) -> None:
        self.native = Instance()

    def alive(self) -> int:
        """Packets that the program has handed out and not got back."""
        return int(self.native.lib.steered_alive(self.native.ptr))
