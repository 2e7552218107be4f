# SPDX-License-Identifier: MIT
"""The C interface (``ss.h``, ``ss_control.h``) by ctypes."""

from __future__ import annotations

import ctypes
from ctypes import POINTER, byref, c_char_p, c_int32, c_int64, c_uint32, c_uint64, c_void_p
from pathlib import Path
from typing import Any

from softswitch.engine.errors import (
    ActionError,
    BuildError,
    ConstError,
    EngineError,
    ExistsError,
    FullError,
    InUseError,
    InvalidError,
    NotFoundError,
)

ABI_VERSION = 1
NO_DEFAULT = -1000

_ERRORS: dict[int, tuple[type[EngineError], str]] = {
    -1: (FullError, "full"),
    -2: (ExistsError, "already there"),
    -3: (NotFoundError, "not found"),
    -4: (InvalidError, "value, mask, index or length out of range"),
    -5: (ConstError, "constant, cannot be changed"),
    -6: (ActionError, "the action is not allowed here"),
    -7: (InUseError, "in use by table entries or groups"),
    -8: (EngineError, "out of memory"),
}


def error_of(code: int, what: str) -> EngineError:
    """The exception for an error code, naming ``what``."""
    kind, text = _ERRORS.get(code, (EngineError, f"error {code}"))
    return kind(f"{what}: {text}")


def check(code: int, what: str) -> int:
    """``code`` if it is no error; else raises the matching exception, naming ``what``."""
    if code >= 0:
        return code
    raise error_of(code, what)


class Hooks(ctypes.Structure):
    """``ss_hooks``."""

    _fields_ = (
        ("ctx", c_void_p),
        ("enqueue", c_void_p),
        ("transmit", c_void_p),
        ("digest", c_void_p),
        ("log", c_void_p),
    )


LOG_HOOK = ctypes.CFUNCTYPE(None, c_void_p, c_char_p)


class Stats(ctypes.Structure):
    """``ss_stats``."""

    _fields_ = tuple(
        (name, c_uint64)
        for name in (
            "received",
            "transmitted",
            "dropped_ingress",
            "dropped_egress",
            "dropped_no_replica",
            "dropped_priority",
            "dropped_loop",
            "dropped_assert",
            "no_session",
            "parser_errors",
            "checksum_errors",
            "index_errors",
        )
    )


class Replica(ctypes.Structure):
    """``ss_replica``."""

    _fields_ = (("port", c_uint32), ("rid", c_uint32))


