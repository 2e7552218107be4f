# SPDX-License-Identifier: MIT
"""The switch as the entities see it: P4Info's objects and the server's own byte strings.

Everything the server does to a `Pipeline` goes through here, and engine errors leave as
P4Runtime errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from softswitch.engine.errors import (
    ActionError,
    ConstError,
    EngineError,
    ExistsError,
    FullError,
    InUseError,
    InvalidError,
    NotFoundError,
)
from softswitch.engine.match import Exact, Lpm, Match, Optional, Range, Ternary
from softswitch.p4info import MatchKind
from softswitch.server.codec import MatchCodec
from softswitch.server.errors import Code, P4RuntimeError

if TYPE_CHECKING:
    from collections.abc import Iterator


_CODES: list[tuple[type[EngineError], Code]] = [
    (ExistsError, Code.ALREADY_EXISTS),
    (FullError, Code.RESOURCE_EXHAUSTED),
    (ConstError, Code.PERMISSION_DENIED),
    (InUseError, Code.FAILED_PRECONDITION),
    (NotFoundError, Code.NOT_FOUND),
    (InvalidError, Code.INVALID_ARGUMENT),
    (ActionError, Code.INVALID_ARGUMENT),
]


@contextmanager
def translated() -> Iterator[None]:
    """Turn engine errors into P4Runtime errors."""
    try:
        yield
    except EngineError as error:
        for kind, code in _CODES:
            if isinstance(error, kind):
                raise P4RuntimeError(code, str(error)) from error
        raise P4RuntimeError(Code.INTERNAL, str(error)) from error


def engine_match(codec: MatchCodec, key: bytes, arg: bytes) -> list[Match]:
    """The engine's form of a match."""
    result: list[Match] = []
    for field, width, value, other in codec.parts(key, arg):
        if field.kind is MatchKind.EXACT:
            result.append(Exact(value))
        elif field.kind is MatchKind.LPM:
            result.append(Lpm(value, other.bit_count()))
        elif field.kind is MatchKind.TERNARY:
            result.append(Ternary(value, other))
        elif field.kind is MatchKind.RANGE:
            result.append(Range(value, other))
        else:
            result.append(Optional(value if other else None))
    return result


def server_match(codec: MatchCodec, match: Sequence[Match]) -> tuple[bytes, bytes]:
    """The inverse of `engine_match`."""
    parts = []
    for (_, width, _, _), m in zip(codec.shape(), match, strict=True):
        ones = (1 << width) - 1
        if isinstance(m, Exact):
            parts.append((m.value, ones))
        elif isinstance(m, Lpm):
            parts.append((m.value, ones ^ (ones >> m.prefix_len)))
        elif isinstance(m, Ternary):
            parts.append((m.value, m.mask))
        elif isinstance(m, Range):
            parts.append((m.low, m.high))
        else:
            parts.append((0, 0) if m.value is None else (m.value, ones))
    return codec.join(parts)
