# SPDX-License-Identifier: MIT
"""The compiled search core (``vx.h``): built once with gcc, cached by content, called by ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

SOURCES = ("vx.c", "vx_search.c")
HEADERS = ("vx.h", "vx_map.h", "vx_search.h")
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-Wextra", "-Werror", "-fPIC", "-shared")

NONE = 0xFFFFFFFF
INTERNAL = 0x80000000
FREE = 255
CLASSES = 8
MAX_NODES = 64
FINISHED, NEED, VIOLATION, LIMIT, LAYER, NO_MEMORY = range(6)
A_START, A_DELIVER, A_LOSE, A_DUPLICATE, A_INTERNAL = range(5)

u32 = ctypes.c_uint32
u64 = ctypes.c_uint64
u32_p = ctypes.POINTER(u32)


class NativeError(RuntimeError):
    """The search core cannot be built or loaded."""


class Config(ctypes.Structure):
    """``vx_config``."""

    _fields_ = (
        ("nodes", u32),
        ("budgets", u32 * CLASSES),
        ("reorder", u32),
        ("capacity", u32),
        ("permutations", u32),
        ("absorb", u32),
        ("max_states", u64),
        ("max_bytes", u64),
    )


class Action(ctypes.Structure):
    """``vx_action``."""

    _fields_ = (("parent", u32), ("kind", u32), ("event", u32), ("outcome", u32))


class Stats(ctypes.Structure):
    """``vx_stats``."""

    _fields_ = (
        ("states", u64),
        ("edges", u64),
        ("frontier", u64),
        ("bytes", u64),
        ("overflowed", u64),
        ("depth", u32),
    )


_PROTOTYPES: dict[str, tuple[object, list[object]]] = {
    "vx_new": (ctypes.c_void_p, [ctypes.POINTER(Config), u32_p, u32_p]),
    "vx_free": (None, [ctypes.c_void_p]),
    "vx_add_message": (None, [ctypes.c_void_p, u32, u32, u32]),
    "vx_add_state": (None, [ctypes.c_void_p, u32, u32, u32, u32, u32_p, u32_p]),
    "vx_add_outcome": (None, [ctypes.c_void_p, u32, u32, u32, u32, u32_p, u32]),
    "vx_add_ignored": (None, [ctypes.c_void_p, u32, u32]),
    "vx_add_renamed": (None, [ctypes.c_void_p, u32, u32, u32, u32]),
    "vx_start": (ctypes.c_int, [ctypes.c_void_p, u32_p]),
    "vx_run": (ctypes.c_int, [ctypes.c_void_p]),
    "vx_needed": (u32, [ctypes.c_void_p, ctypes.POINTER(u32_p)]),
    "vx_needed_names": (u32, [ctypes.c_void_p, ctypes.POINTER(u32_p)]),
    "vx_get_stats": (None, [ctypes.c_void_p, ctypes.POINTER(Stats)]),
    "vx_get_violation": (None, [ctypes.c_void_p, u32_p, ctypes.POINTER(Action), u32_p]),
    "vx_get_action": (None, [ctypes.c_void_p, u32, ctypes.POINTER(Action)]),
    "vx_get_state": (u32, [ctypes.c_void_p, u32, ctypes.POINTER(u32_p)]),
    "vx_layer_first": (u32, [ctypes.c_void_p]),
    "vx_find_unclean": (u32, [ctypes.c_void_p]),
    "vx_find_stuck": (u32, [ctypes.c_void_p]),
}


def _cache_dir() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "inca" / "verification"


@cache
def library(extra_flags: tuple[str, ...] = ()) -> ctypes.CDLL:
    """The loaded core; compiles it when no cached object has the same sources and flags."""
    here = Path(__file__).parent
    digest = hashlib.sha256(" ".join((*FLAGS, *extra_flags)).encode())
    for name in (*SOURCES, *HEADERS):
        digest.update((here / name).read_bytes())
    target = _cache_dir() / f"vx-{digest.hexdigest()[:24]}.so"
    if not target.exists():
        _compile(here, target, extra_flags)
    core = ctypes.CDLL(str(target))
    for name, (result, arguments) in _PROTOTYPES.items():
        function = getattr(core, name)
        function.restype, function.argtypes = result, arguments
    return core


def _compile(here: Path, target: Path, extra_flags: tuple[str, ...]) -> None:
    gcc = shutil.which("gcc")
    if gcc is None:
        raise NativeError("the model checker needs a C compiler: gcc not found (apt install gcc)")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        built = Path(folder) / "vx.so"
        command = [gcc, *FLAGS, *extra_flags, "-o", str(built), *(str(here / s) for s in SOURCES)]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode:
            first = next(iter(run.stderr.splitlines()), "no message")
            raise NativeError(f"the model checker's core does not compile: {first}")
        built.replace(target)


def array(values: list[int]) -> ctypes.Array[ctypes.c_uint32]:
    """A C array of words (never empty, so that a pointer always exists)."""
    return (u32 * max(1, len(values)))(*values)