_U64 = POINTER(c_uint64)
_I32 = POINTER(c_int32)
_U32 = POINTER(c_uint32)
_SIGNATURES: dict[str, tuple[object, list[object]]] = {
    "ss_abi_version": (c_uint32, []),
    "ss_create": (c_void_p, [c_uint64, POINTER(Hooks)]),
    "ss_destroy": (None, [c_void_p]),
    "ss_get_stats": (POINTER(Stats), [c_void_p]),
    "ss_set_queues": (None, [c_void_p, c_uint32]),
    "ss_process": (c_void_p, [c_void_p, c_uint32, c_char_p, c_uint32, c_uint64, _U64]),
    "ss_trace_take": (c_void_p, [c_void_p, _U64]),
    "ss_digests": (c_void_p, [c_void_p, _U64]),
    "ss_table_insert": (
        c_int64,
        [c_void_p, c_uint32, c_char_p, c_char_p, c_int32, c_int32, c_char_p, c_uint32],
    ),
    "ss_table_insert_many": (
        c_int32,
        [
            c_void_p,
            c_uint32,
            c_uint32,
            c_char_p,
            c_char_p,
            c_void_p,
            c_void_p,
            c_char_p,
            c_void_p,
            c_void_p,
        ],
    ),
    "ss_table_modify": (c_int32, [c_void_p, c_uint32, c_int64, c_int32, c_char_p, c_uint32]),
    "ss_table_delete": (c_int32, [c_void_p, c_uint32, c_int64]),
    "ss_table_find": (c_int64, [c_void_p, c_uint32, c_char_p, c_char_p, c_int32]),
    "ss_table_set_default": (c_int32, [c_void_p, c_uint32, c_int32, c_char_p, c_uint32]),
    "ss_table_reset_default": (c_int32, [c_void_p, c_uint32]),
    "ss_table_default": (c_int32, [c_void_p, c_uint32, c_char_p]),
    "ss_table_count": (c_uint32, [c_void_p, c_uint32]),
    "ss_table_next": (
        c_int64,
        [c_void_p, c_uint32, _U32, c_char_p, c_char_p, _I32, _I32, c_char_p],
    ),
    "ss_table_get": (
        c_int32,
        [c_void_p, c_uint32, c_int64, c_char_p, c_char_p, _I32, _I32, c_char_p],
    ),
    "ss_table_clear_entries": (c_int32, [c_void_p, c_uint32]),
    "ss_entry_counter": (c_int32, [c_void_p, c_uint32, c_int64, _U64, _U64]),
    "ss_entry_set_counter": (c_int32, [c_void_p, c_uint32, c_int64, c_uint64, c_uint64]),
    "ss_entry_set_meter": (c_int32, [c_void_p, c_uint32, c_int64, _U64]),
    "ss_entry_meter": (c_int32, [c_void_p, c_uint32, c_int64, _U64]),
    "ss_entry_set_timeout": (c_int32, [c_void_p, c_uint32, c_int64, c_uint64, c_uint64]),
    "ss_entry_last_hit": (c_int32, [c_void_p, c_uint32, c_int64, _U64, _U64]),
    "ss_member_insert": (c_int32, [c_void_p, c_uint32, c_uint32, c_int32, c_char_p, c_uint32]),
    "ss_member_modify": (c_int32, [c_void_p, c_uint32, c_uint32, c_int32, c_char_p, c_uint32]),
    "ss_member_delete": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "ss_group_set": (c_int32, [c_void_p, c_uint32, c_uint32, _U32, _U32, c_uint32]),
    "ss_group_delete": (c_int32, [c_void_p, c_uint32, c_uint32]),
    "ss_register_read": (c_int32, [c_void_p, c_uint32, c_uint32, c_char_p]),
    "ss_register_write": (c_int32, [c_void_p, c_uint32, c_uint32, c_char_p]),
    "ss_counter_read": (c_int32, [c_void_p, c_uint32, c_uint32, _U64, _U64]),
    "ss_counter_write": (c_int32, [c_void_p, c_uint32, c_uint32, c_uint64, c_uint64]),
    "ss_meter_set": (c_int32, [c_void_p, c_uint32, c_uint32, _U64]),
    "ss_meter_get": (c_int32, [c_void_p, c_uint32, c_uint32, _U64]),
    "ss_group_replicas": (c_int32, [c_void_p, c_uint32, POINTER(Replica), c_uint32]),
    "ss_group_remove": (c_int32, [c_void_p, c_uint32]),
    "ss_session_replicas": (c_int32, [c_void_p, c_uint32, POINTER(Replica), c_uint32, c_uint32]),
    "ss_session_remove": (c_int32, [c_void_p, c_uint32]),
    "ss_value_set": (c_int32, [c_void_p, c_uint32, c_char_p, c_uint32]),
    "ss_state_save": (c_void_p, [c_void_p, _U64]),
    "ss_state_load": (c_int32, [c_void_p, c_char_p, c_uint64]),
    "ss_version": (c_uint64, [c_void_p]),
    "ss_reset_control": (c_int32, [c_void_p]),
    "ss_faults": (c_uint64, [c_void_p, POINTER(c_char_p)]),
}


def load_library(path: Path) -> ctypes.CDLL:
    """The shared object with the types of its functions declared."""
    try:
        library = ctypes.CDLL(str(path))
    except OSError as e:
        raise BuildError(f"{path}: cannot be loaded: {e}") from None
    for name, (result, arguments) in _SIGNATURES.items():
        function = getattr(library, name)
        function.restype = result
        function.argtypes = arguments
    if library.ss_abi_version() != ABI_VERSION:
        raise BuildError(f"{path}: made by another version of the runtime; remove it")
    return library


class Instance:
    """One ``ss_switch``: call functions as ``instance.lib.f(instance.ptr, ...)``."""

    def __init__(self, library: ctypes.CDLL, seed: int, log: Any = None) -> None:
        self.lib = library
        hooks = Hooks()
        self._log = log
        if log is not None:
            hooks.log = ctypes.cast(log, c_void_p)
        self.ptr: int | None = library.ss_create(seed & (1 << 64) - 1, byref(hooks))
        if not self.ptr:
            raise EngineError(
                "the instance could not be created: out of memory, or entries of the program clash"
            )

    def close(self) -> None:
        """Free the instance."""
        if self.ptr:
            self.lib.ss_destroy(self.ptr)
            self.ptr = None

    def __del__(self) -> None:
        if getattr(self, "ptr", None):
            self.close()
