# SPDX-License-Identifier: MIT
"""Errors of P4Runtime: a canonical code and one line of text."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from finsy.proto import p4r, rpc_code, rpc_status

# p4.v1.Error.space: <target>-<architecture>-<vendor>, as the specification proposes.
ERROR_SPACE = "softswitch-v1model-inca"

_MAX_WITH_TEXTS = 7_000
_MAX_DETAILS = 60_000


class Code(IntEnum):
    """The canonical codes that this server uses (google.rpc.Code)."""

    OK = rpc_code.OK
    UNKNOWN = rpc_code.UNKNOWN
    INVALID_ARGUMENT = rpc_code.INVALID_ARGUMENT
    NOT_FOUND = rpc_code.NOT_FOUND
    ALREADY_EXISTS = rpc_code.ALREADY_EXISTS
    PERMISSION_DENIED = rpc_code.PERMISSION_DENIED
    RESOURCE_EXHAUSTED = rpc_code.RESOURCE_EXHAUSTED
    FAILED_PRECONDITION = rpc_code.FAILED_PRECONDITION
    OUT_OF_RANGE = rpc_code.OUT_OF_RANGE
    UNIMPLEMENTED = rpc_code.UNIMPLEMENTED
    INTERNAL = rpc_code.INTERNAL
    UNAVAILABLE = rpc_code.UNAVAILABLE


class P4RuntimeError(Exception):
    """A request, or one element of a batch, that is refused."""

    def __init__(self, code: Code, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class BatchError(P4RuntimeError):
    """Some elements of a batch failed; `errors` has one element per element, None if it went well.

    Its text names the first failure, so that clients that only print the text say something.
    """

    def __init__(self, what: str, errors: list[P4RuntimeError | None]) -> None:
        first = next(e for e in errors if e is not None)
        failed = sum(e is not None for e in errors)
        super().__init__(
            Code.UNKNOWN,
            f"{failed} of {len(errors)} {what} failed, the first with {first.code.name}: "
            f"{first.message}",
        )
        self.errors = errors

    def status(self) -> Any:
        """Return the google.rpc.Status with a p4.v1.Error for each element.

        It travels in HTTP/2 headers, of which gRPC clients accept 8 kB unless told otherwise: a
        large batch of errors goes without their texts, and one that is larger still without
        details, since the whole answer would be lost otherwise.
        """
        full = self._status(texts=True)
        if full.ByteSize() <= _MAX_WITH_TEXTS:
            return full
        short = self._status(texts=False)
        if short.ByteSize() <= _MAX_DETAILS:
            return short
        return rpc_status.Status(code=self.code, message=self.message)

    def _status(self, *, texts: bool) -> Any:
        status = rpc_status.Status(code=self.code, message=self.message)
        for error in self.errors:
            detail = p4r.Error(canonical_code=Code.OK)
            if error is not None:
                detail.canonical_code = error.code
                if texts:
                    detail.message = error.message
                    detail.space = ERROR_SPACE
                    detail.code = error.code
            status.details.add().Pack(detail)
        return status


def invalid(message: str) -> P4RuntimeError:
    """A malformed request."""
    return P4RuntimeError(Code.INVALID_ARGUMENT, message)


def not_found(message: str) -> P4RuntimeError:
    """A thing that does not exist."""
    return P4RuntimeError(Code.NOT_FOUND, message)


def already_exists(message: str) -> P4RuntimeError:
    """A thing that exists already."""
    return P4RuntimeError(Code.ALREADY_EXISTS, message)


def denied(message: str) -> P4RuntimeError:
    """Something that this client, or any, may not do."""
    return P4RuntimeError(Code.PERMISSION_DENIED, message)


def out_of_range(message: str) -> P4RuntimeError:
    """A value or index that is too large."""
    return P4RuntimeError(Code.OUT_OF_RANGE, message)


def exhausted(message: str) -> P4RuntimeError:
    """Something is full."""
    return P4RuntimeError(Code.RESOURCE_EXHAUSTED, message)


def unimplemented(message: str) -> P4RuntimeError:
    """Something that this server does not do."""
    return P4RuntimeError(Code.UNIMPLEMENTED, message)


def precondition(message: str) -> P4RuntimeError:
    """Something that the present state does not allow."""
    return P4RuntimeError(Code.FAILED_PRECONDITION, message)
