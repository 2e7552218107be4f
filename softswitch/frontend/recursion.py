# SPDX-License-Identifier: MIT
"""Room for deeply nested programs, and a clear error for those that nest too deep."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from softswitch.frontend.ast import Span
from softswitch.frontend.diagnostics import error

_LIMIT = 20_000


@contextmanager
def deep_recursion(where: Callable[[], Span]) -> Iterator[None]:
    """Raises Python's recursion limit; running into it is a `P4CompileError` at ``where()``."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _LIMIT))
    try:
        yield
    except RecursionError:
        raise error("unsupported", "the program is nested too deeply", where()) from None
    finally:
        sys.setrecursionlimit(before)
